package otel_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/otel"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// run drives a consumer over the log until it has caught up or stops.
func (l *lab) run(c consumer.Consumer[*sql.Tx]) {
	l.t.Helper()
	db, err := sqlite.NewConsumers(l.db)
	if err != nil {
		l.t.Fatal(err)
	}
	runner, err := consumer.New(db, consumer.Config{Hooks: otel.Hooks(l.opts...)}, consumer.Registration[*sql.Tx]{Consumer: c, Attempts: 1, Policy: consumer.Park, BatchTime: time.Hour})
	if err != nil {
		l.t.Fatal(err)
	}
	if err := runner.RunUntilCaughtUp(context.Background(), nil); err != nil {
		l.t.Fatal(err)
	}
}

// Handling begins a trace of its own that links to the append, also where that was not sampled, and whatever the handler's
// context holds.
func TestConsumer_linksToTheAppend(t *testing.T) {
	t.Parallel()
	for name, sampler := range map[string]sdktrace.Sampler{"sampled": sdktrace.AlwaysSample(), "not sampled": sdktrace.NeverSample()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, sampler)
			result, err := l.append(t.Context(), runtime.NoStream(), placed("1"))
			if err != nil {
				t.Fatal(err)
			}
			handling := newLab(t, sdktrace.AlwaysSample()) // for its provider
			var inside trace.SpanContext
			l.run(otel.Consumer(consumer.Scoped("customers", []string{"Order"}, func(ctx context.Context, _ *sql.Tx, _ runtime.PersistedEvent) error {
				inside = trace.SpanContextFromContext(ctx)
				return nil
			}), handling.opts...))
			span := handling.span("process customers")
			if span.Parent.IsValid() || span.SpanKind != trace.SpanKindConsumer || span.SpanContext.TraceID().String() == result.Events[0].TraceID.String {
				t.Errorf("span of trace %s, parent %v, kind %v", span.SpanContext.TraceID(), span.Parent, span.SpanKind)
			}
			if !inside.Equal(span.SpanContext) {
				t.Error("the handler's context is not that of its span")
			}
			if len(span.Links) != 1 || span.Links[0].SpanContext.TraceID().String() != result.Events[0].TraceID.String ||
				span.Links[0].SpanContext.IsSampled() != (name == "sampled") || !span.Links[0].SpanContext.IsRemote() {
				t.Errorf("links: %+v", span.Links)
			}
		})
	}
}

// What is no trace context is no link, and does no harm.
func TestConsumer_hostileTraceparents(t *testing.T) {
	t.Parallel()
	l := newLab(t, sdktrace.AlwaysSample())
	var handled int
	c := otel.Consumer(consumer.Scoped("c", []string{"Order"}, func(context.Context, *sql.Tx, runtime.PersistedEvent) error {
		handled++
		return nil
	}), l.opts...)
	metadata := []string{
		``, `null`, `"traceparent"`, `{"traceparent":null}`, `{"traceparent":5}`, `{"traceparent":"x"}`, `{"traceparent":"00-0-0-00"}`,
		`{"traceparent":"ff-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01"}`,
		`{"traceparent":"00-00000000000000000000000000000000-bbbbbbbbbbbbbbbb-01"}`, `{"traceparent":"00-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-bbbbbbbbbbbbbbbb-01"}`,
		`{"nested":{"traceparent":"00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01"}}`, `{"traceparent`,
	}
	for _, m := range metadata {
		e := runtime.PersistedEvent{Event: placed("1")}
		e.Metadata = []byte(m)
		if err := c.Handle(t.Context(), nil, e); err != nil {
			t.Fatal(err)
		}
	}
	for i, s := range l.spans.GetSpans() {
		if len(s.Links) != 0 {
			t.Errorf("metadata %s: links %+v", metadata[i], s.Links)
		}
	}
	if handled != len(metadata) {
		t.Errorf("%d events handled, want %d", handled, len(metadata))
	}
}

func TestConsumer_measuresFailures(t *testing.T) {
	t.Parallel()
	l := newLab(t, sdktrace.AlwaysSample())
	if _, err := l.append(t.Context(), runtime.NoStream(), placed("1"), placed("1")); err != nil {
		t.Fatal(err)
	}
	l.run(otel.Consumer(consumer.Scoped("sick", []string{"Order"}, func(_ context.Context, _ *sql.Tx, e runtime.PersistedEvent) error {
		return &runtime.DecodeError{GlobalPosition: e.GlobalPosition, Err: errors.New("secret of Ada")}
	}), l.opts...))
	for name, want := range map[string]int64{"eventmap.decode.errors": 1, "eventmap.consumer.failures": 1} {
		if got := l.count(name); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	for _, s := range l.spans.GetSpans() {
		if s.Name == "process sick" && (s.Status.Description != "decode" || len(s.Events) != 0) {
			t.Errorf("the span tells more than the kind of the error: %+v %v", s.Status, s.Events)
		}
	}
	if _, ok := otel.Consumer(consumer.Consumer[*sql.Tx](unscoped{})).(consumer.ScopedConsumer[*sql.Tx]); ok {
		t.Error("a consumer of everything became a scoped one")
	}
}

// A batch is told by one span, which links to each append that it has events of, and a consumer stays what it is.
func TestConsumer_batch(t *testing.T) {
	t.Parallel()
	l := newLab(t, sdktrace.AlwaysSample())
	var origins []string
	for _, stream := range []string{"1", "2", "3"} {
		result, err := l.append(t.Context(), runtime.NoStream(), placed(stream), placed(stream))
		if err != nil {
			t.Fatal(err)
		}
		origins = append(origins, result.Events[0].TraceID.String)
	}
	var sizes []int
	var inside trace.SpanContext
	batches := consumer.Batch("customers", []string{"Order"}, func(ctx context.Context, _ *sql.Tx, events []runtime.PersistedEvent) error {
		sizes = append(sizes, len(events))
		inside = trace.SpanContextFromContext(ctx)
		return nil
	})
	c := otel.Consumer(consumer.Consumer[*sql.Tx](batches), l.opts...)
	if scoped, ok := c.(consumer.ScopedConsumer[*sql.Tx]); !ok || !slices.Equal(scoped.AggregateTypes(), []string{"Order"}) {
		t.Error("a scoped consumer became one of everything")
	}
	l.run(c)
	if !slices.Equal(sizes, []int{6}) {
		t.Errorf("the handler was given %v events, want 6 in one call", sizes)
	}
	span := l.span("process customers")
	if span.Parent.IsValid() || !inside.Equal(span.SpanContext) {
		t.Errorf("parent %v, context in the handler %v, of the span %v", span.Parent, inside, span.SpanContext)
	}
	var linked []string
	for _, link := range span.Links {
		linked = append(linked, link.SpanContext.TraceID().String())
	}
	if !slices.Equal(linked, origins) {
		t.Errorf("links to %v, want one to each of %v", linked, origins)
	}
	wantAttributes(t, span.Attributes, map[attribute.Key]string{
		"messaging.system": "eventmap", "messaging.operation.type": "process", "messaging.operation.name": "handle", "messaging.destination.name": "Order",
		"messaging.consumer.group.name": "customers", "messaging.batch.message_count": "6", "eventmap.position": "6",
	})
	if _, ok := otel.Consumer(consumer.Consumer[*sql.Tx](unscopedBatches{batches})).(consumer.ScopedConsumer[*sql.Tx]); ok {
		t.Error("a consumer of batches of everything became a scoped one")
	}
}

// unscopedBatches hides what a consumer wants.
type unscopedBatches struct {
	consumer.BatchConsumer[*sql.Tx]
}

// A failure in a batch is that of an event, also with telemetry in between.
func TestConsumer_batchFailure(t *testing.T) {
	t.Parallel()
	l := newLab(t, sdktrace.AlwaysSample())
	if _, err := l.append(t.Context(), runtime.NoStream(), placed("1"), placed("1")); err != nil {
		t.Fatal(err)
	}
	l.run(otel.Consumer(consumer.Consumer[*sql.Tx](consumer.Batch("sick", []string{"Order"}, func(_ context.Context, _ *sql.Tx, events []runtime.PersistedEvent) error {
		for i := range events {
			if position := events[i].GlobalPosition; position == 2 {
				return &consumer.EventError{Position: position, Err: &runtime.DecodeError{AggregateType: "Order", GlobalPosition: position, Err: errors.New("secret")}}
			}
		}
		return nil
	})), l.opts...))
	if got := l.counts("eventmap.consumer.failures"); got["decode sick parked"] != 1 {
		t.Errorf("failures by labels: %v", got)
	}
	if l.count("eventmap.decode.errors") == 0 {
		t.Error("the event that could not be decoded was not counted")
	}
}

type unscoped struct{}

func (unscoped) Name() string                                                  { return "unscoped" }
func (unscoped) Handle(context.Context, *sql.Tx, runtime.PersistedEvent) error { panic("handler") }

// A panic of the handler goes on, and its span ends.
func TestConsumer_panics(t *testing.T) {
	t.Parallel()
	l := newLab(t, sdktrace.AlwaysSample())
	c := otel.Consumer(consumer.Consumer[*sql.Tx](unscoped{}), l.opts...)
	defer func() {
		if recover() != "handler" {
			t.Error("the panic did not go on")
		}
		if l.span("process unscoped").Status.Description != "other" {
			t.Error("the span of a panic is no error")
		}
	}()
	_ = c.Handle(t.Context(), nil, runtime.PersistedEvent{})
}

// A consumer that prepares batches, as generated ones with personal data do, still does.
func TestConsumer_prepares(t *testing.T) {
	t.Parallel()
	l := newLab(t, sdktrace.AlwaysSample())
	if _, err := l.append(t.Context(), runtime.NoStream(), placed("1"), placed("1")); err != nil {
		t.Fatal(err)
	}
	var calls []int
	one := consumer.Scoped("one", []string{"Order"}, func(context.Context, *sql.Tx, runtime.PersistedEvent) error {
		calls = append(calls, 1)
		return nil
	})
	l.run(otel.Consumer[*sql.Tx](consumer.Prepared(one, func(_ context.Context, _ *sql.Tx, events []runtime.PersistedEvent) error {
		calls = append(calls, len(events))
		return nil
	}), l.opts...))
	if !slices.Equal(calls, []int{2, 1, 1}) {
		t.Errorf("calls for %v events, want 2 to prepare, and 1 twice", calls)
	}
}
