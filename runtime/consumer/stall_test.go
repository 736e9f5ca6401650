package consumer_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// An append that stays open stalls consumers. They say so, and who it is, until it ends.
func TestStall_isReportedWithWhoCausesIt(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	store, err := postgres.New()
	if err != nil {
		t.Fatal(err)
	}
	before := e.append("Order", "a", 2)
	culprit := e.with(func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["application_name"] = "importer" })
	tx, err := culprit.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := store.Append(t.Context(), tx, runtime.NoStream(), events("Order", "b", 2)); err != nil {
		t.Fatal(err)
	}
	e.append("Order", "c", 3)

	var told atomic.Pointer[consumer.StalledError]
	r, err := consumer.New(e.db, consumer.Config{
		PollLeast: time.Millisecond, PollMost: 20 * time.Millisecond, StallAfter: 30 * time.Millisecond,
		Hooks: consumer.Hooks{Trouble: func(_ context.Context, _ string, err error) {
			var stalled *consumer.StalledError
			if errors.As(err, &stalled) {
				told.Store(stalled)
			}
		}},
	}, consumer.Registration[pgx.Tx]{Consumer: writes("c", nil)})
	if err != nil {
		t.Fatal(err)
	}
	background(e, r)
	e.eventually("the stall is told", func() bool { return told.Load() != nil })
	pid := int(tx.Conn().PgConn().PID())
	stalled := told.Load()
	if stalled.Frontier != before[1] || stalled.LogEnd != 7 || len(stalled.Holders) != 1 {
		t.Fatalf("stalled %+v, want it at 2 of 7 with one holder", stalled)
	}
	if h := stalled.Holders[0]; h.After != before[1] || h.PID != pid || h.Application != "importer" || h.State != "idle in transaction" ||
		time.Since(h.Since) > patience {
		t.Errorf("holder %+v, want process %d, importer, idle in transaction", h, pid)
	}
	wantError(t, stalled, nil, "position 2 of 7", `application "importer"`, "pg_terminate_backend")
	s := status(e, r, "c")
	if s.Frontier != before[1] || s.LogEnd != 7 || len(s.Holders) != 1 || !errors.As(s.Trouble, &stalled) {
		t.Errorf("status %+v, want it to show the stall", s)
	}

	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.eventually("all is handled", func() bool { return len(e.model("c")) == 7 })
	if s := status(e, r, "c"); s.Frontier != 7 || s.LogEnd != 7 || s.Holders != nil || s.Trouble != nil {
		t.Errorf("status %+v, want no stall", s)
	}
}

// A prepared transaction has no process to end. Its name is told.
func TestHolders_preparedTransaction(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t, pgtest.Setting("max_prepared_transactions", "10"))
	e := connect(t, server.NewDatabase(t, schema(t)...))
	store, err := postgres.New()
	if err != nil {
		t.Fatal(err)
	}
	tx, err := e.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Append(t.Context(), tx, runtime.NoStream(), events("Order", "b", 2)); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "prepare transaction 'forgotten'"); err != nil {
		t.Fatal(err)
	}
	_ = tx.Rollback(t.Context())
	holders, err := e.db.Holders(t.Context(), 5)
	if err != nil || len(holders) != 1 || holders[0].PID != 0 || holders[0].State != "prepared transaction forgotten" || holders[0].Since.IsZero() {
		t.Errorf("holders %+v, %v, want the prepared transaction", holders, err)
	}
	e.exec("commit prepared 'forgotten'")
}
