package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/internal/appending"
)

// Append adds events to their stream; see [runtime.EventStore].
//
// After a [*runtime.ConflictError], a recognised retry and [runtime.ErrDuplicateEvent] nothing was written and the
// transaction goes on. A transaction that did not begin as one that writes (BEGIN IMMEDIATE, as [Open] has it) may find
// here that another one has written since its first read: [runtime.Retryable] is true, and only a rollback helps.
//
// When ctx ends in the middle, SQLite rolls back the whole transaction.
func (s *Store) Append(ctx context.Context, tx *sql.Tx, expected runtime.ExpectedVersion, events []runtime.Event) (runtime.AppendResult, error) {
	if err := runtime.ValidateAppend(expected, events); err != nil {
		return runtime.AppendResult{}, fmt.Errorf("append: %w", err)
	}
	aggregateType, aggregateID := events[0].AggregateType, events[0].AggregateID
	result, err := s.append(ctx, tx, expected, events)
	if err != nil {
		s.debug(ctx, "append refused", "aggregate_type", aggregateType, "aggregate_id", aggregateID, "error", err)
		return runtime.AppendResult{}, fmt.Errorf("append to %s %q: %w", aggregateType, aggregateID, s.explain(ctx, tx, err))
	}
	if s.logger != nil {
		s.logger.Debug(ctx, "appended", "aggregate_type", aggregateType, "aggregate_id", aggregateID,
			"events", len(events), "version", result.ToVersion(), "already_stored", result.AlreadyStored)
	}
	return result, nil
}

func (s *Store) append(ctx context.Context, tx *sql.Tx, expected runtime.ExpectedVersion, events []runtime.Event) (runtime.AppendResult, error) {
	version, end, err := s.ends(ctx, tx, events[0].AggregateType, events[0].AggregateID)
	if err != nil {
		return runtime.AppendResult{}, err
	}
	if !expected.Matches(version) {
		return s.whyNot(ctx, tx, runtime.StreamAppend{Expected: expected, Events: events}, version)
	}
	if chunkOf(len(events)) < len(events) {
		// Several statements: none may fail after the first.
		if err := s.refuseStored(ctx, tx, events); err != nil {
			return runtime.AppendResult{}, err
		}
	}
	result := appending.Result(appending.Events(events, s.clock), make([]int64, len(events)), version+1)
	err = s.insert(ctx, tx, end, result)
	if stateOf(err) == stateUniqueViolation {
		// Versions are unique by their making.
		if duplicate := s.refuseStored(ctx, tx, events); duplicate != nil {
			err = duplicate
		}
	}
	if err != nil {
		return runtime.AppendResult{}, err
	}
	s.fences.set(tx, end)
	return result, nil
}

// head returns the version of a stream.
func (s *Store) head(ctx context.Context, tx *sql.Tx, aggregateType, aggregateID string) (version int64, err error) {
	version, _, err = s.ends(ctx, tx, aggregateType, aggregateID)
	if errors.Is(err, ErrSequenceBehind) {
		err = nil // which is no concern of who reads a stream
	}
	return version, err
}

// ends returns the version of a stream, and where the log ends, which the next position has to follow.
func (s *Store) ends(ctx context.Context, tx *sql.Tx, aggregateType, aggregateID string) (version, end int64, err error) {
	if tx == nil {
		return 0, 0, errNoTransaction
	}
	var behind bool
	err = queryRow(ctx, tx, s.sql.head, []any{aggregateType, aggregateID}, &version, &end, &behind)
	if err == nil && behind {
		err = s.tables.behind()
	}
	return version, end, err
}

// chunkOf returns how many of n events the next statement appends.
func chunkOf(n int) int { return chunks[chunkIndex(n)] }

func chunkIndex(n int) int {
	return slices.IndexFunc(chunks[:], func(chunk int) bool { return chunk <= n })
}

// insert stores the events, which have their versions, behind the end of the log, and notes their positions. Nobody else
// can write by now, so these are the next ones: AUTOINCREMENT adds one for each row, in the order of the rows.
func (s *Store) insert(ctx context.Context, tx *sql.Tx, end int64, r runtime.AppendResult) error {
	args := make([]any, 0, chunkOf(len(r.Events))*12)
	for from := 0; from < len(r.Events); {
		chunk := chunkIndex(len(r.Events) - from)
		to := from + chunks[chunk]
		args = args[:0]
		for i := from; i < to; i++ {
			r.GlobalPositions[i] = end + 1 + int64(i)
			r.Events[i].GlobalPosition = r.GlobalPositions[i]
			args = appendEvent(args, &r.Events[i])
		}
		stored, err := tx.ExecContext(ctx, s.sql.append[chunk], args...)
		if err != nil {
			return err
		}
		last, err := stored.LastInsertId()
		if err == nil && last != r.GlobalPositions[to-1] {
			err = fmt.Errorf("an event was stored at position %d, and %d is the next; roll back", last, r.GlobalPositions[to-1])
		}
		if err != nil {
			return err
		}
		from = to
	}
	return nil
}

// appendEvent adds an event to the arguments of an insert.
func appendEvent(args []any, e *runtime.PersistedEvent) []any {
	return append(args,
		e.AggregateType,
		e.AggregateID,
		e.AggregateVersion,
		e.EventID.String(),
		e.EventType,
		int64(e.EventVersion),
		e.Payload,
		optional(&e.TraceID),
		optional(&e.CorrelationID),
		optional(&e.CausationID),
		document(e.Metadata),
		timeText(e.CreatedAt))
}

// optional returns a text as an argument, nil if it is absent.
func optional(text *runtime.NullString) any {
	if !text.Valid {
		return nil
	}
	return text.String
}

// document returns JSON as an argument, nil if it is nil.
func document(b []byte) any {
	if b == nil {
		return nil
	}
	return string(b)
}

// whyNot says why an append to a stream, or a guard, at a version that was not expected wrote nothing.
func (s *Store) whyNot(ctx context.Context, db queryer, a runtime.StreamAppend, version int64) (runtime.AppendResult, error) {
	earlier, err := s.eventsByID(ctx, db, a.Events)
	if err != nil {
		return runtime.AppendResult{}, err
	}
	name := appending.NameOf(a)
	return appending.Again(&runtime.ConflictError{
		AggregateType: name.AggregateType,
		AggregateID:   name.AggregateID,
		Expected:      a.Expected,
		Actual:        version,
	}, a.Events, earlier)
}

// refuseStored returns an error if one of the events is stored already.
func (s *Store) refuseStored(ctx context.Context, db queryer, events []runtime.Event) error {
	earlier, err := s.eventsByID(ctx, db, events)
	if err != nil || len(earlier) == 0 {
		return err
	}
	return appending.Duplicate(&earlier[0])
}

// eventsByID returns those of the events that are stored, by their IDs and in their order.
func (s *Store) eventsByID(ctx context.Context, db queryer, events []runtime.Event) ([]runtime.PersistedEvent, error) {
	ids := make([]string, len(events))
	for i := range events {
		ids[i] = events[i].EventID.String()
	}
	list, err := jsonList(ids)
	if err != nil {
		return nil, err
	}
	return collectEvents(ctx, db, nil, s.sql.eventsByID, list)
}

// jsonList returns values as an argument: an array of JSON, which SQL takes apart; nil for nil.
func jsonList[T any](values []T) (any, error) {
	if values == nil {
		return nil, nil
	}
	list, err := json.Marshal(values)
	return string(list), err
}

// explain returns an error of the store with its meaning.
func (s *Store) explain(ctx context.Context, db queryer, err error) error {
	return s.tables.explain(ctx, db, err, eventsTable(s.tables))
}
