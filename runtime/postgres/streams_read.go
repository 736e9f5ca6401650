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
// [runtime.StreamsReader]. On Citus it is one statement for each log. It works at every isolation level, in read-only transactions and on a standby.
func (s *Store[Tx]) ReadStreams(ctx context.Context, tx Tx, reads ...runtime.StreamRead) ([]runtime.ReadResult, error) {
	results, err := s.readStreams(ctx, tx, reads)
	if err != nil {
		return nil, fmt.Errorf("read %d streams: %w", len(reads), err)
	}
	return results, nil
}

// A streamSelection is the streams of a statement, by column.
type streamSelection struct {
	types, ids, fingerprints []string
	after                    []int64
}

func (s *streamSelection) add(r runtime.StreamRead) {
	s.types, s.ids = append(s.types, r.AggregateType), append(s.ids, r.AggregateID)
	s.after, s.fingerprints = append(s.after, r.After), append(s.fingerprints, r.Fingerprint)
}

func (s *Store[Tx]) readStreams(ctx context.Context, tx Tx, reads []runtime.StreamRead) ([]runtime.ReadResult, error) {
	if err := reading.ValidateStreams(reads); err != nil {
		return nil, err
	}
	text, explain := s.sql.readStreams, func(err error) error { return s.tables.classify(err, false) }
	selections := make(map[string]*streamSelection, 1) // by the log that a statement is about
	for _, r := range reads {
		if !runtime.ValidName(r.AggregateType) || !runtime.ValidName(r.AggregateID) {
			continue
		}
		if r.Fingerprint != "" {
			text, explain = s.sql.readStreamsFrom, s.snapshotError
		}
		log := s.statementLog(r.AggregateID)
		if selections[log] == nil {
			selections[log] = new(streamSelection)
		}
		selections[log].add(r)
	}
	rows := make(map[appending.StreamName][]runtime.PersistedEvent, len(reads))
	for log, selected := range selections {
		db, err := s.querier(ctx, tx)
		if err != nil {
			return nil, err
		}
		r, err := db.query(ctx, s.across(log, text, selected.types, selected.ids, selected.after, selected.fingerprints, int64(math.MaxInt64)))
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
