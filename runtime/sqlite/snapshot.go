package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/internal/reading"
)

// ReadFromSnapshot reads a snapshot and the events after it, in one statement; see [runtime.SnapshotStore]. A transaction
// that only reads is best begun read-only: it waits for nobody.
func (s *Store) ReadFromSnapshot(ctx context.Context, tx *sql.Tx, key runtime.SnapshotKey) (runtime.Snapshot, runtime.Stream, error) {
	if tx == nil {
		return runtime.Snapshot{}, runtime.Stream{}, errNoTransaction
	}
	snapshot, stream, err := s.readFromSnapshot(ctx, tx, key)
	if err != nil {
		return runtime.Snapshot{}, runtime.Stream{}, fmt.Errorf("read %s %q from its snapshot: %w", key.AggregateType, key.AggregateID, s.tables.explain(ctx, tx, err, eventsTable(s.tables), snapshotsTable(s.tables)))
	}
	return snapshot, stream, nil
}

func (s *Store) readFromSnapshot(ctx context.Context, tx *sql.Tx, key runtime.SnapshotKey) (runtime.Snapshot, runtime.Stream, error) {
	rows, err := collectEvents(ctx, tx, nil, s.sql.readFromSnapshot, key.AggregateType, key.AggregateID, key.Fingerprint)
	if err != nil {
		return runtime.Snapshot{}, runtime.Stream{}, err
	}
	return reading.FromSnapshot(key, rows)
}

// SaveSnapshot keeps a snapshot; see [runtime.SnapshotStore]. A statement of SQLite that fails undoes itself, also where the disk is
// full, so an error does not end the transaction, unless ctx ends in the middle: then SQLite rolls the whole transaction back.
func (s *Store) SaveSnapshot(ctx context.Context, tx *sql.Tx, key runtime.SnapshotKey, snapshot runtime.Snapshot) error {
	if tx == nil {
		return errNoTransaction
	}
	err := execute(ctx, tx, s.sql.saveSnapshot,
		key.AggregateType, key.AggregateID, key.Fingerprint, snapshot.Version, snapshot.State, timeText(s.clock()), array(snapshot.KeyIDs, uuid.UUID.String))
	if err != nil {
		return fmt.Errorf("save a snapshot of %s %q: %w", key.AggregateType, key.AggregateID, s.tables.explain(ctx, tx, err, eventsTable(s.tables), snapshotsTable(s.tables)))
	}
	return nil
}

// DropSnapshots deletes snapshots; see [runtime.SnapshotStore].
func (s *Store) DropSnapshots(ctx context.Context, tx *sql.Tx, q runtime.SnapshotQuery) (int64, error) {
	if q.AggregateID != "" && q.AggregateType == "" {
		return 0, errors.New("drop snapshots: an aggregate ID needs its type")
	}
	if tx == nil {
		return 0, errNoTransaction
	}
	result, err := tx.ExecContext(ctx, s.sql.dropSnapshots, q.AggregateType, q.AggregateID, timeOrNull(q.SavedBefore), timeOrNull(q.UnusedSince))
	if err != nil {
		return 0, fmt.Errorf("drop snapshots: %w", s.tables.explain(ctx, tx, err, eventsTable(s.tables), snapshotsTable(s.tables)))
	}
	dropped, err := result.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("drop snapshots: %w", err)
	}
	return dropped, nil
}

// timeOrNull returns a time as an argument in which none is NULL.
func timeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return timeText(t)
}
