package postgres

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/internal/appending"
)

// AppendStreams appends to several streams, all or nothing, in one statement and one round trip; see
// [runtime.StreamsAppender]. Streams are locked in the order of their names, whatever the order of the arguments. Errors
// and what they do to the transaction are those of [Store.Append]; a conflict is that of the first stream, by the order
// of the arguments, that has one. No appends at all is [runtime.ErrNoEvents].
//
// When every stream holds its events right after its expected version, the whole has happened before and every result is
// the first one. When only some do, the error is [runtime.ErrDuplicateEvent].
//
// A guard takes the lock of its stream's head as an append does, so appends that guard one stream wait for each other.
func (s *Store[Tx]) AppendStreams(ctx context.Context, tx Tx, appends ...runtime.StreamAppend) ([]runtime.AppendResult, error) {
	if err := appending.ValidateStreams(appends, s.validateStream); err != nil {
		return nil, fmt.Errorf("append to %d streams: %w", len(appends), err)
	}
	db, err := s.querier(ctx, tx)
	var results []runtime.AppendResult
	if err == nil {
		results, err = s.appendStreams(ctx, db, appends)
	}
	if err != nil {
		s.debug(ctx, "append refused", "streams", len(appends), "error", err)
		return nil, fmt.Errorf("append to %d streams: %w", len(appends), s.tables.classify(err, true))
	}
	s.debug(ctx, "appended", "streams", len(appends))
	return results, nil
}

func (s *Store[Tx]) appendStreams(ctx context.Context, q querier, appends []runtime.StreamAppend) ([]runtime.AppendResult, error) {
	for attempt := 1; ; attempt++ {
		results, err := s.tryStreams(ctx, q, appends)
		// Between the statement and the reads that explain it the streams may have come to where they were expected.
		if err == nil || attempt > 1 || !appending.HasChanged(err) {
			return results, err
		}
	}
}

func (s *Store[Tx]) tryStreams(ctx context.Context, q querier, appends []runtime.StreamAppend) ([]runtime.AppendResult, error) {
	results := make([]runtime.AppendResult, len(appends))
	for i, a := range appends {
		if !a.IsGuard() {
			results[i].Events = appending.Events(a.Events, s.clock)
		}
	}
	if s.tables.citus {
		if expected, err := s.appendStreamsOnNode(ctx, q, appends, results); err != nil || expected {
			return results, err
		}
		return s.streamsAgain(ctx, q, appends)
	}
	statement := s.across(s.log, s.sql.appendStreams, s.streamsArguments(appends, results)...)
	before, err := s.appendedStreams(ctx, q, statement, appends, results)
	if err != nil && !(s.alone && isDivisionByZero(err)) {
		return nil, err
	}
	if err == nil && before == nil {
		return results, nil
	}
	if len(before) > 0 {
		// The heads were changed before all of them were known. Were this left undone because the caller's context ends
		// here, the transaction could still be committed.
		if err := s.undo(context.WithoutCancel(ctx), q, before); err != nil {
			return nil, err
		}
	}
	return s.streamsAgain(ctx, q, appends)
}

// streamsAgain says why an append to several streams wrote nothing.
func (s *Store[Tx]) streamsAgain(ctx context.Context, q querier, appends []runtime.StreamAppend) ([]runtime.AppendResult, error) {
	return appending.StreamsAgain(appends, func(a runtime.StreamAppend) (runtime.AppendResult, error) {
		return s.whyNot(ctx, q, a)
	})
}

// sendStreams runs the statement, and removes what it has to make for guards on streams that do not exist.
func (s *Store[Tx]) sendStreams(ctx context.Context, q querier, statement query, appends []runtime.StreamAppend) (rows, error) {
	var types, ids []string
	for _, a := range appends {
		if a.IsGuard() && a.Expected.IsNoStream() {
			types, ids = append(types, a.AggregateType), append(ids, a.AggregateID)
		}
	}
	if types == nil {
		return q.query(ctx, statement)
	}
	return q.queryBefore(ctx, statement, s.across(s.log, s.sql.releaseGuards, types, ids))
}

// appendedStreams runs the statement and completes the results. If one of the streams was not where it was expected, nothing
// but the heads has changed; then it returns the versions to which they are to be set back.
func (s *Store[Tx]) appendedStreams(ctx context.Context, q querier, statement query, appends []runtime.StreamAppend, results []runtime.AppendResult) (before map[appending.StreamName]int64, err error) {
	r, err := s.sendStreams(ctx, q, statement, appends)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	places := make(map[appending.StreamName]int, len(appends))
	firsts := make([]int64, len(appends))
	for i, a := range appends {
		places[appending.NameOf(a)] = i
		firsts[i] = math.MaxInt64
	}
	var position, version int64
	var name appending.StreamName
	for r.Next() {
		if err := r.Scan(&position, &version, &name.AggregateType, &name.AggregateID); err != nil {
			return nil, err
		}
		i := places[name]
		if position > 0 {
			results[i].GlobalPositions = append(results[i].GlobalPositions, position)
			firsts[i] = min(firsts[i], version)
			continue
		}
		if before == nil {
			before = make(map[appending.StreamName]int64, len(appends))
		}
		if name == (appending.StreamName{}) {
			continue // the log does not exist, so that nothing was changed; what explains that creates it
		}
		if a := appends[i]; version > 0 || !a.IsGuard() || !a.Expected.IsNoStream() { // else it is removed already
			before[name] = version
		}
	}
	r.Close()
	if err := r.Err(); err != nil || before != nil {
		return before, err
	}
	return nil, complete(appends, results, firsts)
}

// complete completes the results of an append to several streams, by the version of the first event of each.
func complete(appends []runtime.StreamAppend, results []runtime.AppendResult, firsts []int64) error {
	for i := range results {
		if stored, given := len(results[i].GlobalPositions), len(results[i].Events); stored < given {
			return storedFewer(stored, given)
		}
		if !appends[i].IsGuard() {
			slices.Sort(results[i].GlobalPositions)
			results[i] = appending.Result(results[i].Events, results[i].GlobalPositions, firsts[i])
		}
	}
	return nil
}

// undo sets heads back to the versions they had. The transaction has locked their rows, so nobody has seen the others.
func (s *Store[Tx]) undo(ctx context.Context, q querier, before map[appending.StreamName]int64) error {
	var types, ids []string
	var versions []int64
	for name, version := range before {
		types, ids, versions = append(types, name.AggregateType), append(ids, name.AggregateID), append(versions, version)
	}
	var undone int64
	err := queryRow(ctx, q, s.across(s.log, s.sql.undoStreams, types, ids, versions), &undone)
	if err == nil && undone != int64(len(before)) {
		err = fmt.Errorf("set back %d of %d heads; roll back", undone, len(before))
	}
	return err
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
		name := appending.NameOf(a)
		types[i], ids[i] = name.AggregateType, name.AggregateID
		lowest[i], highest[i] = bounds(a.Expected)
		counts[i] = int64(len(a.Events))
		for place := range a.Events {
			eventTypes = append(eventTypes, name.AggregateType)
			eventIDs = append(eventIDs, name.AggregateID)
			places = append(places, int64(place)+1)
		}
		events = append(events, results[i].Events...)
	}
	args := []any{types, ids, lowest, highest, counts, s.alone, eventTypes, eventIDs, places}
	return s.withNotify(append(args, newColumns(events).arguments()...))
}
