package consumer_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// knows returns a consumer of a release that knows only the versions of events up to one.
func knows(name string, version int, met *atomic.Int64) handler[pgx.Tx] {
	return writes(name, func(_ context.Context, _ pgx.Tx, p runtime.PersistedEvent) error {
		if p.EventVersion > version {
			met.Add(1)
			return fmt.Errorf("%s.v%d: %w", p.EventType, p.EventVersion, runtime.ErrUnknownEvent)
		}
		return nil
	})
}

// appendVersion appends an event of a version.
func (e *env) appendVersion(id string, version int) int64 {
	e.Helper()
	event := events("Order", id, 1)
	event[0].EventVersion = version
	result, err := e.store.Append(e.Context(), e.pool, runtime.Any(), event)
	if err != nil {
		e.Fatal(err)
	}
	return result.GlobalPositions[0]
}

// An old process that meets an event of the new release leaves it alone, and says so. The new one takes over, and both go on.
func TestUnknown_waitsForAProcessThatKnowsIt(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	before := e.append("Order", "o", 3)
	unknown := e.appendVersion("o", 2)
	e.append("Order", "p", 3)
	var met, none atomic.Int64
	old, rec := recorded(e, consumer.Registration[pgx.Tx]{Consumer: knows("c", 1, &met), Attempts: 2, Segments: 2})
	background(e, old)
	e.eventually("the old release has met the event several times", func() bool { return met.Load() > 4 })
	e.eventually("others are handled", func() bool { return len(e.model("c")) >= 3 })
	s := status(e, old, "c")
	if s.Stopped() {
		t.Errorf("status %+v, want nothing stopped", s)
	}
	wantError(t, s.Trouble, runtime.ErrUnknownEvent, fmt.Sprintf("event %d waits", unknown), "Happened.v2")
	// Whoever does not run the consumer sees it too.
	other := e.runner(consumer.Registration[pgx.Tx]{Consumer: knows("c", 2, &none)})
	var waiting []consumer.SegmentStatus
	for _, segment := range status(e, other, "c").Segments {
		if segment.State() == consumer.SegmentWaiting {
			waiting = append(waiting, segment)
		}
	}
	if len(waiting) != 1 || waiting[0].FailedPosition != unknown || waiting[0].Failures != 0 || waiting[0].LastError == "" {
		t.Errorf("waiting segments %+v, want the one of event %d", waiting, unknown)
	}
	rec.mu.Lock()
	if rec.failures[0].Outcome != consumer.Waiting || rec.failures[0].Position != unknown {
		t.Errorf("failure %+v, want event %d to wait", rec.failures[0], unknown)
	}
	rec.mu.Unlock()

	stop := background(e, connectAgain(e).runner(consumer.Registration[pgx.Tx]{Consumer: knows("c", 2, &none)}))
	e.eventually("the new release has handled all", func() bool { return len(e.model("c")) == 7 })
	stop()
	e.append("Order", "o", 2) // known to the old one
	e.eventually("the old release goes on", func() bool { return len(e.model("c")) == 9 })
	e.wantModel("c", e.logPositions())
	if diff := cmp.Diff(before, e.model("c")[:3]); diff != "" {
		t.Errorf("handled first (-want +got):\n%s", diff)
	}
	if s := status(e, old, "c"); s.Trouble != nil || s.Segments[0].LastError != "" || s.Segments[1].LastError != "" {
		t.Errorf("status %+v, want no trouble any more", s)
	}
}

func TestUnknown_policies(t *testing.T) {
	t.Parallel()
	for _, policy := range []consumer.UnknownPolicy{consumer.WaitUnknown, consumer.StopUnknown, consumer.ParkUnknown} {
		t.Run(policy.String(), func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			log := e.append("Order", "o", 2)
			unknown := e.appendVersion("o", 2)
			later := e.append("Order", "p", 1)
			var met atomic.Int64
			r, _ := recorded(e, consumer.Registration[pgx.Tx]{Consumer: knows("c", 1, &met), Unknown: policy})
			err := r.RunUntilCaughtUp(e.ctx(), nil)
			s := status(e, r, "c")
			switch policy {
			case consumer.WaitUnknown:
				wantError(t, err, runtime.ErrUnknownEvent, "consumer c")
				e.wantModel("c", log)
			case consumer.StopUnknown:
				wantError(t, err, consumer.ErrStopped, fmt.Sprintf("at event %d after 1 attempts", unknown))
				e.wantModel("c", log)
			case consumer.ParkUnknown:
				if err != nil || s.Parked != 1 {
					t.Errorf("err = %v, status %+v, want one parked event", err, s)
				}
				e.wantModel("c", append(log[:2:2], later...))
			}
			if policy != consumer.WaitUnknown && met.Load() != 1 {
				t.Errorf("the event was tried %d times, want once", met.Load())
			}
		})
	}
}

// Two releases run side by side that differ in the events they know and in the segments they ask for, and the number of segments
// changes while one of them waits for the other: nothing is lost, handled twice or out of order.
func TestUnknown_whileReleasesChangeTheSegments(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	var met, none atomic.Int64
	release := func(e *env, version, segments int) *consumer.Runner[pgx.Tx] {
		e.Helper()
		r, err := consumer.New(e.db, consumer.Config{Logger: runtime.NoOpLogger{}, PollLeast: time.Millisecond, PollMost: 20 * time.Millisecond},
			consumer.Registration[pgx.Tx]{Consumer: knows("c", version, &met), Segments: segments, Workers: 2, BatchSize: 3, Backoff: quick()})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	write := func(version int) {
		t.Helper()
		for i := range 30 {
			e.appendVersion(fmt.Sprintf("order-%d", i%6), 1+i%version)
		}
	}
	old := release(e, 1, 2)
	stopOld := background(e, old)
	write(1)
	e.eventually("the old release has handled all", func() bool { return len(e.model("c")) == 30 })
	write(2) // by the new release, before its readers are there
	e.eventually("the old release waits", func() bool { return met.Load() > 4 })
	next := release(connectAgain(e), 2, 5)
	if err := old.Resize(t.Context(), "c", 5); err != nil { // while no process can handle what it waits for
		t.Fatal(err)
	}
	e.append("Order", "order-1", 3)
	stopNext := background(e, next)
	e.eventually("the new release has handled all", func() bool { return len(e.model("c")) == 63 })
	write(2)
	e.eventually("the change of the segments has ended", func() bool {
		write(1)
		return next.Resize(t.Context(), "c", 3) == nil
	})
	stopOld()
	write(2)
	e.eventually("the new release goes on alone", func() bool { return len(e.model("c")) == len(e.logPositions()) })
	stopNext()
	write(1)
	background(e, connectAgain(e).runner(consumer.Registration[pgx.Tx]{Consumer: knows("c", 1, &none), Segments: 2}))
	e.eventually("the old release is back", func() bool { return len(e.model("c")) == len(e.logPositions()) })
	e.wantModel("c", e.logPositions())
	if n := len(status(e, next, "c").Segments); n != 3 {
		t.Errorf("%d segments, want 3", n)
	}
}
