package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
)

func (s *suite[Tx]) snapshotCases() []testCase {
	needs := []Ability{SnapshotStore}
	return []testCase{
		{"Snapshot/none", s.snapshotNone, needs},
		{"Snapshot/read with the events after it", s.snapshotRead, needs},
		{"Snapshot/a later one takes its place, an earlier one does not", s.snapshotReplaced, needs},
		{"Snapshot/of another fingerprint or stream", s.snapshotOfAnother, needs},
		{"Snapshot/ahead of the head", s.snapshotAhead, needs},
		{"Snapshot/rolled back with its transaction", s.snapshotRolledBack, append(needs, Transactions)},
		{"Snapshot/of events that are gone", s.snapshotOfEventsGone, append(needs, Removal)},
		{"Snapshot/dropped", s.snapshotDropped, needs},
		{"Snapshot/of fingerprints that are not used any more", s.snapshotsSwept, needs},
	}
}

func (s *suite[Tx]) snapshots() runtime.SnapshotStore[Tx] { return s.Store.(runtime.SnapshotStore[Tx]) }

func snapshotKey(stream string) runtime.SnapshotKey {
	return runtime.SnapshotKey{AggregateType: aggregateType, AggregateID: stream, Fingerprint: "f1"}
}

// saved saves a snapshot whose state names its version.
func (s *suite[Tx]) saved(t *testing.T, key runtime.SnapshotKey, version int64, state string) runtime.Snapshot {
	t.Helper()
	snapshot := runtime.Snapshot{Version: version, State: []byte(state)}
	s.in(t, func(tx Tx) error { return s.snapshots().SaveSnapshot(t.Context(), tx, key, snapshot) })
	return snapshot
}

// fromSnapshot fails t where a stream is not read as wanted: with that snapshot, and that many events after it.
func (s *suite[Tx]) fromSnapshot(t *testing.T, key runtime.SnapshotKey, want runtime.Snapshot, head int64) {
	t.Helper()
	var got runtime.Snapshot
	var stream runtime.Stream
	s.reading(t, func(tx Tx) (err error) {
		got, stream, err = s.snapshots().ReadFromSnapshot(t.Context(), tx, key)
		return err
	})
	whole := s.stream(t, key.AggregateID)
	equal(t, "snapshot", want, lastOf(t, got, whole.Events))
	equal(t, "version", head, stream.Version())
	equal(t, "events", ids(whole.Events[min(want.Version, int64(whole.Len())):]), ids(stream.Events))
}

// lastOf fails t where a snapshot that was read names another last event than the stream has. It returns the snapshot as it was
// saved.
func lastOf(t *testing.T, got runtime.Snapshot, whole []runtime.PersistedEvent) runtime.Snapshot {
	t.Helper()
	if got.LastEventID != uuid.Nil { // stores need not say it
		for i := range whole {
			if whole[i].AggregateVersion == got.Version {
				equal(t, "last event of the snapshot", whole[i].EventID, got.LastEventID)
			}
		}
	}
	got.LastEventID = uuid.Nil
	return got
}

func (s *suite[Tx]) snapshotNone(t *testing.T) {
	s.fromSnapshot(t, snapshotKey(s.newStream()), runtime.Snapshot{}, 0)
	stream := s.newStream()
	s.append(t, runtime.NoStream(), placed(stream, 3))
	s.fromSnapshot(t, snapshotKey(stream), runtime.Snapshot{}, 3)
}

func (s *suite[Tx]) snapshotRead(t *testing.T) {
	stream := s.newStream()
	s.append(t, runtime.NoStream(), placed(stream, 3))
	snapshot := s.saved(t, snapshotKey(stream), 3, `{"ünï":[1, 2 ],"a":null}`)
	s.fromSnapshot(t, snapshotKey(stream), snapshot, 3)
	s.append(t, runtime.Exact(3), placed(stream, 2))
	s.fromSnapshot(t, snapshotKey(stream), snapshot, 5)
}

func (s *suite[Tx]) snapshotReplaced(t *testing.T) {
	stream := s.newStream()
	s.append(t, runtime.NoStream(), placed(stream, 4))
	s.saved(t, snapshotKey(stream), 2, `"second"`)
	third := s.saved(t, snapshotKey(stream), 3, `"third"`)
	s.fromSnapshot(t, snapshotKey(stream), third, 4)
	s.saved(t, snapshotKey(stream), 2, `"late"`)
	s.saved(t, snapshotKey(stream), 3, `"again"`)
	s.fromSnapshot(t, snapshotKey(stream), third, 4)
}

func (s *suite[Tx]) snapshotOfAnother(t *testing.T) {
	stream, other := s.newStream(), s.newStream()
	s.append(t, runtime.NoStream(), placed(stream, 2))
	s.append(t, runtime.NoStream(), placed(other, 2))
	key := snapshotKey(stream)
	key.Fingerprint = "f2"
	second := s.saved(t, key, 2, `"f2"`)
	s.fromSnapshot(t, snapshotKey(stream), runtime.Snapshot{}, 2)
	s.fromSnapshot(t, snapshotKey(other), runtime.Snapshot{}, 2)
	first := s.saved(t, snapshotKey(stream), 1, `"f1"`)
	s.fromSnapshot(t, snapshotKey(stream), first, 2)
	s.fromSnapshot(t, key, second, 2)
}

// snapshotAhead is what a restore of the log alone leaves.
func (s *suite[Tx]) snapshotAhead(t *testing.T) {
	stream := s.newStream()
	s.append(t, runtime.NoStream(), placed(stream, 2))
	s.saved(t, snapshotKey(stream), 9, `"ahead"`)
	s.fromSnapshot(t, snapshotKey(stream), runtime.Snapshot{}, 2)
}

func (s *suite[Tx]) snapshotRolledBack(t *testing.T) {
	stream := s.newStream()
	s.append(t, runtime.NoStream(), placed(stream, 2))
	gone := errors.New("rolled back")
	err := s.do(t.Context(), func(tx Tx) error {
		if _, err := s.Store.Append(t.Context(), tx, runtime.Exact(2), placed(stream, 1)); err != nil {
			return err
		}
		if err := s.snapshots().SaveSnapshot(t.Context(), tx, snapshotKey(stream), runtime.Snapshot{Version: 3, State: []byte("3")}); err != nil {
			return err
		}
		got, rest, err := s.snapshots().ReadFromSnapshot(t.Context(), tx, snapshotKey(stream))
		if err != nil {
			return err
		}
		equal(t, "version in the transaction", int64(3), got.Version)
		equal(t, "events in the transaction", 0, rest.Len())
		return gone
	})
	if !errors.Is(err, gone) {
		t.Fatal(err)
	}
	s.fromSnapshot(t, snapshotKey(stream), runtime.Snapshot{}, 2)
}

// snapshotOfEventsGone: what a snapshot holds need not be there any more, what comes after it must.
func (s *suite[Tx]) snapshotOfEventsGone(t *testing.T) {
	stream := s.newStream()
	events := s.append(t, runtime.NoStream(), placed(stream, 5)).Events
	snapshot := s.saved(t, snapshotKey(stream), 3, `"3"`)
	remove := func(from, to int64) {
		t.Helper()
		if err := s.Remove(t.Context(), aggregateType, stream, from, to); err != nil {
			t.Fatal(err)
		}
	}
	read := func() (got runtime.Snapshot, rest runtime.Stream, err error) {
		err = do(t.Context(), s.BeginReading, func(tx Tx) error {
			var readErr error
			got, rest, readErr = s.snapshots().ReadFromSnapshot(t.Context(), tx, snapshotKey(stream))
			return readErr
		})
		return got, rest, err
	}
	remove(1, 2)
	got, rest, err := read()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "snapshot", snapshot, lastOf(t, got, events))
	equal(t, "events after it", 2, rest.Len())
	remove(3, 3)
	if got, _, err = read(); err != nil {
		t.Fatal(err)
	}
	equal(t, "snapshot of a last event that is gone", snapshot, got)
	remove(4, 4)
	_, _, err = read()
	incomplete, ok := errors.AsType[*runtime.IncompleteStreamError](err)
	if !ok || incomplete.Missing != 4 {
		t.Errorf("without version 4 the error is %v, want an IncompleteStreamError about it", err)
	}
}

func (s *suite[Tx]) snapshotDropped(t *testing.T) {
	one, other := s.newStream(), s.newStream()
	for _, stream := range []string{one, other} {
		s.append(t, runtime.NoStream(), placed(stream, 1))
		s.saved(t, snapshotKey(stream), 1, `"1"`)
	}
	drop := func(q runtime.SnapshotQuery, want int64) { t.Helper(); s.dropped(t, q, want) }
	drop(runtime.SnapshotQuery{SavedBefore: time.Now().Add(-time.Hour)}, 0)
	drop(runtime.SnapshotQuery{AggregateType: aggregateType, AggregateID: one}, 1)
	s.fromSnapshot(t, snapshotKey(one), runtime.Snapshot{}, 1)
	s.fromSnapshot(t, snapshotKey(other), runtime.Snapshot{Version: 1, State: []byte(`"1"`)}, 1)
	drop(runtime.SnapshotQuery{AggregateType: "Invoice"}, 0)
	err := s.do(t.Context(), func(tx Tx) error {
		_, err := s.snapshots().DropSnapshots(t.Context(), tx, runtime.SnapshotQuery{AggregateID: other})
		return err
	})
	if err == nil {
		t.Error("an aggregate ID without its type is taken")
	}
	s.in(t, func(tx Tx) error {
		_, err := s.snapshots().DropSnapshots(t.Context(), tx, runtime.SnapshotQuery{SavedBefore: time.Now().Add(time.Hour)})
		return err
	})
	s.fromSnapshot(t, snapshotKey(other), runtime.Snapshot{}, 1)
}

// dropped fails t where not as many snapshots are dropped as wanted.
func (s *suite[Tx]) dropped(t *testing.T, q runtime.SnapshotQuery, want int64) {
	t.Helper()
	var got int64
	s.in(t, func(tx Tx) (err error) {
		got, err = s.snapshots().DropSnapshots(t.Context(), tx, q)
		return err
	})
	if got != want {
		t.Errorf("%+v dropped %d snapshots, want %d", q, got, want)
	}
}

// snapshotsSwept: a release that is gone saves nothing, so its snapshots go; the old ones of a release that runs stay.
func (s *suite[Tx]) snapshotsSwept(t *testing.T) {
	old, fresh := s.newStream(), s.newStream()
	for _, stream := range []string{old, fresh} {
		s.append(t, runtime.NoStream(), placed(stream, 2))
	}
	gone := snapshotKey(old)
	gone.Fingerprint = "of a release that is gone"
	s.saved(t, gone, 1, `"gone"`)
	kept := s.saved(t, snapshotKey(old), 1, `"old"`)
	s.dropped(t, runtime.SnapshotQuery{AggregateType: aggregateType, UnusedSince: time.Now().Add(-time.Hour)}, 0)
	var since time.Time
	for since = time.Now(); !time.Now().After(since.Add(5 * time.Millisecond)); { // stores may keep times in milliseconds
		time.Sleep(time.Millisecond)
	}
	since = since.Add(3 * time.Millisecond)
	s.saved(t, snapshotKey(fresh), 1, `"fresh"`)
	s.dropped(t, runtime.SnapshotQuery{AggregateType: aggregateType, AggregateID: old, UnusedSince: since}, 1)
	s.fromSnapshot(t, gone, runtime.Snapshot{}, 2)
	s.fromSnapshot(t, snapshotKey(old), kept, 2)
	s.dropped(t, runtime.SnapshotQuery{AggregateType: aggregateType, UnusedSince: time.Now().Add(time.Hour)}, 2)
}
