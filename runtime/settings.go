package runtime

import (
	"time"

	"github.com/google/uuid"
)

// Settings are options applied, the form in which generated code carries them. The zero value holds the defaults.
// Settings are immutable, and safe for concurrent use if the functions given to the options are.
type Settings struct {
	codec       Codec
	now         func() time.Time
	newID       func() uuid.UUID
	envelope    *Event // what every event has beside its payload, or nil; never changed, and apart because most have nothing
	maxAttempts int
	ifVersion   *int64 // nil: any
}

// With returns a copy of s with opt applied over it.
func (s Settings) With(opt Option) Settings {
	opt.apply(&s)
	return s
}

// Codec returns what payloads are encoded with.
func (s *Settings) Codec() Codec {
	if s.codec == nil {
		return defaultCodec{}
	}
	return s.codec
}

// MaxAttempts returns how many times a generated Execute decides at most.
func (s *Settings) MaxAttempts() int {
	if s.maxAttempts == 0 {
		return 10
	}
	return s.maxAttempts
}

// Expected returns the version at which a generated Execute decides: Any, unless [IfVersion] says one.
func (s *Settings) Expected() ExpectedVersion {
	if s.ifVersion == nil {
		return Any()
	}
	return Exact(*s.ifVersion)
}

// Now returns the time to stamp events with: the clock's, in UTC, truncated to the microsecond that PostgreSQL keeps, so
// that an event is the same before it is stored and after.
func (s *Settings) Now() time.Time {
	now := s.now
	if now == nil {
		now = time.Now
	}
	return now().UTC().Truncate(time.Microsecond)
}

// NewEvent returns an event with a fresh ID and with what the options set beside the payload.
func (s *Settings) NewEvent() (e Event) {
	if s.envelope != nil {
		e = *s.envelope
	}
	if s.newID == nil {
		e.EventID = newEventID()
	} else {
		e.EventID = s.newID()
	}
	return e
}

// newEventID returns a UUIDv7. It fails only if the system's random source does, after which no process should go on;
// crypto/rand ends the program itself since Go 1.24.
func newEventID() uuid.UUID { return uuid.Must(uuid.NewV7()) }
