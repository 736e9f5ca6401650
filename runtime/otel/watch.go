package otel

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/eventmap/eventmap/runtime/inspect"
)

// leastInterval is how often at most the database is asked how consumers are.
const leastInterval = 5 * time.Second

// A Summarizer tells how all consumers are. The inspectors of runtime/postgres and runtime/sqlite do, by one statement.
type Summarizer interface {
	// Summary returns the state of the log and of every consumer, as of one moment.
	Summary(ctx context.Context) (inspect.Summary, error)
}

// Watch measures, whenever metrics are collected, how far the log is and how its consumers are: lag, parked events, stopped
// segments, and the age of a frontier that is held back. However often and by however many readers metrics are collected,
// the database is asked once every five seconds, for all consumers together. stop ends it.
//
// Where it cannot be asked, nothing is measured, and the error goes to the error handler of OpenTelemetry.
func Watch(s Summarizer, opts ...Option) (stop func() error, err error) {
	c := configure(opts)
	m := c.meters.Meter(scope)
	w := &watch{summarizer: s, interval: c.interval, now: time.Now}
	var all []metric.Observable
	gauge := func(to *metric.Int64ObservableGauge, name, unit, description string) {
		if err == nil {
			*to, err = m.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(description))
			all = append(all, *to)
		}
	}
	seconds := func(to *metric.Float64ObservableGauge, name, description string) {
		if err == nil {
			*to, err = m.Float64ObservableGauge(name, metric.WithUnit("s"), metric.WithDescription(description))
			all = append(all, *to)
		}
	}
	gauge(&w.end, "eventmap.log.end", "{position}", "The highest position that an append has drawn.")
	gauge(&w.frontier, "eventmap.log.frontier", "{position}", "The position up to which the log can be read.")
	seconds(&w.frontierAge, "eventmap.log.frontier.age", "How long an open transaction has held the frontier before the end of the log; 0: none does.")
	gauge(&w.lag, "eventmap.consumer.lag", "{event}", "Positions between a consumer and the frontier: events it has not handled, but for gaps and events it does not want.")
	seconds(&w.lagAge, "eventmap.consumer.lag.age", "How long ago the first event happened that a consumer has not passed; 0: it is up to date.")
	gauge(&w.parked, "eventmap.consumer.parked", "{event}", "Parked events, counted up to 1000.")
	gauge(&w.stopped, "eventmap.consumer.stopped", "{segment}", "Segments that are stopped.")
	gauge(&w.failing, "eventmap.consumer.failing", "{segment}", "Segments that wait for a retry.")
	if err != nil {
		return nil, err
	}
	registration, err := m.RegisterCallback(w.observe, all...)
	if err != nil {
		return nil, err
	}
	return registration.Unregister, nil
}

// watch keeps the last summary for as long as the interval is.
type watch struct {
	summarizer Summarizer
	interval   time.Duration
	now        func() time.Time

	mu    sync.Mutex
	asked time.Time
	last  inspect.Summary
	err   error
	held  time.Time // since when the frontier was seen where it is, before the end of the log

	end, frontier, lag, parked, stopped, failing metric.Int64ObservableGauge
	frontierAge, lagAge                          metric.Float64ObservableGauge
}

// summary returns how things are, or were a moment ago.
func (w *watch) summary(ctx context.Context) (inspect.Summary, time.Duration, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := w.now(); w.asked.IsZero() || now.Sub(w.asked) >= w.interval {
		fresh, err := w.summarizer.Summary(ctx)
		switch {
		case err != nil:
		case fresh.Frontier >= fresh.Drawn:
			w.held = time.Time{}
		case fresh.Frontier != w.last.Frontier || w.held.IsZero():
			w.held = now
		}
		if err == nil {
			w.last = fresh
		}
		w.asked, w.err = now, err
	}
	return w.last, w.age(), w.err
}

// age returns for how long the frontier is held, by the one who holds it, or, where that is not known, by what was seen.
func (w *watch) age() time.Duration {
	switch {
	case w.last.Frontier >= w.last.Drawn:
		return 0
	case !w.last.HeldSince.IsZero():
		return max(w.last.Now.Sub(w.last.HeldSince), 0)
	}
	return w.now().Sub(w.held)
}

func (w *watch) observe(ctx context.Context, o metric.Observer) error {
	s, age, err := w.summary(ctx)
	if err != nil {
		return err
	}
	o.ObserveInt64(w.end, s.Drawn)
	o.ObserveInt64(w.frontier, s.Frontier)
	o.ObserveFloat64(w.frontierAge, age.Seconds())
	for _, c := range s.Consumers {
		of := metric.WithAttributeSet(attribute.NewSet(consumerKey.String(c.Consumer)))
		o.ObserveInt64(w.lag, c.Behind, of)
		late := 0.0
		if c.Behind > 0 && !c.Oldest.IsZero() {
			late = max(s.Now.Sub(c.Oldest).Seconds(), 0)
		}
		o.ObserveFloat64(w.lagAge, late, of)
		o.ObserveInt64(w.parked, int64(c.Parked), of)
		o.ObserveInt64(w.stopped, int64(c.Stopped), of)
		o.ObserveInt64(w.failing, int64(c.Failing), of)
	}
	return nil
}
