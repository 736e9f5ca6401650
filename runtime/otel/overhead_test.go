package otel_test

import (
	"context"
	"testing"

	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/otel"
)

type nothing struct{ result runtime.AppendResult }

func (n nothing) Append(context.Context, int, runtime.ExpectedVersion, []runtime.Event) (runtime.AppendResult, error) {
	return n.result, nil
}
func (n nothing) ReadAggregateStream(context.Context, int, string, string, *int64, *int64) (runtime.Stream, error) {
	return runtime.Stream{}, nil
}

// BenchmarkStore measures what telling of an append costs by itself.
func BenchmarkStore(b *testing.B) {
	tracers := sdktrace.NewTracerProvider(sdktrace.WithBatcher(discard{}), sdktrace.WithSampler(sdktrace.AlwaysSample()))
	defer func() { _ = tracers.Shutdown(context.Background()) }()
	events := []runtime.Event{placed("1")}
	inner := nothing{runtime.AppendResult{Events: []runtime.PersistedEvent{{Event: events[0]}}}}
	for name, opts := range map[string][]otel.Option{
		"noop":    {otel.WithTracerProvider(noop.NewTracerProvider()), otel.WithMeterProvider(metricnoop.NewMeterProvider())},
		"sampled": {otel.WithTracerProvider(tracers), otel.WithMeterProvider(metric.NewMeterProvider(metric.WithReader(metric.NewManualReader())))},
	} {
		b.Run(name, func(b *testing.B) {
			store := otel.Store[int](inner, opts...)
			b.ReportAllocs()
			for b.Loop() {
				_, _ = store.Append(context.Background(), 0, runtime.NoStream(), events)
			}
		})
	}
}
