package reading

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/eventmap/eventmap/runtime"
)

// FromSnapshot returns what the rows of a statement say that reads a snapshot and the events from its version on. One row has
// the form of an event and stands for the rest: its version is the snapshot's, or 0, its payload the state, its position the
// version of the stream's head, and its EventVersion 0, which no event has. Next comes the last event that is in the state, if
// the log has it. SQL promises no order over them, and it is there mostly.
func FromSnapshot(key runtime.SnapshotKey, rows []runtime.PersistedEvent) (runtime.Snapshot, runtime.Stream, error) {
	if len(rows) == 0 {
		return runtime.Snapshot{}, runtime.Stream{}, errors.New("the statement returned no row")
	}
	if !inOrder(rows) {
		slices.SortFunc(rows, func(a, b runtime.PersistedEvent) int { return compare(&a, &b) })
	}
	first, rest := &rows[0], rows[1:]
	var snapshot runtime.Snapshot
	if first.AggregateVersion > 0 { // a row below 0 is of nobody's making
		snapshot.Version, snapshot.State = first.AggregateVersion, first.Payload
		if len(rest) > 0 && rest[0].AggregateVersion == snapshot.Version {
			snapshot.LastEventID, rest = rest[0].EventID, rest[1:]
		}
	}
	stream := runtime.NewStream(key.AggregateType, key.AggregateID, first.GlobalPosition, rest)
	next := snapshot.Version + 1
	return snapshot, stream, stream.Complete(&next, nil)
}

// inOrder reports whether rows are in order. It copies none, as slices.IsSortedFunc would.
func inOrder(rows []runtime.PersistedEvent) bool {
	for i := 1; i < len(rows); i++ {
		if compare(&rows[i-1], &rows[i]) > 0 {
			return false
		}
	}
	return true
}

// compare compares rows by version. The one that stands for the rest comes before the event of its version.
func compare(a, b *runtime.PersistedEvent) int {
	switch {
	case a.AggregateVersion != b.AggregateVersion:
		return cmp.Compare(a.AggregateVersion, b.AggregateVersion)
	case a.EventVersion == 0:
		return -1
	case b.EventVersion == 0:
		return 1
	}
	return 0
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
