package runtime

import (
	"time"

	"github.com/google/uuid"
)

// An Option sets how generated code maps and stores events. Give it to a generated store or function.
type Option interface{ apply(*Settings) }

// An EventOption is an [Option] that may also be given for a single append.
type EventOption interface {
	Option
	eventOption()
}

type option func(*Settings)

func (o option) apply(s *Settings) { o(s) }

type eventOption func(*Settings)

func (o eventOption) apply(s *Settings) { o(s) }
func (eventOption) eventOption()        {}

// envelope returns an option that sets something of every event beside its payload.
func envelope(set func(*Event)) EventOption {
	return eventOption(func(s *Settings) {
		var e Event
		if s.envelope != nil {
			e = *s.envelope
		}
		set(&e)
		s.envelope = &e
	})
}

// WithCausationID sets the ID of the message that causes the events.
func WithCausationID(id string) EventOption {
	return envelope(func(e *Event) { e.CausationID = SomeString(id) })
}

// WithCorrelationID sets the ID of the conversation the events belong to.
func WithCorrelationID(id string) EventOption {
	return envelope(func(e *Event) { e.CorrelationID = SomeString(id) })
}

// WithTraceID sets the ID of the distributed trace the events are written in.
func WithTraceID(id string) EventOption {
	return envelope(func(e *Event) { e.TraceID = SomeString(id) })
}

// WithMetadata sets the metadata of the events: a JSON value, or nil for none. All events of the append share the slice.
func WithMetadata(json []byte) EventOption {
	return envelope(func(e *Event) { e.Metadata = json })
}

// WithEventID sets where event IDs come from. It is called once for each event. The default is UUIDv7, whose rising
// values keep the index on them compact. A source that gives the same IDs for the same command makes the command
// idempotent.
func WithEventID(source func() uuid.UUID) EventOption {
	return eventOption(func(s *Settings) { s.newID = source })
}

// WithClock sets the clock that stamps events. It is called once for each append. The default is time.Now.
func WithClock(now func() time.Time) EventOption {
	return eventOption(func(s *Settings) { s.now = now })
}

// WithCodec sets what payloads are encoded with. The default is [JSONCodec].
func WithCodec(codec Codec) EventOption {
	return eventOption(func(s *Settings) { s.codec = codec })
}

// WithMaxAttempts sets how many times a generated Execute decides before it returns the conflict. The default is 10;
// less than 1 means 1.
func WithMaxAttempts(n int) Option {
	return option(func(s *Settings) { s.maxAttempts = max(n, 1) })
}

// A ReadOption narrows what a generated Read returns.
type ReadOption func(*Window)

// A Window is the range of versions that [ReadOption]s select. Nil is open.
type Window struct{ From, To *int64 }

// FromVersion leaves out events below version.
func FromVersion(version int64) ReadOption { return func(w *Window) { w.From = &version } }

// ToVersion leaves out events above version.
func ToVersion(version int64) ReadOption { return func(w *Window) { w.To = &version } }
