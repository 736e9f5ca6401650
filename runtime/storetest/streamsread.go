package storetest

import (
	"errors"
	"testing"

	"github.com/eventmap/eventmap/runtime"
)

func (s *suite[Tx]) readStreamsCases() []testCase {
	needs := []Ability{StreamsReader}
	return []testCase{
		{"ReadStreams/each as if read alone", s.readStreamsEach, needs},
		{"ReadStreams/from snapshots", s.readStreamsSnapshots, append(needs, SnapshotStore)},
		{"ReadStreams/a stream that lacks events", s.readStreamsIncomplete, append(needs, Removal)},
		{"ReadStreams/refused", s.readStreamsRefused, needs},
	}
}

// readStreams reads several streams in a transaction of its own.
func (s *suite[Tx]) readStreams(t *testing.T, reads ...runtime.StreamRead) (results []runtime.ReadResult, err error) {
	t.Helper()
	s.reading(t, func(tx Tx) error {
		results, err = s.Store.(runtime.StreamsReader[Tx]).ReadStreams(t.Context(), tx, reads...)
		return nil
	})
	return results, err
}

// streamRead reads a stream of the suite's type after a version.
func streamRead(stream string, after int64) runtime.StreamRead {
	return runtime.StreamRead{SnapshotKey: runtime.SnapshotKey{AggregateType: aggregateType, AggregateID: stream}, After: after}
}

func (s *suite[Tx]) readStreamsEach(t *testing.T) {
	long, short, absent, other := s.newStream(), s.newStream(), s.newStream(), s.newStream()
	s.append(t, runtime.NoStream(), placed(long, 60))
	s.append(t, runtime.NoStream(), placed(short, 2))
	invoice := placed(long, 2)
	for i := range invoice {
		invoice[i].AggregateType = "Invoice"
	}
	s.append(t, runtime.NoStream(), invoice)
	s.append(t, runtime.NoStream(), placed(other, 3))
	reads := []runtime.StreamRead{
		streamRead(other, 1), streamRead(absent, 0), streamRead(long, 0), streamRead(short, 0), streamRead("a\x00b", 0),
		{SnapshotKey: runtime.SnapshotKey{AggregateType: "Invoice", AggregateID: long}, After: 9},
	}
	results, err := s.readStreams(t, reads...)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "number of results", len(reads), len(results))
	for i, r := range reads {
		from := r.After + 1
		var want runtime.Stream
		s.reading(t, func(tx Tx) (err error) {
			want, err = s.Store.ReadAggregateStream(t.Context(), tx, r.AggregateType, r.AggregateID, &from, nil)
			return err
		})
		equal(t, "snapshot", runtime.Snapshot{}, results[i].Snapshot)
		equal(t, "version", want.Version(), results[i].Stream.Version())
		equal(t, "type", r.AggregateType, results[i].Stream.AggregateType)
		equal(t, "ID", r.AggregateID, results[i].Stream.AggregateID)
		equal(t, "number of events", want.Len(), results[i].Stream.Len())
		for j := range want.Events {
			equal(t, "event", want.Events[j], results[i].Stream.Events[j])
		}
	}
	none, err := s.readStreams(t)
	if err != nil || len(none) > 0 {
		t.Errorf("no streams are read as %v, %v", none, err)
	}
}

func (s *suite[Tx]) readStreamsSnapshots(t *testing.T) {
	kept, ahead, without := s.newStream(), s.newStream(), s.newStream()
	for _, stream := range []string{kept, ahead, without} {
		s.append(t, runtime.NoStream(), placed(stream, 4))
	}
	snapshot := s.saved(t, snapshotKey(kept), 3, `{"ünï":[1, 2 ],"a":null}`)
	s.saved(t, snapshotKey(ahead), 5, `"of what was restored"`)
	results, err := s.readStreams(t,
		runtime.StreamRead{SnapshotKey: snapshotKey(kept)},
		runtime.StreamRead{SnapshotKey: snapshotKey(ahead)},
		streamRead(without, 0),
		runtime.StreamRead{SnapshotKey: snapshotKey(s.newStream())})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "snapshot", snapshot, lastOf(t, results[0].Snapshot, s.stream(t, kept).Events))
	for i, events := range []int{1, 4, 4, 0} {
		equal(t, "number of events", events, results[i].Stream.Len())
		if i > 0 {
			equal(t, "snapshot", runtime.Snapshot{}, results[i].Snapshot)
		}
	}
	equal(t, "version", int64(4), results[0].Stream.Version())
}

func (s *suite[Tx]) readStreamsIncomplete(t *testing.T) {
	whole, cut := s.newStream(), s.newStream()
	s.append(t, runtime.NoStream(), placed(whole, 3))
	s.append(t, runtime.NoStream(), placed(cut, 4))
	if err := s.Remove(t.Context(), aggregateType, cut, 2, 3); err != nil {
		t.Fatal(err)
	}
	_, err := s.readStreams(t, streamRead(whole, 0), streamRead(cut, 0))
	var incomplete *runtime.IncompleteStreamError
	if !errors.As(err, &incomplete) {
		t.Fatalf("error is %v, want an IncompleteStreamError", err)
	}
	equal(t, "stream", cut, incomplete.AggregateID)
	equal(t, "missing version", int64(2), incomplete.Missing)
	if _, err := s.readStreams(t, streamRead(whole, 0), streamRead(cut, 3)); err != nil {
		t.Errorf("what is there of the stream: %v", err)
	}
}

func (s *suite[Tx]) readStreamsRefused(t *testing.T) {
	stream := s.newStream()
	both := runtime.StreamRead{SnapshotKey: snapshotKey(stream), After: 1}
	for name, reads := range map[string][]runtime.StreamRead{
		"a stream twice":                         {streamRead(stream, 0), streamRead(stream, 1)},
		"from a snapshot and a version together": {both},
	} {
		if _, err := s.readStreams(t, reads...); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
