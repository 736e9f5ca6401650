package runtime_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
)

func persisted(payload, metadata []byte) runtime.PersistedEvent {
	return runtime.PersistedEvent{
		Event: runtime.Event{
			CreatedAt:     time.Date(2026, time.March, 1, 9, 0, 0, 123456000, time.UTC),
			AggregateType: "Order",
			EventType:     "Placed",
			AggregateID:   "1",
			Payload:       payload,
			Metadata:      metadata,
			CorrelationID: runtime.SomeString("request-1"),
			EventVersion:  2,
			EventID:       uuid.MustParse("018f0000-0000-7000-8000-000000000001"),
		},
		GlobalPosition:   9,
		AggregateVersion: 3,
	}
}

func TestPersistedEvent_asJSON(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal(persisted([]byte(`{"cents":12}`), nil))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"global_position":9,"aggregate_type":"Order","aggregate_id":"1","aggregate_version":3,` +
		`"event_id":"018f0000-0000-7000-8000-000000000001","event_type":"Placed","event_version":2,"payload":{"cents":12},` +
		`"metadata":null,"trace_id":null,"correlation_id":"request-1","causation_id":null,"created_at":"2026-03-01T09:00:00.123456Z"}`
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("JSON (-want +got):\n%s", d)
	}
}

func TestPersistedEvent_isTheSameAfterJSON(t *testing.T) {
	t.Parallel()
	for _, want := range []runtime.PersistedEvent{
		persisted([]byte(`{"cents":12}`), []byte(`{"by":"ada"}`)),
		persisted([]byte(`"a text"`), nil),
		persisted([]byte{0, 255, 'x'}, []byte(`[]`)),
		persisted([]byte{}, nil),
		persisted([]byte("null"), nil),
		{},
	} {
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got runtime.PersistedEvent
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", text, d)
		}
		if text, err = json.Marshal(want.Meta()); err != nil {
			t.Fatal(err)
		}
		var meta runtime.Meta
		if err := json.Unmarshal(text, &meta); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if d := cmp.Diff(want.Meta(), meta); d != "" {
			t.Errorf("Meta, %s (-want +got):\n%s", text, d)
		}
	}
}

func TestNullString_asJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]runtime.NullString{
		`null`: {}, `""`: runtime.SomeString(""), `"a"`: runtime.SomeString("a"),
	} {
		got, err := json.Marshal(want)
		if err != nil || string(got) != text {
			t.Errorf("Marshal(%+v) = %s, %v; want %s", want, got, err, text)
		}
		back := runtime.SomeString("before")
		if err := json.Unmarshal([]byte(text), &back); err != nil || back != want {
			t.Errorf("Unmarshal(%s) = %+v, %v; want %+v", text, back, err, want)
		}
	}
}
