package postgres

import (
	"context"
	"fmt"
	"math"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/internal/appending"
	"github.com/eventmap/eventmap/runtime/internal/reading"
)

// ReadStreams reads several streams, each whole, after a version or from its snapshot, in one statement and one round trip; see
// [runtime.StreamsReader]. It works at every isolation level, in read-only transactions and on a standby.
func (s *Store[Tx]) ReadStreams(ctx context.Context, tx Tx, reads ...runtime.StreamRead) ([]runtime.ReadResult, error) {
	results, err := s.readStreams(ctx, tx, reads)
	if err != nil {
		return nil, fmt.Errorf("read %d streams: %w", len(reads), err)
	}
	return results, nil
}

func (s *Store[Tx]) readStreams(ctx context.Context, tx Tx, reads []runtime.StreamRead) ([]runtime.ReadResult, error) {
	if err := reading.ValidateStreams(reads); err != nil {
		return nil, err
	}
	text, explain := s.sql.readStreams, func(err error) error { return s.tables.classify(err, false) }
	var types, ids, fingerprints []string
	var after []int64
	for _, r := range reads {
		if !runtime.ValidName(r.AggregateType) || !runtime.ValidName(r.AggregateID) {
			continue
		}
		if r.Fingerprint != "" {
			text, explain = s.sql.readStreamsFrom, s.snapshotError
		}
		types, ids = append(types, r.AggregateType), append(ids, r.AggregateID)
		after, fingerprints = append(after, r.After), append(fingerprints, r.Fingerprint)
	}
	rows := make(map[appending.StreamName][]runtime.PersistedEvent, len(reads))
	if len(types) > 0 {
		db, err := s.querier(ctx, tx)
		if err != nil {
			return nil, err
		}
		r, err := db.query(ctx, s.across(text, types, ids, after, fingerprints, int64(math.MaxInt64)))
		if err != nil {
			return nil, explain(err)
		}
		all, err := newDecoder().collect(nil, r, manyRows)
		if err != nil {
			return nil, explain(err)
		}
		for _, e := range all {
			name := appending.StreamName{AggregateType: e.AggregateType, AggregateID: e.AggregateID}
			rows[name] = append(rows[name], e)
		}
	}
	results := make([]runtime.ReadResult, len(reads))
	for i, r := range reads {
		own := rows[appending.StreamName{AggregateType: r.AggregateType, AggregateID: r.AggregateID}]
		if own == nil {
			results[i].Stream = runtime.NewStream(r.AggregateType, r.AggregateID, 0, nil)
			continue
		}
		var err error
		if results[i].Snapshot, results[i].Stream, err = reading.FromSnapshot(r.SnapshotKey, own); err != nil {
			return nil, err
		}
		if r.Fingerprint == "" {
			results[i].Snapshot = runtime.Snapshot{}
		}
	}
	return results, nil
}
