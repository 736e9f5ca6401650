package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/eventmap/eventmap/runtime"
)

// AppendStreams appends to several streams, all or nothing, in one statement and one round trip; see
// [runtime.StreamsAppender]. Streams are locked in the order of their names, whatever the order of the arguments. Errors
// and what they do to the transaction are those of [Store.Append]; a conflict is that of the first stream, by the order
// of the arguments, that has one. No appends at all is [runtime.ErrNoEvents].
//
// When every stream holds its events right after its expected version, the whole has happened before and every result is
// the first one. When only some do, the error is [runtime.ErrDuplicateEvent].
func (s *Store[Tx]) AppendStreams(ctx context.Context, tx Tx, appends ...runtime.StreamAppend) ([]runtime.AppendResult, error) {
	if err := s.validateStreams(appends); err != nil {
		return nil, fmt.Errorf("append to %d streams: %w", len(appends), err)
	}
	results, err := s.appendStreams(ctx, s.bind(tx), appends)
	if err != nil {
		s.debug(ctx, "append refused", "streams", len(appends), "error", err)
		return nil, fmt.Errorf("append to %d streams: %w", len(appends), s.tables.classify(err, true))
	}
	s.debug(ctx, "appended", "streams", len(appends))
	return results, nil
}

func (s *Store[Tx]) appendStreams(ctx context.Context, q querier, appends []runtime.StreamAppend) ([]runtime.AppendResult, error) {
	results := make([]runtime.AppendResult, len(appends))
	for i, a := range appends {
		results[i].Events = s.stored(a.Events)
	}
	statement := query{s.sql.appendStreams, s.streamsArguments(appends, results)}
	before, err := appendedStreams(ctx, q, statement, appends, results)
	if err != nil && !(s.alone && isDivisionByZero(err)) {
		return nil, err
	}
	if err == nil && before == nil {
		return results, nil
	}
	if before != nil {
		// The heads were changed before all of them were known. Were this left undone because the caller's context ends
		// here, the transaction could still be committed.
		if err := s.undo(context.WithoutCancel(ctx), q, before); err != nil {
			return nil, err
		}
	}
	return s.whyNotStreams(ctx, q, appends)
}

// appendedStreams runs the statement and fills in the results. If one of the streams was not where it was expected,
// nothing but the heads has changed; then it returns the version that each stream had before.
func appendedStreams(ctx context.Context, q querier, statement query, appends []runtime.StreamAppend, results []runtime.AppendResult) (before map[streamName]int64, err error) {
	r, err := q.query(ctx, statement)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	places := make(map[streamName]int, len(appends))
	firsts := make([]int64, len(appends))
	for i, a := range appends {
		places[nameOf(a)] = i
		firsts[i] = math.MaxInt64
	}
	var position, version int64
	var name streamName
	for r.Next() {
		if err := r.Scan(&position, &version, &name.aggregateType, &name.aggregateID); err != nil {
			return nil, err
		}
		if position == 0 {
			if before == nil {
				before = make(map[streamName]int64, len(appends))
			}
			before[name] = version
			continue
		}
		i := places[name]
		results[i].GlobalPositions = append(results[i].GlobalPositions, position)
		firsts[i] = min(firsts[i], version)
	}
	r.Close()
	if err := r.Err(); err != nil || before != nil {
		return before, err
	}
	for i := range results {
		slices.Sort(results[i].GlobalPositions)
		results[i] = result(results[i].Events, results[i].GlobalPositions, firsts[i])
	}
	return nil, nil
}

// undo sets heads back to the versions they had. The transaction has locked their rows, so nobody has seen the others.
func (s *Store[Tx]) undo(ctx context.Context, q querier, before map[streamName]int64) error {
	var types, ids []string
	var versions []int64
	for name, version := range before {
		types, ids, versions = append(types, name.aggregateType), append(ids, name.aggregateID), append(versions, version)
	}
	var undone int64
	err := queryRow(ctx, q, query{s.sql.undoStreams, []any{types, ids, versions}}, &undone)
	if err == nil && undone != int64(len(before)) {
		err = fmt.Errorf("set back %d of %d heads; roll back", undone, len(before))
	}
	return err
}

// whyNotStreams says why an append to several streams wrote nothing: all of it was stored before, or the error is that
// of one stream.
func (s *Store[Tx]) whyNotStreams(ctx context.Context, q querier, appends []runtime.StreamAppend) ([]runtime.AppendResult, error) {
	earlier := make([]runtime.AppendResult, len(appends))
	var first error
	found := 0
	for i, a := range appends {
		var conflict *runtime.ConflictError
		r, err := s.whyNot(ctx, q, a.Expected, a.Events)
		switch {
		case err == nil:
			earlier[i] = r
			found++
		case !errors.As(err, &conflict):
			return nil, err
		case first == nil && !a.Expected.Matches(conflict.Actual):
			first = err
		}
	}
	switch {
	case found == len(appends):
		return earlier, nil
	case found > 0:
		return nil, fmt.Errorf("%w: %d of the %d streams hold their events", runtime.ErrDuplicateEvent, found, len(appends))
	case first == nil:
		first = fmt.Errorf("%w: the streams have changed meanwhile", runtime.ErrOptimisticConcurrency)
	}
	return nil, first
}

// A streamName tells streams apart.
type streamName struct{ aggregateType, aggregateID string }

func nameOf(a runtime.StreamAppend) streamName {
	return streamName{a.Events[0].AggregateType, a.Events[0].AggregateID}
}

// validateStreams returns the first fault of an append to several streams.
func (s *Store[Tx]) validateStreams(appends []runtime.StreamAppend) error {
	if len(appends) == 0 {
		return runtime.ErrNoEvents
	}
	names := make(map[streamName]int, len(appends))
	ids := make(map[[16]byte]int)
	for i, a := range appends {
		if err := s.validate(a.Expected, a.Events); err != nil {
			return fmt.Errorf("stream %d: %w", i, err)
		}
		name := nameOf(a)
		if first, twice := names[name]; twice {
			return fmt.Errorf("stream %d: %w", i, &runtime.InvalidEventError{
				Index:  -1,
				Field:  "AggregateID",
				Reason: fmt.Sprintf("%q of %s is that of stream %d; give each stream once", name.aggregateID, name.aggregateType, first),
			})
		}
		names[name] = i
		for _, e := range a.Events {
			if first, twice := ids[e.EventID]; twice {
				return fmt.Errorf("stream %d: EventID %s is used in stream %d: %w", i, e.EventID, first, runtime.ErrDuplicateEvent)
			}
			ids[e.EventID] = i
		}
	}
	return nil
}

// streamsArguments returns the arguments of the statement: the streams by column, and all their events by column.
func (s *Store[Tx]) streamsArguments(appends []runtime.StreamAppend, results []runtime.AppendResult) []any {
	n := len(appends)
	types, ids := make([]string, n), make([]string, n)
	lowest, highest, counts := make([]int64, n), make([]int64, n), make([]int64, n)
	var events []runtime.PersistedEvent
	var eventTypes, eventIDs []string
	var places []int64
	for i, a := range appends {
		name := nameOf(a)
		types[i], ids[i] = name.aggregateType, name.aggregateID
		lowest[i], highest[i] = bounds(a.Expected)
		counts[i] = int64(len(a.Events))
		for place := range a.Events {
			eventTypes = append(eventTypes, name.aggregateType)
			eventIDs = append(eventIDs, name.aggregateID)
			places = append(places, int64(place)+1)
		}
		events = append(events, results[i].Events...)
	}
	args := []any{types, ids, lowest, highest, counts, s.alone, eventTypes, eventIDs, places}
	return s.withNotify(append(args, newColumns(events).arguments()...))
}
