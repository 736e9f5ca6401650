package postgres

import (
	"context"
	"math"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/internal/appending"
)

// appendStreamsOnNode appends to streams of one log by the function of its node, and completes the results. It reports whether the streams were
// where they were expected; if not, nothing has changed. The function locks the log, and so needs no heads for guards.
func (s *Store[Tx]) appendStreamsOnNode(ctx context.Context, q querier, appends []runtime.StreamAppend, results []runtime.AppendResult) (expected bool, err error) {
	log, err := s.oneLogOf(appends)
	if err != nil {
		return false, err
	}
	stored := make([][]runtime.PersistedEvent, len(results))
	for i := range results {
		stored[i] = results[i].Events
	}
	r, err := q.query(ctx, s.in(log, s.sql.appendStreamsOnNode, nodeArguments(appends, stored)...))
	if err != nil {
		return false, err
	}
	defer r.Close()
	places := make(map[appending.StreamName]int, len(appends))
	firsts := make([]int64, len(appends))
	for i, a := range appends {
		places[appending.NameOf(a)] = i
		firsts[i] = math.MaxInt64
	}
	expected = true
	var position, version int64
	var name appending.StreamName
	for r.Next() {
		if err := r.Scan(&position, &version, &name.AggregateType, &name.AggregateID); err != nil {
			return false, err
		}
		if position == 0 {
			expected = false
			continue
		}
		i := places[name]
		results[i].GlobalPositions = append(results[i].GlobalPositions, position)
		firsts[i] = min(firsts[i], version)
	}
	r.Close()
	if err := r.Err(); err != nil || !expected {
		return false, err
	}
	return true, complete(appends, results, firsts)
}

// oneLogOf returns the log that all the streams are in.
func (s *Store[Tx]) oneLogOf(appends []runtime.StreamAppend) (string, error) {
	log := s.logOf(appending.NameOf(appends[0]).AggregateID)
	for _, a := range appends[1:] {
		if s.logOf(appending.NameOf(a).AggregateID) != log {
			return "", ErrSeveralLogs
		}
	}
	return log, nil
}

// nodeArguments returns the arguments of the function but for the log: the streams by column, and all their events by column, in the
// order of the streams.
func nodeArguments(appends []runtime.StreamAppend, stored [][]runtime.PersistedEvent) []any {
	n := len(appends)
	types, ids := make([]string, n), make([]string, n)
	lowest, highest, counts := make([]int64, n), make([]int64, n), make([]int64, n)
	var events []runtime.PersistedEvent
	for i, a := range appends {
		name := appending.NameOf(a)
		types[i], ids[i] = name.AggregateType, name.AggregateID
		lowest[i], highest[i] = bounds(a.Expected)
		counts[i] = int64(len(stored[i]))
		events = append(events, stored[i]...)
	}
	return append([]any{types, ids, lowest, highest, counts}, newColumns(events).arguments()...)
}
