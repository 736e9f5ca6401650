package otel

import (
	"context"
	"errors"
	"iter"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/eventmap/eventmap/runtime"
)

// Store returns a store that does what the given one does, and tells of it. It implements the same optional interfaces of
// package runtime as that one, and no others. [runtime.StreamPartsReader] is the exception: it is implemented where the store
// implements all the others, and shows nothing if the store has no parts to show. A store that is nil is a mistake in the
// program, and panics when it is used.
func Store[Tx any](store runtime.Store[Tx], opts ...Option) runtime.Store[Tx] {
	return combine(store, &told[Tx]{store: store, instruments: newInstruments(configure(opts))})
}

// told tells of the calls to a store. Its methods beyond those of runtime.Store are called only if the store has them, but for
// those of a StreamPartsReader, which need nothing of the store.
type told[Tx any] struct {
	store runtime.Store[Tx]
	*instruments
}

// start begins the span of an operation on a store.
func (s *told[Tx]) start(ctx context.Context, operation, about string, kind trace.SpanKind) (context.Context, trace.Span) {
	name := operation
	if about != "" {
		name += " " + about
	}
	ctx, span := s.tracer.Start(ctx, name, trace.WithSpanKind(kind))
	if span.IsRecording() {
		span.SetAttributes(s.system, operationKey.String(operation))
	}
	return ctx, span
}

// Append is that of the store. Its span is the producer of the events.
func (s *told[Tx]) Append(ctx context.Context, tx Tx, expected runtime.ExpectedVersion, events []runtime.Event) (runtime.AppendResult, error) {
	began := time.Now()
	about := ""
	if len(events) > 0 {
		about = events[0].AggregateType
	}
	inner, span := s.startAppend(ctx, about, len(events))
	result, err := s.store.Append(inner, tx, expected, marked(events, span.SpanContext()))
	end(span, err)
	s.measureAppend(ctx, about, began, err, result)
	return result, err
}

func (s *told[Tx]) startAppend(ctx context.Context, about string, events int) (context.Context, trace.Span) {
	ctx, span := s.start(ctx, "append", about, trace.SpanKindProducer)
	if span.IsRecording() {
		span.SetAttributes(
			messagingKey.String("eventmap"),
			messageTypeKey.String("send"),
			messageNameKey.String("append"),
			destinationKey.String(about),
			batchSizeKey.Int(events),
			messagesKey.Int(events),
		)
	}
	return ctx, span
}

func (s *told[Tx]) measureAppend(ctx context.Context, about string, began time.Time, err error, results ...runtime.AppendResult) {
	kind := errorType(err)
	s.append.Record(ctx, time.Since(began).Seconds(), s.attributes(measurement{operation: "append", aggregateType: about, errorType: kind}))
	switch kind {
	case "":
		for _, r := range results {
			of := s.attributes(measurement{aggregateType: typeOf(r)})
			switch {
			case r.AlreadyStored:
				s.duplicates.Add(ctx, 1, of)
			case len(r.Events) > 0: // else it is of a guard
				s.events.Add(ctx, int64(len(r.Events)), of)
			}
		}
	case "conflict":
		attempted(ctx)
		s.conflicts.Add(ctx, 1, s.attributes(measurement{aggregateType: about}))
	case "duplicate":
		s.duplicates.Add(ctx, 1, s.attributes(measurement{aggregateType: about}))
	}
	if err != nil && runtime.Retryable(err) {
		s.retries.Add(ctx, 1, s.attributes(measurement{aggregateType: about}))
	}
}

func typeOf(r runtime.AppendResult) string {
	if len(r.Events) == 0 {
		return ""
	}
	return r.Events[0].AggregateType
}

// AppendStreams is that of the store.
func (s *told[Tx]) AppendStreams(ctx context.Context, tx Tx, appends ...runtime.StreamAppend) ([]runtime.AppendResult, error) {
	began := time.Now()
	events, about := 0, ""
	for _, a := range appends {
		if len(a.Events) == 0 { // a guard
			continue
		}
		if aggregateType := a.Events[0].AggregateType; events == 0 {
			about = aggregateType
		} else if aggregateType != about {
			about = "" // of several types
		}
		events += len(a.Events)
	}
	inner, span := s.startAppend(ctx, about, events)
	if c := span.SpanContext(); c.IsValid() {
		copied := make([]runtime.StreamAppend, len(appends))
		for i, a := range appends {
			copied[i] = a
			copied[i].Events = marked(a.Events, c)
		}
		appends = copied
	}
	results, err := s.store.(runtime.StreamsAppender[Tx]).AppendStreams(inner, tx, appends...)
	end(span, err)
	s.measureAppend(ctx, about, began, err, results...)
	return results, err
}

// ReadAggregateStream is that of the store.
func (s *told[Tx]) ReadAggregateStream(ctx context.Context, tx Tx, aggregateType, aggregateID string, from, to *int64) (runtime.Stream, error) {
	return s.readStream(ctx, aggregateType, func(ctx context.Context) (runtime.Stream, error) {
		return s.store.ReadAggregateStream(ctx, tx, aggregateType, aggregateID, from, to)
	})
}

// ReadStreamParts is that of the store, or shows nothing if the store has none.
func (s *told[Tx]) ReadStreamParts(ctx context.Context, tx Tx, aggregateType, aggregateID string, from, to *int64, show func([]runtime.PersistedEvent)) (runtime.Stream, error) {
	parts, ok := runtime.PartsReader(runtime.AggregateStreamReader[Tx](s.store))
	if !ok {
		return s.ReadAggregateStream(ctx, tx, aggregateType, aggregateID, from, to)
	}
	return s.readStream(ctx, aggregateType, func(ctx context.Context) (runtime.Stream, error) {
		return parts.ReadStreamParts(ctx, tx, aggregateType, aggregateID, from, to, show)
	})
}

// PartsOf returns s.
func (s *told[Tx]) PartsOf() runtime.AggregateStreamReader[Tx] { return s }

// readStream tells of a read of one stream.
func (s *told[Tx]) readStream(ctx context.Context, aggregateType string, read func(context.Context) (runtime.Stream, error)) (runtime.Stream, error) {
	began := time.Now()
	inner, span := s.start(ctx, "read", aggregateType, trace.SpanKindClient)
	stream, err := read(inner)
	s.endRead(ctx, span, "read", aggregateType, began, len(stream.Events), err)
	return stream, err
}

// ReadStreams is that of the store.
func (s *told[Tx]) ReadStreams(ctx context.Context, tx Tx, reads ...runtime.StreamRead) ([]runtime.ReadResult, error) {
	began := time.Now()
	about := ""
	for i, r := range reads {
		if i > 0 && r.AggregateType != about {
			about = "" // of several types
			break
		}
		about = r.AggregateType
	}
	inner, span := s.start(ctx, "read", about, trace.SpanKindClient)
	results, err := s.store.(runtime.StreamsReader[Tx]).ReadStreams(inner, tx, reads...)
	events := 0
	for _, r := range results {
		events += r.Stream.Len()
	}
	s.endRead(ctx, span, "read", about, began, events, err)
	return results, err
}

// endRead ends the span of a read and measures it.
func (s *told[Tx]) endRead(ctx context.Context, span trace.Span, operation, about string, began time.Time, events int, err error) {
	if span.IsRecording() {
		span.SetAttributes(rowsKey.Int(events))
		if about != "" {
			span.SetAttributes(aggregateTypeKey.String(about))
		}
	}
	end(span, err)
	s.read.Record(ctx, time.Since(began).Seconds(), s.attributes(measurement{operation: operation, aggregateType: about, errorType: errorType(err)}))
}

// ReadEvents is that of the store.
func (s *told[Tx]) ReadEvents(ctx context.Context, tx Tx, fromPosition int64, limit int) ([]runtime.PersistedEvent, error) {
	began := time.Now()
	inner, span := s.start(ctx, "read log", "", trace.SpanKindClient)
	events, err := s.store.(runtime.EventReader[Tx]).ReadEvents(inner, tx, fromPosition, limit)
	s.endRead(ctx, span, "read log", "", began, len(events), err)
	return events, err
}

// GetLatestGlobalPosition is that of the store.
func (s *told[Tx]) GetLatestGlobalPosition(ctx context.Context, tx Tx) (int64, error) {
	return s.store.(runtime.GlobalPositionReader[Tx]).GetLatestGlobalPosition(ctx, tx)
}

// SafeGlobalPosition is that of the store.
func (s *told[Tx]) SafeGlobalPosition(ctx context.Context, tx Tx) (int64, error) {
	return s.store.(runtime.SafePositionReader[Tx]).SafeGlobalPosition(ctx, tx)
}

// StreamEvents is that of the store. Its span ends with the loop over the events.
func (s *told[Tx]) StreamEvents(ctx context.Context, tx Tx, aggregateType, aggregateID string, q runtime.StreamQuery) iter.Seq2[runtime.PersistedEvent, error] {
	return s.sequence(ctx, "read", aggregateType, func(ctx context.Context) iter.Seq2[runtime.PersistedEvent, error] {
		return s.store.(runtime.StreamIterator[Tx]).StreamEvents(ctx, tx, aggregateType, aggregateID, q)
	})
}

// LogEvents is that of the store. Its span ends with the loop over the events.
func (s *told[Tx]) LogEvents(ctx context.Context, tx Tx, q runtime.LogQuery) iter.Seq2[runtime.PersistedEvent, error] {
	return s.sequence(ctx, "read log", "", func(ctx context.Context) iter.Seq2[runtime.PersistedEvent, error] {
		return s.store.(runtime.LogIterator[Tx]).LogEvents(ctx, tx, q)
	})
}

// sequence tells of a sequence of events when it is over.
func (s *told[Tx]) sequence(ctx context.Context, operation, about string, open func(context.Context) iter.Seq2[runtime.PersistedEvent, error]) iter.Seq2[runtime.PersistedEvent, error] {
	return func(yield func(runtime.PersistedEvent, error) bool) {
		began := time.Now()
		inner, span := s.start(ctx, operation, about, trace.SpanKindClient)
		events, failed := 0, errLeft // by a panic, if it stays
		defer func() { s.endRead(ctx, span, operation, about, began, events, failed) }()
		for e, err := range open(inner) {
			if err == nil {
				events++
			}
			if !yield(e, err) || err != nil {
				failed = err
				return
			}
		}
		failed = nil
	}
}

// errLeft: the loop over a sequence was left by a panic.
var errLeft = errors.New("the loop panicked")
