package mapping

import (
	"fmt"
	"reflect"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/plainjson"
)

// NewDecodeError returns a [*runtime.DecodeError] about e with the given cause.
func NewDecodeError(e *runtime.PersistedEvent, err error) *runtime.DecodeError {
	return &runtime.DecodeError{
		AggregateType:    e.AggregateType,
		AggregateID:      e.AggregateID,
		AggregateVersion: e.AggregateVersion,
		GlobalPosition:   e.GlobalPosition,
		EventType:        e.EventType,
		EventVersion:     e.EventVersion,
		Err:              err,
	}
}

// Decode returns the payload of e as an E. Its errors are [*runtime.DecodeError]s.
func Decode[E any](codec runtime.Codec, e *runtime.PersistedEvent) (E, error) {
	var event E
	if err := codec.Unmarshal(e.Payload, &event); err != nil {
		return event, NewDecodeError(e, err)
	}
	return event, nil
}

// Reader returns a reader of the payload of e as plain JSON for generated code for the type, or false if the codec has to
// decode it: it is another one than the default, or the type has changed.
func Reader(codec runtime.Codec, e *runtime.PersistedEvent, t *plainjson.Type) (plainjson.Reader, bool) {
	return plainjson.NewReader(e.Payload), allowsGenerated(codec) && t.IsSame()
}

// DecodeAs returns the payload of e as an E if e is of the given aggregate type, event type and version. Its errors are
// [*runtime.DecodeError]s.
func DecodeAs[E any](codec runtime.Codec, e *runtime.PersistedEvent, aggregateType, eventType string, eventVersion int) (E, error) {
	return DecodeAsBy(codec, e, aggregateType, eventType, eventVersion, Decode[E])
}

// DecodeAsBy is [DecodeAs] by a function that decodes.
func DecodeAsBy[E any](
	codec runtime.Codec, e *runtime.PersistedEvent, aggregateType, eventType string, eventVersion int,
	decode func(runtime.Codec, *runtime.PersistedEvent) (E, error),
) (E, error) {
	if e.AggregateType != aggregateType || e.EventType != eventType || e.EventVersion != eventVersion {
		var none E
		return none, NewDecodeError(e, fmt.Errorf("it is not %s v%d of %s", eventType, eventVersion, aggregateType))
	}
	return decode(codec, e)
}

// As returns the first of the forms of a decoded event that is a T. If there is none the error is a [*runtime.DecodeError].
func As[T any](e *runtime.PersistedEvent, forms ...any) (T, error) {
	for _, form := range forms {
		if t, ok := form.(T); ok {
			return t, nil
		}
	}
	var none T
	return none, NewDecodeError(e, fmt.Errorf("it is a %T, not a %v", forms[0], reflect.TypeFor[T]()))
}
