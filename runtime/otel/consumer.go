package otel

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// Consumer returns a consumer that does what the given one does, and tells of each event that it handles: a span, which
// begins a trace of its own and links to the append, and a measurement. It is a [consumer.ScopedConsumer] if the given
// one is.
func Consumer[Tx any](c consumer.Consumer[Tx], opts ...Option) consumer.Consumer[Tx] {
	t := &handling[Tx]{Consumer: c, instruments: newInstruments(configure(opts))}
	if scoped, ok := c.(consumer.ScopedConsumer[Tx]); ok {
		return scopedHandling[Tx]{t, scoped}
	}
	return t
}

// handling tells of what a consumer handles.
type handling[Tx any] struct {
	consumer.Consumer[Tx]
	*instruments
}

// scopedHandling is handling of a scoped consumer.
type scopedHandling[Tx any] struct {
	*handling[Tx]
	scope consumer.ScopedConsumer[Tx]
}

// AggregateTypes is that of the consumer.
func (h scopedHandling[Tx]) AggregateTypes() []string { return h.scope.AggregateTypes() }

// Handle is that of the consumer.
func (h *handling[Tx]) Handle(ctx context.Context, tx Tx, e runtime.PersistedEvent) (err error) {
	began := time.Now()
	name := h.Name()
	options := []trace.SpanStartOption{trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindConsumer)}
	if origin := spanContextOf(&e); origin.IsValid() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: origin}))
	}
	inner, span := h.tracer.Start(ctx, "process "+name, options...)
	if span.IsRecording() {
		span.SetAttributes(
			messagingKey.String("eventmap"),
			messageTypeKey.String("process"),
			messageNameKey.String("handle"),
			destinationKey.String(e.AggregateType),
			groupKey.String(name),
			messageIDKey.String(e.EventID.String()),
			eventTypeKey.String(e.EventType),
			positionKey.Int64(e.GlobalPosition),
		)
	}
	err = errPanicked // if it stays
	defer func() {
		end(span, err)
		h.process.Record(ctx, time.Since(began).Seconds(), h.attributes(measurement{consumer: name, errorType: errorType(err)}))
		var undecoded *runtime.DecodeError
		if errors.As(err, &undecoded) {
			h.decodeErrors.Add(ctx, 1, h.attributes(measurement{consumer: name, aggregateType: e.AggregateType}))
		}
	}()
	err = h.Consumer.Handle(inner, tx, e)
	return err
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
