package runtime

import (
	"fmt"
	"reflect"
	"time"
)

// An Encoder encodes the events of one append: it knows their stream and the time to stamp them with. It counts them, so
// that an error can name the one it is about, and is not safe for concurrent use.
type Encoder struct {
	settings      Settings
	aggregateType string
	aggregateID   string
	createdAt     time.Time
	count         int
}

// NewEncoder returns an encoder for events of the named stream, with the settings' clock read once.
func NewEncoder(s Settings, aggregateType, aggregateID string) *Encoder {
	return &Encoder{settings: s, aggregateType: aggregateType, aggregateID: aggregateID, createdAt: s.Now()}
}

// Encode returns the event that e points to as it is stored, with a fresh event ID. A nil e and an aggregate type other
// than the encoder's are an [*InvalidEventError].
func Encode[E any](c *Encoder, aggregateType, eventType string, eventVersion int, e *E) (event Event, err error) {
	index := c.count
	c.count++
	if e == nil {
		return Event{}, &InvalidEventError{Index: index, Field: "event", Reason: fmt.Sprintf("is a nil %T", e)}
	}
	if c.aggregateType != aggregateType {
		return Event{}, &InvalidEventError{Index: index, Field: "AggregateType", Reason: fmt.Sprintf("is %q, but %T is an event of %q", c.aggregateType, *e, aggregateType)}
	}
	payload, err := c.settings.codec.Marshal(e)
	if err != nil {
		return Event{}, fmt.Errorf("event %d: encode %s v%d of %s %q: %w", index, eventType, eventVersion, c.aggregateType, c.aggregateID, err)
	}
	if c.settings.around != nil {
		event = *c.settings.around
	}
	event.CreatedAt = c.createdAt
	event.AggregateType = c.aggregateType
	event.EventType = eventType
	event.AggregateID = c.aggregateID
	event.Payload = payload
	event.EventVersion = eventVersion
	event.EventID = c.settings.newID()
	return event, nil
}

// EncodeAll encodes every event of an append, in order.
func EncodeAll[E any](c *Encoder, events []E, encode func(*Encoder, any) (Event, error)) ([]Event, error) {
	encoded := make([]Event, len(events))
	for i, e := range events {
		var err error
		if encoded[i], err = encode(c, e); err != nil {
			return nil, err
		}
	}
	return encoded, nil
}

// NotAnEvent returns the [*InvalidEventError] for a value that is no event the generated code knows.
func (c *Encoder) NotAnEvent(v any) error {
	reason := fmt.Sprintf("is a %T, which is no event of %q", v, c.aggregateType)
	if v == nil {
		reason = "is nil"
	}
	return &InvalidEventError{Index: c.count, Field: "event", Reason: reason}
}

// Decode returns the payload of e as an E. Its errors are [*DecodeError]s.
func Decode[E any](codec Codec, e *PersistedEvent) (E, error) {
	var event E
	if err := codec.Unmarshal(e.Payload, &event); err != nil {
		return event, NewDecodeError(e, err)
	}
	return event, nil
}

// DecodeAs returns the payload of e as an E if e is of the given aggregate type, event type and version. Its errors are
// [*DecodeError]s.
func DecodeAs[E any](codec Codec, e *PersistedEvent, aggregateType, eventType string, eventVersion int) (E, error) {
	if e.AggregateType != aggregateType || e.EventType != eventType || e.EventVersion != eventVersion {
		var none E
		return none, NewDecodeError(e, fmt.Errorf("it is not %s v%d of %s", eventType, eventVersion, aggregateType))
	}
	return Decode[E](codec, e)
}

// As returns the first of the forms of a decoded event that is a T. If there is none the error is a [*DecodeError].
func As[T any](e *PersistedEvent, forms ...any) (T, error) {
	for _, form := range forms {
		if t, ok := form.(T); ok {
			return t, nil
		}
	}
	var none T
	return none, NewDecodeError(e, fmt.Errorf("it is a %T, not a %v", forms[0], reflect.TypeFor[T]()))
}

// A Recorded is an event of the domain and what is stored beside it.
type Recorded[E any] struct {
	Event E
	Meta  Meta
}

// A TypedStream is a [Stream] whose events are those of the domain.
type TypedStream[E any] struct {
	AggregateID string
	Events      []Recorded[E] // in version order
	version     int64
}

// DecodeStream decodes every event of a stream. The first event that cannot be decoded ends it with its error.
func DecodeStream[E any](s Stream, decode func(*PersistedEvent) (E, error)) (TypedStream[E], error) {
	typed := TypedStream[E]{AggregateID: s.AggregateID, Events: make([]Recorded[E], len(s.Events)), version: s.Version()}
	for i := range s.Events {
		event, err := decode(&s.Events[i])
		if err != nil {
			return TypedStream[E]{}, err
		}
		typed.Events[i] = Recorded[E]{Event: event, Meta: s.Events[i].Meta()}
	}
	return typed, nil
}

// Version returns the version of the stream's head when it was read, whatever the window; see [Stream.Version].
func (s TypedStream[E]) Version() int64 { return s.version }

// IsEmpty reports whether the window holds no events.
func (s TypedStream[E]) IsEmpty() bool { return len(s.Events) == 0 }

// Len returns the number of events in the window.
func (s TypedStream[E]) Len() int { return len(s.Events) }
