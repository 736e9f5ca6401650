package mapping

import (
	"fmt"
	"time"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/plainjson"
)

// An Encoder encodes the events of one append: it knows their stream and the time to stamp them with. It counts them, so
// that an error can name the one it is about, and is not safe for concurrent use.
type Encoder struct {
	settings      runtime.Settings
	aggregateType string
	aggregateID   string
	createdAt     time.Time
	count         int
	plain         bool // generated code may write payloads
	writer        plainjson.Writer
}

// NewEncoder returns an encoder for events of the named stream, with the settings' clock read once.
func NewEncoder(s runtime.Settings, aggregateType, aggregateID string) *Encoder {
	return &Encoder{
		settings: s, aggregateType: aggregateType, aggregateID: aggregateID, createdAt: s.Now(), plain: allowsGenerated(s.Codec()),
	}
}

// Encode returns the event that e points to as it is stored, with a fresh event ID. A nil e and an aggregate type other
// than the encoder's are an [*runtime.InvalidEventError].
func Encode[E any](c *Encoder, aggregateType, eventType string, eventVersion int, e *E) (runtime.Event, error) {
	index := c.count
	c.count++
	if e == nil {
		return runtime.Event{}, &runtime.InvalidEventError{Index: index, Field: "event", Reason: fmt.Sprintf("is a nil %T", e)}
	}
	if c.aggregateType != aggregateType {
		return runtime.Event{}, &runtime.InvalidEventError{Index: index, Field: "AggregateType", Reason: fmt.Sprintf("is %q, but %T is an event of %q", c.aggregateType, *e, aggregateType)}
	}
	payload, err := c.settings.Codec().Marshal(e)
	if err != nil {
		return runtime.Event{}, fmt.Errorf("event %d: encode %s v%d of %s %q: %w", index, eventType, eventVersion, c.aggregateType, c.aggregateID, err)
	}
	return c.event(eventType, eventVersion, payload), nil
}

// event returns the event of the encoder's stream that was counted last.
func (c *Encoder) event(eventType string, eventVersion int, payload []byte) runtime.Event {
	event := c.settings.NewEvent(c.aggregateType, c.aggregateID, c.count-1)
	event.CreatedAt = c.createdAt
	event.EventType = eventType
	event.Payload = payload
	event.EventVersion = eventVersion
	return event
}

// Writer returns where generated code for the type writes the payload of e as plain JSON, or nil if [Encode] has to encode it:
// there is another codec than the default one, e is none that the encoder takes, or the type has changed.
func Writer[E any](c *Encoder, aggregateType string, e *E, t *plainjson.Type) *plainjson.Writer {
	if !c.plain || e == nil || c.aggregateType != aggregateType || !t.IsSame() {
		return nil
	}
	c.writer.Begin()
	return &c.writer
}

// Written returns the event whose payload was written, or false if that is not plain JSON and [Encode] has to encode it.
func (c *Encoder) Written(eventType string, eventVersion int) (runtime.Event, bool) {
	payload, ok := c.writer.End()
	if !ok {
		return runtime.Event{}, false
	}
	c.count++
	return c.event(eventType, eventVersion, payload), true
}

// Copy returns a pointer to a copy of what e points to, so that e itself need not be on the heap.
func Copy[E any](e *E) *E {
	if e == nil {
		return nil
	}
	c := *e
	return &c
}

// allowsGenerated reports whether generated code may take the place of the codec: it is the default one.
func allowsGenerated(codec runtime.Codec) bool {
	_, allows := plainly(codec).(interface{ AllowsGenerated() })
	return allows
}

// EncodeAll encodes every event of an append, in order.
func EncodeAll[E any](c *Encoder, events []E, encode func(*Encoder, any) (runtime.Event, error)) ([]runtime.Event, error) {
	encoded := make([]runtime.Event, len(events))
	for i, e := range events {
		var err error
		if encoded[i], err = encode(c, e); err != nil {
			return nil, err
		}
	}
	return encoded, nil
}

// NotAnEvent returns the [*runtime.InvalidEventError] for a value that is no event the generated code knows.
func (c *Encoder) NotAnEvent(v any) error {
	reason := fmt.Sprintf("is a %T, which is no event of %q", v, c.aggregateType)
	if v == nil {
		reason = "is nil"
	}
	return &runtime.InvalidEventError{Index: c.count, Field: "event", Reason: reason}
}
