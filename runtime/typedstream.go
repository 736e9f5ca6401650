package runtime

// A Recorded is an event of the domain and what is stored beside it.
type Recorded[E any] struct {
	Event E // of the current version: upcast, if it was stored as an earlier one
	Meta  Meta
}

// A TypedStream is a [Stream] whose events are those of the domain.
type TypedStream[E any] struct {
	AggregateID string
	Events      []Recorded[E] // in version order
	version     int64
}

// NewTypedStream returns a stream whose head stands at version, of which events is the window that was read. Generated
// code calls it, and a test may.
func NewTypedStream[E any](aggregateID string, version int64, events []Recorded[E]) TypedStream[E] {
	return TypedStream[E]{AggregateID: aggregateID, Events: events, version: version}
}

// Version returns the version of the stream's head when it was read, whatever the window; see [Stream.Version].
func (s TypedStream[E]) Version() int64 { return s.version }

// IsEmpty reports whether the window holds no events.
func (s TypedStream[E]) IsEmpty() bool { return len(s.Events) == 0 }

// Len returns the number of events in the window.
func (s TypedStream[E]) Len() int { return len(s.Events) }
