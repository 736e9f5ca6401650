package otel_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/google/uuid"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/otel"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// A lab is a log on SQLite, and what the real SDK of OpenTelemetry is told of it.
type lab struct {
	t     *testing.T
	db    *sql.DB
	inner *sqlite.Store
	store runtime.Store[*sql.Tx]
	spans *tracetest.InMemoryExporter
	meter *sdkmetric.ManualReader
	opts  []otel.Option
}

func newLab(t *testing.T, sampler sdktrace.Sampler) *lab {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "log.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := sqlite.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	inner, err := sqlite.New()
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{t: t, db: db, inner: inner, spans: tracetest.NewInMemoryExporter(), meter: sdkmetric.NewManualReader()}
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSyncer(l.spans), sdktrace.WithSampler(sampler))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(l.meter))
	l.opts = []otel.Option{otel.WithTracerProvider(tracers), otel.WithMeterProvider(meters), otel.WithSystem("sqlite")}
	l.store = otel.Store(inner, l.opts...)
	return l
}

// in runs f in a transaction and commits it, whatever it returns.
func (l *lab) in(f func(tx *sql.Tx) error) error {
	l.t.Helper()
	tx, err := l.db.BeginTx(context.Background(), nil)
	if err != nil {
		l.t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	result := f(tx)
	if err := tx.Commit(); err != nil {
		l.t.Fatal(err)
	}
	return result
}

func (l *lab) append(ctx context.Context, expected runtime.ExpectedVersion, events ...runtime.Event) (result runtime.AppendResult, err error) {
	l.t.Helper()
	err = l.in(func(tx *sql.Tx) error {
		result, err = l.store.Append(ctx, tx, expected, events)
		return err
	})
	return result, err
}

// metrics returns what was measured, by name.
func (l *lab) metrics() map[string]metricdata.Aggregation {
	l.t.Helper()
	var all metricdata.ResourceMetrics
	if err := l.meter.Collect(context.Background(), &all); err != nil {
		l.t.Fatal(err)
	}
	found := make(map[string]metricdata.Aggregation)
	for _, s := range all.ScopeMetrics {
		for _, m := range s.Metrics {
			found[m.Name] = m.Data
		}
	}
	return found
}

// count returns what a counter has counted, under all of its labels.
func (l *lab) count(name string) int64 {
	l.t.Helper()
	sum, ok := l.metrics()[name].(metricdata.Sum[int64])
	if !ok {
		return 0
	}
	var n int64
	for _, p := range sum.DataPoints {
		n += p.Value
	}
	return n
}

// span returns the only span of a name.
func (l *lab) span(name string) tracetest.SpanStub {
	l.t.Helper()
	var found []tracetest.SpanStub
	var names []string
	for _, s := range l.spans.GetSpans() {
		names = append(names, s.Name)
		if s.Name == name {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		l.t.Fatalf("%d spans %q among %q", len(found), name, names)
	}
	return found[0]
}

func placed(id string) runtime.Event {
	return runtime.Event{AggregateType: "Order", AggregateID: id, EventType: "Placed", EventVersion: 1, EventID: uuid.New(), Payload: []byte(`{}`)}
}
