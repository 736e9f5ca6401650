package storetest_test

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/eventmap/eventmap/runtime"
)

// A memorySnapshot is a snapshot of memory, with when it was saved.
type memorySnapshot struct {
	runtime.Snapshot
	at time.Time
}

// at returns the key under which a snapshot is kept.
func (m *memory) at(key runtime.SnapshotKey) runtime.SnapshotKey {
	if m.fault == "one snapshot a stream" {
		key.Fingerprint = ""
	}
	return key
}

func (m *memory) ReadFromSnapshot(ctx context.Context, tx none, key runtime.SnapshotKey) (runtime.Snapshot, runtime.Stream, error) {
	m.mu.Lock()
	saved := m.snapshots[m.at(key)].Snapshot
	if saved.Version > m.head(key.AggregateType, key.AggregateID) && m.fault != "snapshot ahead" {
		saved = runtime.Snapshot{}
	}
	m.mu.Unlock()
	from := saved.Version + 1
	if m.fault == "snapshot and its last event" && saved.Version > 0 {
		from = saved.Version
	}
	stream, err := m.ReadAggregateStream(ctx, tx, key.AggregateType, key.AggregateID, &from, nil)
	if incomplete, ok := errors.AsType[*runtime.IncompleteStreamError](err); ok && m.fault == "gap behind a snapshot" {
		return saved, incomplete.Found, nil
	}
	return saved, stream, err
}

func (m *memory) SaveSnapshot(ctx context.Context, _ none, key runtime.SnapshotKey, snapshot runtime.Snapshot) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if snapshot.Version > m.snapshots[m.at(key)].Version || m.fault == "earlier snapshot" {
		m.snapshots[m.at(key)] = memorySnapshot{snapshot, time.Now()}
	}
	return ctx.Err()
}

func (m *memory) DropSnapshots(ctx context.Context, _ none, q runtime.SnapshotQuery) (int64, error) {
	if q.AggregateID != "" && q.AggregateType == "" {
		return 0, errors.New("an aggregate ID needs its type")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	used := map[[2]string]bool{}
	for key, saved := range m.snapshots {
		if !saved.at.Before(q.UnusedSince) && m.fault != "sweeps by age" {
			used[[2]string{key.AggregateType, key.Fingerprint}] = true
		}
	}
	before := len(m.snapshots)
	maps.DeleteFunc(m.snapshots, func(key runtime.SnapshotKey, saved memorySnapshot) bool {
		if m.fault == "drops all" {
			return true
		}
		old := q.UnusedSince.IsZero() || saved.at.Before(q.UnusedSince) && !used[[2]string{key.AggregateType, key.Fingerprint}]
		return (q.AggregateType == "" || q.AggregateType == key.AggregateType) && (q.AggregateID == "" || q.AggregateID == key.AggregateID) &&
			(q.SavedBefore.IsZero() || saved.at.Before(q.SavedBefore)) && old
	})
	return int64(before - len(m.snapshots)), ctx.Err()
}
