package inspect

import "github.com/eventmap/eventmap/runtime/consumer"

// A Stream is a stream and the version of its last event.
type Stream struct {
	consumer.Stream
	Version int64
}

// A StreamQuery selects streams, in the order of their types and then of their IDs, both compared byte by byte.
type StreamQuery struct {
	AggregateType string          // only streams of this type; empty: of all
	Prefix        string          // only streams whose ID begins with this
	After         consumer.Stream // only streams after this one; zero: from the first
	Limit         int
}
