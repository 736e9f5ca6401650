package otel

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/eventmap/eventmap/runtime"
)

// The outcomes of a read that may begin with a snapshot.
const (
	snapshotHit  = "hit"
	snapshotMiss = "miss"
)

// ReadFromSnapshot is that of the store. Its span is that of a read, with the version of the snapshot: 0 is none.
func (s *told[Tx]) ReadFromSnapshot(ctx context.Context, tx Tx, key runtime.SnapshotKey) (runtime.Snapshot, runtime.Stream, error) {
	began := time.Now()
	inner, span := s.start(ctx, "read", key.AggregateType, trace.SpanKindClient)
	snapshot, stream, err := s.store.(runtime.SnapshotStore[Tx]).ReadFromSnapshot(inner, tx, key)
	if err == nil {
		outcome := snapshotMiss
		if snapshot.Version > 0 {
			outcome = snapshotHit
		}
		if span.IsRecording() {
			span.SetAttributes(snapshotKey.Int64(snapshot.Version))
		}
		s.snapshotReads.Add(ctx, 1, s.attributes(measurement{aggregateType: key.AggregateType, outcome: outcome}))
	}
	s.endRead(ctx, span, "read", key.AggregateType, began, len(stream.Events), err)
	return snapshot, stream, err
}

// SaveSnapshot is that of the store.
func (s *told[Tx]) SaveSnapshot(ctx context.Context, tx Tx, key runtime.SnapshotKey, snapshot runtime.Snapshot) error {
	inner, span := s.start(ctx, "save snapshot", key.AggregateType, trace.SpanKindClient)
	if span.IsRecording() {
		span.SetAttributes(aggregateTypeKey.String(key.AggregateType), snapshotKey.Int64(snapshot.Version))
	}
	err := s.store.(runtime.SnapshotStore[Tx]).SaveSnapshot(inner, tx, key, snapshot)
	end(span, err)
	s.snapshotSaves.Add(ctx, 1, s.attributes(measurement{aggregateType: key.AggregateType, errorType: errorType(err)}))
	return err
}

// DropSnapshots is that of the store.
func (s *told[Tx]) DropSnapshots(ctx context.Context, tx Tx, q runtime.SnapshotQuery) (int64, error) {
	inner, span := s.start(ctx, "drop snapshots", q.AggregateType, trace.SpanKindClient)
	dropped, err := s.store.(runtime.SnapshotStore[Tx]).DropSnapshots(inner, tx, q)
	end(span, err)
	return dropped, err
}
