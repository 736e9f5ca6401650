// Package appending is what every store of ours does with the events of an append, whatever its database: it turns them
// into what a read will return, recognises an append that has happened before, and refuses what no store takes.
package appending

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
)

// Events returns the events as a read will return them, but for their place in the log. It shares no memory with the
// caller's. The clock stamps those that have no time; it is called at most once.
func Events(events []runtime.Event, clock func() time.Time) []runtime.PersistedEvent {
	size := 0
	for i := range events {
		size += len(events[i].Payload) + len(events[i].Metadata)
	}
	content := make([]byte, 0, size)
	keep := func(b []byte) []byte {
		from := len(content)
		content = append(content, b...)
		return content[from:len(content):len(content)]
	}
	var now time.Time
	stored := make([]runtime.PersistedEvent, len(events))
	for i := range events {
		e := &stored[i].Event
		*e = events[i]
		e.Payload = keep(e.Payload)
		if e.Metadata != nil {
			e.Metadata = keep(e.Metadata)
		}
		if e.CreatedAt.IsZero() {
			if now.IsZero() {
				now = clock()
			}
			e.CreatedAt = now
		}
		e.CreatedAt = e.CreatedAt.UTC().Truncate(time.Microsecond)
		for _, n := range []*runtime.NullString{&e.CausationID, &e.CorrelationID, &e.TraceID} {
			if !n.Valid {
				*n = runtime.NullString{}
			}
		}
	}
	return stored
}

// Result places the stored events in the log: at the positions, which rise, and in their stream from version first on.
func Result(stored []runtime.PersistedEvent, positions []int64, first int64) runtime.AppendResult {
	for i := range stored {
		stored[i].GlobalPosition = positions[i]
		stored[i].AggregateVersion = first + int64(i)
	}
	return runtime.AppendResult{Events: stored, GlobalPositions: positions}
}

// Again says what it means that an append to a stream was not possible or not wanted: earlier are those of its events, by
// their IDs and in their order, that are stored already. They may be what this very append has stored before: that is its
// result again. Else the error is a duplicate or, where there are none, the conflict.
func Again(conflict *runtime.ConflictError, events []runtime.Event, earlier []runtime.PersistedEvent) (runtime.AppendResult, error) {
	switch {
	case len(earlier) == 0:
		return runtime.AppendResult{}, conflict
	case !same(conflict.Expected, events, earlier):
		return runtime.AppendResult{}, Duplicate(&earlier[0])
	}
	again := runtime.AppendResult{Events: earlier, AlreadyStored: true, GlobalPositions: make([]int64, len(earlier))}
	for i := range earlier {
		again.GlobalPositions[i] = earlier[i].GlobalPosition
	}
	return again, nil
}

// Duplicate returns the error that says which event is stored already.
func Duplicate(e *runtime.PersistedEvent) error {
	return fmt.Errorf("%w: %s is version %d of %s %q",
		runtime.ErrDuplicateEvent, e.EventID, e.AggregateVersion, e.AggregateType, e.AggregateID)
}

// same reports whether earlier, found by the IDs of events, is what an append of events at the expected version stored.
func same(expected runtime.ExpectedVersion, events []runtime.Event, earlier []runtime.PersistedEvent) bool {
	if len(events) != len(earlier) || expected.IsAny() || expected.IsStreamExists() {
		return false
	}
	for i := range events {
		given, e := &events[i], &earlier[i]
		if e.EventID != given.EventID || e.AggregateType != given.AggregateType || e.AggregateID != given.AggregateID ||
			e.AggregateVersion != expected.Value()+1+int64(i) {
			return false
		}
	}
	return true
}

// A StreamName tells streams apart.
type StreamName struct{ AggregateType, AggregateID string }

// NameOf returns the stream of an append or a guard.
func NameOf(a runtime.StreamAppend) StreamName {
	if len(a.Events) == 0 {
		return StreamName{a.AggregateType, a.AggregateID}
	}
	return StreamName{a.Events[0].AggregateType, a.Events[0].AggregateID}
}

// ValidateStreams returns the first fault of an append to several streams. validate has to accept each append, or guard.
func ValidateStreams(appends []runtime.StreamAppend, validate func(runtime.StreamAppend) error) error {
	if len(appends) == 0 {
		return runtime.ErrNoEvents
	}
	names := make(map[StreamName]int, len(appends))
	ids := make(map[uuid.UUID]int)
	for i, a := range appends {
		if err := validate(a); err != nil {
			return fmt.Errorf("stream %d: %w", i, err)
		}
		name := NameOf(a)
		if given := (StreamName{a.AggregateType, a.AggregateID}); given != (StreamName{}) && given != name {
			return fmt.Errorf("stream %d: %w", i, &runtime.InvalidEventError{
				Index:  -1,
				Field:  "AggregateID",
				Reason: fmt.Sprintf("is %q of %q, but the events are of %q of %q", given.AggregateID, given.AggregateType, name.AggregateID, name.AggregateType),
			})
		}
		if first, twice := names[name]; twice {
			return fmt.Errorf("stream %d: %w", i, &runtime.InvalidEventError{Index: -1, Field: "AggregateID", Reason: repeated(name, appends, first, i)})
		}
		names[name] = i
		for _, e := range a.Events {
			if first, twice := ids[e.EventID]; twice {
				return fmt.Errorf("stream %d: EventID %s is used in stream %d: %w", i, e.EventID, first, runtime.ErrDuplicateEvent)
			}
			ids[e.EventID] = i
		}
	}
	return nil
}

// ValidateStream returns the first fault of an append or a guard that no store takes.
func ValidateStream(a runtime.StreamAppend) error {
	if a.IsGuard() {
		return runtime.ValidateGuard(a)
	}
	return runtime.ValidateAppend(a.Expected, a.Events)
}

// repeated says what is wrong with a stream that occurs twice.
func repeated(name StreamName, appends []runtime.StreamAppend, first, again int) string {
	what := fmt.Sprintf("%q of %s is that of stream %d; ", name.AggregateID, name.AggregateType, first)
	if appends[first].IsGuard() != appends[again].IsGuard() {
		return what + "drop the guard: the expected version of the append is one"
	}
	return what + "give each stream once"
}

// StreamsAgain says what it means that an append to several streams was not possible: again gives the answer for each of
// them, as Again does. Either all of it was stored before, or the error is that of one stream: one that is not at its
// expected version, unless all are by now.
func StreamsAgain(appends []runtime.StreamAppend, again func(runtime.StreamAppend) (runtime.AppendResult, error)) ([]runtime.AppendResult, error) {
	earlier := make([]runtime.AppendResult, len(appends))
	var unexpected, anyConflict error
	withEvents, found := 0, 0
	for i, a := range appends {
		if !a.IsGuard() {
			withEvents++
		}
		var conflict *runtime.ConflictError
		r, err := again(a)
		switch {
		case err == nil:
			earlier[i] = r
			found++
		case !errors.As(err, &conflict):
			return nil, err
		case unexpected == nil && !a.Expected.Matches(conflict.Actual):
			unexpected = err
		default:
			anyConflict = err
		}
	}
	switch {
	case found > 0 && found == withEvents:
		return earlier, nil
	case found > 0:
		return nil, fmt.Errorf("%w: %d of the %d streams hold their events", runtime.ErrDuplicateEvent, found, withEvents)
	case unexpected == nil:
		return nil, anyConflict
	}
	return nil, unexpected
}

// HasChanged reports whether err is the conflict of a stream that has come to its expected version since it was found at
// another.
func HasChanged(err error) bool {
	var conflict *runtime.ConflictError
	return errors.As(err, &conflict) && conflict.Expected.Matches(conflict.Actual)
}
