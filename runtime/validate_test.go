package runtime_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
)

// valid returns n events that nothing is wrong with.
func valid(n int) []runtime.Event {
	events := make([]runtime.Event, n)
	for i := range events {
		events[i] = runtime.Event{AggregateType: "Order", AggregateID: "42", EventType: "Placed", EventVersion: 1, EventID: uuid.New()}
	}
	return events
}

func TestValidateAppend_namesTheFirstFault(t *testing.T) {
	t.Parallel()
	for field, faults := range map[string][]func(e *runtime.Event){
		"AggregateType": {
			func(e *runtime.Event) { e.AggregateType = "Invoice" },
			func(e *runtime.Event) { e.AggregateType = "" },
		},
		"AggregateID": {func(e *runtime.Event) { e.AggregateID = "43" }},
		"EventType": {
			func(e *runtime.Event) { e.EventType = "" },
			func(e *runtime.Event) { e.EventType = "a\x00" },
			func(e *runtime.Event) { e.EventType = "\xc0\x80" },
		},
		"EventVersion": {
			func(e *runtime.Event) { e.EventVersion = 0 },
			func(e *runtime.Event) { e.EventVersion = 1 << 31 },
		},
		"EventID": {func(e *runtime.Event) { e.EventID = uuid.Nil }},
		"CreatedAt": {
			func(e *runtime.Event) { e.CreatedAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
			func(e *runtime.Event) { e.CreatedAt = time.Date(1, 1, 1, 0, 0, 0, 0, time.FixedZone("east", 3600)) },
		},
		"Metadata": {
			func(e *runtime.Event) { e.Metadata = []byte{} },
			func(e *runtime.Event) { e.Metadata = []byte("{} {}") },
		},
		"TraceID": {func(e *runtime.Event) { e.TraceID = runtime.SomeString("\x00") }},
	} {
		for i, fault := range faults {
			events := valid(3)
			fault(&events[1])
			events[2] = runtime.Event{} // a later one, and so not the one that is named
			var got *runtime.InvalidEventError
			err := runtime.ValidateAppend(runtime.Any(), events)
			if !errors.As(err, &got) || got.Index != 1 || got.Field != field {
				t.Errorf("%s %d: error is %v, want one about event 1 and its %s", field, i, err, field)
			}
		}
	}
}

func TestValidateAppend_accepts(t *testing.T) {
	t.Parallel()
	events := valid(200)
	events[0].CreatedAt = time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)
	events[1].CausationID = runtime.NullString{String: "\x00 does not count"}
	events[2].EventVersion = 1<<31 - 1
	events[3].Metadata = []byte(" null ")
	events[4].EventType = strings.Repeat("long", 1000)
	for _, expected := range []runtime.ExpectedVersion{runtime.Any(), runtime.NoStream(), runtime.StreamExists(), runtime.Exact(1 << 62)} {
		if err := runtime.ValidateAppend(expected, events); err != nil {
			t.Errorf("expecting %s: %v", expected, err)
		}
	}
}

func TestValidateAppend_refusesTheCall(t *testing.T) {
	t.Parallel()
	if err := runtime.ValidateAppend(runtime.Any(), nil); !errors.Is(err, runtime.ErrNoEvents) {
		t.Errorf("no events: error is %v, want %v", err, runtime.ErrNoEvents)
	}
	var invalid *runtime.InvalidEventError
	if err := runtime.ValidateAppend(runtime.Exact(-1), valid(1)); !errors.As(err, &invalid) || invalid.Index != -1 {
		t.Errorf("Exact(-1): error is %v, want one about the call", err)
	}
	for _, n := range []int{2, 9, 100} { // few are compared in another way than many
		events := valid(n)
		events[n-1].EventID = events[0].EventID
		err := runtime.ValidateAppend(runtime.Any(), events)
		if !errors.Is(err, runtime.ErrDuplicateEvent) || !strings.Contains(fmt.Sprint(err), fmt.Sprintf("event %d", n-1)) {
			t.Errorf("%d events, the last like the first: error is %v, want %v", n, err, runtime.ErrDuplicateEvent)
		}
	}
}
