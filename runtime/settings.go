package runtime

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
)

// Settings are options applied, the form in which generated code carries them. The zero value holds the defaults.
// Settings are immutable, and safe for concurrent use if the functions given to the options are.
type Settings struct {
	codec Codec
	now   func() time.Time
	newID func() uuid.UUID
	// idempotencyKey derives event IDs instead of newID; empty: it does not.
	idempotencyKey string
	envelope       *Event // what every event has beside its payload, or nil; never changed, and apart because most have nothing
	maxAttempts    int
	ifVersion      *int64 // nil: any

	snapshotEvery   int     // 0: the default
	verifySnapshots float64 // share of loads
	logger          Logger  // nil: the default
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

// SnapshotEvery returns after how many events a generated Execute saves a snapshot, or 0 for never.
func (s *Settings) SnapshotEvery() int {
	if s.snapshotEvery == 0 {
		return 200
	}
	return max(s.snapshotEvery, 0)
}

// VerifySnapshots returns the share of loads for which snapshots are compared with the events.
func (s *Settings) VerifySnapshots() float64 { return s.verifySnapshots }

// Logger returns what is told of trouble that fails no call.
func (s *Settings) Logger() Logger {
	if s.logger == nil {
		return SlogLogger(slog.Default())
	}
	return s.logger
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

// NewEvent returns the event at index of an append to a stream, with its ID and with what the options set beside the payload.
func (s *Settings) NewEvent(aggregateType, aggregateID string, index int) (e Event) {
	if s.envelope != nil {
		e = *s.envelope
	}
	switch {
	case s.idempotencyKey != "":
		e.EventID = derivedEventID(s.idempotencyKey, aggregateType, aggregateID, index)
	case s.newID != nil:
		e.EventID = s.newID()
	default:
		e.EventID = newEventID()
	}
	e.AggregateType, e.AggregateID = aggregateType, aggregateID
	return e
}

// newEventID returns a UUIDv7. It fails only if the system's random source does, after which no process should go on;
// crypto/rand ends the program itself since Go 1.24.
func newEventID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// derivedNamespace is that of all IDs by [derivedEventID]. It must never change: the IDs are stored.
var derivedNamespace = uuid.MustParse("5c6f0c4e-3a0b-5d5b-9a43-0d0a8f1f6a11")

// derivedEventID returns the ID that follows from its arguments. The lengths in its name keep ("a", "bc") and ("ab", "c") apart.
func derivedEventID(key, aggregateType, aggregateID string, index int) uuid.UUID {
	name := fmt.Appendf(nil, "%d:%s%d:%s%d:%s%d", len(key), key, len(aggregateType), aggregateType, len(aggregateID), aggregateID, index)
	return uuid.NewSHA1(derivedNamespace, name)
}
