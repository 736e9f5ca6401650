package inspect

import "github.com/eventmap/eventmap/runtime"

// An Event is a stored event as it is shown. What can be of any length is cut to the size the query asks for: Payload,
// Metadata, and the trace, correlation and causation IDs.
type Event struct {
	runtime.PersistedEvent
	// PayloadSize and MetadataSize are the lengths of the whole values in bytes; those of a payload in a column of JSON are
	// of its text.
	PayloadSize, MetadataSize int64
}

// An EventQuery selects events of the log. The zero value of a filter selects all.
type EventQuery struct {
	AggregateType string
	EventType     string
	CorrelationID string
	CausationID   string
	// Before and After bound the positions; both are excluded, and 0 is open.
	Before, After int64
	// Ascending: oldest first. Otherwise the newest come first.
	Ascending bool
	Limit     int // at most this many events
	// Scan is how many events at most are looked at where no index answers the filter.
	Scan int
	// Bytes is how much of a payload, and of metadata, is returned.
	Bytes int
}

// An EventPage is an answer to an [EventQuery].
type EventPage struct {
	Events []Event
	// Next is where to go on: the Before, or with Ascending the After, of the next query. 0: there is nothing more.
	Next int64
	// Scanned is how many events were looked at if the page is short because the query's Scan was used up, else 0.
	Scanned int
}

// A StreamEventQuery selects events of one stream.
type StreamEventQuery struct {
	AggregateType, AggregateID string
	// Before and After bound the versions; both are excluded, and 0 is open.
	Before, After int64
	Ascending     bool
	Limit, Bytes  int
}
