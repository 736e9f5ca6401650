package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// Consumers leave nothing in a session, so they share the work as ever when sessions are shared between transactions.
func TestConsumers_workThroughPgBouncer(t *testing.T) {
	t.Parallel()
	address := database(t)
	direct := connect(t, address)
	execute(t, direct, "create table handled (global_position bigint primary key)")
	store := newPoolStore(t)
	for range 40 {
		if _, err := store.Append(t.Context(), direct, runtime.NoStream(), placed(newStream(), 5)); err != nil {
			t.Fatal(err)
		}
	}
	through := bounced(t, address)
	failed := false
	registration := consumer.Registration[pgx.Tx]{
		Segments: 4, BatchSize: 10, Backoff: consumer.Backoff{First: time.Millisecond},
		Consumer: consumer.Scoped("c", []string{"Order"}, func(ctx context.Context, tx pgx.Tx, e runtime.PersistedEvent) error {
			if e.GlobalPosition == 77 && !failed {
				failed = true
				return errors.New("once")
			}
			_, err := tx.Exec(ctx, "insert into handled values ($1)", e.GlobalPosition)
			return err
		}),
	}
	done := make(chan error, 2)
	for range cap(done) {
		db, err := postgres.NewConsumers(connect(t, through, mode(pgx.QueryExecModeExec), func(c *pgxpool.Config) { c.MaxConns = 4 }))
		if err != nil {
			t.Fatal(err)
		}
		r, err := consumer.New(consumer.Database[pgx.Tx](db), consumer.Config{PollLeast: time.Millisecond}, registration)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			done <- r.RunUntilCaughtUp(ctx, nil)
		}()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	var handled int
	if err := direct.QueryRow(t.Context(), "select count(*) from handled").Scan(&handled); err != nil || handled != 200 {
		t.Errorf("handled %d events, %v, want 200", handled, err)
	}
}

// What a handler is lent is a transaction in every way but that it cannot be ended.
func TestConsumers_lentTransaction(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	db, err := postgres.NewConsumers(pool)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newStore(t).Append(t.Context(), tx, runtime.NoStream(), placed(newStream(), 1)); err != nil {
		t.Errorf("append: %v", err)
	}
	// A savepoint of the handler's own is its own to end.
	nested, err := tx.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	execute(t, nested, "create table nested (id int)")
	if err := nested.Commit(t.Context()); err != nil {
		t.Errorf("commit of a savepoint: %v", err)
	}
	if _, err := tx.CopyFrom(t.Context(), pgx.Identifier{"nested"}, []string{"id"}, pgx.CopyFromRows([][]any{{1}, {2}})); err != nil {
		t.Errorf("copy: %v", err)
	}
	if err := db.Commit(t.Context(), tx); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := pool.QueryRow(t.Context(), "select count(*) from nested").Scan(&n); err != nil || n != 2 {
		t.Errorf("%d rows, %v, want 2", n, err)
	}

	tx, err = db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	execute(t, tx, "insert into nested values (3)")
	if err := tx.Commit(t.Context()); !errors.Is(err, consumer.ErrTransactionEnded) {
		t.Errorf("commit by the handler: %v, want ErrTransactionEnded", err)
	}
	if err := db.Commit(t.Context(), tx); !errors.Is(err, consumer.ErrTransactionEnded) {
		t.Errorf("commit after that: %v, want ErrTransactionEnded", err)
	}
	if err := db.Rollback(t.Context(), tx); err != nil {
		t.Errorf("rollback: %v", err)
	}
	if err := db.Rollback(t.Context(), tx); err != nil {
		t.Errorf("second rollback: %v", err)
	}
	if err := pool.QueryRow(t.Context(), "select count(*) from nested").Scan(&n); err != nil || n != 2 {
		t.Errorf("%d rows, %v, want still 2", n, err)
	}
	if stat := pool.Stat(); stat.AcquiredConns() != 0 {
		t.Errorf("%d connections are not given back", stat.AcquiredConns())
	}
}

// A claim keeps everybody else away until its transaction ends, whatever they use.
func TestConsumers_claimIsForOne(t *testing.T) {
	t.Parallel()
	address := database(t)
	pool := connect(t, address)
	if _, err := newPoolStore(t).Append(t.Context(), pool, runtime.NoStream(), placed(newStream(), 3)); err != nil {
		t.Fatal(err)
	}
	viaPgx, err := postgres.NewConsumers(pool)
	if err != nil {
		t.Fatal(err)
	}
	viaSQL, err := postgres.NewConsumersSQL(connectSQL(t, address, pgx.QueryExecModeCacheStatement))
	if err != nil {
		t.Fatal(err)
	}
	claim := func(name string) (*consumer.Claim, *sql.Tx) {
		t.Helper()
		tx, err := viaSQL.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c, err := viaSQL.Claim(t.Context(), tx, name, consumer.ClaimQuery{Segment: consumer.AnySegment})
		if err != nil {
			t.Fatal(err)
		}
		return c, tx
	}
	tx, err := viaPgx.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := viaPgx.Create(t.Context(), tx, "c", 2, consumer.StartPosition{}); err != nil {
		t.Fatal(err)
	}
	if err := viaPgx.Commit(t.Context(), tx); err != nil {
		t.Fatal(err)
	}
	if tx, err = viaPgx.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	first, err := viaPgx.Claim(t.Context(), tx, "c", consumer.ClaimQuery{Segment: consumer.AnySegment})
	if err != nil {
		t.Fatal(err)
	}
	second, sqlTx := claim("c")
	third, otherTx := claim("c")
	if diff := cmp.Diff([]int{0, 1}, []int{first.Segment, second.Segment}); diff != "" || third != nil {
		t.Errorf("claims (-want +got):\n%s, and a third one: %v", diff, third)
	}
	if first.Frontier != 3 || first.Transaction == second.Transaction {
		t.Errorf("claims %+v and %+v, want the frontier and different transactions", first, second)
	}
	if err := viaSQL.Rollback(t.Context(), otherTx); err != nil {
		t.Error(err)
	}
	second.Position = 3
	if err := viaSQL.Save(t.Context(), sqlTx, second, 0); err != nil {
		t.Errorf("save: %v", err)
	}
	if err := viaPgx.Rollback(t.Context(), tx); err != nil {
		t.Error(err)
	}
	again, againTx := claim("c")
	if again == nil || again.Segment != 0 {
		t.Errorf("claim %+v after the rollback, want segment 0, since 1 has caught up", again)
	}
	// The claim of another transaction is not saved in this one.
	if err := viaSQL.Save(t.Context(), againTx, first, 0); !errors.Is(err, consumer.ErrTransactionEnded) {
		t.Errorf("save of a foreign claim: %v, want ErrTransactionEnded", err)
	}
	if err := viaSQL.Rollback(t.Context(), againTx); err != nil {
		t.Error(err)
	}
}
