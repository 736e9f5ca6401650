package consumer_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

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

func TestBackoff_doublesUpToTheMost(t *testing.T) {
	t.Parallel()
	b := consumer.Backoff{First: 100 * time.Millisecond, Most: time.Second}
	for failures, most := range map[int]time.Duration{
		1: 100 * time.Millisecond, 2: 200 * time.Millisecond, 3: 400 * time.Millisecond, 4: 800 * time.Millisecond,
		5: time.Second, 6: time.Second, 1 << 30: time.Second,
	} {
		waits := map[time.Duration]bool{}
		for range 100 {
			wait := consumer.After(b, failures)
			if wait < most/2 || wait > most {
				t.Fatalf("after %d failures: wait of %s, want %s to %s", failures, wait, most/2, most)
			}
			waits[wait] = true
		}
		if len(waits) < 10 {
			t.Errorf("after %d failures: %d different waits in 100, want them spread", failures, len(waits))
		}
	}
}

func TestPolicy_String(t *testing.T) {
	t.Parallel()
	if got := consumer.Stop.String() + " " + consumer.Park.String(); got != "stop park" {
		t.Errorf("policies %q", got)
	}
}
