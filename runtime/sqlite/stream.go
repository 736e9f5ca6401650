package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"math"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/internal/reading"
)

// ReadAggregateStream reads a stream, or a window of it; see [runtime.AggregateStreamReader]. Both are as the
// transaction sees them, so Version is exactly that of the events. A transaction that only reads is best begun read-only:
// it waits for nobody.
func (s *Store) ReadAggregateStream(ctx context.Context, tx *sql.Tx, aggregateType, aggregateID string, fromVersion, toVersion *int64) (runtime.Stream, error) {
	return s.ReadStreamParts(ctx, tx, aggregateType, aggregateID, fromVersion, toVersion, nil)
}

// ReadStreamParts is ReadAggregateStream that shows events while it reads further ones; see [runtime.StreamPartsReader].
// A stream of few events is not shown, and neither are the last ones of any.
func (s *Store) ReadStreamParts(
	ctx context.Context, tx *sql.Tx, aggregateType, aggregateID string, fromVersion, toVersion *int64, show func([]runtime.PersistedEvent),
) (runtime.Stream, error) {
	from, to := int64(0), int64(math.MaxInt64)
	if fromVersion != nil {
		from = *fromVersion
	}
	if toVersion != nil {
		to = *toVersion
	}
	version, err := s.head(ctx, tx, aggregateType, aggregateID)
	if err != nil {
		return runtime.Stream{}, s.streamError(ctx, tx, aggregateType, aggregateID, err)
	}
	events := make([]runtime.PersistedEvent, 0, room(from, min(to, version)))
	events, err = collectParts(ctx, tx, events, show, s.sql.streamForward, aggregateType, aggregateID, from, to, int64(math.MaxInt64))
	if err != nil {
		return runtime.Stream{}, s.streamError(ctx, tx, aggregateType, aggregateID, err)
	}
	stream := runtime.NewStream(aggregateType, aggregateID, version, events)
	if err := stream.Complete(fromVersion, toVersion); err != nil {
		return runtime.Stream{}, s.streamError(ctx, tx, aggregateType, aggregateID, err)
	}
	return stream, nil
}

// PartsOf returns s; see [runtime.StreamPartsReader].
func (s *Store) PartsOf() runtime.AggregateStreamReader[*sql.Tx] { return s }

// room returns how many events to make room for at once in order to read the versions from and to, both included.
func room(from, to int64) int64 {
	const most = 1 << 16
	return min(max(to-max(from, 1)+1, 0), most)
}

// StreamEvents yields the events that query selects, up to the head as it stood when the sequence began; see
// [runtime.StreamIterator]. Memory stays flat, leaving the loop early costs nothing, and tx may be used inside the loop.
func (s *Store) StreamEvents(ctx context.Context, tx *sql.Tx, aggregateType, aggregateID string, q runtime.StreamQuery) iter.Seq2[runtime.PersistedEvent, error] {
	return func(yield func(runtime.PersistedEvent, error) bool) {
		if err := s.yieldStream(ctx, tx, aggregateType, aggregateID, q, yield); err != nil {
			yield(runtime.PersistedEvent{}, s.streamError(ctx, tx, aggregateType, aggregateID, err))
		}
	}
}

// yieldStream yields the events of a stream until the loop is left.
func (s *Store) yieldStream(ctx context.Context, tx *sql.Tx, aggregateType, aggregateID string, q runtime.StreamQuery, yield func(runtime.PersistedEvent, error) bool) error {
	to, limit := q.ToVersion, int64(q.Limit)
	switch {
	case limit < 0:
		return fmt.Errorf("%w: %d", errLimit, q.Limit)
	case limit == 0:
		limit = math.MaxInt64
	}
	if to < 1 {
		to = math.MaxInt64
	}
	text := s.sql.streamForward
	if q.Backward {
		text = s.sql.streamBackward
	}
	end, err := s.head(ctx, tx, aggregateType, aggregateID)
	if err != nil {
		return err
	}
	versions := reading.NewVersions(aggregateType, aggregateID, end, q)
	var incomplete error
	left := false
	err = yieldEvents(ctx, tx, func(e runtime.PersistedEvent, _ error) bool {
		if incomplete = versions.Meet(e.AggregateVersion); incomplete != nil {
			return false
		}
		left = !yield(e, nil)
		return !left
	}, text, aggregateType, aggregateID, q.FromVersion, min(to, end), limit)
	if err != nil || incomplete != nil || left {
		return errors.Join(err, incomplete)
	}
	return versions.End()
}

// yieldEvents yields the events that a statement returns.
func yieldEvents(ctx context.Context, db queryer, yield func(runtime.PersistedEvent, error) bool, text string, args ...any) error {
	r, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	d := newDecoder()
	for r.Next() {
		e, err := d.decode(r)
		if err != nil {
			return err
		}
		if !yield(e, nil) {
			return nil
		}
	}
	return r.Err()
}

func (s *Store) streamError(ctx context.Context, db queryer, aggregateType, aggregateID string, err error) error {
	return fmt.Errorf("read %s %q: %w", aggregateType, aggregateID, s.explain(ctx, db, err))
}
