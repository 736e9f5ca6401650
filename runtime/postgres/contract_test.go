package postgres_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime/postgres"
	"github.com/eventmap/eventmap/runtime/storetest"
)

// modes are the ways in which pgx runs a statement.
var modes = []pgx.QueryExecMode{
	pgx.QueryExecModeCacheStatement,
	pgx.QueryExecModeCacheDescribe,
	pgx.QueryExecModeDescribeExec,
	pgx.QueryExecModeExec,
	pgx.QueryExecModeSimpleProtocol,
}

func TestStore_keepsTheContract(t *testing.T) {
	t.Parallel()
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			keepsTheContract(t, func(t *testing.T) string { return database(t) }, m, true, nil)
		})
	}
}

// keepsTheContract runs the suite for each kind of transaction, the pool only if it is wanted, each on a database of its
// own.
func keepsTheContract(t *testing.T, database func(*testing.T) string, m pgx.QueryExecMode, withPool bool, without []storetest.Ability, opts ...postgres.Option) {
	t.Run("pgx.Tx", func(t *testing.T) {
		t.Parallel()
		pool := connect(t, database(t), mode(m))
		storetest.Run(t, storetest.Harness[pgx.Tx]{Store: newStore(t, opts...), Begin: beginPgx(pool), Remove: remover(pool), Without: without})
	})
	t.Run("sql.Tx", func(t *testing.T) {
		t.Parallel()
		address := database(t)
		db := connectSQL(t, address, m)
		store, err := postgres.NewSQL(opts...)
		if err != nil {
			t.Fatal(err)
		}
		storetest.Run(t, storetest.Harness[*sql.Tx]{Store: store, Begin: beginSQL(db), Remove: remover(connect(t, address, mode(m))), Without: without})
	})
	if !withPool {
		return
	}
	t.Run("pgxpool.Pool", func(t *testing.T) {
		t.Parallel()
		pool := connect(t, database(t), mode(m))
		storetest.Run(t, storetest.Harness[*pgxpool.Pool]{
			Store:   newPoolStore(t, opts...),
			Begin:   usePool(pool),
			Remove:  remover(pool),
			Without: append([]storetest.Ability{storetest.Transactions}, without...),
		})
	})
}

func beginPgx(pool *pgxpool.Pool) func(context.Context) (storetest.Transaction[pgx.Tx], error) {
	return func(ctx context.Context) (storetest.Transaction[pgx.Tx], error) {
		tx, err := pool.Begin(ctx)
		if err != nil {
			return storetest.Transaction[pgx.Tx]{}, err
		}
		return storetest.Transaction[pgx.Tx]{Tx: tx, Commit: tx.Commit, Rollback: tx.Rollback}, nil
	}
}

func beginSQL(db *sql.DB) func(context.Context) (storetest.Transaction[*sql.Tx], error) {
	return func(ctx context.Context) (storetest.Transaction[*sql.Tx], error) {
		tx, err := db.BeginTx(ctx, nil)
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

func usePool(pool *pgxpool.Pool) func(context.Context) (storetest.Transaction[*pgxpool.Pool], error) {
	nothing := func(context.Context) error { return nil }
	return func(context.Context) (storetest.Transaction[*pgxpool.Pool], error) {
		return storetest.Transaction[*pgxpool.Pool]{Tx: pool, Commit: nothing, Rollback: nothing}, nil
	}
}

// remover returns how the suite takes events out of a stream, in the standard table or the named one.
func remover(pool *pgxpool.Pool, table ...string) func(ctx context.Context, aggregateType, aggregateID string, from, to int64) error {
	events := append(pgx.Identifier(table), "events")[:max(len(table), 1)].Sanitize()
	return func(ctx context.Context, aggregateType, aggregateID string, from, to int64) error {
		_, err := pool.Exec(ctx, `delete from `+events+`
			where aggregate_type = $1 and aggregate_id = $2 and aggregate_version between $3 and $4`, aggregateType, aggregateID, from, to)
		return err
	}
}
