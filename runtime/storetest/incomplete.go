package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/eventmap/eventmap/runtime"
)

// A damage is what happens to a stream of nine events: those from from to to are removed.
type damage struct {
	name     string
	from, to int64
	missing  []window
	whole    []window
}

// A window is what is read of a damaged stream: from version from to version to, 0 for an open side; missing is the version
// that the error has to name when it is read forward, backward when it is read from the newest to the oldest.
type window struct{ from, to, missing, backward int64 }

var damages = []damage{
	{
		name: "its first versions", from: 1, to: 3,
		missing: []window{{missing: 1, backward: 3}, {to: 5, missing: 1, backward: 3}, {from: 3, missing: 3, backward: 3}, {to: 2, missing: 1, backward: 2}},
		whole:   []window{{from: 4}, {from: 5, to: 8}, {from: 20}},
	},
	{
		name: "a version in the middle", from: 5, to: 5,
		missing: []window{{missing: 5, backward: 5}, {from: 5, missing: 5, backward: 5}, {to: 5, missing: 5, backward: 5}, {from: 5, to: 5, missing: 5, backward: 5}},
		whole:   []window{{from: 6}, {to: 4}},
	},
}

func (s *suite[Tx]) incompleteCases() []testCase {
	var cases []testCase
	for _, d := range damages {
		cases = append(cases,
			testCase{name: "Incomplete/a stream without " + d.name, needs: []Ability{Removal}, run: func(t *testing.T) { s.readIncomplete(t, d) }},
			testCase{name: "Incomplete/an iterator over a stream without " + d.name, needs: []Ability{Removal, StreamIterator},
				run: func(t *testing.T) { s.iterateIncomplete(t, d) }})
	}
	return cases
}

// damaged returns the name of a stream with nine events, some of which are gone, and those that are left.
func (s *suite[Tx]) damaged(t *testing.T, d damage) (id string, left []runtime.PersistedEvent) {
	id = s.newStream()
	for _, e := range s.append(t, runtime.NoStream(), placed(id, 9)).Events {
		if e.AggregateVersion < d.from || e.AggregateVersion > d.to {
			left = append(left, e)
		}
	}
	if err := s.Remove(t.Context(), aggregateType, id, d.from, d.to); err != nil {
		t.Fatalf("remove versions %d to %d: %v", d.from, d.to, err)
	}
	return id, left
}

// of returns the events that are in the window.
func (w window) of(events []runtime.PersistedEvent) (in []runtime.PersistedEvent) {
	for _, e := range events {
		if e.AggregateVersion >= w.from && (w.to == 0 || e.AggregateVersion <= w.to) {
			in = append(in, e)
		}
	}
	return in
}

func (s *suite[Tx]) readIncomplete(t *testing.T, d damage) {
	id, left := s.damaged(t, d)
	read := func(w window) (stream runtime.Stream, err error) {
		var to *int64
		if w.to != 0 {
			to = &w.to
		}
		s.reading(t, func(tx Tx) error {
			stream, err = s.Store.ReadAggregateStream(t.Context(), tx, aggregateType, id, &w.from, to)
			return nil
		})
		return stream, err
	}
	for _, w := range d.whole {
		stream, err := read(w)
		if err != nil {
			t.Errorf("%+v: %v; want no error for a window that lacks nothing", w, err)
		}
		equal(t, fmt.Sprintf("events of %+v", w), w.of(left), append([]runtime.PersistedEvent(nil), stream.Events...))
	}
	for _, w := range d.missing {
		stream, err := read(w)
		incomplete := s.incomplete(t, fmt.Sprintf("%+v", w), id, w.missing, err)
		if incomplete == nil {
			continue
		}
		equal(t, "events beside the error", 0, stream.Len())
		equal(t, fmt.Sprintf("Found of %+v", w), w.of(left), append([]runtime.PersistedEvent(nil), incomplete.Found.Events...))
	}
}

// incomplete returns err as the error that it has to be, or fails t and returns nil.
func (s *suite[Tx]) incomplete(t *testing.T, what, id string, missing int64, err error) *runtime.IncompleteStreamError {
	t.Helper()
	var incomplete *runtime.IncompleteStreamError
	if !errors.As(err, &incomplete) {
		t.Errorf("%s: error is %v, want a *runtime.IncompleteStreamError", what, err)
		return nil
	}
	equal(t, what+": aggregate type", aggregateType, incomplete.AggregateType)
	equal(t, what+": aggregate ID", id, incomplete.AggregateID)
	equal(t, what+": head", int64(9), incomplete.Head)
	equal(t, what+": missing version", missing, incomplete.Missing)
	return incomplete
}

func (s *suite[Tx]) iterateIncomplete(t *testing.T, d damage) {
	store := s.Store.(runtime.StreamIterator[Tx])
	id, left := s.damaged(t, d)
	for _, backward := range []bool{false, true} {
		iterate := func(w window, allow bool) (events []runtime.PersistedEvent, last error) {
			s.reading(t, func(tx Tx) error {
				q := runtime.StreamQuery{FromVersion: w.from, ToVersion: w.to, Backward: backward, AllowIncomplete: allow}
				for e, err := range store.StreamEvents(t.Context(), tx, aggregateType, id, q) {
					if err != nil {
						last = err
						return nil
					}
					events = append(events, e)
				}
				return nil
			})
			if backward {
				for i, j := 0, len(events)-1; i < j; i, j = i+1, j-1 {
					events[i], events[j] = events[j], events[i]
				}
			}
			return events, last
		}
		for _, w := range d.whole {
			events, err := iterate(w, false)
			if err != nil {
				t.Errorf("%+v, backward %t: %v; want no error for a window that lacks nothing", w, backward, err)
			}
			equal(t, fmt.Sprintf("events of %+v", w), w.of(left), events)
		}
		for _, w := range d.missing {
			missing := w.missing
			if backward {
				missing = w.backward
			}
			events, err := iterate(w, false)
			_ = s.incomplete(t, fmt.Sprintf("%+v, backward %t", w, backward), id, missing, err)
			before := window{from: w.from, to: missing}
			if backward {
				before = window{from: missing, to: w.to}
			}
			equal(t, fmt.Sprintf("events before the gap of %+v, backward %t", w, backward), before.of(left), events)
			events, err = iterate(w, true)
			if err != nil {
				t.Errorf("%+v, backward %t, AllowIncomplete: %v", w, backward, err)
			}
			equal(t, fmt.Sprintf("events of %+v, backward %t, AllowIncomplete", w, backward), w.of(left), events)
		}
	}
}
