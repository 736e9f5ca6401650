package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
)

func (s *suite[Tx]) refusalCases() []testCase {
	return []testCase{
		{name: "Refuse/no events", run: s.refuseNone},
		{name: "Refuse/invalid events", run: s.refuseInvalid},
		{name: "Refuse/the transaction goes on", needs: []Ability{Transactions}, run: s.refusalKeepsTransaction},
		{name: "Cancelled/every call says so", run: s.cancelled},
	}
}

func (s *suite[Tx]) refuseNone(t *testing.T) {
	for _, none := range [][]runtime.Event{nil, {}} {
		if _, err := s.try(t.Context(), runtime.Any(), none); !errors.Is(err, runtime.ErrNoEvents) {
			t.Errorf("error is %v, want %v", err, runtime.ErrNoEvents)
		}
	}
}

// invalid are the ways to spoil the second of two events, with the field that is to be blamed.
var invalid = []struct {
	name  string
	field string
	spoil func(e *runtime.Event)
}{
	{"another stream's ID", "AggregateID", func(e *runtime.Event) { e.AggregateID = "another" }},
	{"another stream's type", "AggregateType", func(e *runtime.Event) { e.AggregateType = "Invoice" }},
	{"no event type", "EventType", func(e *runtime.Event) { e.EventType = "" }},
	{"NUL in the event type", "EventType", func(e *runtime.Event) { e.EventType = "a\x00b" }},
	{"event type not UTF-8", "EventType", func(e *runtime.Event) { e.EventType = "a\xff" }},
	{"schema version 0", "EventVersion", func(e *runtime.Event) { e.EventVersion = 0 }},
	{"schema version negative", "EventVersion", func(e *runtime.Event) { e.EventVersion = -1 }},
	{"schema version too high", "EventVersion", func(e *runtime.Event) { e.EventVersion = 1 << 31 }},
	{"nil event ID", "EventID", func(e *runtime.Event) { e.EventID = uuid.Nil }},
	{"metadata not JSON", "Metadata", func(e *runtime.Event) { e.Metadata = []byte(`{"a":`) }},
	{"metadata empty", "Metadata", func(e *runtime.Event) { e.Metadata = []byte{} }},
	{"metadata not UTF-8", "Metadata", func(e *runtime.Event) { e.Metadata = []byte("\"\xff\"") }},
	{"NUL in the causation ID", "CausationID", func(e *runtime.Event) { e.CausationID = runtime.SomeString("\x00") }},
	{"correlation ID not UTF-8", "CorrelationID", func(e *runtime.Event) { e.CorrelationID = runtime.SomeString("\xc3\x28") }},
	{"NUL in the trace ID", "TraceID", func(e *runtime.Event) { e.TraceID = runtime.SomeString("a\x00") }},
	{"time before year 1", "CreatedAt", func(e *runtime.Event) { e.CreatedAt = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC) }},
	{"time after year 9999", "CreatedAt", func(e *runtime.Event) { e.CreatedAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }},
}

func (s *suite[Tx]) refuseInvalid(t *testing.T) {
	before := s.end(t)
	want := func(name string, err error, index int, field string) {
		t.Helper()
		var refused *runtime.InvalidEventError
		if !errors.As(err, &refused) {
			t.Errorf("%s: error is %v, want an InvalidEventError", name, err)
			return
		}
		if refused.Index != index || refused.Field != field || refused.Reason == "" {
			t.Errorf("%s: refused event %d for its %s (%q), want event %d for its %s",
				name, refused.Index, refused.Field, refused.Reason, index, field)
		}
	}
	for _, row := range invalid {
		events := placed(s.newStream(), 2)
		row.spoil(&events[1])
		_, err := s.try(t.Context(), runtime.Any(), events)
		want(row.name, err, 1, row.field)
	}
	for _, row := range []struct {
		name  string
		field string
		spoil func(e *runtime.Event)
	}{
		{"no aggregate type", "AggregateType", func(e *runtime.Event) { e.AggregateType = "" }},
		{"no aggregate ID", "AggregateID", func(e *runtime.Event) { e.AggregateID = "" }},
		{"NUL in the aggregate ID", "AggregateID", func(e *runtime.Event) { e.AggregateID = "a\x00" }},
		{"aggregate type not UTF-8", "AggregateType", func(e *runtime.Event) { e.AggregateType = "\xff" }},
	} {
		events := placed(s.newStream(), 1)
		row.spoil(&events[0])
		_, err := s.try(t.Context(), runtime.Any(), events)
		want(row.name, err, 0, row.field)
	}
	_, err := s.try(t.Context(), runtime.Exact(-1), placed(s.newStream(), 1))
	want("Exact(-1)", err, -1, "ExpectedVersion")
	equal(t, "latest position", before, s.end(t))
}

func (s *suite[Tx]) refusalKeepsTransaction(t *testing.T) {
	stream := s.newStream()
	s.in(t, func(tx Tx) error {
		spoilt := placed(stream, 1)
		spoilt[0].EventType = "\x00"
		for _, events := range [][]runtime.Event{nil, spoilt} {
			if _, err := s.Store.Append(t.Context(), tx, runtime.Any(), events); err == nil {
				t.Error("no error")
			}
		}
		_, err := s.Store.Append(t.Context(), tx, runtime.NoStream(), placed(stream, 1))
		return err
	})
	equal(t, "version", int64(1), s.stream(t, stream).Version())
}

func (s *suite[Tx]) cancelled(t *testing.T) {
	stream := s.newStream()
	calls := map[string]func(ctx context.Context, tx Tx) error{
		"Append": func(ctx context.Context, tx Tx) error {
			_, err := s.Store.Append(ctx, tx, runtime.Any(), placed(stream, 1))
			return err
		},
		"ReadAggregateStream": func(ctx context.Context, tx Tx) error {
			_, err := s.Store.ReadAggregateStream(ctx, tx, aggregateType, stream, nil, nil)
			return err
		},
		"ReadEvents": func(ctx context.Context, tx Tx) error {
			_, err := s.Store.ReadEvents(ctx, tx, 0, 1)
			return err
		},
		"GetLatestGlobalPosition": func(ctx context.Context, tx Tx) error {
			_, err := s.Store.GetLatestGlobalPosition(ctx, tx)
			return err
		},
	}
	if store, ok := s.Store.(runtime.StreamsAppender[Tx]); ok {
		calls["AppendStreams"] = func(ctx context.Context, tx Tx) error {
			_, err := store.AppendStreams(ctx, tx, runtime.StreamAppend{Expected: runtime.Any(), Events: placed(stream, 1)})
			return err
		}
	}
	if store, ok := s.Store.(runtime.SafePositionReader[Tx]); ok {
		calls["SafeGlobalPosition"] = func(ctx context.Context, tx Tx) error {
			_, err := store.SafeGlobalPosition(ctx, tx)
			return err
		}
	}
	if store, ok := s.Store.(runtime.StreamIterator[Tx]); ok {
		calls["StreamEvents"] = func(ctx context.Context, tx Tx) (last error) {
			for _, err := range store.StreamEvents(ctx, tx, aggregateType, stream, runtime.StreamQuery{}) {
				last = err
			}
			return last
		}
	}
	if store, ok := s.Store.(runtime.LogIterator[Tx]); ok {
		calls["LogEvents"] = func(ctx context.Context, tx Tx) (last error) {
			for _, err := range store.LogEvents(ctx, tx, runtime.LogQuery{}) {
				last = err
			}
			return last
		}
	}
	for name, call := range calls {
		tx := s.begin(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := call(ctx, tx.Tx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error is %v, want %v", name, err, context.Canceled)
		}
		_ = tx.Rollback(t.Context())
	}
	equal(t, "version", int64(0), s.stream(t, stream).Version())
}
