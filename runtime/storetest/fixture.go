package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
)

// aggregateType is that of most events here.
const aggregateType = "Order"

// newStream returns the ID of a stream that no case has used.
func (s *suite[Tx]) newStream() string {
	s.streams++
	return fmt.Sprintf("order-%d", s.streams)
}

// placed returns n events of the stream.
func placed(stream string, n int) []runtime.Event {
	events := make([]runtime.Event, n)
	for i := range events {
		events[i] = runtime.Event{
			CreatedAt:     time.Date(2024, 2, 29, 12, 30, 15, 123456000, time.UTC),
			AggregateType: aggregateType,
			AggregateID:   stream,
			EventType:     "Placed",
			EventVersion:  1,
			EventID:       uuid.New(),
			Payload:       fmt.Appendf(nil, `{"n":%d}`, i),
		}
	}
	return events
}

// begin begins a transaction, which is rolled back when t ends unless it has ended before. Its context outlives that of
// t: at the end of a context database/sql rolls back in the background, and the next case would meet the rest of this one.
func (s *suite[Tx]) begin(t *testing.T) Transaction[Tx] {
	t.Helper()
	tx, err := s.Begin(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatalf("begin: %v", err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	return tx
}

// do runs call in a transaction of its own, which it commits if there is no error and else rolls back.
func (s *suite[Tx]) do(ctx context.Context, call func(tx Tx) error) error {
	return do(ctx, s.Begin, call)
}

func do[Tx any](ctx context.Context, begin func(context.Context) (Transaction[Tx], error), call func(tx Tx) error) error {
	tx, err := begin(ctx)
	if err != nil {
		return err
	}
	if err := call(tx.Tx); err != nil {
		return errors.Join(err, tx.Rollback(context.WithoutCancel(ctx)))
	}
	return tx.Commit(ctx)
}

// in is do for calls that must succeed.
func (s *suite[Tx]) in(t *testing.T, call func(tx Tx) error) {
	t.Helper()
	if err := s.do(t.Context(), call); err != nil {
		t.Fatal(err)
	}
}

// reading is in for calls that only read.
func (s *suite[Tx]) reading(t *testing.T, call func(tx Tx) error) {
	t.Helper()
	if err := do(t.Context(), s.BeginReading, call); err != nil {
		t.Fatal(err)
	}
}

// try appends in a transaction of its own.
func (s *suite[Tx]) try(ctx context.Context, expected runtime.ExpectedVersion, events []runtime.Event) (r runtime.AppendResult, err error) {
	err = s.do(ctx, func(tx Tx) error {
		var appendErr error
		r, appendErr = s.Store.Append(ctx, tx, expected, events)
		return appendErr
	})
	return r, err
}

// append is try for appends that must succeed.
func (s *suite[Tx]) append(t *testing.T, expected runtime.ExpectedVersion, events []runtime.Event) runtime.AppendResult {
	t.Helper()
	r, err := s.try(t.Context(), expected, events)
	if err != nil {
		t.Fatalf("append, expecting %s: %v", expected, err)
	}
	return r
}

// stream reads a stream whole.
func (s *suite[Tx]) stream(t *testing.T, id string) (stream runtime.Stream) {
	t.Helper()
	s.reading(t, func(tx Tx) (err error) {
		stream, err = s.Store.ReadAggregateStream(t.Context(), tx, aggregateType, id, nil, nil)
		return err
	})
	return stream
}

// end returns the position of the last event in the log.
func (s *suite[Tx]) end(t *testing.T) (position int64) {
	t.Helper()
	s.reading(t, func(tx Tx) (err error) {
		position, err = s.Store.GetLatestGlobalPosition(t.Context(), tx)
		return err
	})
	return position
}

// patience is how long a test waits for what is bound to come.
const patience = time.Minute

// log reads the log after a position, page by page, up to the last event that is there now. A transaction that was given
// up a moment ago may still hold readers back, where its server has not noticed yet: that passes, and log waits for it.
func (s *suite[Tx]) log(t *testing.T, after int64, page int) []runtime.PersistedEvent {
	t.Helper()
	end, deadline := s.end(t), time.Now().Add(patience)
	for {
		all := s.readable(t, after, page)
		if after >= end || len(all) > 0 && all[len(all)-1].GlobalPosition >= end {
			return all
		}
		if time.Now().After(deadline) {
			t.Errorf("the log ends at %d, but cannot be read so far", end)
			return all
		}
	}
}

// readable reads the log after a position, page by page, as far as it can be read now.
func (s *suite[Tx]) readable(t *testing.T, after int64, page int) []runtime.PersistedEvent {
	t.Helper()
	var all []runtime.PersistedEvent
	for {
		var events []runtime.PersistedEvent
		s.reading(t, func(tx Tx) (err error) {
			events, err = s.Store.ReadEvents(t.Context(), tx, after, page)
			return err
		})
		if len(events) == 0 {
			return all
		}
		if len(events) > page {
			t.Fatalf("a page of %d holds %d events", page, len(events))
		}
		all = append(all, events...)
		after = events[len(events)-1].GlobalPosition
	}
}

// equal fails t where got is not want.
func equal(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(runtime.ExpectedVersion{}), bytesExactly); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", what, diff)
	}
}

// bytesExactly tells nil from empty, as cmp does, but is quicker with long payloads.
var bytesExactly = cmp.Comparer(func(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) })

// ids returns the event IDs in order.
func ids(events []runtime.PersistedEvent) []uuid.UUID {
	all := make([]uuid.UUID, len(events))
	for i := range events {
		all[i] = events[i].EventID
	}
	return all
}
