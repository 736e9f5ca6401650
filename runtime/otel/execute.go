package otel

import (
	"context"
	"errors"
	"sync/atomic"

	"go.opentelemetry.io/otel/trace"

	"github.com/eventmap/eventmap/runtime"
)

// Execute runs a call of a generated Execute and tells of it by a span, which holds those of its reads and appends and says
// how many attempts there were. The call has to use the context it is given, and a store from [Store].
//
//	result, err := otel.Execute(ctx, "Order", func(ctx context.Context) (runtime.Execution[order.Order], error) {
//		return orders.Execute(ctx, tx, id, decide)
//	})
func Execute[R any](ctx context.Context, aggregateType string, call func(context.Context) (R, error), opts ...Option) (R, error) {
	i := newInstruments(configure(opts))
	ctx, span := i.tracer.Start(ctx, "execute "+aggregateType, trace.WithSpanKind(trace.SpanKindInternal))
	conflicts := new(atomic.Int64)
	result, err := call(context.WithValue(ctx, conflictsKey{}, conflicts))
	n := conflicts.Load()
	of := i.attributes(measurement{aggregateType: aggregateType})
	if n > 0 {
		i.executeConflicts.Add(ctx, n, of)
	}
	var undecoded *runtime.DecodeError
	if errors.As(err, &undecoded) {
		i.decodeErrors.Add(ctx, 1, of)
	}
	if span.IsRecording() {
		attempts := n + 1
		if errorType(err) == "conflict" {
			attempts = n // the last one was not repeated
		}
		span.SetAttributes(aggregateTypeKey.String(aggregateType), attemptsKey.Int64(attempts))
	}
	end(span, err)
	return result, err
}

type conflictsKey struct{}

// attempted counts a conflict of an append for the Execute that it is part of.
func attempted(ctx context.Context) {
	if conflicts, ok := ctx.Value(conflictsKey{}).(*atomic.Int64); ok {
		conflicts.Add(1)
	}
}
