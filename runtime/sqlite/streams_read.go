package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/internal/reading"
)

// ReadStreams reads several streams, each whole, after a version or from its snapshot; see [runtime.StreamsReader]. A
// transaction sees one state of the database from its first statement on, so that each stream has a statement of its own.
func (s *Store) ReadStreams(ctx context.Context, tx *sql.Tx, reads ...runtime.StreamRead) ([]runtime.ReadResult, error) {
	if err := reading.ValidateStreams(reads); err != nil {
		return nil, fmt.Errorf("read %d streams: %w", len(reads), err)
	}
	results := make([]runtime.ReadResult, len(reads))
	for i, r := range reads {
		var err error
		if r.Fingerprint != "" {
			results[i].Snapshot, results[i].Stream, err = s.ReadFromSnapshot(ctx, tx, r.SnapshotKey)
		} else {
			from := r.After + 1
			results[i].Stream, err = s.ReadAggregateStream(ctx, tx, r.AggregateType, r.AggregateID, &from, nil)
		}
		if err != nil {
			return nil, err
		}
	}
	return results, nil
}
