package consumer_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// A handler that appends, in its transaction, does so exactly once, and its events are handled in turn.
func TestHandler_mayAppend(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.appendMany(50, 10)
	store, err := postgres.New()
	if err != nil {
		t.Fatal(err)
	}
	failed := false
	r, _ := recorded(e, consumer.Registration[pgx.Tx]{Segments: 2, Workers: 2, Consumer: writes("c", func(ctx context.Context, tx pgx.Tx, p runtime.PersistedEvent) error {
		if p.AggregateType != "Order" {
			return nil
		}
		if _, err := store.Append(ctx, tx, runtime.Any(), events("Mail", "mail-"+p.AggregateID, 1)); err != nil {
			return err
		}
		if p.GlobalPosition == 30 && !failed {
			failed = true
			return errors.New("after the append")
		}
		return nil
	})})
	e.catchUp(r)
	e.catchUp(r) // what was appended meanwhile
	e.wantModel("c", e.logPositions())
	if n := one[int64](e, "select count(*) from events where aggregate_type = 'Mail'"); n != 50 {
		t.Errorf("%d mails for 50 orders", n)
	}
}

func TestHandler_thatEndsTheTransaction(t *testing.T) {
	t.Parallel()
	ends := map[string]func(ctx context.Context, tx pgx.Tx) error{
		"commit":           func(ctx context.Context, tx pgx.Tx) error { _ = tx.Commit(ctx); return nil },
		"commit, returned": func(ctx context.Context, tx pgx.Tx) error { return tx.Commit(ctx) },
		"rollback":         func(ctx context.Context, tx pgx.Tx) error { _ = tx.Rollback(ctx); return nil },
		"commit statement": func(ctx context.Context, tx pgx.Tx) error { _, err := tx.Exec(ctx, "commit"); return err },
		"rollback and begin": func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "rollback")
			if err == nil {
				_, err = tx.Exec(ctx, "begin")
			}
			return err
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			p := e.append("Order", "o", 6)
			ended := 0
			r, rec := recorded(e, consumer.Registration[pgx.Tx]{
				Consumer: handler[pgx.Tx]{"c", func(ctx context.Context, tx pgx.Tx, event runtime.PersistedEvent) error {
					// A commit by a statement cannot be undone: then events are handled again, as they are here.
					if _, err := tx.Exec(ctx, insertRow+" on conflict do nothing", "c", event.GlobalPosition, "o", event.AggregateVersion); err != nil {
						return err
					}
					if event.GlobalPosition == p[3] {
						ended++
						return end(ctx, tx)
					}
					return nil
				}},
				Attempts: 2,
			})
			err := r.RunUntilCaughtUp(e.ctx(), nil)
			wantError(t, err, consumer.ErrStopped, fmt.Sprintf("at event %d after 2 attempts", p[3]), "the handler ended the transaction")
			for _, f := range rec.failures {
				if f.Position != p[3] || !errors.Is(f.Err, consumer.ErrTransactionEnded) {
					t.Errorf("failure %+v, want it of event %d", f, p[3])
				}
			}
			if got := status(e, r, "c").Segments[0].Position; got != p[3]-1 {
				t.Errorf("position %d, want %d", got, p[3]-1)
			}
			if name == "commit" || name == "rollback" {
				e.wantModel("c", p[:3]) // nothing of the event has got through
			}
			if ended < 2 {
				t.Errorf("the event was tried %d times", ended)
			}
		})
	}
}

func TestHandler_thatEndsASQLTransaction(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	p := e.append("Order", "o", 6)
	db, err := postgres.NewConsumersSQL(e.sql())
	if err != nil {
		t.Fatal(err)
	}
	ends := true
	h := handler[*sql.Tx]{"c", func(ctx context.Context, tx *sql.Tx, event runtime.PersistedEvent) error {
		if event.GlobalPosition == p[3] && ends {
			return tx.Commit()
		}
		_, err := tx.ExecContext(ctx, insertRow+" on conflict do nothing", "c", event.GlobalPosition, "o", event.AggregateVersion)
		return err
	}}
	r := runnerOf(t, db, consumer.Registration[*sql.Tx]{Consumer: h, Attempts: 2, Backoff: quick()})
	err = r.RunUntilCaughtUp(e.ctx(), nil)
	wantError(t, err, consumer.ErrStopped, fmt.Sprintf("at event %d after 2 attempts", p[3]), "the handler ended the transaction")
	ends = false
	if err := r.Resume(e.ctx(), "c"); err != nil {
		t.Fatal(err)
	}
	if err := r.RunUntilCaughtUp(e.ctx(), nil); err != nil {
		t.Fatal(err)
	}
	e.wantModel("c", p)
}

// What goes wrong at the end of the transaction is found to be the fault of the one event that causes it.
func TestHandler_whoseFaultShowsLate(t *testing.T) {
	t.Parallel()
	faults := map[string]struct {
		setup  string
		commit func(ctx context.Context, tx pgx.Tx) error
		code   string
	}{
		"hidden error": {
			"select", func(ctx context.Context, tx pgx.Tx) error { _, _ = tx.Exec(ctx, "select 1/0"); return nil }, "25P02",
		},
		"deferred constraint": {
			"create table once (id int unique deferrable initially deferred)",
			func(ctx context.Context, tx pgx.Tx) error {
				_, err := tx.Exec(ctx, "insert into once values (1), (1)")
				return err
			}, "23505",
		},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			e.exec(fault.setup)
			p := e.append("Order", "o", 4)
			q := e.append("Order", "q", 4)
			r, rec := recorded(e, consumer.Registration[pgx.Tx]{
				Policy: consumer.Park, Attempts: 3,
				Consumer: writes("c", func(ctx context.Context, tx pgx.Tx, event runtime.PersistedEvent) error {
					if event.GlobalPosition == p[2] {
						return fault.commit(ctx, tx)
					}
					return nil
				}),
			})
			e.catchUp(r)
			e.wantModel("c", append(p[:2:2], q...))
			var server *pgconn.PgError
			if len(rec.failures) != 3 || rec.failures[2].Position != p[2] || rec.failures[2].Attempt != 3 || !errors.As(rec.failures[0].Err, &server) || server.Code != fault.code {
				t.Errorf("failures %+v, want three of event %d with SQLSTATE %s", rec.failures, p[2], fault.code)
			}
		})
	}
}
