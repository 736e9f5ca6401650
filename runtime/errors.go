package runtime

import (
	"errors"
	"fmt"
)

var (
	// ErrOptimisticConcurrency: the stream is not at the version the append expected, or a concurrent append to it won.
	// Read the stream again and decide again. Most often it comes as a [*ConflictError].
	ErrOptimisticConcurrency = errors.New("optimistic concurrency conflict")

	// ErrNoEvents: an append was given no events.
	ErrNoEvents = errors.New("no events to append")

	// ErrDuplicateEvent: an event ID is stored already, by another append than this one. It is never a version conflict.
	ErrDuplicateEvent = errors.New("event ID is already stored")

	// ErrUnknownEvent: a stored event has a type or version that the generated code does not know, most often because a
	// newer release wrote it.
	ErrUnknownEvent = errors.New("unknown event type or version")
)

// A ConflictError says that a stream was not at the version an append expected. errors.Is finds
// [ErrOptimisticConcurrency]. Nothing was written, and the transaction is still usable.
type ConflictError struct {
	AggregateType string
	AggregateID   string
	Expected      ExpectedVersion
	Actual        int64 // the stream's version; 0: it does not exist
}

// Error names the stream and both versions.
func (e *ConflictError) Error() string {
	actual := fmt.Sprintf("is at version %d", e.Actual)
	if e.Actual == 0 {
		actual = "does not exist"
	}
	return fmt.Sprintf("%s %q %s, expected %s", e.AggregateType, e.AggregateID, actual, e.Expected)
}

// Is reports whether target is [ErrOptimisticConcurrency].
func (e *ConflictError) Is(target error) bool { return target == ErrOptimisticConcurrency }

// An InvalidEventError says that an append was refused before anything was sent, and why.
type InvalidEventError struct {
	Index  int    // of the event in the slice; -1: the call as a whole
	Field  string // the field of [Event], or the argument
	Reason string
}

// Error names the event, the field and the reason.
func (e *InvalidEventError) Error() string {
	if e.Index < 0 {
		return e.Field + " " + e.Reason
	}
	return fmt.Sprintf("event %d: %s %s", e.Index, e.Field, e.Reason)
}

// An IncompleteStreamError says that a stream does not hold every version up to its head, or of the window that was read:
// a partition was detached, rows were deleted, or the head was restored without its events. Deciding on what is left
// would be deciding on another history, so a read returns no events beside it. The transaction is still usable.
type IncompleteStreamError struct {
	AggregateType string
	AggregateID   string
	// Missing is the first version that is not where it belongs, in the order of reading.
	Missing int64
	// Instead is the version found in the place of Missing: a later one behind a gap, or an earlier one that is stored
	// twice. 0 means that the stream ends there.
	Instead int64
	// Head is the version of the stream's head.
	Head int64
	// Found is what there is of the window, for a caller who wants it all the same. An iterator leaves it empty: it has
	// yielded the events before. A store that wraps another and changes events has to change these too.
	Found Stream
}

// Error names the stream, its head, and the version that is missing.
func (e *IncompleteStreamError) Error() string {
	found := "ends before it"
	if e.Instead != 0 {
		found = fmt.Sprintf("has version %d in its place", e.Instead)
	}
	return fmt.Sprintf("%s %q is incomplete: its head is at version %d, but version %d is missing and the stream %s",
		e.AggregateType, e.AggregateID, e.Head, e.Missing, found)
}

// A DecodeError says that a stored event could not be turned back into its Go type. errors.Is finds [ErrUnknownEvent]
// where no type is known for it; errors.As finds what the codec or the upcaster returned.
type DecodeError struct {
	AggregateType    string
	AggregateID      string
	AggregateVersion int64
	GlobalPosition   int64
	EventType        string
	EventVersion     int
	Err              error
}

// Error names the event's type and version, its stream, its version there and its position in the log.
func (e *DecodeError) Error() string {
	return fmt.Sprintf("decode %s v%d of %s %q, version %d, position %d: %v",
		e.EventType, e.EventVersion, e.AggregateType, e.AggregateID, e.AggregateVersion, e.GlobalPosition, e.Err)
}

// Unwrap returns the cause.
func (e *DecodeError) Unwrap() error { return e.Err }

// Retryable reports whether running the whole transaction again, from its first statement, may succeed without anything
// else changing: the database ended it for a serialization failure (SQLSTATE 40001), as which a busy SQLite counts too,
// or to break a deadlock (40P01). A [ConflictError] is not retryable in this sense: the decision has to be made again.
func Retryable(err error) bool {
	var state interface{ SQLState() string } // *pgconn.PgError and others, without importing drivers
	if !errors.As(err, &state) {
		return false
	}
	switch state.SQLState() {
	case "40001", "40P01":
		return true
	}
	return false
}
