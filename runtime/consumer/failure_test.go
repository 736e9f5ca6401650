package consumer_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// quick is a backoff for tests.
func quick() consumer.Backoff {
	return consumer.Backoff{First: time.Millisecond, Most: 5 * time.Millisecond}
}

// failing returns a check that fails at the positions while broken is set.
func failing(broken *atomic.Bool, positions ...int64) func(context.Context, pgx.Tx, runtime.PersistedEvent) error {
	return func(_ context.Context, _ pgx.Tx, e runtime.PersistedEvent) error {
		for _, p := range positions {
			if broken.Load() && e.GlobalPosition == p {
				return fmt.Errorf("cannot handle %d", p)
			}
		}
		return nil
	}
}

// recorder collects what hooks are told.
type recorder struct {
	mu       sync.Mutex
	failures []consumer.FailureInfo
	events   int
}

func (r *recorder) hooks() consumer.Hooks {
	return consumer.Hooks{
		Failure: func(_ context.Context, f consumer.FailureInfo) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.failures = append(r.failures, f)
		},
		Batch: func(_ context.Context, b consumer.BatchInfo) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.events += b.Events
		},
	}
}

// recorded returns a runner of one consumer whose hooks are recorded.
func recorded(e *env, c consumer.Registration[pgx.Tx]) (*consumer.Runner[pgx.Tx], *recorder) {
	e.Helper()
	rec := new(recorder)
	c.Backoff = quick()
	r, err := consumer.New(e.db, consumer.Config{Logger: runtime.NoOpLogger{}, PollLeast: time.Millisecond, PollMost: 20 * time.Millisecond, Hooks: rec.hooks()}, c)
	if err != nil {
		e.Fatal(err)
	}
	return r, rec
}

func TestFailure_isTriedAgainAfterTheEventsBeforeItAreCommitted(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.appendMany(20, 4)
	log := e.logPositions()
	broken := new(atomic.Bool)
	broken.Store(true)
	attempts := 0
	var before []int64
	r, rec := recorded(e, consumer.Registration[pgx.Tx]{Consumer: writes("c", func(ctx context.Context, tx pgx.Tx, p runtime.PersistedEvent) error {
		if p.GlobalPosition != log[12] {
			return nil
		}
		attempts++
		if attempts == 3 {
			before = e.model("c") // as others see it
			broken.Store(false)
		}
		return failing(broken, log[12])(ctx, tx, p)
	})})
	e.catchUp(r)
	e.wantModel("c", log)
	if diff := cmp.Diff(log[:12], before); diff != "" {
		t.Errorf("committed while the event failed (-want +got):\n%s", diff)
	}
	want := []consumer.FailureInfo{
		{Consumer: "c", Position: log[12], Attempt: 1, Outcome: consumer.Retried},
		{Consumer: "c", Position: log[12], Attempt: 2, Outcome: consumer.Retried},
	}
	if diff := cmp.Diff(want, rec.failures, cmpopts.IgnoreFields(consumer.FailureInfo{}, "Err", "RetryIn")); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	got := status(e, r, "c").Segments[0]
	if got.Failures != 0 || got.FailedPosition != 0 || got.LastError != "" {
		t.Errorf("checkpoint %+v, want no failure any more", got.Checkpoint)
	}
}

// A clock that was set back, or another server after a failover, puts the time of the next attempt off by years. The clock of the
// server cannot be set here; the times that it has left behind can.
func TestFailure_isTriedAgainThoughTheClockWasSetBack(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	log := e.append("Order", "o", 3)
	broken := new(atomic.Bool)
	broken.Store(true)
	r, rec := recorded(e, consumer.Registration[pgx.Tx]{Consumer: writes("c", failing(broken, log[1]))})
	stop := background(e, r)
	e.eventually("it has failed", func() bool {
		rec.mu.Lock()
		defer rec.mu.Unlock()
		return len(rec.failures) > 0
	})
	stop()
	broken.Store(false)
	e.exec("update consumer_checkpoints set updated_at = now() + interval '1 year', retry_at = now() + interval '1 year 1 minute'")
	e.catchUp(r)
	e.wantModel("c", log)
}

func TestStop_stopsOneConsumerUntilItIsResumed(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.appendMany(20, 4)
	log := e.logPositions()
	broken := new(atomic.Bool)
	broken.Store(true)
	r := e.runner(
		consumer.Registration[pgx.Tx]{Consumer: writes("sick", failing(broken, log[5])), Attempts: 3, Backoff: quick()},
		consumer.Registration[pgx.Tx]{Consumer: writes("healthy", nil)},
	)
	background(e, r)
	e.eventually("the consumer stops", func() bool { s := status(e, r, "sick"); return s.Stopped() })
	e.appendMany(8, 4)
	all := e.logPositions()
	e.eventually("the other one goes on", func() bool { return len(e.model("healthy")) == len(all) })

	s := status(e, r, "sick")
	want := consumer.Checkpoint{
		Consumer: "sick", Segments: 1, Position: log[5] - 1, Failures: 3,
		FailedPosition: log[5], LastError: fmt.Sprintf("cannot handle %d", log[5]),
	}
	if diff := cmp.Diff(want, s.Segments[0].Checkpoint, cmpopts.IgnoreFields(consumer.Checkpoint{}, "StoppedAt", "UpdatedAt", "ReplayUntil")); diff != "" {
		t.Errorf("checkpoint (-want +got):\n%s", diff)
	}
	if lag := s.Lag(); lag.Events != int64(len(all)-5) || lag.Age <= 0 {
		t.Errorf("lag %+v, want %d events", lag, len(all)-5)
	}
	e.wantModel("sick", log[:5])

	broken.Store(false)
	if err := r.Resume(e.ctx(), "sick"); err != nil {
		t.Fatal(err)
	}
	e.eventually("it goes on", func() bool { return len(e.model("sick")) == len(all) })
	e.wantModel("sick", all)
}

func TestStop_runUntilCaughtUpSaysWhy(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	p := e.append("Order", "o", 3)
	broken := new(atomic.Bool)
	broken.Store(true)
	r := e.runner(consumer.Registration[pgx.Tx]{Consumer: writes("c", failing(broken, p[1])), Attempts: 1})
	err := r.RunUntilCaughtUp(e.ctx(), nil)
	wantError(t, err, consumer.ErrStopped, "consumer c", fmt.Sprintf("at event %d after 1 attempts: cannot handle %d", p[1], p[1]))
	e.wantModel("c", p[:1])
}

func TestPark_setsAsideAnEventAndWhatFollowsInItsStream(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	a1 := e.append("Order", "a", 2)
	b1 := e.append("Order", "b", 2)
	a2 := e.append("Order", "a", 2)
	b2 := e.append("Order", "b", 2)
	sameID := e.append("User", "a", 1)
	broken := new(atomic.Bool)
	broken.Store(true)
	r, rec := recorded(e, consumer.Registration[pgx.Tx]{
		Consumer: writes("c", failing(broken, a1[1], b2[1])), Policy: consumer.Park, Attempts: 2,
	})
	e.catchUp(r)
	e.wantModel("c", []int64{a1[0], b1[0], b1[1], b2[0], sameID[0]})

	later := e.append("Order", "a", 1)
	e.catchUp(r)
	parked, err := r.Parked(e.ctx(), "c", 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	a, b := consumer.Stream{AggregateType: "Order", AggregateID: "a"}, consumer.Stream{AggregateType: "Order", AggregateID: "b"}
	want := []consumer.ParkedEvent{
		{Stream: a, GlobalPosition: a1[1], Attempts: 2, Error: fmt.Sprintf("cannot handle %d", a1[1])},
		{Stream: a, GlobalPosition: a2[0]},
		{Stream: a, GlobalPosition: a2[1]},
		{Stream: b, GlobalPosition: b2[1], Attempts: 2, Error: fmt.Sprintf("cannot handle %d", b2[1])},
		{Stream: a, GlobalPosition: later[0]},
	}
	if diff := cmp.Diff(want, parked, cmpopts.IgnoreFields(consumer.ParkedEvent{}, "ParkedAt")); diff != "" {
		t.Errorf("parked events (-want +got):\n%s", diff)
	}
	if s := status(e, r, "c"); s.Parked != 5 || s.Stopped() || s.Lag().Events != 0 {
		t.Errorf("status %+v, want 5 parked events and no lag", s)
	}
	outcomes := map[consumer.Outcome]int{}
	for _, f := range rec.failures {
		outcomes[f.Outcome]++
	}
	if diff := cmp.Diff(map[consumer.Outcome]int{consumer.Retried: 2, consumer.Parked: 2}, outcomes); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}

	// Still broken: what went wrong is noted, and everything keeps waiting.
	n, err := r.RetryParked(e.ctx(), "c", a)
	wantError(t, err, nil, fmt.Sprintf(`Order "a": event %d: cannot handle %d`, a1[1], a1[1]))
	if parked, _ := r.Parked(e.ctx(), "c", 0, 1); n != 0 || parked[0].Attempts != 3 {
		t.Errorf("%d handled, parked %+v, want a third attempt on record", n, parked)
	}
	// Mended: the stream is handled in order.
	broken.Store(false)
	if n, err := r.RetryParked(e.ctx(), "c", a); n != 4 || err != nil {
		t.Errorf("RetryParked = %d, %v, want 4", n, err)
	}
	// Dropped: it is never handled, and its stream goes on.
	if dropped, err := r.DropParked(e.ctx(), "c", b2[1]); !dropped || err != nil {
		t.Errorf("DropParked = %t, %v", dropped, err)
	}
	if dropped, err := r.DropParked(e.ctx(), "c", b2[1]); dropped || err != nil {
		t.Errorf("second DropParked = %t, %v", dropped, err)
	}
	e.append("Order", "a", 1)
	e.append("Order", "b", 1)
	e.catchUp(r)
	var all []int64
	for _, p := range e.logPositions() {
		if p != b2[1] {
			all = append(all, p)
		}
	}
	e.wantModel("c", all)
}

func TestPark_manyAtOnce(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.appendMany(300, 300)
	log := e.logPositions()
	var want []int64
	r, _ := recorded(e, consumer.Registration[pgx.Tx]{
		Consumer: writes("c", func(_ context.Context, _ pgx.Tx, p runtime.PersistedEvent) error {
			if p.GlobalPosition%3 == 0 {
				return errors.New("every third")
			}
			return nil
		}), Policy: consumer.Park, Attempts: 1, Segments: 2,
	})
	e.catchUp(r)
	for _, p := range log {
		if p%3 != 0 {
			want = append(want, p)
		}
	}
	e.wantModel("c", want)
	if s := status(e, r, "c"); s.Parked != int64(len(log)-len(want)) {
		t.Errorf("%d parked, want %d", s.Parked, len(log)-len(want))
	}
}

func TestFailure_panicIsAnError(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	p := e.append("Order", "o", 3)
	cause := errors.New("nil map")
	panicked := false
	r, rec := recorded(e, consumer.Registration[pgx.Tx]{Consumer: writes("c", func(_ context.Context, _ pgx.Tx, e runtime.PersistedEvent) error {
		if e.GlobalPosition == p[1] && !panicked {
			panicked = true
			panic(cause)
		}
		return nil
	})})
	e.catchUp(r)
	e.wantModel("c", p)
	if len(rec.failures) != 1 {
		t.Fatalf("failures %+v, want one", rec.failures)
	}
	var panicError *consumer.PanicError
	if err := rec.failures[0].Err; !errors.As(err, &panicError) || !errors.Is(err, cause) || len(panicError.Stack) == 0 {
		t.Errorf("error %v, want a PanicError with its cause and stack", err)
	}
}

func TestFailure_timeout(t *testing.T) {
	t.Parallel()
	hang := map[string]func(ctx context.Context, tx pgx.Tx) error{
		"in the handler": func(ctx context.Context, _ pgx.Tx) error {
			<-ctx.Done()
			return ctx.Err()
		},
		"hidden": func(ctx context.Context, tx pgx.Tx) error {
			_, _ = tx.Exec(ctx, "select pg_sleep(600)")
			return nil
		},
		"in the database": func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "select pg_sleep(600)")
			return err
		},
	}
	for name, hang := range hang {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			p := e.append("Order", "o", 4)
			hung := false
			r, rec := recorded(e, consumer.Registration[pgx.Tx]{
				Timeout: 100 * time.Millisecond,
				Consumer: writes("c", func(ctx context.Context, tx pgx.Tx, e runtime.PersistedEvent) error {
					if e.GlobalPosition == p[2] && !hung {
						hung = true
						return hang(ctx, tx)
					}
					return nil
				})})
			e.catchUp(r)
			e.wantModel("c", p)
			if len(rec.failures) == 0 || !errors.Is(rec.failures[0].Err, consumer.ErrTimeout) || rec.failures[0].Position != p[2] {
				t.Errorf("failures %+v, want a timeout of event %d", rec.failures, p[2])
			}
		})
	}
}

// A deadlock's victim is tried again at once and is no failure of its event, unless it happens again and again.
func TestFailure_conflictIsTriedAgainAtOnce(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	p := e.append("Order", "o", 3)
	conflicts := 0
	check := func(most int) func(context.Context, pgx.Tx, runtime.PersistedEvent) error {
		return func(ctx context.Context, tx pgx.Tx, e runtime.PersistedEvent) error {
			if e.GlobalPosition != p[1] || conflicts == most {
				return nil
			}
			conflicts++
			_, err := tx.Exec(ctx, `do $$ begin raise exception 'deadlock' using errcode = '40P01'; end $$`)
			return err
		}
	}
	r, rec := recorded(e, consumer.Registration[pgx.Tx]{Consumer: writes("few", check(4))})
	e.catchUp(r)
	e.wantModel("few", p)
	if len(rec.failures) != 0 {
		t.Errorf("failures %+v, want none", rec.failures)
	}
	conflicts = 0
	r, rec = recorded(e, consumer.Registration[pgx.Tx]{Consumer: writes("many", check(100)), Attempts: 2})
	wantError(t, r.RunUntilCaughtUp(e.ctx(), nil), consumer.ErrStopped)
	e.wantModel("many", p[:1])
	if len(rec.failures) != 2 || !runtime.Retryable(rec.failures[0].Err) {
		t.Errorf("failures %+v, want two conflicts", rec.failures)
	}
}

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

func TestFailure_textThatPostgresCannotKeep(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.append("Order", "o", 1)
	r := e.runner(consumer.Registration[pgx.Tx]{Attempts: 1, Consumer: writes("c", func(context.Context, pgx.Tx, runtime.PersistedEvent) error {
		return errors.New("a\x00b\xffc")
	})})
	wantError(t, r.RunUntilCaughtUp(e.ctx(), nil), consumer.ErrStopped, "abc")
}

// A connection that is lost is the database's fault: the event gets all its attempts.
func TestFailure_lostConnectionIsNotHeldAgainstTheEvent(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	p := e.append("Order", "o", 3)
	lost := 0
	r, rec := recorded(e, consumer.Registration[pgx.Tx]{Attempts: 1, Consumer: writes("c", func(ctx context.Context, tx pgx.Tx, event runtime.PersistedEvent) error {
		if event.GlobalPosition == p[1] && lost < 2 {
			lost++
			_, err := tx.Exec(ctx, "select pg_terminate_backend(pg_backend_pid())")
			return err
		}
		return nil
	})})
	e.catchUp(r)
	e.wantModel("c", p)
	if len(rec.failures) != 0 || lost != 2 {
		t.Errorf("failures %+v after %d lost connections, want none after 2", rec.failures, lost)
	}
}

// Trouble with the database is told, and waited out.
func TestTrouble_isToldAndWaitedOut(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	troubles := make(chan error, 100)
	r, err := consumer.New(e.db, consumer.Config{
		PollLeast: time.Millisecond, PollMost: 10 * time.Millisecond,
		Hooks: consumer.Hooks{Trouble: func(_ context.Context, _ string, err error) {
			select {
			case troubles <- err:
			default:
			}
		}},
	}, consumer.Registration[pgx.Tx]{Consumer: writes("c", nil)})
	if err != nil {
		t.Fatal(err)
	}
	background(e, r)
	e.eventually("it runs", func() bool { return len(status(e, r, "c").Segments) == 1 })
	e.exec("alter table consumer_checkpoints rename to elsewhere")
	e.append("Order", "o", 3)
	wantError(t, <-troubles, nil, "`migrate-gen`")
	e.exec("alter table elsewhere rename to consumer_checkpoints")
	e.eventually("it goes on", func() bool { return len(e.model("c")) == 3 })
	e.wantModel("c", e.logPositions())
}

// What a handler needs elsewhere may be away for longer than any number of attempts: nothing is parked, and nothing stops.
func TestFailure_unavailableIsNeverFinal(t *testing.T) {
	t.Parallel()
	for _, policy := range []consumer.Policy{consumer.Stop, consumer.Park} {
		e := newEnv(t)
		e.appendMany(5, 2)
		log := e.logPositions()
		attempts := 0
		r, rec := recorded(e, consumer.Registration[pgx.Tx]{Attempts: 2, Policy: policy, Consumer: writes("c", func(_ context.Context, _ pgx.Tx, p runtime.PersistedEvent) error {
			if p.GlobalPosition != log[2] {
				return nil
			}
			if attempts++; attempts < 6 {
				return fmt.Errorf("broker: %w", consumer.ErrUnavailable)
			}
			return nil
		})})
		if err := r.RunUntilCaughtUp(e.ctx(), nil); err != nil {
			t.Fatalf("%s: %v", policy, err)
		}
		for _, f := range rec.failures {
			if f.Outcome != consumer.Retried {
				t.Errorf("%s: attempt %d was %s, want %s", policy, f.Attempt, f.Outcome, consumer.Retried)
			}
		}
		if d := cmp.Diff(log, e.model("c")); d != "" || len(rec.failures) != 5 {
			t.Errorf("%s: %d failures, want 5; handled (-want +got):\n%s", policy, len(rec.failures), d)
		}
	}
}
