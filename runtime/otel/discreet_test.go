package otel_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/otel"
)

// Spans and metrics leave the company as often as not: nothing of what events hold is in them, whatever goes wrong.
func TestTelemetry_holdsNothingOfEvents(t *testing.T) {
	t.Parallel()
	const secret = "Lovelace"
	l := newLab(t, sdktrace.AlwaysSample())
	event := placed("1")
	event.Payload, event.Metadata = []byte(`{"name":"`+secret+`"}`), []byte(`{"by":"`+secret+`"}`)
	conflicting, broken := event, event
	conflicting.EventID, broken.EventID = placed("1").EventID, placed("1").EventID
	broken.EventVersion = 0
	for name, refused := range map[string]error{
		"append":   second(l.append(t.Context(), runtime.NoStream(), event)),
		"conflict": second(l.append(t.Context(), runtime.NoStream(), conflicting)),
		"broken":   second(l.append(t.Context(), runtime.Any(), broken)),
	} {
		if (refused == nil) != (name == "append") {
			t.Errorf("%s: %v", name, refused)
		}
	}
	_ = l.in(func(tx *sql.Tx) error {
		_, err := l.store.ReadAggregateStream(t.Context(), tx, "Order", "1", nil, nil)
		return err
	})
	for name, handle := range map[string]func(context.Context, *sql.Tx, runtime.PersistedEvent) error{
		"well": func(context.Context, *sql.Tx, runtime.PersistedEvent) error { return nil },
		"refusing": func(_ context.Context, _ *sql.Tx, e runtime.PersistedEvent) error {
			return errors.New(string(e.Payload))
		},
		"panicking": func(_ context.Context, _ *sql.Tx, e runtime.PersistedEvent) error {
			panic(string(e.Payload))
		},
	} {
		l.run(otel.Consumer(consumer.Scoped(name, []string{"Order"}, handle), l.opts...))
	}
	told := fmt.Sprintf("%+v", l.metrics())
	for _, s := range l.spans.GetSpans() {
		told += fmt.Sprintf("\n%+v", s)
	}
	if !strings.Contains(told, "process refusing") || !strings.Contains(told, "process panicking") || !strings.Contains(told, "append Order") {
		t.Errorf("the spans lack what was done:\n%s", told)
	}
	if i := strings.Index(told, secret); i >= 0 {
		t.Errorf("telemetry tells what an event holds: ...%s...", told[max(0, i-200):min(len(told), i+50)])
	}
}

// second returns an error and leaves out what comes before it.
func second[T any](_ T, err error) error { return err }
