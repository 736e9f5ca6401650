package sqlite_test

import (
	"cmp"
	"context"
	"database/sql"
	"testing"

	"github.com/eventmap/eventmap/runtime/sqlite"
	"github.com/eventmap/eventmap/runtime/storetest"
)

// The suite runs whole, but for what takes two transactions that write at once, and in memory two transactions at all.
func TestStore_keepsTheContract(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, address string
		tables        sqlite.Config
		without       []storetest.Ability
	}{
		{name: "in a file", address: inFile(t)},
		{name: "in memory", address: ":memory:", without: []storetest.Ability{storetest.ConcurrentReaders}},
		{
			name: "in other tables", address: inFile(t),
			tables: sqlite.Config{EventsTable: "Order-événements", CheckpointsTable: "select", ParkedEventsTable: "_$"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			db := migrated(t, row.address, row.tables)
			storetest.Run(t, storetest.Harness[*sql.Tx]{
				Store:        newStore(t, row.tables),
				Begin:        beginner(db, nil),
				BeginReading: beginner(db, &sql.TxOptions{ReadOnly: true}),
				Remove:       remover(db, row.tables.EventsTable),
				Without:      append(row.without, storetest.ConcurrentWriters),
			})
		})
	}
}

// beginner returns how the suite begins a transaction.
func beginner(db *sql.DB, opts *sql.TxOptions) func(context.Context) (storetest.Transaction[*sql.Tx], error) {
	return func(ctx context.Context) (storetest.Transaction[*sql.Tx], error) {
		tx, err := db.BeginTx(ctx, opts)
		if err != nil {
			return storetest.Transaction[*sql.Tx]{}, err
		}
		return storetest.Transaction[*sql.Tx]{
			Tx:       tx,
			Commit:   func(context.Context) error { return tx.Commit() },
			Rollback: func(context.Context) error { return tx.Rollback() },
		}, nil
	}
}

// remover returns how the suite takes events out of a stream.
func remover(db *sql.DB, events string) func(ctx context.Context, aggregateType, aggregateID string, from, to int64) error {
	events = cmp.Or(events, "events")
	return func(ctx context.Context, aggregateType, aggregateID string, from, to int64) error {
		_, err := db.ExecContext(ctx, `delete from "`+events+`"
			where aggregate_type = ? and aggregate_id = ? and aggregate_version between ? and ?`, aggregateType, aggregateID, from, to)
		return err
	}
}
