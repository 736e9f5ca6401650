package postgres

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/internal/appending"
)

// Append adds events to their stream in one statement and one round trip; see [runtime.EventStore].
//
// At READ COMMITTED, PostgreSQL's default, a [*runtime.ConflictError] and a recognised retry leave the transaction
// usable; they cost one round trip more. An append that meets another's row waits for that transaction to end. At
// REPEATABLE READ and SERIALIZABLE a lost race ends the transaction with SQLSTATE 40001: errors.Is finds
// [runtime.ErrOptimisticConcurrency], [runtime.Retryable] is true, and errors.As finds the *pgconn.PgError.
//
// [runtime.ErrDuplicateEvent] ends the transaction where the server found the duplicate: the version was as expected and
// a unique constraint was not. Where the version already was not, nothing had been written, and the transaction goes on.
//
// An append that fails for another reason ends the transaction, as every failed statement does in PostgreSQL.
func (s *Store[Tx]) Append(ctx context.Context, tx Tx, expected runtime.ExpectedVersion, events []runtime.Event) (runtime.AppendResult, error) {
	if err := s.validate(expected, events); err != nil {
		return runtime.AppendResult{}, fmt.Errorf("append: %w", err)
	}
	aggregateType, aggregateID := events[0].AggregateType, events[0].AggregateID
	db, err := s.querier(ctx, tx)
	var result runtime.AppendResult
	if err == nil {
		result, err = s.append(ctx, db, expected, events)
	}
	if err != nil {
		s.debug(ctx, "append refused", "aggregate_type", aggregateType, "aggregate_id", aggregateID, "error", err)
		return runtime.AppendResult{}, fmt.Errorf("append to %s %q: %w", aggregateType, aggregateID, s.tables.classify(err, true))
	}
	if s.logger != nil {
		s.logger.Debug(ctx, "appended", "aggregate_type", aggregateType, "aggregate_id", aggregateID,
			"events", len(events), "version", result.ToVersion(), "already_stored", result.AlreadyStored)
	}
	return result, nil
}

func (s *Store[Tx]) append(ctx context.Context, q querier, expected runtime.ExpectedVersion, events []runtime.Event) (runtime.AppendResult, error) {
	return s.appendStored(ctx, q, expected, events, appending.Events(events, s.clock))
}

// appendStored appends events whose stored form is given too. An error of the append statement itself is a [*statementError].
func (s *Store[Tx]) appendStored(ctx context.Context, q querier, expected runtime.ExpectedVersion, events []runtime.Event, stored []runtime.PersistedEvent) (runtime.AppendResult, error) {
	look := s.looks.over(q)
	drawn := look.recent()
	for attempt := 1; ; attempt++ {
		began := sinceStart()
		positions, first, err := appended(ctx, q, s.appendQuery(expected, stored, drawn), len(events))
		if err != nil {
			return runtime.AppendResult{}, &statementError{err}
		}
		switch n := len(positions); {
		case n == len(events):
			look.drew(positions[n-1], drawn == 0, began)
			return appending.Result(stored, positions, first), nil
		case n > 0:
			return runtime.AppendResult{}, storedFewer(n, len(events))
		}
		earlier, err := s.whyNot(ctx, q, runtime.StreamAppend{Expected: expected, Events: events})
		// Between the two statements the stream may have come to where it was expected. It does not go back, so the
		// second attempt either succeeds or finds it further on. Or the sequence is not where it was; then that one looks.
		if appending.HasChanged(err) {
			if attempt == 1 {
				drawn = 0
				continue
			}
			err = storedFewer(0, len(events))
		}
		return earlier, err
	}
}

// appended runs an append statement and returns the positions of the new events, rising, and the version of the first;
// none if the stream was not at the expected version.
func appended(ctx context.Context, q querier, statement query, n int) (positions []int64, first int64, err error) {
	r, err := q.query(ctx, statement)
	if err != nil {
		return nil, 0, err
	}
	defer r.Close()
	first = math.MaxInt64
	var position, version int64
	dest := []any{&position, &version}
	for r.Next() {
		if positions == nil {
			positions = make([]int64, 0, n)
		}
		if err := r.Scan(dest...); err != nil {
			return nil, 0, err
		}
		if position == 0 {
			continue // so the node of a log says that it stored nothing
		}
		positions = append(positions, position)
		first = min(first, version)
	}
	r.Close()
	slices.Sort(positions) // SQL promises no order for RETURNING; positions rise with versions, so this is theirs
	return positions, first, r.Err()
}

// whyNot says why an append to a stream, or a guard, wrote nothing. The stream may hold these very events right after the
// expected version, from an earlier attempt: their result is returned. Else the error is a duplicate or a conflict.
func (s *Store[Tx]) whyNot(ctx context.Context, q querier, a runtime.StreamAppend) (runtime.AppendResult, error) {
	name := appending.NameOf(a)
	conflict := &runtime.ConflictError{AggregateType: name.AggregateType, AggregateID: name.AggregateID, Expected: a.Expected}
	r, err := q.queryAfter(ctx,
		s.of(name.AggregateID, s.sql.headOrLog, name.AggregateType, name.AggregateID), []any{&conflict.Actual},
		s.byID(eventIDs(a.Events), name.AggregateID))
	if err != nil {
		return runtime.AppendResult{}, err
	}
	earlier, err := newDecoder().collect(nil, r, len(a.Events))
	if err != nil {
		return runtime.AppendResult{}, err
	}
	return appending.Again(conflict, a.Events, earlier)
}
