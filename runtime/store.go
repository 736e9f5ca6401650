package runtime

import (
	"context"
	"iter"
)

// An EventStore appends events to streams. Tx is the caller's transaction; see the package comment.
type EventStore[Tx any] interface {
	// Append adds events, all of one stream, in order, at the stream's head. Versions follow the head without a gap and
	// positions rise with them. The result holds the events as a later read returns them.
	//
	// Events become visible to others when the caller commits. An append to a stream that another transaction has
	// appended to waits until that one ends; ctx bounds the wait. Errors:
	//   - [ErrNoEvents], [*InvalidEventError]: nothing was sent.
	//   - [*ConflictError]: the stream is not at the expected version; nothing was written.
	//   - [ErrOptimisticConcurrency] without a ConflictError: a concurrent append won and the isolation level made the
	//     server end the transaction; [Retryable] is true.
	//   - [ErrDuplicateEvent]: an event ID is given twice, or stored already, otherwise than by this same append.
	//   - ctx's own, for errors.Is, when it ended first. The transaction is over, and its connection with it where the
	//     driver gives that up.
	//
	// When the same events, by their IDs, are what the stream holds right after the expected version, the append has
	// happened before: the first result is returned with AlreadyStored set. So an append with [NoStream] or [Exact] may
	// be repeated when the answer to its commit was lost.
	//
	// After AlreadyStored, a ConflictError, ErrNoEvents or InvalidEventError the transaction is still usable. After any other
	// error roll it back: what it did before is lost with it.
	Append(ctx context.Context, tx Tx, expected ExpectedVersion, events []Event) (AppendResult, error)
}

// An AggregateStreamReader reads the stream of one aggregate.
type AggregateStreamReader[Tx any] interface {
	// ReadAggregateStream returns the events with fromVersion <= version <= toVersion in version order; nil leaves that
	// side open, and a window without versions in it is empty. A stream that does not exist is empty and at version 0,
	// without an error; so is one whose name no event can have, such as one with a NUL in it. The stream's Version is that
	// of its head whatever the window. A stream that lacks a version of the window is an [*IncompleteStreamError].
	ReadAggregateStream(ctx context.Context, tx Tx, aggregateType, aggregateID string, fromVersion, toVersion *int64) (Stream, error)
}

// A StreamPartsReader shows events while it reads those after them, to whoever has work to do on each: that may be done
// meanwhile. Stores may offer it beside [AggregateStreamReader]; see [PartsReader].
type StreamPartsReader[Tx any] interface {
	// ReadStreamParts is [AggregateStreamReader.ReadAggregateStream] that calls show with events of the stream that it will
	// return: with the first ones, then with those after them, and so on. It need not show all, or any, such as the last
	// ones of a stream or those of a short one; show may be nil. It is called by the goroutine of the caller, while tx is
	// in use, so it must not use tx, and it must not change the events; but they may be read from then on, until the
	// store has returned and after, by any goroutine. After an error the events that were shown are of no use.
	ReadStreamParts(ctx context.Context, tx Tx, aggregateType, aggregateID string, fromVersion, toVersion *int64, show func([]PersistedEvent)) (Stream, error)
	// PartsOf returns the store whose ReadAggregateStream this is, which is the receiver.
	PartsOf() AggregateStreamReader[Tx]
}

// PartsReader returns a store as a [StreamPartsReader], if it is one. A type that embeds a store has the methods of that, and
// may have a ReadAggregateStream of its own, which the embedded ReadStreamParts knows nothing of: it is none.
func PartsReader[Tx any](store AggregateStreamReader[Tx]) (StreamPartsReader[Tx], bool) {
	parts, ok := store.(StreamPartsReader[Tx])
	if !ok || parts.PartsOf() != store {
		return nil, false
	}
	return parts, true
}

// An EventReader reads the log of all events.
type EventReader[Tx any] interface {
	// ReadEvents returns up to limit events with a position greater than fromPosition, 0 for all, in position order, none
	// beyond the frontier: the position up to which no append is still in flight. The highest position returned is
	// therefore a safe checkpoint, and an empty result means that there is nothing more to read for now. A limit below 1
	// is an error.
	ReadEvents(ctx context.Context, tx Tx, fromPosition int64, limit int) ([]PersistedEvent, error)
}

// A GlobalPositionReader tells where the log ends.
type GlobalPositionReader[Tx any] interface {
	// GetLatestGlobalPosition returns the highest position that tx can see, or 0 for an empty log. Appends in flight may
	// still add events below it: it is for measuring, not for a checkpoint.
	GetLatestGlobalPosition(ctx context.Context, tx Tx) (int64, error)
}

// A Store is what generated stores need: appending to streams and reading them.
type Store[Tx any] interface {
	EventStore[Tx]
	AggregateStreamReader[Tx]
}

// A StreamsAppender appends to several streams at once. Stores may offer it beside [EventStore].
type StreamsAppender[Tx any] interface {
	// AppendStreams appends to each stream as Append does, all or nothing, in one round trip. A stream may occur once.
	// Results stand in the order of the arguments. Errors are those of Append, and leave the transaction as that does.
	//
	// An append without events is a guard: its stream must be at the expected version, or the call is a [*ConflictError].
	// Until the transaction ends nobody else appends to it, so that of two calls whose guards are on each other's streams
	// one fails. A stream cannot be guarded and appended to in one call: the expected version of its append is its guard. The
	// result of a guard is empty. A call of guards alone locks their streams and writes nothing. When the call is repeated
	// after its answer was lost, the guards are not asked again: what is stored was decided while they held.
	AppendStreams(ctx context.Context, tx Tx, appends ...StreamAppend) ([]AppendResult, error)
}

// A SafePositionReader tells how far the log can be read. Stores may offer it beside [EventReader].
type SafePositionReader[Tx any] interface {
	// SafeGlobalPosition returns the frontier: no append in flight, and none to come, brings an event at or below it.
	SafeGlobalPosition(ctx context.Context, tx Tx) (int64, error)
}

// A StreamQuery selects events of one stream. The zero value selects all, oldest first.
type StreamQuery struct {
	FromVersion int64 // the lowest version; 0 or less: from the first
	ToVersion   int64 // the highest version; 0 or less: to the head
	Backward    bool  // newest first
	Limit       int   // at most this many events; 0: no limit; less is an error
	// AllowIncomplete takes what there is of a stream that lacks versions. Without it a version that is missing ends the
	// sequence with an [*IncompleteStreamError].
	AllowIncomplete bool
}

// A StreamIterator reads streams of any length in flat memory. Stores may offer it beside [AggregateStreamReader].
type StreamIterator[Tx any] interface {
	// StreamEvents yields the selected events. An error ends the sequence as its last element. tx must not be used for
	// anything else while the sequence runs unless the store says that it may.
	StreamEvents(ctx context.Context, tx Tx, aggregateType, aggregateID string, query StreamQuery) iter.Seq2[PersistedEvent, error]
}

// A LogQuery selects events of the log. The zero value selects all.
type LogQuery struct {
	FromPosition   int64    // only events after this position
	Limit          int      // at most this many events; 0: no limit; less is an error
	AggregateTypes []string // only these; empty: all
	EventTypes     []string // only these; empty: all
}

// A LogIterator reads the log, or a selection of it, in flat memory. Stores may offer it beside [EventReader].
type LogIterator[Tx any] interface {
	// LogEvents yields the selected events up to the frontier as it stood when the sequence began. An error ends the
	// sequence as its last element. tx must not be used for anything else while the sequence runs unless the store says
	// that it may.
	LogEvents(ctx context.Context, tx Tx, query LogQuery) iter.Seq2[PersistedEvent, error]
}
