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

// around returns an option that sets something of every event.
func around(set func(*Event)) EventOption {
	return eventOption(func(s *Settings) {
		var e Event
		if s.around != nil {
			e = *s.around
		}
		set(&e)
		s.around = &e
	})
}

// WithCausationID sets the ID of the message that causes the events.
func WithCausationID(id string) EventOption {
	return around(func(e *Event) { e.CausationID = SomeString(id) })
}

// WithCorrelationID sets the ID of the conversation the events belong to.
func WithCorrelationID(id string) EventOption {
	return around(func(e *Event) { e.CorrelationID = SomeString(id) })
}

// WithTraceID sets the ID of the distributed trace the events are written in.
func WithTraceID(id string) EventOption {
	return around(func(e *Event) { e.TraceID = SomeString(id) })
}

// WithMetadata sets the metadata of the events: a JSON value, or nil for none. All events of the append share the slice.
func WithMetadata(json []byte) EventOption {
	return around(func(e *Event) { e.Metadata = json })
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

// Settings are options applied, the form in which generated code carries them. The zero value is not ready for use; see
// [NewSettings]. Settings are immutable and safe for concurrent use if the functions given to them are.
type Settings struct {
	codec       Codec
	now         func() time.Time
	newID       func() uuid.UUID
	around      *Event // what every event has around its payload, or nil; never changed, and apart because most have nothing
	maxAttempts int
}

// NewSettings returns the defaults with the options applied in order; of two that set the same thing the later holds.
func NewSettings(opts ...Option) Settings {
	return With(Settings{codec: JSONCodec{}, now: time.Now, newID: newEventID, maxAttempts: 10}, opts...)
}

// With returns a copy of s with the options applied over it.
func With[O Option](s Settings, opts ...O) Settings {
	if len(opts) == 0 {
		return s
	}
	return applied(s, opts)
}

// applied is apart from With because to apply options is to allocate, which most calls need not.
func applied[O Option](s Settings, opts []O) Settings {
	for _, o := range opts {
		o.apply(&s)
	}
	return s
}

// CodecOf returns the codec that the options set, or the default one.
func CodecOf(opts ...Option) Codec {
	if len(opts) == 0 {
		return JSONCodec{}
	}
	s := NewSettings(opts...)
	return s.codec
}

// Codec returns what payloads are encoded with.
func (s *Settings) Codec() Codec { return s.codec }

// MaxAttempts returns how many times Execute decides at most.
func (s *Settings) MaxAttempts() int { return s.maxAttempts }

// Now returns the time to stamp events with: the clock's, in UTC, cut to the microsecond that PostgreSQL keeps, so that
// an event is the same before it is stored and after.
func (s *Settings) Now() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// newEventID returns a UUIDv7. Its only failure is that of the system's random source, after which no process should go
// on; crypto/rand ends the program itself since Go 1.24.
func newEventID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// A ReadOption narrows what a generated Read returns.
type ReadOption func(*Window)

// A Window is the range of versions that [ReadOption]s select. Nil is open.
type Window struct{ From, To *int64 }

// NewWindow returns the window the options select.
func NewWindow(opts ...ReadOption) Window {
	var w Window
	for _, o := range opts {
		o(&w)
	}
	return w
}

// FromVersion leaves out events below version.
func FromVersion(version int64) ReadOption { return func(w *Window) { w.From = &version } }

// ToVersion leaves out events above version.
func ToVersion(version int64) ReadOption { return func(w *Window) { w.To = &version } }
