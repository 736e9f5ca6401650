package runtime

// A Stream is the events of one aggregate, in version order: all of them, or the window that was asked for.
type Stream struct {
	AggregateType string
	AggregateID   string
	Events        []PersistedEvent
	version       int64
}

// NewStream returns a stream whose head stands at version, of which events is the window that was read. It is meant for
// stores.
func NewStream(aggregateType, aggregateID string, version int64, events []PersistedEvent) Stream {
	return Stream{AggregateType: aggregateType, AggregateID: aggregateID, Events: events, version: version}
}

// Version returns the version of the stream's head when it was read, whatever the window: a stream of nine events read
// from version 5, or from version 20, is at version 9. It is 0 for a stream that does not exist. Pass it to [Exact] to
// append only if nobody has appended since.
func (s Stream) Version() int64 {
	if n := len(s.Events); n > 0 {
		return max(s.version, s.Events[n-1].AggregateVersion)
	}
	return s.version
}

// IsEmpty reports whether the window holds no events. The stream itself exists if Version is not 0.
func (s Stream) IsEmpty() bool { return len(s.Events) == 0 }

// Len returns the number of events in the window.
func (s Stream) Len() int { return len(s.Events) }
