package consumer_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// A stream with more parked events than one transaction takes is retried to its end, in order; the list comes in pages.
func TestRetryParked_longStream(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	long := e.append("Order", "long", 1100)
	short := e.append("Order", "short", 1)
	var broken atomic.Bool
	broken.Store(true)
	r := e.runner(consumer.Registration[pgx.Tx]{
		Policy: consumer.Park, Attempts: 1,
		Consumer: writes("c", failing(&broken, long[0], short[0])),
	})
	e.catchUp(r)
	var listed []int64
	after := int64(0)
	for {
		page, err := r.Parked(e.ctx(), "c", after, 400)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, p := range page {
			listed = append(listed, p.GlobalPosition)
		}
		after = listed[len(listed)-1]
	}
	if diff := cmp.Diff(e.logPositions(), listed); diff != "" {
		t.Errorf("parked events (-want +got):\n%s", diff)
	}
	broken.Store(false)
	if n, err := r.RetryParked(e.ctx(), "c", consumer.Stream{AggregateType: "Order", AggregateID: "long"}); n != 1100 || err != nil {
		t.Errorf("RetryParked = %d, %v, want 1100", n, err)
	}
	e.wantModel("c", long)
	if s := status(e, r, "c"); s.Parked != 1 {
		t.Errorf("%d parked, want the other stream's", s.Parked)
	}
	_, err := r.Parked(e.ctx(), "c", 0, 0)
	wantError(t, err, nil, "limit is less than 1")
}

// While workers run, parked events are retried and dropped, and new ones parked: no event is handled out of order or twice.
func TestRetryParked_whileRunning(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	var calls atomic.Int64
	r := e.runner(consumer.Registration[pgx.Tx]{
		Policy: consumer.Park, Attempts: 1, Segments: 3, BatchSize: 5,
		Consumer: writes("c", func(context.Context, pgx.Tx, runtime.PersistedEvent) error {
			if calls.Add(1)%11 == 0 {
				return errors.New("every eleventh time")
			}
			return nil
		}),
	})
	background(e, r)
	for range 20 {
		e.appendMany(20, 5)
		parked, err := r.Parked(e.ctx(), "c", 0, 3)
		if err != nil && !errors.Is(err, consumer.ErrUnknownConsumer) {
			t.Fatal(err)
		}
		for _, p := range parked {
			_, _ = r.RetryParked(e.ctx(), "c", p.Stream) // its handler may fail again
		}
	}
	e.eventually("all is handled or parked", func() bool { return hasCaughtUp(e, r, "c") })
	retryAll(e, r, "c")
	e.wantModel("c", e.logPositions())
}
