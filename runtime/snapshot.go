package runtime

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// A SnapshotKey says which snapshot of which stream is meant. Fingerprint stands for the code that folds the stream and for
// the form of what is kept: two releases that fold differently have snapshots of their own, and neither reads the other's.
type SnapshotKey struct {
	AggregateType string // with AggregateID, the stream
	AggregateID   string
	Fingerprint   string // a constant of the generated code; it changes with the code that folds
}

// A Snapshot is what the first events of a stream come to: a state, encoded. The zero value is none.
type Snapshot struct {
	Version int64  // of the last event that is in it
	State   []byte // encoded by the code whose fingerprint stands in the key
	// KeyIDs are the keys that the state is sealed with, if it holds personal data. To forget a subject deletes the snapshots
	// that are sealed with its keys.
	KeyIDs []uuid.UUID
	// LastEventID is the ID of the event at Version, as the log has it when the snapshot is read: a log that was restored
	// without its snapshots may have another event there. It is [uuid.Nil] if that event is gone, or if the store does not
	// say. SaveSnapshot takes no notice of it.
	LastEventID uuid.UUID
}

// A SnapshotStore keeps snapshots beside the log. Stores may offer it beside [Store]; generated stores of aggregates with
// the mark snapshots then use it. A snapshot is a cache: any of them may be deleted at any time.
type SnapshotStore[Tx any] interface {
	// ReadFromSnapshot returns the snapshot that key means and the events after it, all of one state of the database. If
	// there is none, or if it is ahead of the stream's head, as after a restore, the snapshot is the zero value and the
	// stream is whole. A stream that lacks a version after the snapshot is an [*IncompleteStreamError]. It writes nothing.
	ReadFromSnapshot(ctx context.Context, tx Tx, key SnapshotKey) (Snapshot, Stream, error)
	// SaveSnapshot keeps a snapshot in the caller's transaction, in place of an earlier one of the same key; one that is
	// there already at the same or a later version stays. The transaction is usable after an error too, unless the
	// connection is lost, so an append before it is safe.
	SaveSnapshot(ctx context.Context, tx Tx, key SnapshotKey, snapshot Snapshot) error
	// DropSnapshots deletes the snapshots that query selects and returns how many there were.
	DropSnapshots(ctx context.Context, tx Tx, query SnapshotQuery) (int64, error)
}

// A StreamRead says what to read of one stream of several: the events after a version, or, with a fingerprint, the snapshot
// that its key means and the events after that.
type StreamRead struct {
	SnapshotKey // without a Fingerprint it names the stream alone
	// After leaves out the events up to this version. It is 0 with a Fingerprint.
	After int64
}

// A ReadResult is what one stream of several was read as. Without a snapshot Snapshot is the zero value.
type ReadResult struct {
	Snapshot Snapshot
	Stream   Stream // the events after the snapshot, or after [StreamRead].After
}

// A StreamsReader reads several streams at once. Stores may offer it beside [Store].
type StreamsReader[Tx any] interface {
	// ReadStreams reads each stream as ReadAggregateStream does, or as ReadFromSnapshot of [SnapshotStore], all in one round
	// trip and of one state of the database. A stream may occur once. Results stand in the order of the arguments.
	ReadStreams(ctx context.Context, tx Tx, reads ...StreamRead) ([]ReadResult, error)
}

// A SnapshotQuery selects snapshots. The zero value selects all.
type SnapshotQuery struct {
	AggregateType string    // empty: of any
	AggregateID   string    // empty: of any; it needs the type
	SavedBefore   time.Time // only those saved before; zero: whenever
	// UnusedSince selects those of fingerprints under which no snapshot of their aggregate type was saved since: what releases
	// that are gone have left. Those of a release that runs stay, however old they are. Zero: of any fingerprint.
	UnusedSince time.Time
}
