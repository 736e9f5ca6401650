package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/eventmap/eventmap/runtime"
)

// errLimit: a read was given a limit that could only return nothing, which would look like the end of the log.
var errLimit = errors.New("limit is less than 1")

// ReadEvents returns up to limit events after fromPosition, in position order, none beyond the frontier; see
// [runtime.EventReader]. Its own transaction's appends are in flight too: they are not returned before it commits.
//
// It needs READ COMMITTED, a primary server and a sequence that draws positions one by one; else it returns [ErrIsolation],
// [ErrStandby] or [ErrSequence], and the transaction goes on. The events share blocks of memory of up to 16 KiB: to keep
// one of them is to keep its block.
func (s *Store[Tx]) ReadEvents(ctx context.Context, tx Tx, fromPosition int64, limit int) ([]runtime.PersistedEvent, error) {
	if limit < 1 {
		return nil, fmt.Errorf("read the log: %w: %d", errLimit, limit)
	}
	p := logPage{after: fromPosition, limit: limit}
	db, err := s.logQuerier(ctx, tx)
	if err != nil {
		return nil, s.logError(err)
	}
	_, r, err := s.openLog(ctx, db, p)
	if err != nil {
		return nil, s.logError(err)
	}
	events, err := newDecoder().collect(nil, r, limit)
	if err == nil {
		err = s.tables.checkConsecutive(s.log, fromPosition, events)
	}
	if err != nil {
		return nil, s.logError(err)
	}
	return events, nil
}

// LogEvents yields the events that query selects, up to the frontier as it stood when the sequence began; see
// [runtime.LogIterator]. It reads page by page, so memory stays flat, leaving the loop early costs nothing, and tx may be
// used inside the loop. It needs what [Store.ReadEvents] needs.
func (s *Store[Tx]) LogEvents(ctx context.Context, tx Tx, q runtime.LogQuery) iter.Seq2[runtime.PersistedEvent, error] {
	return func(yield func(runtime.PersistedEvent, error) bool) {
		if q.Limit < 0 {
			yield(runtime.PersistedEvent{}, fmt.Errorf("read the log: %w: %d", errLimit, q.Limit))
			return
		}
		db, err := s.logQuerier(ctx, tx)
		if err != nil {
			yield(runtime.PersistedEvent{}, s.logError(err))
			return
		}
		p := logPage{after: q.FromPosition, aggregateTypes: q.AggregateTypes, eventTypes: q.EventTypes}
		open := func(limit int) (rows, error) {
			p.limit = limit
			if p.frontier != nil {
				return db.query(ctx, s.logQuery(p))
			}
			frontier, r, err := s.openLog(ctx, db, p)
			p.frontier = &frontier
			return r, err
		}
		for pages := newPager(q.Limit); !pages.done; {
			page, err := pages.next(open)
			if err == nil && p.isWhole() {
				err = s.tables.checkConsecutive(s.log, p.after, page)
			}
			if err != nil {
				yield(runtime.PersistedEvent{}, s.logError(err))
				return
			}
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
				p.after = e.GlobalPosition
			}
		}
	}
}

// SafeGlobalPosition returns the frontier: no append in flight and none to come brings an event at or below it; see
// [runtime.SafePositionReader]. It is not always that of an event, and a later call may return less, while an append that
// began early is in flight; what was said of the higher one stays true.
//
// Where it serves as a checkpoint, keep that in the same database. An immediate shutdown may take back positions that
// were drawn and never committed, together with every checkpoint committed there since, but not one kept elsewhere.
//
// It needs what [Store.ReadEvents] needs.
func (s *Store[Tx]) SafeGlobalPosition(ctx context.Context, tx Tx) (int64, error) {
	var f frontier
	db, err := s.logQuerier(ctx, tx)
	if err == nil {
		err = queryRow(ctx, db, s.in(s.log, s.sql.frontier), f.dest()...)
	}
	if err != nil {
		return 0, fmt.Errorf("read the frontier: %w", s.tables.classify(err, false))
	}
	if err := f.check(s.tables); err != nil {
		return 0, fmt.Errorf("read the frontier: %w", err)
	}
	return f.position, nil
}

// GetLatestGlobalPosition returns the highest position that tx can see, or 0; see [runtime.GlobalPositionReader]. It works
// at every isolation level and on a standby, and is no checkpoint.
func (s *Store[Tx]) GetLatestGlobalPosition(ctx context.Context, tx Tx) (int64, error) {
	var latest int64
	db, err := s.logQuerier(ctx, tx)
	if err == nil {
		err = queryRow(ctx, db, s.in(s.log, s.sql.latest), &latest)
	}
	if err != nil {
		return 0, fmt.Errorf("read the latest position: %w", s.tables.classify(err, false))
	}
	return latest, nil
}

// logQuerier is querier for what is asked of a log as a whole.
func (s *Store[Tx]) logQuerier(ctx context.Context, tx Tx) (querier, error) {
	if s.tables.areMany() && s.log == "" && s.invalid == nil {
		return nil, ErrManyLogs
	}
	return s.querier(ctx, tx)
}

// A frontier is the answer to the frontier statement.
type frontier struct {
	position  int64
	isolation string
	standby   bool
	ordered   bool // positions are drawn in rising order
	behind    bool // the log has positions that were not drawn
}

func (f *frontier) dest() []any {
	return []any{&f.position, &f.isolation, &f.standby, &f.ordered, &f.behind}
}

// check returns an error where the frontier does not hold. PostgreSQL runs READ UNCOMMITTED as READ COMMITTED.
func (f *frontier) check(t tables) error {
	switch {
	case f.standby:
		return ErrStandby
	case f.isolation != "read committed" && f.isolation != "read uncommitted":
		return fmt.Errorf("%w, not in %s", ErrIsolation, f.isolation)
	case !f.ordered:
		return ErrSequence
	case f.behind:
		return t.behind()
	}
	return nil
}

// A logPage is a part of the log, or of a selection of it.
type logPage struct {
	after          int64
	frontier       *int64 // nil: as the frontier statement has just left it in a setting of the transaction
	limit          int
	aggregateTypes []string
	eventTypes     []string
}

// isWhole reports whether the page is of all events, and not of a selection.
func (p *logPage) isWhole() bool { return len(p.aggregateTypes)+len(p.eventTypes) == 0 }

func (s *Store[Tx]) logQuery(p logPage) query {
	if p.isWhole() {
		return s.in(s.log, s.sql.log, p.after, p.frontier, int64(p.limit))
	}
	return s.in(s.log, s.sql.logFiltered, p.after, p.frontier, int64(p.limit), anyOf(p.aggregateTypes), anyOf(p.eventTypes))
}

// anyOf returns names as an argument in which none means all.
func anyOf(names []string) []string {
	if len(names) == 0 {
		return nil
	}
	return names
}

// openLog returns the frontier, and the rows of the page up to it from a snapshot that is taken after it.
func (s *Store[Tx]) openLog(ctx context.Context, q querier, p logPage) (position int64, r rows, err error) {
	var f frontier
	if s.tables.citus { // a setting that a node makes is not there for the next statement
		err := queryRow(ctx, q, s.in(s.log, s.sql.frontier), f.dest()...)
		if err == nil {
			err = f.check(s.tables)
		}
		if err != nil {
			return 0, nil, err
		}
		p.frontier = &f.position
		r, err = q.query(ctx, s.logQuery(p))
		return f.position, r, err
	}
	r, err = q.queryAfter(ctx, s.in(s.log, s.sql.frontier), f.dest(), s.logQuery(p))
	if err != nil {
		return 0, nil, err
	}
	if err := f.check(s.tables); err != nil {
		r.Close()
		return 0, nil, err
	}
	return f.position, r, nil
}

func (s *Store[Tx]) logError(err error) error {
	return fmt.Errorf("read the log: %w", s.tables.classify(err, false))
}
