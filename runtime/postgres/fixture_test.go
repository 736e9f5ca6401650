package postgres_test

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// patience is how long a test waits for what is sure to come on a busy machine.
const patience = 5 * time.Minute

// schema returns the SQL of the tables, as migrate-gen writes it.
func schema(t testing.TB, o design.Options) string {
	t.Helper()
	tables, err := migration.Schema(o)
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

// database returns the address of a database of its own with the standard tables.
func database(t testing.TB) string {
	t.Helper()
	return pgtest.New(t, schema(t, design.Options{Snapshots: true}))
}

// connect returns a pool on the database. Each of the changes is made to its configuration.
func connect(t testing.TB, address string, changes ...func(*pgxpool.Config)) *pgxpool.Pool {
	t.Helper()
	c, err := pgxpool.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	c.MaxConns = 32
	c.ShouldPing = never
	for _, change := range changes {
		change(c)
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// never keeps a pool from asking a connection that was idle for a second whether it is there: tests that count what is sent, or
// cut what is sent next, must not depend on how fast they are.
func never(context.Context, pgxpool.ShouldPingParams) bool { return false }

// mode returns a change that sets how pgx runs statements.
func mode(m pgx.QueryExecMode) func(*pgxpool.Config) {
	return func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = m }
}

// connectSQL returns the database as database/sql sees it.
func connectSQL(t testing.TB, address string, m pgx.QueryExecMode) *sql.DB {
	t.Helper()
	c, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	c.DefaultQueryExecMode = m
	db := stdlib.OpenDB(*c)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// begin begins a transaction, which is rolled back with the test unless it has ended before.
func begin(t testing.TB, pool *pgxpool.Pool, options ...pgx.TxOptions) pgx.Tx {
	t.Helper()
	tx, err := pool.BeginTx(t.Context(), append(options, pgx.TxOptions{})[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	return tx
}

// commit commits a transaction.
func commit(t testing.TB, tx pgx.Tx) {
	t.Helper()
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// execute runs a statement.
func execute(t testing.TB, db interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}, statement string, args ...any) {
	t.Helper()
	rows, err := db.Query(t.Context(), statement, args...)
	if err == nil {
		rows.Close()
		err = rows.Err()
	}
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// newStore returns a store for pgx transactions.
func newStore(t testing.TB, opts ...postgres.Option) *postgres.Store[pgx.Tx] {
	t.Helper()
	store, err := postgres.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// newPoolStore returns a store whose calls are transactions of their own.
func newPoolStore(t testing.TB, opts ...postgres.Option) *postgres.Store[*pgxpool.Pool] {
	t.Helper()
	store, err := postgres.NewPool(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return store
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

// eventually waits until what is said comes true.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); {
		if time.Now().After(deadline) {
			t.Fatalf("it did not come true that %s", what)
		}
		time.Sleep(time.Millisecond) // between two looks
	}
}
