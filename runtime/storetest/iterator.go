package storetest

import (
	"errors"
	"fmt"
	"iter"
	"testing"

	"github.com/eventmap/eventmap/runtime"
)

func (s *suite[Tx]) iteratorCases() []testCase {
	streams, log := []Ability{StreamIterator}, []Ability{LogIterator}
	return []testCase{
		{name: "StreamEvents/every window, forward and backward", needs: streams, run: s.iterateStream},
		{name: "StreamEvents/leaving early keeps the transaction", needs: append(streams, Transactions), run: s.leaveStream},
		{name: "StreamEvents/a limit below 0 is an error", needs: streams, run: func(t *testing.T) {
			store := s.Store.(runtime.StreamIterator[Tx])
			id := s.newStream()
			s.append(t, runtime.NoStream(), placed(id, 1))
			s.refusesLimit(t, func(tx Tx) iter.Seq2[runtime.PersistedEvent, error] {
				return store.StreamEvents(t.Context(), tx, aggregateType, id, runtime.StreamQuery{Limit: -1})
			})
		}},
		{name: "LogEvents/a limit below 0 is an error", needs: log, run: func(t *testing.T) {
			store := s.Store.(runtime.LogIterator[Tx])
			s.refusesLimit(t, func(tx Tx) iter.Seq2[runtime.PersistedEvent, error] {
				return store.LogEvents(t.Context(), tx, runtime.LogQuery{Limit: -1})
			})
		}},
		{name: "LogEvents/every selection", needs: log, run: s.iterateLog},
		{name: "LogEvents/leaving early keeps the transaction", needs: append(log, Transactions), run: s.leaveLog},
		{name: "LogEvents/ends at the frontier", needs: append(log, Transactions, ConcurrentWriters), run: s.iterateToFrontier},
	}
}

// collect returns all events of a sequence, which must not end in an error.
func collect(t *testing.T, seq iter.Seq2[runtime.PersistedEvent, error]) []runtime.PersistedEvent {
	t.Helper()
	var all []runtime.PersistedEvent
	for e, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func (s *suite[Tx]) refusesLimit(t *testing.T, events func(Tx) iter.Seq2[runtime.PersistedEvent, error]) {
	var last error
	s.in(t, func(tx Tx) error {
		for _, err := range events(tx) {
			last = err
		}
		return nil
	})
	if last == nil {
		t.Error("the sequence did not end in an error")
	}
}

func (s *suite[Tx]) iterateStream(t *testing.T) {
	store := s.Store.(runtime.StreamIterator[Tx])
	id, n := s.newStream(), 300
	all := s.append(t, runtime.NoStream(), placed(id, n)).Events
	for _, q := range []runtime.StreamQuery{
		{},
		{FromVersion: 1, ToVersion: 300},
		{FromVersion: 250},
		{FromVersion: -1, ToVersion: 3},
		{FromVersion: 301},
		{FromVersion: 10, ToVersion: 9},
		{FromVersion: 5, ToVersion: 290, Limit: 100},
		{Limit: 1},
		{Limit: 64},
		{Limit: 65},
		{Limit: 1000},
	} {
		for _, q.Backward = range []bool{false, true} {
			var want []runtime.PersistedEvent
			for i := range all {
				e := all[i]
				if q.Backward {
					e = all[n-1-i]
				}
				if e.AggregateVersion >= q.FromVersion && (q.ToVersion < 1 || e.AggregateVersion <= q.ToVersion) &&
					(q.Limit == 0 || len(want) < q.Limit) {
					want = append(want, e)
				}
			}
			s.in(t, func(tx Tx) error {
				equal(t, fmt.Sprintf("%+v", q), want, collect(t, store.StreamEvents(t.Context(), tx, aggregateType, id, q)))
				return nil
			})
		}
	}
	s.in(t, func(tx Tx) error {
		absent := store.StreamEvents(t.Context(), tx, aggregateType, s.newStream(), runtime.StreamQuery{})
		equal(t, "absent stream", 0, len(collect(t, absent)))
		return nil
	})
}

func (s *suite[Tx]) leaveStream(t *testing.T) {
	store := s.Store.(runtime.StreamIterator[Tx])
	id := s.newStream()
	s.append(t, runtime.NoStream(), placed(id, 200))
	for _, after := range []int{1, 64, 100} {
		s.in(t, func(tx Tx) error {
			seen := 0
			for _, err := range store.StreamEvents(t.Context(), tx, aggregateType, id, runtime.StreamQuery{}) {
				if err != nil {
					return err
				}
				if seen++; seen == after {
					break
				}
			}
			_, err := s.Store.Append(t.Context(), tx, runtime.NoStream(), placed(s.newStream(), 1))
			return err
		})
	}
}

func (s *suite[Tx]) iterateLog(t *testing.T) {
	store := s.Store.(runtime.LogIterator[Tx])
	before := s.end(t)
	kinds := []string{"Placed", "Paid", "Shipped"}
	for i := range 60 {
		events := placed(s.newStream(), 5)
		for j := range events {
			events[j].EventType = kinds[(i+j)%3]
			if i%4 == 0 {
				events[j].AggregateType = "Invoice"
			}
		}
		s.append(t, runtime.NoStream(), events)
	}
	all := s.log(t, before, 1000)
	for _, q := range []runtime.LogQuery{
		{},
		{Limit: 7},
		{Limit: 100},
		{AggregateTypes: []string{"Invoice"}},
		{EventTypes: []string{"Paid", "Shipped"}},
		{AggregateTypes: []string{aggregateType, "Invoice"}, EventTypes: []string{"Paid"}, Limit: 70},
		{AggregateTypes: []string{"Unheard of"}},
		{AggregateTypes: []string{}, EventTypes: []string{}},
		{FromPosition: all[100].GlobalPosition},
		{FromPosition: all[len(all)-1].GlobalPosition},
	} {
		q.FromPosition = max(q.FromPosition, before)
		var want []runtime.PersistedEvent
		for _, e := range all {
			if e.GlobalPosition > q.FromPosition && selected(q.AggregateTypes, e.AggregateType) &&
				selected(q.EventTypes, e.EventType) && (q.Limit == 0 || len(want) < q.Limit) {
				want = append(want, e)
			}
		}
		s.in(t, func(tx Tx) error {
			equal(t, fmt.Sprintf("%+v", q), want, collect(t, store.LogEvents(t.Context(), tx, q)))
			return nil
		})
	}
}

func selected(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return len(names) == 0
}

func (s *suite[Tx]) leaveLog(t *testing.T) {
	store := s.Store.(runtime.LogIterator[Tx])
	before := s.end(t)
	s.append(t, runtime.NoStream(), placed(s.newStream(), 200))
	for _, after := range []int{1, 64, 100} {
		s.in(t, func(tx Tx) error {
			seen := 0
			for _, err := range store.LogEvents(t.Context(), tx, runtime.LogQuery{FromPosition: before}) {
				if err != nil {
					return err
				}
				if seen++; seen == after {
					break
				}
			}
			_, err := s.Store.Append(t.Context(), tx, runtime.NoStream(), placed(s.newStream(), 1))
			return err
		})
	}
}

func (s *suite[Tx]) iterateToFrontier(t *testing.T) {
	store := s.Store.(runtime.LogIterator[Tx])
	before := s.end(t)
	first := s.append(t, runtime.NoStream(), placed(s.newStream(), 100))
	early := s.begin(t)
	if _, err := s.Store.Append(t.Context(), early.Tx, runtime.NoStream(), placed(s.newStream(), 1)); err != nil {
		t.Fatal(err)
	}
	s.append(t, runtime.NoStream(), placed(s.newStream(), 1))
	s.in(t, func(tx Tx) error {
		got := collect(t, store.LogEvents(t.Context(), tx, runtime.LogQuery{FromPosition: before}))
		equal(t, "events with an append in flight", first.Events, got)
		return nil
	})
	// The frontier is that of the beginning: what is committed while the sequence runs waits for the next one.
	s.in(t, func(tx Tx) error {
		seen := 0
		for _, err := range store.LogEvents(t.Context(), tx, runtime.LogQuery{FromPosition: before}) {
			if err != nil {
				return err
			}
			if seen++; seen == 1 {
				if err := early.Commit(t.Context()); err != nil {
					return err
				}
			}
		}
		if seen != 100 {
			return errors.New(fmt.Sprint("the sequence gave ", seen, " events, want 100"))
		}
		return nil
	})
}
