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

// Complete returns nil if the stream holds every version from from to to that its head counts, and an
// [*IncompleteStreamError] if not. Nil leaves a side open, as in [AggregateStreamReader]. It is meant for stores, which
// call it before they return a stream.
func (s Stream) Complete(from, to *int64) error {
	next, last := int64(1), s.Version()
	if from != nil {
		next = max(next, *from)
	}
	if to != nil {
		last = min(last, *to)
	}
	incomplete := &IncompleteStreamError{AggregateType: s.AggregateType, AggregateID: s.AggregateID, Head: s.Version(), Found: s}
	for i := range s.Events {
		if version := s.Events[i].AggregateVersion; version != next {
			incomplete.Missing, incomplete.Instead = next, version
			return incomplete
		}
		next++
	}
	if next <= last {
		incomplete.Missing = next
		return incomplete
	}
	return nil
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
