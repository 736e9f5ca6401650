package runtime

import (
	"time"

	"github.com/google/uuid"
)

// An Option sets how generated code maps and stores events. Give it to a generated store or function.
type Option interface{ apply(*Settings) }

// An ExecuteOption is an [Option] that may also be given to a single Execute.
type ExecuteOption interface {
	Option
	executeOption()
}

// An EventOption is an [Option] that may also be given to a single append or Execute.
type EventOption interface {
	ExecuteOption
	eventOption()
}

type executeOption func(*Settings)

func (o executeOption) apply(s *Settings) { o(s) }
func (executeOption) executeOption()      {}

type eventOption func(*Settings)

func (o eventOption) apply(s *Settings) { o(s) }
func (eventOption) executeOption()      {}
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

// someID returns an ID as it is stored: an empty one, as of a header that a request does not have, is absent.
func someID(id string) NullString { return NullString{String: id, Valid: id != ""} }

// WithCausationID sets the ID of the message that causes the events. Empty means none.
func WithCausationID(id string) EventOption {
	return envelope(func(e *Event) { e.CausationID = someID(id) })
}

// WithCorrelationID sets the ID of the conversation the events belong to. Empty means none.
func WithCorrelationID(id string) EventOption {
	return envelope(func(e *Event) { e.CorrelationID = someID(id) })
}

// WithTraceID sets the ID of the distributed trace the events are written in. Empty means none.
func WithTraceID(id string) EventOption {
	return envelope(func(e *Event) { e.TraceID = someID(id) })
}

// CausedBy says that the events follow from the event that m belongs to, which a handler has been given: its ID becomes
// their causation ID, and they belong to the same conversation and trace. An event without a correlation ID begins the
// conversation, so its own ID becomes that of the conversation.
func CausedBy(m Meta) EventOption {
	return envelope(func(e *Event) {
		e.CausationID = SomeString(m.EventID.String())
		e.CorrelationID = m.CorrelationID
		if m.CorrelationID == (NullString{}) {
			e.CorrelationID = e.CausationID
		}
		e.TraceID = m.TraceID
	})
}

// WithMetadata sets the metadata of the events: a JSON value, or nil for none. All events of the append share the slice.
func WithMetadata(json []byte) EventOption {
	return envelope(func(e *Event) { e.Metadata = json })
}

// WithEventID sets where event IDs come from. It is called once for each event. The default is UUIDv7, whose rising
// values keep the index on them compact. For IDs that follow from a request, see [WithIdempotencyKey].
func WithEventID(source func() uuid.UUID) EventOption {
	return eventOption(func(s *Settings) { s.newID = source })
}

// WithIdempotencyKey derives the IDs of the events from key, their stream, and their place in the append, so that a command
// that is sent twice stores its events once. Key names the command for ever: the ID of a request, or of the event that a
// handler reacts to. An empty key changes nothing.
//
// An append with a key that was used for the same stream before, at the same expected version and of as many events, returns
// the first result with AlreadyStored, whatever is in the events: compare them if a key may be used for something else. At
// any other version it is [ErrDuplicateEvent]. It takes precedence over [WithEventID]. The IDs are UUIDs of version 5 (RFC
// 9562); unlike the default ones they do not rise, so the index on them is less compact.
func WithIdempotencyKey(key string) EventOption {
	return eventOption(func(s *Settings) { s.idempotencyKey = key })
}

// WithClock sets the clock that stamps events. It is called once for each append. The default is time.Now.
func WithClock(now func() time.Time) EventOption {
	return eventOption(func(s *Settings) { s.now = now })
}

// WithCodec sets what payloads are encoded with. The default is [JSONCodec], whose work generated code does where it can, with
// the same result. Any codec that is set, JSONCodec too, does all of its work itself.
func WithCodec(codec Codec) EventOption {
	return eventOption(func(s *Settings) { s.codec = codec })
}

type option func(*Settings)

func (o option) apply(s *Settings) { o(s) }

// SnapshotEvery sets after how many events a generated Execute saves a snapshot of an aggregate with the mark snapshots. The
// default is 200; less than 1 means never. Snapshots that are there are read all the same.
func SnapshotEvery(events int) Option {
	return option(func(s *Settings) {
		if s.snapshotEvery = events; events < 1 {
			s.snapshotEvery = -1
		}
	})
}

// VerifySnapshots has a share of the loads of an aggregate with snapshots, from 0 for none to 1 for all, fold the stream from
// its first event too and compare. A snapshot that differs is reported to the logger as an error, and the state is the one
// that the events come to. The default is 0.
func VerifySnapshots(share float64) Option {
	return option(func(s *Settings) { s.verifySnapshots = share })
}

// WithLogger sets what is told of trouble that fails no call, such as a snapshot that cannot be read. The default is
// slog.Default().
func WithLogger(l Logger) Option {
	return option(func(s *Settings) { s.logger = l })
}

// WithMaxAttempts sets how many times a generated Execute decides before it returns the conflict. The default is 10;
// less than 1 means 1.
func WithMaxAttempts(n int) ExecuteOption {
	return executeOption(func(s *Settings) { s.maxAttempts = max(n, 1) })
}

// IfVersion makes a generated Execute decide only on the state at the given version, as the header If-Match of a request
// asks for. If the stream is at another version, Execute returns a [*ConflictError] and does not try again.
func IfVersion(version int64) ExecuteOption {
	return executeOption(func(s *Settings) { s.ifVersion = &version })
}

// A ReadOption says what a generated Read returns.
type ReadOption interface{ selectFrom(*Window) }

// A LoadOption is a [ReadOption] that may also be given to a generated Load.
type LoadOption interface {
	ReadOption
	loadOption()
}

type readOption func(*Window)

func (o readOption) selectFrom(w *Window) { o(w) }

type loadOption func(*Window)

func (o loadOption) selectFrom(w *Window) { o(w) }
func (loadOption) loadOption()            {}

// FromVersion leaves out events below version.
func FromVersion(version int64) ReadOption {
	return readOption(func(w *Window) { w.From = &version })
}

// ToVersion leaves out events above version. Given to Load, it gives the state as it was at that version.
func ToVersion(version int64) LoadOption {
	return loadOption(func(w *Window) { w.To = &version })
}

// AllowIncomplete reads what there is of a stream that lacks versions, instead of an [*IncompleteStreamError].
func AllowIncomplete() ReadOption {
	return readOption(func(w *Window) { w.AllowIncomplete = true })
}

// A Window is what [ReadOption]s select of a stream.
type Window struct {
	From, To        *int64 // versions, both included; nil is open
	AllowIncomplete bool   // see [AllowIncomplete]
}

// With returns a copy of w with opt applied over it.
func (w Window) With(opt ReadOption) Window {
	opt.selectFrom(&w)
	return w
}
