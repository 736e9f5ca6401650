package otel_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/otel"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// discard is an exporter that is done at once.
type discard struct{}

func (discard) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (discard) Shutdown(context.Context) error                             { return nil }

// BenchmarkAppend compares appends of one event with and without telemetry, on a PostgreSQL that waits for its disk. The sides
// take turns, append by append; each figure is the median of the rounds, and x/append is how many appends of a side fit into the time of one without: 0.97
// is to be reached without a provider, 0.92 with every append sampled.
func BenchmarkAppend(b *testing.B) {
	pool := benchmarkPool(b)
	inner, err := postgres.NewPool()
	if err != nil {
		b.Fatal(err)
	}
	tracers := sdktrace.NewTracerProvider(sdktrace.WithBatcher(discard{}), sdktrace.WithSampler(sdktrace.AlwaysSample()))
	defer func() { _ = tracers.Shutdown(context.Background()) }()
	meters := metric.NewMeterProvider(metric.WithReader(metric.NewManualReader()))
	sides := []struct {
		name  string
		store runtime.Store[*pgxpool.Pool]
	}{
		{"plain", inner},
		{"noop", otel.Store(inner, otel.WithTracerProvider(noop.NewTracerProvider()), otel.WithMeterProvider(metricnoop.NewMeterProvider()))},
		{"sampled", otel.Store(inner, otel.WithTracerProvider(tracers), otel.WithMeterProvider(meters))},
	}
	const together = 100
	ctx := context.Background()
	took := make([][]time.Duration, len(sides))
	random := rand.New(rand.NewPCG(1, 2))
	rounds := 0
	for b.Loop() {
		round := make([]time.Duration, len(sides))
		var order []int // in which the sides take their turn
		for n := range together * len(sides) {
			if n%len(sides) == 0 {
				order = random.Perm(len(sides))
			}
			side := order[n%len(sides)]
			e := runtime.Event{AggregateType: "Order", AggregateID: uuid.NewString(), EventType: "Placed", EventVersion: 1, EventID: uuid.New(), Payload: []byte(`{"n":1}`)}
			began := time.Now()
			if _, err := sides[side].store.Append(ctx, pool, runtime.NoStream(), []runtime.Event{e}); err != nil {
				b.Fatal(err)
			}
			round[side] += time.Since(began) / together
		}
		for side, d := range round {
			took[side] = append(took[side], d)
		}
		rounds++
	}
	plain := median(took[0])
	b.ReportMetric(float64(plain.Nanoseconds()), "ns/plain")
	for side := 1; side < len(sides); side++ {
		ratios := make([]float64, rounds)
		for round := range ratios {
			ratios[round] = float64(took[0][round]) / float64(took[side][round])
		}
		b.ReportMetric(float64(median(took[side]).Nanoseconds()), "ns/"+sides[side].name)
		b.ReportMetric(median(ratios), fmt.Sprintf("x/append-%s", sides[side].name))
	}
}

func median[T int64 | float64 | time.Duration](all []T) T {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
