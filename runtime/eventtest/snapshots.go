package eventtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/internal/appending"
	"github.com/eventmap/eventmap/runtime/internal/reading"
)

// A savedSnapshot is a snapshot as the store keeps it.
type savedSnapshot struct {
	runtime.Snapshot
	at time.Time
}

// ReadFromSnapshot implements [runtime.SnapshotStore].
func (s *Store[Tx]) ReadFromSnapshot(ctx context.Context, _ Tx, key runtime.SnapshotKey) (runtime.Snapshot, runtime.Stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.read(runtime.StreamRead{SnapshotKey: key})
	return r.Snapshot, r.Stream, errors.Join(ctx.Err(), err)
}

// ReadStreams implements [runtime.StreamsReader].
func (s *Store[Tx]) ReadStreams(ctx context.Context, _ Tx, reads ...runtime.StreamRead) ([]runtime.ReadResult, error) {
	if err := errors.Join(ctx.Err(), reading.ValidateStreams(reads)); err != nil {
		return nil, fmt.Errorf("read %d streams: %w", len(reads), err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	results := make([]runtime.ReadResult, len(reads))
	for i, r := range reads {
		var err error
		if results[i], err = s.read(r); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// read reads one stream, from its snapshot or after a version.
func (s *Store[Tx]) read(r runtime.StreamRead) (runtime.ReadResult, error) {
	name := appending.StreamName{AggregateType: r.AggregateType, AggregateID: r.AggregateID}
	head := s.heads[name]
	var result runtime.ReadResult
	if saved, ok := s.snapshots[r.SnapshotKey]; ok && saved.Version <= head {
		result.Snapshot = runtime.Snapshot{Version: saved.Version, State: bytes.Clone(saved.State)}
		for _, last := range s.window(name, &saved.Version, &saved.Version) {
			result.Snapshot.LastEventID = last.EventID
		}
		r.After = saved.Version
	}
	from := r.After + 1
	result.Stream = runtime.NewStream(name.AggregateType, name.AggregateID, head, s.window(name, &from, nil))
	return result, result.Stream.Complete(&from, nil)
}

// SaveSnapshot implements [runtime.SnapshotStore].
func (s *Store[Tx]) SaveSnapshot(ctx context.Context, _ Tx, key runtime.SnapshotKey, snapshot runtime.Snapshot) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := errors.Join(ctx.Err(), s.saveFault); err != nil {
		return fmt.Errorf("save a snapshot of %s %q: %w", key.AggregateType, key.AggregateID, err)
	}
	if snapshot.Version > s.snapshots[key].Version {
		snapshot.State = bytes.Clone(snapshot.State)
		s.snapshots[key] = savedSnapshot{snapshot, time.Now()}
	}
	return nil
}

// DropSnapshots implements [runtime.SnapshotStore].
func (s *Store[Tx]) DropSnapshots(ctx context.Context, _ Tx, q runtime.SnapshotQuery) (int64, error) {
	if q.AggregateID != "" && q.AggregateType == "" {
		return 0, errors.New("drop snapshots: an aggregate ID needs its type")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	type release struct{ aggregateType, fingerprint string }
	used := map[release]bool{}
	for key, saved := range s.snapshots {
		if !saved.at.Before(q.UnusedSince) {
			used[release{key.AggregateType, key.Fingerprint}] = true
		}
	}
	before := len(s.snapshots)
	maps.DeleteFunc(s.snapshots, func(key runtime.SnapshotKey, saved savedSnapshot) bool {
		return (q.AggregateType == "" || q.AggregateType == key.AggregateType) &&
			(q.AggregateID == "" || q.AggregateID == key.AggregateID) &&
			(q.SavedBefore.IsZero() || saved.at.Before(q.SavedBefore)) &&
			(q.UnusedSince.IsZero() || !used[release{key.AggregateType, key.Fingerprint}])
	})
	return int64(before - len(s.snapshots)), ctx.Err()
}

// Snapshots returns the snapshots that are kept.
func (s *Store[Tx]) Snapshots() map[runtime.SnapshotKey]runtime.Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := make(map[runtime.SnapshotKey]runtime.Snapshot, len(s.snapshots))
	for key, saved := range s.snapshots {
		saved.State = bytes.Clone(saved.State)
		kept[key] = saved.Snapshot
	}
	return kept
}

// SpoilSnapshots replaces each snapshot by what spoil returns: another state, as of a bug or a change by hand, bytes that are no
// JSON, or a version ahead of the stream, as after a restore. Code under test must come to the same state as without.
func (s *Store[Tx]) SpoilSnapshots(spoil func(runtime.SnapshotKey, runtime.Snapshot) runtime.Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, saved := range s.snapshots {
		saved.State = bytes.Clone(saved.State)
		saved.Snapshot = spoil(key, saved.Snapshot)
		s.snapshots[key] = saved
	}
}

// FailSnapshots has each SaveSnapshot return err, as where the table is missing, until it is called with nil. No append fails
// for it: the logger is told.
func (s *Store[Tx]) FailSnapshots(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saveFault = err
}
