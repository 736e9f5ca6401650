package consumer_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// effects counts what a handler does elsewhere, which no rollback undoes, by position.
type effects struct {
	mu    sync.Mutex
	times map[int64]int
}

func (e *effects) happen(position int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.times == nil {
		e.times = make(map[int64]int)
	}
	e.times[position]++
}

// wantOnce checks that the effects of the events happened once, and no others.
func (e *effects) wantOnce(t testing.TB, positions []int64) {
	t.Helper()
	want := make(map[int64]int, len(positions))
	for _, p := range positions {
		want[p] = 1
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if diff := cmp.Diff(want, e.times); diff != "" {
		t.Errorf("how often the effects of each event happened (-want +got):\n%s", diff)
	}
}

// A runner that is told to stop in the middle of a batch finishes the event in hand and commits what it has done. However
// often that happens, no effect elsewhere happens twice, and the checkpoint moves.
func TestRun_finishesTheEventInHand(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	log := e.append("Order", "o", 12)
	var done effects
	for i := range 3 {
		ctx, stop := context.WithCancel(e.ctx())
		handled := 0
		r := e.runner(consumer.Registration[pgx.Tx]{Consumer: writes("c", func(handling context.Context, _ pgx.Tx, p runtime.PersistedEvent) error {
			done.happen(p.GlobalPosition)
			if handled++; handled == 4 {
				stop()
				time.Sleep(20 * time.Millisecond) // the event in hand takes its time
				return handling.Err()             // and has it
			}
			return nil
		})})
		if err := r.Run(ctx); err != nil {
			t.Fatal(err)
		}
		e.wantModel("c", log[:4*(i+1)])
		if got := status(e, r, "c").Segments[0].Position; got != log[4*(i+1)-1] {
			t.Errorf("position %d after %d stops, want %d", got, i+1, log[4*(i+1)-1])
		}
	}
	done.wantOnce(t, log)
}

// A handler that does not finish in time is told so, and what was done before its event is committed.
func TestRun_endsTheEventInHandAfterTheGrace(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	log := e.append("Order", "o", 6)
	var done effects
	ctx, stop := context.WithCancel(e.ctx())
	rec := new(recorder)
	r, err := consumer.New(e.db, consumer.Config{StopGrace: 10 * time.Millisecond, Hooks: rec.hooks()}, consumer.Registration[pgx.Tx]{
		Consumer: writes("c", func(ctx context.Context, _ pgx.Tx, p runtime.PersistedEvent) error {
			if p.GlobalPosition == log[3] {
				stop()
				<-ctx.Done()
				return ctx.Err()
			}
			done.happen(p.GlobalPosition)
			return nil
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Run(ctx); err != nil {
		t.Fatal(err)
	}
	e.wantModel("c", log[:3])
	done.wantOnce(t, log[:3])
	s := status(e, r, "c").Segments[0]
	if s.Position != log[3]-1 || s.Failures != 0 || len(rec.failures) != 0 {
		t.Errorf("checkpoint %+v, failures %+v, want it before the event, which has not failed", s.Checkpoint, rec.failures)
	}
}

// With a handler that has no effects elsewhere, there is no savepoint until an event fails; nothing is lost or doubled.
func TestTransactional_handlesEveryEventOnce(t *testing.T) {
	t.Parallel()
	for name, policy := range map[string]consumer.Policy{"stop": consumer.Stop, "park": consumer.Park} {
		for _, fails := range []string{"error", "hidden", "statement"} {
			t.Run(name+" "+fails, func(t *testing.T) {
				t.Parallel()
				e := newEnv(t)
				log := append(e.append("Order", "o", 6), e.append("Order", "p", 6)...)
				r, _ := recorded(e, consumer.Registration[pgx.Tx]{
					Transactional: true, Attempts: 2, Policy: policy,
					Consumer: writes("c", func(ctx context.Context, tx pgx.Tx, p runtime.PersistedEvent) error {
						switch {
						case p.GlobalPosition != log[5]:
							return nil
						case fails == "error":
							return errors.New("never")
						}
						_, err := tx.Exec(ctx, "select 1/0")
						if fails == "hidden" {
							return nil
						}
						return err
					}),
				})
				err := r.RunUntilCaughtUp(e.ctx(), nil)
				want := log[:5]
				if policy == consumer.Stop {
					wantError(t, err, consumer.ErrStopped)
				} else {
					want = append(want[:5:5], log[6:]...)
				}
				e.wantModel("c", want)
				if policy == consumer.Stop {
					return
				}
				well := e.append("Order", "q", 5)
				e.catchUp(r)
				if xids := one[int](e, "select count(distinct xmin::text) from read_model where global_position >= $1", well[0]); xids != 1 {
					t.Errorf("%d transaction IDs for a batch without failures, want 1", xids)
				}
			})
		}
	}
}

// A failing event does not repeat the effects of those before it, whether it is tried again or parked.
func TestFailure_effectsBeforeItHappenOnce(t *testing.T) {
	t.Parallel()
	for name, policy := range map[string]consumer.Policy{"stop": consumer.Stop, "park": consumer.Park} {
		t.Run(name+" pgx", func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			effectsOnce(t, e, e.db, policy, func(ctx context.Context, tx pgx.Tx, p runtime.PersistedEvent) error {
				return write(ctx, tx, "c", p)
			})
		})
		t.Run(name+" sql", func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			db, err := postgres.NewConsumersSQL(e.sql())
			if err != nil {
				t.Fatal(err)
			}
			effectsOnce(t, e, db, policy, func(ctx context.Context, tx *sql.Tx, p runtime.PersistedEvent) error {
				_, err := tx.ExecContext(ctx, insertRow, "c", p.GlobalPosition, p.AggregateID, p.AggregateVersion)
				return err
			})
		})
	}
}

func effectsOnce[Tx any](t *testing.T, e *env, db consumer.Database[Tx], policy consumer.Policy, write func(context.Context, Tx, runtime.PersistedEvent) error) {
	log := append(e.append("Order", "o", 6), e.append("Order", "p", 6)...)
	var done effects
	r := runnerOf(t, db, consumer.Registration[Tx]{
		Attempts: 3, Backoff: quick(), Policy: policy,
		Consumer: handler[Tx]{"c", func(ctx context.Context, tx Tx, p runtime.PersistedEvent) error {
			if err := write(ctx, tx, p); err != nil {
				return err
			}
			if p.GlobalPosition == log[5] {
				return errors.New("never")
			}
			done.happen(p.GlobalPosition)
			return nil
		}},
	})
	err := r.RunUntilCaughtUp(e.ctx(), nil)
	want := log[:5]
	if policy == consumer.Stop {
		wantError(t, err, consumer.ErrStopped)
	} else {
		want = append(want[:5:5], log[6:]...)
		if err != nil {
			t.Fatal(err)
		}
	}
	done.wantOnce(t, want)
	e.wantModel("c", want)
}
