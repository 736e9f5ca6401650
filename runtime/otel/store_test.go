package otel_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/otel"
	"github.com/eventmap/eventmap/runtime/storetest"
)

// What tells of a store is a store: the whole suite passes.
func TestStore_keepsTheContract(t *testing.T) {
	t.Parallel()
	l := newLab(t, sdktrace.AlwaysSample())
	begin := func(ctx context.Context, opts *sql.TxOptions) (storetest.Transaction[*sql.Tx], error) {
		tx, err := l.db.BeginTx(ctx, opts)
		if err != nil {
			return storetest.Transaction[*sql.Tx]{}, err
		}
		return storetest.Transaction[*sql.Tx]{
			Tx:       tx,
			Commit:   func(context.Context) error { return tx.Commit() },
			Rollback: func(context.Context) error { return tx.Rollback() },
		}, nil
	}
	// Without spans: those change metadata and trace IDs where there are none, which the suite compares.
	silent := otel.Store(l.inner, append(l.opts, otel.WithTracerProvider(noop.NewTracerProvider()))...)
	storetest.Run(t, storetest.Harness[*sql.Tx]{
		Store: silent.(storetest.Store[*sql.Tx]),
		Begin: func(ctx context.Context) (storetest.Transaction[*sql.Tx], error) { return begin(ctx, nil) },
		BeginReading: func(ctx context.Context) (storetest.Transaction[*sql.Tx], error) {
			return begin(ctx, &sql.TxOptions{ReadOnly: true})
		},
		Remove: func(ctx context.Context, aggregateType, aggregateID string, from, to int64) error {
			_, err := l.db.ExecContext(ctx, `delete from events where aggregate_type = ? and aggregate_id = ? and aggregate_version between ? and ?`,
				aggregateType, aggregateID, from, to)
			return err
		},
		Without: []storetest.Ability{storetest.ConcurrentWriters},
	})
}

// The optional interfaces are those of the inner store, whichever they are.
func TestStore_keepsOptionalInterfaces(t *testing.T) {
	t.Parallel()
	l := newLab(t, sdktrace.AlwaysSample())
	type tx = *sql.Tx
	has := func(store any) string {
		var names []string
		for _, optional := range []struct {
			name string
			is   func(any) bool
		}{
			{"EventReader", func(s any) bool { _, ok := s.(runtime.EventReader[tx]); return ok }},
			{"GlobalPositionReader", func(s any) bool { _, ok := s.(runtime.GlobalPositionReader[tx]); return ok }},
			{"StreamsAppender", func(s any) bool { _, ok := s.(runtime.StreamsAppender[tx]); return ok }},
			{"SafePositionReader", func(s any) bool { _, ok := s.(runtime.SafePositionReader[tx]); return ok }},
			{"StreamIterator", func(s any) bool { _, ok := s.(runtime.StreamIterator[tx]); return ok }},
			{"LogIterator", func(s any) bool { _, ok := s.(runtime.LogIterator[tx]); return ok }},
			{"SnapshotStore", func(s any) bool { _, ok := s.(runtime.SnapshotStore[tx]); return ok }},
		} {
			if optional.is(store) {
				names = append(names, optional.name)
			}
		}
		return strings.Join(names, " ")
	}
	s := l.inner
	for _, inner := range []runtime.Store[tx]{
		s,
		struct{ runtime.Store[tx] }{s},
		struct {
			runtime.Store[tx]
			runtime.EventReader[tx]
		}{s, s},
		struct {
			runtime.Store[tx]
			runtime.SnapshotStore[tx]
		}{s, s},
		struct {
			runtime.Store[tx]
			runtime.StreamsAppender[tx]
			runtime.LogIterator[tx]
		}{s, s, s},
		struct {
			runtime.Store[tx]
			runtime.EventReader[tx]
			runtime.GlobalPositionReader[tx]
			runtime.SafePositionReader[tx]
			runtime.StreamIterator[tx]
			runtime.LogIterator[tx]
		}{s, s, s, s, s, s},
	} {
		if got, want := has(otel.Store(inner)), has(inner); got != want {
			t.Errorf("optional interfaces %q, want %q", got, want)
		}
	}
}

func TestAppend_spanAndTraceContext(t *testing.T) {
	t.Parallel()
	l := newLab(t, sdktrace.AlwaysSample())
	given := []runtime.Event{placed("1"), placed("1"), placed("1"), placed("1")}
	given[1].Metadata, given[1].TraceID = []byte(` {"channel":"web"}`), runtime.SomeString("mine")
	given[2].Metadata = []byte(`{"traceparent":"00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01"}`)
	given[3].Metadata = []byte(`[1]`)
	before := fmt.Sprint(given)
	result, err := l.append(t.Context(), runtime.NoStream(), given...)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(given) != before {
		t.Error("the caller's events have changed")
	}
	span := l.span("append Order")
	if span.SpanKind != trace.SpanKindProducer || span.Status.Code != codes.Unset {
		t.Errorf("span %v %v", span.SpanKind, span.Status)
	}
	c := span.SpanContext
	parent := `"traceparent":"00-` + c.TraceID().String() + `-` + c.SpanID().String() + `-01"`
	for i, want := range []struct{ traceID, metadata string }{
		{c.TraceID().String(), `{` + parent + `}`},
		{"mine", `{` + parent + `,"channel":"web"}`},
		{c.TraceID().String(), string(given[2].Metadata)},
		{c.TraceID().String(), `[1]`},
	} {
		e := result.Events[i]
		if e.TraceID.String != want.traceID || string(e.Metadata) != want.metadata {
			t.Errorf("event %d: trace ID %s, metadata %s; want %v", i, e.TraceID.String, e.Metadata, want)
		}
	}
	wantAttributes(t, span.Attributes, map[attribute.Key]string{
		"db.system.name": "sqlite", "db.operation.name": "append", "db.operation.batch.size": "4", "messaging.system": "eventmap",
		"messaging.operation.type": "send", "messaging.operation.name": "append", "messaging.destination.name": "Order", "messaging.batch.message_count": "4",
	})
}

func wantAttributes(t *testing.T, got []attribute.KeyValue, want map[attribute.Key]string) {
	t.Helper()
	found := make(map[attribute.Key]string)
	for _, a := range got {
		found[a.Key] = a.Value.String()
	}
	if d := cmp.Diff(want, found); d != "" {
		t.Errorf("attributes (-want +got):\n%s", d)
	}
}

// An append that is not sampled has a context too; without a provider there is none, and nothing is changed.
func TestAppend_withoutSamplingAndWithoutProvider(t *testing.T) {
	t.Parallel()
	l := newLab(t, sdktrace.NeverSample())
	result, err := l.append(t.Context(), runtime.NoStream(), placed("1"))
	if err != nil {
		t.Fatal(err)
	}
	if e := result.Events[0]; !e.TraceID.Valid || !strings.HasSuffix(string(e.Metadata), `-00"}`) {
		t.Errorf("not sampled: trace ID %v, metadata %s", e.TraceID, e.Metadata)
	}
	l.store = otel.Store(l.inner, otel.WithTracerProvider(noop.NewTracerProvider()))
	result, err = l.append(t.Context(), runtime.NoStream(), placed("2"))
	if err != nil {
		t.Fatal(err)
	}
	if e := result.Events[0]; e.TraceID.Valid || e.Metadata != nil {
		t.Errorf("without a provider: trace ID %v, metadata %s", e.TraceID, e.Metadata)
	}
}

// The same events again are the same append, although their trace context is another.
func TestAppend_outcomes(t *testing.T) {
	t.Parallel()
	l := newLab(t, sdktrace.AlwaysSample())
	first := placed("1")
	if _, err := l.append(t.Context(), runtime.NoStream(), first); err != nil {
		t.Fatal(err)
	}
	result, err := l.append(t.Context(), runtime.NoStream(), first)
	if err != nil || !result.AlreadyStored {
		t.Errorf("again: %v, %v", result.AlreadyStored, err)
	}
	if _, err := l.append(t.Context(), runtime.NoStream(), placed("1")); !errors.Is(err, runtime.ErrOptimisticConcurrency) {
		t.Errorf("conflict: %v", err)
	}
	_ = l.in(func(tx *sql.Tx) error {
		_, err := l.store.(runtime.StreamsAppender[*sql.Tx]).AppendStreams(t.Context(), tx,
			runtime.StreamAppend{Expected: runtime.NoStream(), Events: []runtime.Event{placed("2"), placed("2")}},
			runtime.StreamAppend{Expected: runtime.NoStream(), Events: []runtime.Event{placed("3")}})
		return err
	})
	for name, want := range map[string]int64{
		"eventmap.append.events": 4, "eventmap.append.duplicates": 1, "eventmap.append.conflicts": 1, "eventmap.append.retries": 0,
	} {
		if got := l.count(name); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	for _, s := range l.spans.GetSpans() {
		if s.Status.Code == codes.Error {
			t.Errorf("span %s is an error: a conflict is the caller's to decide on", s.Name)
		}
	}
}

func TestRead_spans(t *testing.T) {
	t.Parallel()
	l := newLab(t, sdktrace.AlwaysSample())
	if _, err := l.append(t.Context(), runtime.NoStream(), placed("1"), placed("1"), placed("1")); err != nil {
		t.Fatal(err)
	}
	_ = l.in(func(tx *sql.Tx) error {
		if _, err := l.store.ReadAggregateStream(t.Context(), tx, "Order", "1", nil, nil); err != nil {
			t.Error(err)
		}
		for _, err := range l.store.(runtime.LogIterator[*sql.Tx]).LogEvents(t.Context(), tx, runtime.LogQuery{}) {
			if err != nil {
				t.Error(err)
			}
			break
		}
		return nil
	})
	wantAttributes(t, l.span("read Order").Attributes, map[attribute.Key]string{
		"db.system.name": "sqlite", "db.operation.name": "read", "db.response.returned_rows": "3", "eventmap.aggregate.type": "Order",
	})
	wantAttributes(t, l.span("read log").Attributes, map[attribute.Key]string{
		"db.system.name": "sqlite", "db.operation.name": "read log", "db.response.returned_rows": "1",
	})
}

// Execute holds what it takes, and says how many attempts that were.
func TestExecute_countsAttempts(t *testing.T) {
	t.Parallel()
	l := newLab(t, sdktrace.AlwaysSample())
	if _, err := l.append(t.Context(), runtime.NoStream(), placed("1")); err != nil {
		t.Fatal(err)
	}
	l.spans.Reset()
	_, err := otel.Execute(t.Context(), "Order", func(ctx context.Context) (runtime.AppendResult, error) {
		for expected := int64(5); ; expected-- { // as a generated Execute that others are quicker than
			result, err := l.append(ctx, runtime.Exact(expected), placed("1"))
			if !errors.Is(err, runtime.ErrOptimisticConcurrency) {
				return result, err
			}
		}
	}, l.opts...)
	if err != nil {
		t.Fatal(err)
	}
	span := l.span("execute Order")
	wantAttributes(t, span.Attributes, map[attribute.Key]string{"eventmap.aggregate.type": "Order", "eventmap.attempts": "5"})
	inside := 0
	for _, s := range l.spans.GetSpans() {
		if s.Parent.SpanID() == span.SpanContext.SpanID() {
			inside++
		}
	}
	if inside != 5 {
		t.Errorf("%d spans within that of Execute, want 5", inside)
	}
	if got := l.count("eventmap.execute.conflicts"); got != 4 {
		t.Errorf("eventmap.execute.conflicts: %d, want 4", got)
	}
}
