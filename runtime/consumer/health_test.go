package consumer_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// A consumer is refused while one of its workers handles an event. The worker ends well, and is neither asked to go on nor
// does it hide the refusal.
func TestRun_refusalOutlivesABatchThatEndsWell(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.append("Order", idIn(0, 2), 2)
	entered, leave := make(chan struct{}), make(chan struct{})
	// It looks at the log when it starts, and then only when it is woken.
	r, err := consumer.New(e.db, consumer.Config{PollLeast: time.Hour}, consumer.Registration[pgx.Tx]{
		Segments: 2, Workers: 1, BatchSize: 1,
		Consumer: writes("c", func(_ context.Context, _ pgx.Tx, p runtime.PersistedEvent) error {
			if p.GlobalPosition == 1 {
				entered <- struct{}{}
				<-leave
			}
			return nil
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	background(e, r)
	<-entered
	e.exec("update consumer_checkpoints set position = 1000 where segment = 1")
	r.Wake()
	e.eventually("the consumer is refused", func() bool { return errors.Is(status(e, r, "c").Trouble, consumer.ErrCheckpointAhead) })
	leave <- struct{}{}
	e.eventually("the batch is committed", func() bool { return len(e.model("c")) > 0 })
	for range 20 {
		wantError(t, status(e, r, "c").Trouble, consumer.ErrCheckpointAhead, "it is at position 1000 and the log ends at 2")
	}
	e.wantModel("c", []int64{1})

	e.exec("update consumer_checkpoints set position = 0 where segment = 1")
	r.Wake()
	e.eventually("it goes on", func() bool { return len(e.model("c")) == 2 })
	e.eventually("there is no trouble", func() bool { return status(e, r, "c").Trouble == nil })
}

// Checkpoints that are deleted while a runner runs are not begun anew behind its back: nothing is handled twice.
func TestRun_checkpointsAreDeletedWhileRunning(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.append("Order", "o", 3)
	r := e.runner(consumer.Registration[pgx.Tx]{Consumer: writes("c", nil)}, consumer.Registration[pgx.Tx]{Consumer: writes("d", nil)})
	stop := background(e, r)
	e.eventually("the events are handled", func() bool { return len(e.model("c")) == 3 && len(e.model("d")) == 3 })
	e.exec("delete from consumer_checkpoints where consumer = 'c'")
	e.eventually("the status says so", func() bool { return errors.Is(status(e, r, "c").Trouble, consumer.ErrUnknownConsumer) })
	wantError(t, status(e, r, "c").Trouble, consumer.ErrUnknownConsumer, "consumer c", "its checkpoints are gone")
	e.append("Order", "o", 2)
	e.eventually("the other consumer goes on", func() bool { return len(e.model("d")) == 5 })
	e.wantModel("c", []int64{1, 2, 3})
	stop()
	e.exec("delete from read_model where consumer = 'c'")
	e.catchUp(r)
	e.wantModel("c", e.logPositions())
}

// That its checkpoints are gone does not count as having caught up.
func TestRunUntilCaughtUp_checkpointsAreDeleted(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.append("Order", "o", 3)
	tried := make(chan struct{}, 1)
	r := e.runner(consumer.Registration[pgx.Tx]{
		Attempts: -1, Backoff: quick(),
		Consumer: handler[pgx.Tx]{"c", func(context.Context, pgx.Tx, runtime.PersistedEvent) error {
			select {
			case tried <- struct{}{}:
			default:
			}
			return errors.New("never")
		}},
	})
	done := make(chan error, 1)
	go func() { done <- r.RunUntilCaughtUp(e.ctx(), nil) }()
	<-tried
	e.exec("delete from consumer_checkpoints")
	wantError(t, <-done, consumer.ErrUnknownConsumer, "its checkpoints are gone")
}

// idIn returns an aggregate ID that lives in the segment.
func idIn(segment, segments int) string {
	for i := 0; ; i++ {
		if id := fmt.Sprintf("order-%d", i); consumer.Segment(id, segments) == segment {
			return id
		}
	}
}
