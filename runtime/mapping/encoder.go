package mapping

import (
	"fmt"
	"time"

	"github.com/eventmap/eventmap/runtime"
)

// An Encoder encodes the events of one append: it knows their stream and the time to stamp them with. It counts them, so
// that an error can name the one it is about, and is not safe for concurrent use.
type Encoder struct {
	settings      runtime.Settings
	aggregateType string
	aggregateID   string
	createdAt     time.Time
	count         int
}

// NewEncoder returns an encoder for events of the named stream, with the settings' clock read once.
func NewEncoder(s runtime.Settings, aggregateType, aggregateID string) *Encoder {
	return &Encoder{settings: s, aggregateType: aggregateType, aggregateID: aggregateID, createdAt: s.Now()}
}

// Encode returns the event that e points to as it is stored, with a fresh event ID. A nil e and an aggregate type other
// than the encoder's are an [*runtime.InvalidEventError].
func Encode[E any](c *Encoder, aggregateType, eventType string, eventVersion int, e *E) (event runtime.Event, err error) {
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
	event = c.settings.NewEvent()
	event.CreatedAt = c.createdAt
	event.AggregateType = c.aggregateType
	event.EventType = eventType
	event.AggregateID = c.aggregateID
	event.Payload = payload
	event.EventVersion = eventVersion
	return event, nil
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
