package otel_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/inspect"
	"github.com/eventmap/eventmap/runtime/otel"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// counting counts how often it is asked.
type counting struct {
	otel.Summarizer
	asked atomic.Int64
}

func (c *counting) Summary(ctx context.Context) (inspect.Summary, error) {
	c.asked.Add(1)
	return c.Summarizer.Summary(ctx)
}

func TestWatch_measuresConsumers(t *testing.T) {
	t.Parallel()
	l := newLab(t, sdktrace.AlwaysSample())
	if _, err := l.append(t.Context(), runtime.NoStream(), placed("1"), placed("1")); err != nil {
		t.Fatal(err)
	}
	l.run(consumer.Scoped("customers", []string{"Order"}, func(context.Context, *sql.Tx, runtime.PersistedEvent) error { return nil }))
	l.run(consumer.Scoped("sick", []string{"Order"}, func(context.Context, *sql.Tx, runtime.PersistedEvent) error { return errors.New("no") }))
	if _, err := l.append(t.Context(), runtime.Any(), placed("3"), placed("3"), placed("3")); err != nil {
		t.Fatal(err)
	}
	inspector, err := sqlite.NewInspector(l.db)
	if err != nil {
		t.Fatal(err)
	}
	source := &counting{Summarizer: inspector}
	stop, err := otel.Watch(source, append(l.opts, otel.WithInterval(time.Hour))...)
	if err != nil {
		t.Fatal(err)
	}
	// Many collections at once are one question.
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() { l.metrics() })
	}
	group.Wait()
	if n := source.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	got := make(map[string]map[string]int64)
	for name, data := range l.metrics() {
		if gauge, ok := data.(metricdata.Gauge[int64]); ok {
			got[name] = make(map[string]int64)
			for _, p := range gauge.DataPoints {
				about, _ := p.Attributes.Value("eventmap.consumer")
				got[name][about.AsString()] = p.Value
			}
		}
	}
	want := map[string]map[string]int64{
		"eventmap.log.end":          {"": 5},
		"eventmap.log.frontier":     {"": 5},
		"eventmap.consumer.lag":     {"customers": 3, "sick": 3},
		"eventmap.consumer.parked":  {"customers": 0, "sick": 2},
		"eventmap.consumer.stopped": {"customers": 0, "sick": 0},
		"eventmap.consumer.failing": {"customers": 0, "sick": 0},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("gauges (-want +got):\n%s", d)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if _, ok := l.metrics()["eventmap.log.end"]; ok {
		t.Error("measured after the end")
	}
}

// failing is a database that is away.
type failing struct{}

func (failing) Summary(context.Context) (inspect.Summary, error) {
	return inspect.Summary{}, errors.New("away")
}

func TestWatch_measuresNothingWhereItCannotAsk(t *testing.T) {
	t.Parallel()
	l := newLab(t, sdktrace.AlwaysSample())
	if _, err := otel.Watch(failing{}, l.opts...); err != nil {
		t.Fatal(err)
	}
	var all metricdata.ResourceMetrics
	if err := l.meter.Collect(t.Context(), &all); err == nil {
		t.Error("no error")
	}
	for _, s := range all.ScopeMetrics {
		for _, m := range s.Metrics {
			t.Errorf("measured: %s", m.Name)
		}
	}
}

// held is a log whose frontier somebody holds.
type held struct{ since time.Time }

func (h held) Summary(context.Context) (inspect.Summary, error) {
	return inspect.Summary{Drawn: 9, Frontier: 5, Now: time.Now(), HeldSince: h.since}, nil
}

func TestWatch_frontierAge(t *testing.T) {
	t.Parallel()
	for _, since := range []time.Time{time.Now().Add(-time.Minute), {}} {
		l := newLab(t, sdktrace.AlwaysSample())
		if _, err := otel.Watch(held{since}, l.opts...); err != nil {
			t.Fatal(err)
		}
		age := l.metrics()["eventmap.log.frontier.age"].(metricdata.Gauge[float64]).DataPoints[0].Value
		if known := !since.IsZero(); known != (age >= 60) || age < 0 {
			t.Errorf("held since %v: age %v", since, age)
		}
	}
}
