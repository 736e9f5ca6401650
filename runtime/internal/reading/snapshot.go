package reading

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/eventmap/eventmap/runtime"
)

// FromSnapshot returns what the rows of a statement say that reads a snapshot and the events after it. One row has the form
// of an event and stands for the rest: its version is the snapshot's, or 0, its payload the state, and its position the
// version of the stream's head. Its event ID is that of the event at the snapshot's version. SQL promises no order over both,
// and it is there mostly.
func FromSnapshot(key runtime.SnapshotKey, rows []runtime.PersistedEvent) (runtime.Snapshot, runtime.Stream, error) {
	if len(rows) == 0 {
		return runtime.Snapshot{}, runtime.Stream{}, errors.New("the statement returned no row")
	}
	if !inOrder(rows) {
		slices.SortFunc(rows, func(a, b runtime.PersistedEvent) int { return cmp.Compare(a.AggregateVersion, b.AggregateVersion) })
	}
	first := rows[0]
	snapshot := runtime.Snapshot{Version: max(first.AggregateVersion, 0)} // a row below 0 is of nobody's making
	if snapshot.Version > 0 {
		snapshot.State, snapshot.LastEventID = first.Payload, first.EventID
	}
	stream := runtime.NewStream(key.AggregateType, key.AggregateID, first.GlobalPosition, rows[1:])
	next := snapshot.Version + 1
	return snapshot, stream, stream.Complete(&next, nil)
}

// inOrder reports whether rows are in the order of their versions. It copies none, as slices.IsSortedFunc would.
func inOrder(rows []runtime.PersistedEvent) bool {
	for i := 1; i < len(rows); i++ {
		if rows[i].AggregateVersion < rows[i-1].AggregateVersion {
			return false
		}
	}
	return true
}

// ValidateStreams returns an error if a stream is to be read twice, or from a snapshot and a version at once.
func ValidateStreams(reads []runtime.StreamRead) error {
	for i, r := range reads {
		if r.Fingerprint != "" && r.After != 0 {
			return fmt.Errorf("stream %d: give a fingerprint, or a version to read after", i)
		}
		again := slices.ContainsFunc(reads[:i], func(other runtime.StreamRead) bool {
			return other.AggregateType == r.AggregateType && other.AggregateID == r.AggregateID
		})
		if again {
			return fmt.Errorf("stream %d: %q of %s is there twice; give each stream once", i, r.AggregateID, r.AggregateType)
		}
	}
	return nil
}
