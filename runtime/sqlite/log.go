package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"math"

	"github.com/eventmap/eventmap/runtime"
)

// errLimit: a read was given a limit that could only return nothing, which would look like the end of the log.
var errLimit = errors.New("limit is less than 1")

// ReadEvents returns up to limit events after fromPosition, in position order, none beyond the frontier; see
// [runtime.EventReader]. What its own transaction has appended through this Store is in flight too: it is not returned
// before the commit.
func (s *Store) ReadEvents(ctx context.Context, tx *sql.Tx, fromPosition int64, limit int) ([]runtime.PersistedEvent, error) {
	if limit < 1 {
		return nil, fmt.Errorf("read the log: %w: %d", errLimit, limit)
	}
	frontier, err := s.frontier(ctx, tx)
	if err != nil {
		return nil, s.logError(ctx, tx, err)
	}
	events, err := collectEvents(ctx, tx, nil, s.sql.log, fromPosition, frontier, int64(limit))
	if err != nil {
		return nil, s.logError(ctx, tx, err)
	}
	return events, nil
}

// LogEvents yields the events that query selects, up to the frontier as it stood when the sequence began; see
// [runtime.LogIterator]. Memory stays flat, leaving the loop early costs nothing, and tx may be used inside the loop.
func (s *Store) LogEvents(ctx context.Context, tx *sql.Tx, q runtime.LogQuery) iter.Seq2[runtime.PersistedEvent, error] {
	return func(yield func(runtime.PersistedEvent, error) bool) {
		if err := s.yieldLog(ctx, tx, q, yield); err != nil {
			yield(runtime.PersistedEvent{}, s.logError(ctx, tx, err))
		}
	}
}

func (s *Store) yieldLog(ctx context.Context, tx *sql.Tx, q runtime.LogQuery, yield func(runtime.PersistedEvent, error) bool) error {
	limit := int64(q.Limit)
	switch {
	case limit < 0:
		return fmt.Errorf("%w: %d", errLimit, q.Limit)
	case limit == 0:
		limit = math.MaxInt64
	}
	frontier, err := s.frontier(ctx, tx)
	if err != nil {
		return err
	}
	text, args := s.sql.log, []any{q.FromPosition, frontier, limit}
	if len(q.AggregateTypes)+len(q.EventTypes) > 0 {
		aggregateTypes, err := anyOf(q.AggregateTypes)
		if err != nil {
			return err
		}
		eventTypes, err := anyOf(q.EventTypes)
		if err != nil {
			return err
		}
		text, args = s.sql.logFiltered, append(args, aggregateTypes, eventTypes)
	}
	return yieldEvents(ctx, tx, yield, text, args...)
}

// anyOf returns names as an argument in which none means all.
func anyOf(names []string) (any, error) {
	if len(names) == 0 {
		return nil, nil
	}
	return jsonList(names)
}

// SafeGlobalPosition returns the frontier: no append in flight and none to come brings an event at or below it; see
// [runtime.SafePositionReader]. It is the last position that was given to an event that is committed.
func (s *Store) SafeGlobalPosition(ctx context.Context, tx *sql.Tx) (int64, error) {
	frontier, err := s.frontier(ctx, tx)
	if err != nil {
		return 0, fmt.Errorf("read the frontier: %w", s.explain(ctx, tx, err))
	}
	return frontier, nil
}

func (s *Store) frontier(ctx context.Context, tx *sql.Tx) (int64, error) {
	if tx == nil {
		return 0, errNoTransaction
	}
	var end int64
	var behind bool
	err := queryRow(ctx, tx, s.sql.frontier, nil, &end, &behind)
	if err == nil && behind {
		err = s.tables.behind()
	}
	return s.fences.before(tx, end), err
}

// GetLatestGlobalPosition returns the highest position that tx can see, its own appends included, or 0; see
// [runtime.GlobalPositionReader].
func (s *Store) GetLatestGlobalPosition(ctx context.Context, tx *sql.Tx) (int64, error) {
	var latest int64
	if tx == nil {
		return 0, fmt.Errorf("read the latest position: %w", errNoTransaction)
	}
	if err := queryRow(ctx, tx, s.sql.latest, nil, &latest); err != nil {
		return 0, fmt.Errorf("read the latest position: %w", s.explain(ctx, tx, err))
	}
	return latest, nil
}

func (s *Store) logError(ctx context.Context, db queryer, err error) error {
	return fmt.Errorf("read the log: %w", s.explain(ctx, db, err))
}
