package consumer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// counting counts how often somebody looks.
type counting struct {
	consumer.Database[pgx.Tx]
	polls *atomic.Int64
}

func (c counting) Poll(ctx context.Context, names []string) (consumer.LogState, error) {
	c.polls.Add(1)
	return c.Database.Poll(ctx, names)
}

// Who has appended reads what the consumer made of it, in the process that runs the consumer and in another.
func TestWaitFor_readsYourOwnWrites(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	registration := consumer.Registration[pgx.Tx]{Consumer: writes("c", nil), Segments: 2}
	here := e.runner(registration)
	background(e, here)
	there, err := consumer.New(e.db, consumer.Config{}, registration) // does not run
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		for name, r := range map[string]*consumer.Runner[pgx.Tx]{"here": here, "there": there} {
			positions := e.append("Order", fmt.Sprint("o", i), 3)
			if err := r.WaitFor(e.ctx(), "c", positions[2]); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if n := one[int](e, "select count(*) from read_model where global_position = any ($1)", positions); n != 3 {
				t.Errorf("%s: %d of 3 events are in the read model", name, n)
			}
		}
	}
}

// However many wait, one looks for all, and not all the time.
func TestWaitFor_oneLooksForAll(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	registration := consumer.Registration[pgx.Tx]{Consumer: writes("c", nil)}
	r, polls := e.runner(registration), new(atomic.Int64)
	e.catchUp(r)
	position := e.append("Order", "o", 1)[0]
	waiting := runnerOf[pgx.Tx](t, counting{e.db, polls}, registration)
	began := time.Now()
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if err := waiting.WaitFor(e.ctx(), "c", position); err != nil {
				t.Error(err)
			}
		})
	}
	e.eventually("somebody looks", func() bool { return polls.Load() > 1 })
	e.catchUp(r)
	all.Wait()
	if most := 53 + time.Since(began).Milliseconds()/10; polls.Load() > most { // each may look once when its turn comes
		t.Errorf("%d looks, want at most %d", polls.Load(), most)
	}
}

func TestWaitFor_errors(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	log := e.append("Order", "o", 3)
	r := e.runner(consumer.Registration[pgx.Tx]{Attempts: 1, Consumer: writes("c", func(_ context.Context, _ pgx.Tx, p runtime.PersistedEvent) error {
		if p.GlobalPosition == log[1] {
			return errors.New("never")
		}
		return nil
	})})
	wantError(t, r.WaitFor(e.ctx(), "nobody", 1), consumer.ErrUnknownConsumer, "nobody")
	wantError(t, r.RunUntilCaughtUp(e.ctx(), nil), consumer.ErrStopped)
	if err := r.WaitFor(e.ctx(), "c", log[0]); err != nil {
		t.Errorf("for what is handled: %v", err)
	}
	wantError(t, r.WaitFor(e.ctx(), "c", log[2]), consumer.ErrStopped, "never")
	e.exec("update consumer_checkpoints set stopped_at = null, retry_at = now() + interval '1 hour'")
	// The first that is long enough for a look at the log.
	var err error
	for timeout := 20 * time.Millisecond; timeout < patience; timeout *= 2 {
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		err = r.WaitFor(ctx, "c", log[2])
		cancel()
		if err == nil || strings.Contains(err.Error(), fmt.Sprintf("at position %d of", log[0])) {
			break
		}
	}
	wantError(t, err, context.DeadlineExceeded, fmt.Sprintf("at position %d of %d", log[0], log[2]))
}
