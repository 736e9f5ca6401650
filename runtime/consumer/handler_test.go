package consumer_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	goruntime "runtime"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// A handler that ends its goroutine, as the FailNow of a test does, takes neither the worker with it nor the transaction.
func TestHandler_thatEndsItsGoroutine(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	p := e.append("Order", "o", 4)
	q := e.append("Order", "q", 2)
	r, rec := recorded(e, consumer.Registration[pgx.Tx]{
		Policy: consumer.Park, Attempts: 3,
		Consumer: writes("c", func(_ context.Context, _ pgx.Tx, event runtime.PersistedEvent) error {
			if event.GlobalPosition == p[2] {
				goruntime.Goexit()
			}
			return nil
		}),
	})
	e.catchUp(r)
	e.wantModel("c", append(p[:2:2], q...))
	if len(rec.failures) != 3 || rec.failures[2].Outcome != consumer.Parked {
		t.Fatalf("failures %+v, want three, the last one parked", rec.failures)
	}
	for _, f := range rec.failures {
		wantError(t, f.Err, nil, "runtime.Goexit")
	}
	e.eventually("its connections are given back", func() bool { return e.pool.Stat().AcquiredConns() == 0 })
}

// A handler's savepoints are its own, whatever their names: what it wrote before one is undone when it fails after it.
func TestHandler_withSavepointsOfItsOwn(t *testing.T) {
	t.Parallel()
	saves := map[string]func(ctx context.Context, tx pgx.Tx) error{
		"nested": func(ctx context.Context, tx pgx.Tx) error {
			nested, err := tx.Begin(ctx)
			if err != nil {
				return err
			}
			if _, err := nested.Exec(ctx, "select 1/0"); err == nil {
				return errors.New("1/0 is a number")
			}
			return nested.Rollback(ctx)
		},
		"left open": func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Begin(ctx)
			return err
		},
		"statement": func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "savepoint eventmap")
			return err
		},
	}
	for name, save := range saves {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			log := e.append("Order", "o", 30)
			var attempts atomic.Int64
			r, _ := recorded(e, consumer.Registration[pgx.Tx]{Attempts: -1, Consumer: writes("c", func(ctx context.Context, tx pgx.Tx, p runtime.PersistedEvent) error {
				if err := save(ctx, tx); err != nil {
					return err
				}
				if p.GlobalPosition%3 == 0 && attempts.Add(1)%4 != 0 {
					return errors.New("three times of four")
				}
				return nil
			})})
			e.catchUp(r)
			e.wantModel("c", log)
		})
	}
}

// A transaction that a handler has kept is of no use to it once the batch is over: its connection is somebody else's.
func TestHandler_thatKeepsItsTransaction(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.append("Order", "o", 2)
	e.exec("create table stray (id int)")
	var kept pgx.Tx
	e.catchUp(e.runner(consumer.Registration[pgx.Tx]{Consumer: writes("c", func(_ context.Context, tx pgx.Tx, _ runtime.PersistedEvent) error {
		kept = tx
		return nil
	})}))
	for what, use := range usesOf(kept) {
		if err := use(e.ctx()); !errors.Is(err, pgx.ErrTxClosed) {
			t.Errorf("%s: %v, want %v", what, err, pgx.ErrTxClosed)
		}
	}
	if kept.Conn() != nil {
		t.Error("the connection can still be had")
	}
	if n := one[int64](e, "select count(*) from stray"); n != 0 {
		t.Errorf("%d rows were written with a transaction that is over", n)
	}
}

// usesOf returns what can be done with a transaction that has a table stray, apart from ending it.
func usesOf(tx pgx.Tx) map[string]func(ctx context.Context) error {
	const insert = "insert into stray values (1) returning id"
	var id int
	return map[string]func(ctx context.Context) error{
		"Exec":     func(ctx context.Context) error { _, err := tx.Exec(ctx, insert); return err },
		"QueryRow": func(ctx context.Context) error { return tx.QueryRow(ctx, insert).Scan(&id) },
		"Query": func(ctx context.Context) error {
			rows, _ := tx.Query(ctx, insert)
			_, err := pgx.CollectRows(rows, pgx.RowTo[int])
			return err
		},
		"Begin":   func(ctx context.Context) error { _, err := tx.Begin(ctx); return err },
		"Prepare": func(ctx context.Context) error { _, err := tx.Prepare(ctx, "stray", insert); return err },
		"SendBatch": func(ctx context.Context) error {
			var b pgx.Batch
			b.Queue(insert)
			return tx.SendBatch(ctx, &b).Close()
		},
		"CopyFrom": func(ctx context.Context) error {
			_, err := tx.CopyFrom(ctx, pgx.Identifier{"stray"}, []string{"id"}, pgx.CopyFromRows([][]any{{1}}))
			return err
		},
		"LargeObjects": func(ctx context.Context) error {
			objects := tx.LargeObjects()
			_, err := objects.Create(ctx, 0)
			return err
		},
	}
}

// What a handler sets for its transaction may take the checkpoint away from the runner. That is the event's failure, and
// nothing is lost.
func TestHandler_thatChangesSettings(t *testing.T) {
	t.Parallel()
	changes := map[string]struct{ statement, text string }{
		"search path":     {"set local search_path to pg_catalog", "search_path"},
		"other's tables":  {"set local search_path to tenant", "search_path"},
		"role":            {"set local role pg_monitor", "role"},
		"read only":       {"set transaction read only", ""}, // ends with the savepoint of the second attempt
		"deferred all":    {"set constraints all deferred", ""},
		"lock timeout":    {"set local lock_timeout = '1ms'", ""},
		"own setting":     {"set local eventmap.frontier = '1'", ""},
		"isolation level": {"set transaction isolation level serializable", "SET TRANSACTION ISOLATION LEVEL must be called before any query"},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			e.exec("create schema tenant; create table tenant.consumer_checkpoints (like consumer_checkpoints including all)")
			p := e.append("Order", "o", 4)
			var broken atomic.Bool
			broken.Store(true)
			r, _ := recorded(e, consumer.Registration[pgx.Tx]{Attempts: 2, Consumer: writes("c", func(ctx context.Context, tx pgx.Tx, event runtime.PersistedEvent) error {
				if event.GlobalPosition == p[2] && broken.Load() {
					_, err := tx.Exec(ctx, change.statement)
					return err
				}
				return nil
			})})
			if change.text == "" {
				e.catchUp(r)
				e.wantModel("c", p)
				return
			}
			wantError(t, r.RunUntilCaughtUp(e.ctx(), nil), consumer.ErrStopped, fmt.Sprintf("at event %d after 2 attempts", p[2]), change.text)
			e.wantModel("c", p[:2])
			broken.Store(false)
			if err := r.Resume(e.ctx(), "c"); err != nil {
				t.Fatal(err)
			}
			e.catchUp(r)
			e.wantModel("c", p)
		})
	}
}

// An error value that panics when it is asked for its text is one of the oldest traps of Go: a nil pointer as an error.
type trap struct{ text string }

func (t *trap) Error() string { return t.text }

func TestFailure_errorThatPanics(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.append("Order", "o", 1)
	r, _ := recorded(e, consumer.Registration[pgx.Tx]{Attempts: 2, Consumer: handler[pgx.Tx]{"c", func(context.Context, pgx.Tx, runtime.PersistedEvent) error {
		return (*trap)(nil)
	}}})
	wantError(t, r.RunUntilCaughtUp(e.ctx(), nil), consumer.ErrStopped, "at event 1 after 2 attempts: <nil>")
}

// An event that costs the connection each time cannot hide behind the database for ever.
func TestFailure_eventThatAlwaysCostsTheConnection(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	p := e.append("Order", "o", 2)
	q := e.append("Order", "q", 2)
	var lost atomic.Int64
	r, rec := recorded(e, consumer.Registration[pgx.Tx]{
		Attempts: 1, Policy: consumer.Park,
		Consumer: writes("c", func(ctx context.Context, tx pgx.Tx, event runtime.PersistedEvent) error {
			if event.GlobalPosition != p[1] {
				return nil
			}
			lost.Add(1)
			return tx.Conn().Close(ctx)
		}),
	})
	e.catchUp(r)
	e.wantModel("c", append(p[:1:1], q...))
	if len(rec.failures) != 1 || rec.failures[0].Outcome != consumer.Parked || lost.Load() != 6 {
		t.Errorf("failures %+v after %d lost connections, want one after 6", rec.failures, lost.Load())
	}
}

// That the server is full, or has lost another that it needs (the worker of a coordinator, a foreign server), is not held
// against the event that meets it first. A statement stands in for such a server here.
func TestFailure_serverThatCannotWork(t *testing.T) {
	t.Parallel()
	for state, message := range map[string]string{
		"53100": "could not extend file: No space left on device",
		"08006": "connection to the remote node worker-1:5432 failed",
		"58030": "could not receive query results",
	} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			log := e.append("Order", "o", 3)
			var away atomic.Int64
			r, rec := recorded(e, consumer.Registration[pgx.Tx]{Attempts: 1, Consumer: writes("c", func(ctx context.Context, tx pgx.Tx, p runtime.PersistedEvent) error {
				if p.GlobalPosition != log[1] || away.Add(1) > 3 {
					return nil
				}
				_, err := tx.Exec(ctx, fmt.Sprintf(`do $$ begin raise exception '%s' using errcode = '%s'; end $$`, message, state))
				return err
			})})
			e.catchUp(r)
			e.wantModel("c", log)
			if len(rec.failures) != 0 || away.Load() != 4 {
				t.Errorf("failures %+v after %d tries, want none after 4", rec.failures, away.Load())
			}
		})
	}
}

// Handlers of several segments append to one stream and to streams that they then handle themselves, and fail now and
// then: each event leads to exactly one other, none comes too early, and it comes to an end.
func TestHandler_appendsToAStreamThatAllShare(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.appendMany(120, 12)
	store, err := postgres.New()
	if err != nil {
		t.Fatal(err)
	}
	registration := consumer.Registration[pgx.Tx]{
		Segments: 4, BatchSize: 7, Attempts: -1, Backoff: quick(),
		Consumer: writes("c", func(ctx context.Context, tx pgx.Tx, p runtime.PersistedEvent) error {
			var follows []runtime.Event
			switch p.AggregateType {
			case "Order":
				follows = append(events("Mail", "mail-"+p.AggregateID, 1), events("Total", "total", 1)...)
			case "Mail":
				follows = events("Receipt", "receipt-"+p.AggregateID, 1)
			}
			for _, f := range follows {
				if _, err := store.Append(ctx, tx, runtime.Any(), []runtime.Event{f}); err != nil {
					return err
				}
			}
			if rand.IntN(20) == 0 {
				return errors.New("after the append")
			}
			return nil
		}),
	}
	r := e.runner(registration)
	background(e, r)
	background(e, connectAgain(e).runner(registration))
	e.eventually("all is handled", func() bool { return len(e.model("c")) == 120*4 })
	e.wantModel("c", e.logPositions())
	for _, aggregateType := range []string{"Order", "Mail", "Total", "Receipt"} {
		if n := one[int64](e, "select count(*) from events where aggregate_type = $1", aggregateType); n != 120 {
			t.Errorf("%d events of type %s, want 120", n, aggregateType)
		}
	}
}

// Two consumers whose handlers lock the same rows in opposite orders break each other off, and both get everything done.
func TestHandler_deadlocksWithAnotherConsumer(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.exec("create table counters (id int primary key, n int not null); insert into counters values (1, 0), (2, 0)")
	e.appendMany(60, 6)
	counts := func(name string, first, second int) consumer.Registration[pgx.Tx] {
		return consumer.Registration[pgx.Tx]{
			BatchSize: 5, Backoff: quick(),
			Consumer: writes(name, func(ctx context.Context, tx pgx.Tx, _ runtime.PersistedEvent) error {
				for _, id := range []int{first, second} {
					if _, err := tx.Exec(ctx, "update counters set n = n + 1 where id = $1", id); err != nil {
						return err
					}
				}
				return nil
			}),
		}
	}
	// A deadlock is only looked for after this time, and the default is a second.
	quickly := e.with(func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["deadlock_timeout"] = "10ms" })
	quickly.catchUp(quickly.runner(counts("a", 1, 2), counts("b", 2, 1)))
	e.wantModel("a", e.logPositions())
	e.wantModel("b", e.logPositions())
	if n := one[int64](e, "select sum(n) from counters"); n != 240 {
		t.Errorf("counted %d, want 240", n)
	}
}
