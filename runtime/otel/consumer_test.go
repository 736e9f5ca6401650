package otel_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

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
	runner, err := consumer.New(db, consumer.Config{Hooks: otel.Hooks(l.opts...)}, consumer.Registration[*sql.Tx]{Consumer: c, Attempts: 1, Policy: consumer.Park})
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
