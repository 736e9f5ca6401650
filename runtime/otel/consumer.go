package otel

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// Consumer returns a consumer that does what the given one does, and tells of each call of its handler: a span, which
// begins a trace of its own and links to the appends, and a measurement. It is a [consumer.ScopedConsumer] and a
// [consumer.BatchConsumer] if the given one is, and prepares batches as a [consumer.Preparer] does.
func Consumer[Tx any](c consumer.Consumer[Tx], opts ...Option) consumer.Consumer[Tx] {
	one := &handling[Tx]{Consumer: c, instruments: newInstruments(configure(opts))}
	scoped, isScoped := c.(consumer.ScopedConsumer[Tx])
	batches, isBatched := c.(consumer.BatchConsumer[Tx])
	switch {
	case isScoped && isBatched:
		return struct {
			*batchHandling[Tx]
			aggregateTypes
		}{&batchHandling[Tx]{one, batches}, scoped}
	case isScoped:
		return struct {
			*handling[Tx]
			aggregateTypes
		}{one, scoped}
	case isBatched:
		return &batchHandling[Tx]{one, batches}
	}
	return one
}

// aggregateTypes is what a [consumer.ScopedConsumer] adds to a consumer.
type aggregateTypes interface{ AggregateTypes() []string }

// handling tells of what a consumer handles.
type handling[Tx any] struct {
	consumer.Consumer[Tx]
	*instruments
}

// Handle is that of the consumer.
func (h *handling[Tx]) Handle(ctx context.Context, tx Tx, e runtime.PersistedEvent) error {
	events := []runtime.PersistedEvent{e}
	return h.tell(ctx, events, func(ctx context.Context) error { return h.Consumer.Handle(ctx, tx, e) },
		messageIDKey.String(e.EventID.String()),
		eventTypeKey.String(e.EventType),
	)
}

// Prepare is that of the consumer, if it is a [consumer.Preparer].
func (h *handling[Tx]) Prepare(ctx context.Context, tx Tx, events []runtime.PersistedEvent) error {
	if preparer, ok := h.Consumer.(consumer.Preparer[Tx]); ok {
		return preparer.Prepare(ctx, tx, events)
	}
	return nil
}

// batchHandling is handling of a consumer that is given many events at a time.
type batchHandling[Tx any] struct {
	*handling[Tx]
	batches consumer.BatchConsumer[Tx]
}

// HandleBatch is that of the consumer.
func (h *batchHandling[Tx]) HandleBatch(ctx context.Context, tx Tx, events []runtime.PersistedEvent) error {
	return h.tell(ctx, events, func(ctx context.Context) error { return h.batches.HandleBatch(ctx, tx, events) },
		messagesKey.Int(len(events)),
	)
}

// tell runs a call that handles events, at least one, and tells of it. more are attributes of its span.
func (h *handling[Tx]) tell(ctx context.Context, events []runtime.PersistedEvent, call func(context.Context) error, more ...attribute.KeyValue) (err error) {
	began := time.Now()
	name := h.Name()
	inner, span := h.tracer.Start(ctx, "process "+name,
		trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindConsumer), trace.WithLinks(linksTo(events)...))
	if span.IsRecording() {
		span.SetAttributes(
			messagingKey.String("eventmap"),
			messageTypeKey.String("process"),
			messageNameKey.String("handle"),
			groupKey.String(name),
			positionKey.Int64(events[len(events)-1].GlobalPosition),
		)
		if about := typeOfAll(events); about != "" {
			span.SetAttributes(destinationKey.String(about))
		}
		span.SetAttributes(more...)
	}
	err = errPanicked // if it stays
	defer func() {
		end(span, err)
		h.process.Record(ctx, time.Since(began).Seconds(), h.attributes(measurement{consumer: name, errorType: errorType(err)}))
		if undecoded, ok := errors.AsType[*runtime.DecodeError](err); ok {
			h.decodeErrors.Add(ctx, 1, h.attributes(measurement{consumer: name, aggregateType: undecoded.AggregateType}))
		}
	}()
	err = call(inner)
	return err
}

// typeOfAll returns the aggregate type of events, or nothing if they are of several.
func typeOfAll(events []runtime.PersistedEvent) string {
	about := events[0].AggregateType
	for i := range events {
		if events[i].AggregateType != about {
			return ""
		}
	}
	return about
}

// maxLinks is how many appends a span links to. It is how many links a span of the SDK keeps unless it is told otherwise.
const maxLinks = 128

// linksTo returns links to the appends of events, each once where its events follow each other.
func linksTo(events []runtime.PersistedEvent) []trace.Link {
	var links []trace.Link
	var last trace.SpanContext
	for i := range events {
		origin := spanContextOf(&events[i])
		if !origin.IsValid() || origin.Equal(last) {
			continue
		}
		if len(links) == maxLinks {
			break
		}
		last = origin
		links = append(links, trace.Link{SpanContext: origin})
	}
	return links
}

// errPanicked: a handler did not return.
var errPanicked = errors.New("the handler panicked")

// Hooks returns hooks for a [consumer.Config] that measure batches and failures, and tell of each committed batch by a span
// of its own. A batch is told of once it is over, so its span is not the parent of those of its events.
func Hooks(opts ...Option) consumer.Hooks {
	i := newInstruments(configure(opts))
	return consumer.Hooks{
		Batch: func(ctx context.Context, b consumer.BatchInfo) {
			i.batch.Record(ctx, b.Took.Seconds(), i.attributes(measurement{consumer: b.Consumer}))
			now := time.Now()
			_, span := i.tracer.Start(ctx, "batch "+b.Consumer, trace.WithNewRoot(), trace.WithTimestamp(now.Add(-b.Took)), trace.WithSpanKind(trace.SpanKindConsumer))
			if span.IsRecording() {
				span.SetAttributes(
					messagingKey.String("eventmap"),
					messageTypeKey.String("settle"),
					messageNameKey.String("commit"),
					groupKey.String(b.Consumer),
					messagesKey.Int(b.Events),
					segmentKey.Int(b.Segment),
					positionKey.Int64(b.Position),
				)
			}
			span.End(trace.WithTimestamp(now))
		},
		Failure: func(ctx context.Context, f consumer.FailureInfo) {
			i.failures.Add(ctx, 1, i.attributes(measurement{consumer: f.Consumer, outcome: string(f.Outcome), errorType: errorType(f.Err)}))
		},
	}
}
