package consumer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
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
	c = unhurried(c)
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
			var rec *recorder
			told := func() bool {
				return slices.ContainsFunc(rec.failures, func(f consumer.FailureInfo) bool { return f.Position == p[2] })
			}
			var r *consumer.Runner[pgx.Tx]
			r, rec = recorded(e, consumer.Registration[pgx.Tx]{
				Timeout: 100 * time.Millisecond, Attempts: -1, // on a slow machine any event may take that long
				Consumer: writes("c", func(ctx context.Context, tx pgx.Tx, e runtime.PersistedEvent) error {
					if e.GlobalPosition == p[2] && !told() { // not told if one before it takes as long in the same batch
						return hang(ctx, tx)
					}
					return nil
				})})
			e.catchUp(r)
			e.wantModel("c", p)
			for _, f := range rec.failures {
				if !errors.Is(f.Err, consumer.ErrTimeout) {
					t.Errorf("failure %+v, want a timeout", f)
				}
			}
			if !told() {
				t.Errorf("failures %+v, want one of event %d", rec.failures, p[2])
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
