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
	if err := validateStreams(appends); err != nil {
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
	places := make(map[streamName]int, len(appends))
	for i, a := range appends {
		results[i].Events = s.stored(a.Events)
		places[nameOf(a)] = i
	}
	statement := query{s.sql.appendStreams, s.streamsArguments(appends, results)}

	// A repetition follows each time another transaction created one of the streams, or brought one to its expected
	// version, at that very moment. Each stream can do that once.
	for range 2*len(appends) + 1 {
		unfinished, err := s.appendedStreams(ctx, q, statement, places, results)
		if err != nil {
			return nil, err
		}
		if len(unfinished) > 0 {
			if err := s.undo(ctx, q, unfinished); err != nil {
				return nil, err
			}
		} else if results[0].GlobalPositions != nil {
			return results, nil
		}
		earlier, again, err := s.whyNotStreams(ctx, q, appends)
		if err != nil || !again {
			return earlier, err
		}
	}
	return nil, errors.New("streams kept changing")
}

// appendedStreams runs the statement and fills in the results. If streams are returned, the statement has created their
// heads and could not complete: another transaction created one of the others.
func (s *Store[Tx]) appendedStreams(ctx context.Context, q querier, statement query, places map[streamName]int, results []runtime.AppendResult) (unfinished []streamName, err error) {
	r, err := q.query(ctx, statement)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var position, version int64
	var name streamName
	firsts := make([]int64, len(results))
	for i := range firsts {
		firsts[i] = math.MaxInt64
	}
	for r.Next() {
		if err := r.Scan(&position, &version, &name.aggregateType, &name.aggregateID); err != nil {
			return nil, err
		}
		if position == 0 {
			unfinished = append(unfinished, name)
			continue
		}
		i := places[name]
		results[i].GlobalPositions = append(results[i].GlobalPositions, position)
		firsts[i] = min(firsts[i], version)
	}
	r.Close()
	if err := r.Err(); err != nil || len(unfinished) > 0 || results[0].GlobalPositions == nil {
		return unfinished, err
	}
	for i := range results {
		slices.Sort(results[i].GlobalPositions)
		results[i] = result(results[i].Events, results[i].GlobalPositions, firsts[i])
	}
	return nil, nil
}

// undo deletes heads that this transaction has just created and that have no events.
func (s *Store[Tx]) undo(ctx context.Context, q querier, heads []streamName) error {
	types, ids := make([]string, len(heads)), make([]string, len(heads))
	for i, h := range heads {
		types[i], ids[i] = h.aggregateType, h.aggregateID
	}
	var undone int64
	return queryRow(ctx, q, query{s.sql.undoStreams, []any{types, ids}}, &undone)
}

// whyNotStreams says why an append to several streams wrote nothing: all of it was stored before, or the error is that
// of one stream, or there is no reason any more and it should be tried again.
func (s *Store[Tx]) whyNotStreams(ctx context.Context, q querier, appends []runtime.StreamAppend) (earlier []runtime.AppendResult, again bool, err error) {
	earlier = make([]runtime.AppendResult, len(appends))
	var first error
	found := 0
	for i, a := range appends {
		var conflict *runtime.ConflictError
		r, err := s.whyNot(ctx, q, a.Expected, a.Events)
		switch {
		case err == nil:
			earlier[i] = r
			found++
		case errors.As(err, &conflict):
			if first == nil && !a.Expected.Matches(conflict.Actual) {
				first = err
			}
		default:
			return nil, false, err
		}
	}
	switch {
	case found == len(appends):
		return earlier, false, nil
	case found > 0:
		return nil, false, fmt.Errorf("%w: %d of the %d streams hold their events", runtime.ErrDuplicateEvent, found, len(appends))
	}
	return nil, first == nil, first
}

// A streamName tells streams apart.
type streamName struct{ aggregateType, aggregateID string }

func nameOf(a runtime.StreamAppend) streamName {
	return streamName{a.Events[0].AggregateType, a.Events[0].AggregateID}
}

// validateStreams returns the first fault of an append to several streams.
func validateStreams(appends []runtime.StreamAppend) error {
	if len(appends) == 0 {
		return runtime.ErrNoEvents
	}
	names := make(map[streamName]int, len(appends))
	ids := make(map[[16]byte]int)
	for i, a := range appends {
		if err := validate(a.Expected, a.Events); err != nil {
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
	args := []any{types, ids, lowest, highest, counts, eventTypes, eventIDs, places}
	return s.withNotify(append(args, newColumns(events).arguments()...))
}
