package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// open returns the database of an address.
func open(t testing.TB, address string) *sql.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// inFile returns the address of a database of its own, which does not exist yet.
func inFile(t testing.TB) string { return filepath.Join(t.TempDir(), "events.db") }

// migrated returns a database with the tables.
func migrated(t testing.TB, address string, opts ...sqlite.Option) *sql.DB {
	t.Helper()
	db := open(t, address)
	if err := sqlite.Migrate(t.Context(), db, opts...); err != nil {
		t.Fatal(err)
	}
	return db
}

func newStore(t testing.TB, opts ...sqlite.Option) *sqlite.Store {
	t.Helper()
	store, err := sqlite.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// begin begins a transaction, which is rolled back with the test unless it has ended before.
func begin(t testing.TB, db *sql.DB, opts *sql.TxOptions) *sql.Tx {
	t.Helper()
	tx, err := db.BeginTx(context.WithoutCancel(t.Context()), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() })
	return tx
}

func commit(t testing.TB, tx *sql.Tx) {
	t.Helper()
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// execute runs a statement.
func execute(t testing.TB, db interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// one returns the only value that a statement returns.
func one[T any](t testing.TB, db *sql.DB, statement string, args ...any) (value T) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), statement, args...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return value
}

// appendTo appends to a stream in a transaction of its own.
func appendTo(t testing.TB, db *sql.DB, store *sqlite.Store, events []runtime.Event) runtime.AppendResult {
	t.Helper()
	tx := begin(t, db, nil)
	r, err := store.Append(t.Context(), tx, runtime.Any(), events)
	if err != nil {
		t.Fatal(err)
	}
	commit(t, tx)
	return r
}

var streams atomic.Int64

// newStream returns the ID of a stream that no other test uses.
func newStream() string { return fmt.Sprintf("stream-%d", streams.Add(1)) }

// placed returns n events of the stream.
func placed(stream string, n int) []runtime.Event {
	events := make([]runtime.Event, n)
	for i := range events {
		events[i] = runtime.Event{
			AggregateType: "Order",
			AggregateID:   stream,
			EventType:     "Placed",
			EventVersion:  1,
			EventID:       uuid.New(),
			Payload:       fmt.Appendf(nil, `{"n":%d}`, i),
		}
	}
	return events
}
