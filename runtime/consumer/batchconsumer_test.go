package consumer_test

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// writesBatches returns a batch consumer of all orders that writes each batch with one statement, after check has returned
// nil for each of its events.
func writesBatches(name string, sizes *[]int, check func(ctx context.Context, tx pgx.Tx, p runtime.PersistedEvent) error) consumer.Consumer[pgx.Tx] {
	return consumer.Batch(name, []string{"Order"}, func(ctx context.Context, tx pgx.Tx, events []runtime.PersistedEvent) error {
		var positions, versions []int64
		var ids []string
		for _, p := range events {
			positions, ids, versions = append(positions, p.GlobalPosition), append(ids, p.AggregateID), append(versions, p.AggregateVersion)
		}
		if sizes != nil {
			*sizes = append(*sizes, len(events))
		}
		_, err := tx.Exec(ctx, `insert into read_model (consumer, global_position, aggregate_id, aggregate_version)
			select $1, * from unnest($2::bigint[], $3::text[], $4::bigint[])`, name, positions, ids, versions)
		for _, p := range events {
			if err == nil && check != nil {
				err = check(ctx, tx, p)
			}
		}
		return err
	})
}

func TestBatchConsumer_isGivenWholeBatches(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.appendMany(250, 5)
	var sizes []int
	r := e.runner(consumer.Registration[pgx.Tx]{Consumer: writesBatches("c", &sizes, nil), BatchSize: 100})
	e.catchUp(r)
	e.wantModel("c", e.logPositions())
	if diff := cmp.Diff([]int{100, 100, 50}, sizes); diff != "" {
		t.Errorf("sizes of the batches (-want +got):\n%s", diff)
	}
}

// A failure is narrowed down to its events, whatever fails and however: each is tried as often as it may be, those before it
// are committed, and with Park those behind it are handled, but for its stream.
func TestBatchConsumer_failureIsNarrowedDown(t *testing.T) {
	t.Parallel()
	failures := map[string]func(ctx context.Context, tx pgx.Tx, p runtime.PersistedEvent) error{
		"error": func(context.Context, pgx.Tx, runtime.PersistedEvent) error { return errors.New("never") },
		"named": func(_ context.Context, _ pgx.Tx, p runtime.PersistedEvent) error {
			return &consumer.EventError{Position: p.GlobalPosition, Err: errors.New("never")}
		},
		"statement": func(ctx context.Context, tx pgx.Tx, _ runtime.PersistedEvent) error {
			_, err := tx.Exec(ctx, "select 1/0")
			return err
		},
		"hidden": func(ctx context.Context, tx pgx.Tx, _ runtime.PersistedEvent) error {
			_, _ = tx.Exec(ctx, "select 1/0")
			return nil
		},
		"panic":      func(context.Context, pgx.Tx, runtime.PersistedEvent) error { panic("never") },
		"goexit":     func(context.Context, pgx.Tx, runtime.PersistedEvent) error { goruntime.Goexit(); return nil },
		"commits":    func(ctx context.Context, tx pgx.Tx, _ runtime.PersistedEvent) error { return tx.Commit(ctx) },
		"connection": func(ctx context.Context, tx pgx.Tx, _ runtime.PersistedEvent) error { return tx.Conn().Close(ctx) },
		"deferred": func(ctx context.Context, tx pgx.Tx, _ runtime.PersistedEvent) error {
			_, err := tx.Exec(ctx, "insert into once values (1), (1)")
			return err
		},
		"unknown": func(_ context.Context, _ pgx.Tx, p runtime.PersistedEvent) error {
			return fmt.Errorf("at %d: %w", p.GlobalPosition, runtime.ErrUnknownEvent)
		},
	}
	for name, fail := range failures {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			e.exec("create table once (id int unique deferrable initially deferred)")
			e.appendMany(40, 8)
			log := e.logPositions()
			bad := []int64{log[5], log[22]} // of streams 5 and 6
			r, rec := recorded(e, consumer.Registration[pgx.Tx]{
				Attempts: 2, Policy: consumer.Park, Unknown: consumer.ParkUnknown,
				Consumer: writesBatches("c", nil, func(ctx context.Context, tx pgx.Tx, p runtime.PersistedEvent) error {
					if slices.Contains(bad, p.GlobalPosition) {
						return fail(ctx, tx, p)
					}
					return nil
				}),
			})
			e.catchUp(r)
			var want []int64
			for i, p := range log {
				if !(i%8 == 5) && !(i%8 == 6 && i >= 22) {
					want = append(want, p)
				}
			}
			e.wantModel("c", want)
			if s := status(e, r, "c"); s.Parked != int64(len(log)-len(want)) {
				t.Errorf("%d parked, want %d", s.Parked, len(log)-len(want))
			}
			for _, f := range rec.failures {
				if !slices.Contains(bad, f.Position) {
					t.Errorf("failure %+v of an event that is well", f)
				}
			}
		})
	}
}

// With Stop the segment stops at the event, and those before it are committed; resumed, it goes on in whole batches.
func TestBatchConsumer_stopsAtTheEvent(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.appendMany(50, 5)
	log := e.logPositions()
	var broken atomic.Bool
	broken.Store(true)
	var sizes []int
	r, rec := recorded(e, consumer.Registration[pgx.Tx]{Attempts: 3, Consumer: writesBatches("c", &sizes, failing(&broken, log[30]))})
	wantError(t, r.RunUntilCaughtUp(e.ctx(), nil), consumer.ErrStopped, fmt.Sprintf("at event %d after 3 attempts", log[30]))
	e.wantModel("c", log[:30])
	if len(rec.failures) != 3 {
		t.Errorf("failures %+v, want three", rec.failures)
	}
	broken.Store(false)
	if err := r.Resume(e.ctx(), "c"); err != nil {
		t.Fatal(err)
	}
	sizes = nil
	e.catchUp(r)
	e.wantModel("c", log)
	if diff := cmp.Diff([]int{20}, sizes); diff != "" {
		t.Errorf("sizes of the batches (-want +got):\n%s", diff)
	}
}

// A batch that only fails as a whole is handled in parts. Parked events are retried one by one.
func TestBatchConsumer_retriesParkedEvents(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	log := e.append("Order", "o", 4)
	var broken atomic.Bool
	broken.Store(true)
	var sizes []int
	r, _ := recorded(e, consumer.Registration[pgx.Tx]{Attempts: 1, Policy: consumer.Park, Timeout: time.Minute, Consumer: writesBatches("c", &sizes, failing(&broken, log[1]))})
	e.catchUp(r)
	e.wantModel("c", log[:1])
	broken.Store(false)
	sizes = nil
	n, err := r.RetryParked(e.ctx(), "c", consumer.Stream{AggregateType: "Order", AggregateID: "o"})
	if n != 3 || err != nil {
		t.Errorf("RetryParked = %d, %v, want 3", n, err)
	}
	e.wantModel("c", log)
	if diff := cmp.Diff([]int{1, 1, 1}, sizes); diff != "" {
		t.Errorf("sizes of the batches (-want +got):\n%s", diff)
	}
}
