package relay_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/relay"
)

// A broker remembers what was published, and fails for the positions it is told.
type broker struct {
	messages []relay.Message
	fails    map[int64]error
}

func (b *broker) Publish(_ context.Context, messages []relay.Message) error {
	for _, m := range messages {
		if err := b.fails[m.Position]; err != nil {
			return err
		}
		b.messages = append(b.messages, m)
	}
	return nil
}

func (b *broker) positions() (positions []int64) {
	for _, m := range b.messages {
		positions = append(positions, m.Position)
	}
	return positions
}

func event(position int64, eventType, payload string) runtime.PersistedEvent {
	return runtime.PersistedEvent{
		Event: runtime.Event{
			CreatedAt:     time.Date(2026, time.March, 1, 9, 0, 0, 120000000, time.UTC),
			AggregateType: "Order", EventType: eventType, AggregateID: "no 42/ü",
			Payload: []byte(payload), EventVersion: 2,
			EventID: uuid.MustParse("018f0000-0000-7000-8000-000000000001"),
		},
		GlobalPosition: position, AggregateVersion: 3,
	}
}

func newRelay(t *testing.T, b relay.Publisher, c relay.Config) consumer.BatchConsumer[int] {
	t.Helper()
	c.Source = "https://shop.example/orders"
	r, err := relay.New[int]("r", b, c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRelay_cloudEvents(t *testing.T) {
	t.Parallel()
	var b broker
	e := event(17, "Placed", `{"note":"<b>&","cents":12}`)
	e.CorrelationID, e.CausationID, e.TraceID = runtime.SomeString("request"), runtime.SomeString("cause"), runtime.SomeString("4bf92f3577b34da6a3ce929d0e0e4736")
	e.Metadata = []byte(`{"user":"ada","traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}`)
	bytes := event(18, "Scanned", "\x00\xff")
	if err := newRelay(t, &b, relay.Config{TypePrefix: "example.shop."}).HandleBatch(t.Context(), 0, []runtime.PersistedEvent{e, bytes}); err != nil {
		t.Fatal(err)
	}
	const common = `"subject":"no 42/ü","time":"2026-03-01T09:00:00.12Z",`
	for i, want := range []string{
		`{"specversion":"1.0","id":"018f0000-0000-7000-8000-000000000001","source":"https://shop.example/orders","type":"example.shop.Order.Placed",` + common +
			`"datacontenttype":"application/json","aggregatetype":"Order","aggregateversion":"3","eventversion":2,"sequence":"0000000000000000017",` +
			`"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01","traceid":"4bf92f3577b34da6a3ce929d0e0e4736",` +
			`"correlationid":"request","causationid":"cause","data":{"note":"<b>&","cents":12}}`,
		`{"specversion":"1.0","id":"018f0000-0000-7000-8000-000000000001","source":"https://shop.example/orders","type":"example.shop.Order.Scanned",` + common +
			`"datacontenttype":"application/octet-stream","aggregatetype":"Order","aggregateversion":"3","eventversion":2,"sequence":"0000000000000000018","data_base64":"AP8="}`,
	} {
		m := b.messages[i]
		if d := cmp.Diff(want, string(m.Data)); d != "" {
			t.Errorf("message %d (-want +got):\n%s", i, d)
		}
		if m.ContentType != "application/cloudevents+json; charset=UTF-8" || m.Attributes != nil || m.ID != e.EventID.String() || m.Version != 3 {
			t.Errorf("message %d: %+v", i, m)
		}
	}
}

func TestRelay_storedBytes(t *testing.T) {
	t.Parallel()
	var b broker
	e := event(17, "Placed", ` { "note": "as it stands" } `)
	e.Metadata = []byte(`{"user":"ada"}`)
	if err := newRelay(t, &b, relay.Config{Format: relay.Stored, Metadata: true}).Handle(t.Context(), 0, e); err != nil {
		t.Fatal(err)
	}
	want := relay.Message{
		ID: e.EventID.String(), Stream: consumer.Stream{AggregateType: "Order", AggregateID: "no 42/ü"}, Version: 3, Position: 17,
		ContentType: "application/json", Data: e.Payload,
		Attributes: map[string]string{
			"specversion": "1.0", "id": e.EventID.String(), "source": "https://shop.example/orders", "type": "Order.Placed", "subject": "no 42/ü",
			"time": "2026-03-01T09:00:00.12Z", "aggregatetype": "Order", "aggregateversion": "3", "eventversion": "2",
			"sequence": "0000000000000000017", "eventmetadata": `{"user":"ada"}`,
		},
	}
	if d := cmp.Diff([]relay.Message{want}, b.messages); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
}

// Names of attributes have the form that CloudEvents 1.0 asks for: lower-case letters and digits, 20 at most.
func TestRelay_attributeNames(t *testing.T) {
	t.Parallel()
	var b broker
	e := event(1, "Placed", "{}")
	e.CorrelationID, e.CausationID, e.TraceID, e.Metadata = runtime.SomeString("a"), runtime.SomeString("b"), runtime.SomeString("c"), []byte(`{"traceparent":"d"}`)
	if err := newRelay(t, &b, relay.Config{Metadata: true}).Handle(t.Context(), 0, e); err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(b.messages[0].Data, &members); err != nil {
		t.Fatal(err)
	}
	for name := range members {
		if !regexp.MustCompile(`^[a-z0-9]{1,20}$`).MatchString(name) && name != "data_base64" {
			t.Errorf("attribute %q has no valid name", name)
		}
	}
	if len(members) != 17 {
		t.Errorf("%d members, want 17: %v", len(members), members)
	}
}

func TestRelay_selects(t *testing.T) {
	t.Parallel()
	var b broker
	r := newRelay(t, &b, relay.Config{AggregateTypes: []string{"Order"}, EventTypes: []string{"Placed", "Paid"}})
	if types := r.(consumer.ScopedConsumer[int]).AggregateTypes(); len(types) != 1 || types[0] != "Order" {
		t.Errorf("aggregate types are %v", types)
	}
	if _, scoped := newRelay(t, &b, relay.Config{}).(consumer.ScopedConsumer[int]); scoped {
		t.Error("a relay of everything is scoped")
	}
	events := []runtime.PersistedEvent{event(1, "Placed", "{}"), event(2, "Viewed", "{}"), event(3, "Paid", "{}")}
	if err := r.HandleBatch(t.Context(), 0, events); err != nil {
		t.Fatal(err)
	}
	if err := r.HandleBatch(t.Context(), 0, events[1:2]); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]int64{1, 3}, b.positions()); d != "" {
		t.Errorf("positions (-want +got):\n%s", d)
	}
}

// The hook says what is published in place of a payload. Where it fails, the events before are published, and the failure is
// that of the event.
func TestRelay_payloadHook(t *testing.T) {
	t.Parallel()
	var b broker
	errSealed := errors.New("no key")
	r := newRelay(t, &b, relay.Config{Payload: func(_ context.Context, e *runtime.PersistedEvent) ([]byte, error) {
		if e.GlobalPosition == 3 {
			return nil, errSealed
		}
		return fmt.Appendf(nil, `{"open":%s}`, e.Payload), nil
	}})
	err := r.HandleBatch(t.Context(), 0, []runtime.PersistedEvent{event(1, "Placed", "1"), event(2, "Placed", "2"), event(3, "Placed", "3")})
	var at *consumer.EventError
	if !errors.Is(err, errSealed) || !errors.As(err, &at) || at.Position != 3 {
		t.Errorf("error is %v, want that of event 3", err)
	}
	if d := cmp.Diff([]int64{1, 2}, b.positions()); d != "" || !strings.HasSuffix(string(b.messages[1].Data), `"data":{"open":2}}`) {
		t.Errorf("published %s (-want +got):\n%s", b.messages[len(b.messages)-1].Data, d)
	}
}

func TestRelay_errorsNameAnEvent(t *testing.T) {
	t.Parallel()
	errRefused := errors.New("refused")
	b := &broker{fails: map[int64]error{7: errRefused, 9: &consumer.EventError{Position: 9, Err: errRefused}}}
	for _, row := range []struct{ events, want []int64 }{{[]int64{6, 7}, []int64{6}}, {[]int64{8, 9}, []int64{9}}} {
		var events []runtime.PersistedEvent
		for _, position := range row.events {
			events = append(events, event(position, "Placed", "{}"))
		}
		err := newRelay(t, b, relay.Config{}).HandleBatch(t.Context(), 0, events)
		var at *consumer.EventError
		if !errors.Is(err, errRefused) || !errors.As(err, &at) || at.Position != row.want[0] {
			t.Errorf("error is %v, want one of event %d", err, row.want[0])
		}
	}
}

func TestNew_refuses(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]relay.Config{
		"Source is empty":       {},
		"is no URI reference":   {Source: "http://a b/%zz"},
		"no format 7":           {Source: "/shop", Format: 7},
		"event type is empty":   {Source: "/shop", EventTypes: []string{""}},
		"or event type is empt": {Source: "/shop", AggregateTypes: []string{"Order", ""}},
	} {
		if _, err := relay.New[int]("r", &broker{}, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want one with %q", err, want)
		}
	}
	if _, err := relay.New[int]("r", nil, relay.Config{Source: "/shop"}); err == nil {
		t.Error("no publisher is no error")
	}
}
