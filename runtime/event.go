package runtime

import (
	"time"

	"github.com/google/uuid"
)

// An Event is something that happened to one aggregate, before it is stored.
//
// Its payload and metadata are kept as given, byte for byte. A store reads them only during the call they are passed to.
type Event struct {
	// CreatedAt is when the event happened. The zero value means "now": the store fills in its clock. PostgreSQL keeps
	// microseconds; a finer time is cut when it is stored, and what Append returns is the time as cut, in UTC.
	CreatedAt time.Time
	// AggregateType and AggregateID name the stream. EventType names the kind of event within its aggregate type. None
	// may be empty or hold a NUL or invalid UTF-8, which PostgreSQL's text cannot keep.
	AggregateType string
	EventType     string
	AggregateID   string
	// Payload is the encoded event. Nil is stored, and read back, as empty.
	Payload []byte
	// Metadata is nil, stored as NULL, or a JSON value about the event rather than of it.
	Metadata []byte
	// CausationID names the message that caused this event, CorrelationID the conversation it belongs to, TraceID the
	// distributed trace it was written in.
	CausationID   NullString
	CorrelationID NullString
	TraceID       NullString
	// EventVersion is the version of the payload's schema, from 1. It has nothing to do with the version of the stream.
	EventVersion int
	// EventID identifies the event for ever and makes a retried append idempotent. It may not be nil and is unique in
	// the log.
	EventID uuid.UUID
}

// A PersistedEvent is an event as it stands in the log.
type PersistedEvent struct {
	Event
	// GlobalPosition is its place in the log: greater than that of every event before it in its stream, and never
	// reused. Positions may have gaps.
	GlobalPosition int64
	// AggregateVersion is its place in its stream: 1, 2, 3 and so on without gaps.
	AggregateVersion int64
	// Erased are the fields, by their names in Go, whose value cannot be read any more because whom it is about was
	// forgotten. Code that opens personal data sets it; stores do not.
	Erased []string
}

// Meta returns everything about the event but its type and payload.
func (e *PersistedEvent) Meta() Meta {
	return Meta{
		CreatedAt:        e.CreatedAt,
		AggregateType:    e.AggregateType,
		AggregateID:      e.AggregateID,
		Metadata:         e.Metadata,
		CausationID:      e.CausationID,
		CorrelationID:    e.CorrelationID,
		TraceID:          e.TraceID,
		EventVersion:     e.EventVersion,
		EventID:          e.EventID,
		GlobalPosition:   e.GlobalPosition,
		AggregateVersion: e.AggregateVersion,
		Erased:           e.Erased,
	}
}

// A Meta is what a typed handler is given beside the event: everything of a [PersistedEvent] but its type and payload.
type Meta struct {
	CreatedAt     time.Time // in UTC, with microseconds
	AggregateType string    // with AggregateID, the stream
	AggregateID   string
	Metadata      []byte // JSON, or nil
	CausationID   NullString
	CorrelationID NullString
	TraceID       NullString
	// EventVersion is the version the event was stored with. An upcast event was an older version then.
	EventVersion     int
	EventID          uuid.UUID
	GlobalPosition   int64 // place in the log; positions may have gaps
	AggregateVersion int64 // place in the stream: 1, 2, 3 and so on
	// Erased are the fields of the event as it was stored, by their names in Go, whose value cannot be read any more
	// because whom it is about was forgotten: they are zero, or what their mark says.
	Erased []string
}
