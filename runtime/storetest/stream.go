package storetest

import (
	"fmt"
	"math"
	"testing"

	"github.com/eventmap/eventmap/runtime"
)

func (s *suite[Tx]) streamCases() []testCase {
	cases := []testCase{
		{name: "Stream/absent one is empty and at version 0", run: s.streamAbsent},
		{name: "Stream/a name that no event can have is that of no stream", run: s.streamUnnameable},
		{name: "Stream/own appends are seen before the commit", needs: []Ability{Transactions}, run: s.streamOwn},
		{name: "Stream/others' appends are seen after the commit", needs: []Ability{Transactions, ConcurrentReaders}, run: s.streamOthers},
	}
	at := func(v int64) *int64 { return &v }
	for _, row := range []struct {
		from, to *int64
		want     []int64
	}{
		{nil, nil, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9}},
		{at(5), nil, []int64{5, 6, 7, 8, 9}},
		{at(9), nil, []int64{9}},
		{at(10), nil, nil},
		{at(20), nil, nil},
		{nil, at(3), []int64{1, 2, 3}},
		{nil, at(0), nil},
		{nil, at(-1), nil},
		{at(-5), at(2), []int64{1, 2}},
		{at(4), at(6), []int64{4, 5, 6}},
		{at(4), at(4), []int64{4}},
		{at(6), at(4), nil},
		{at(8), at(100), []int64{8, 9}},
		{at(math.MinInt64), at(math.MaxInt64), []int64{1, 2, 3, 4, 5, 6, 7, 8, 9}},
		{at(math.MaxInt64), at(math.MinInt64), nil},
		{at(math.MaxInt64), nil, nil},
		{nil, at(math.MinInt64), nil},
	} {
		show := func(v *int64) string {
			if v == nil {
				return "open"
			}
			return fmt.Sprint(*v)
		}
		cases = append(cases, testCase{
			name: fmt.Sprintf("Stream/at version 9, from %s to %s", show(row.from), show(row.to)),
			run: func(t *testing.T) {
				id := s.newStream()
				r := s.append(t, runtime.NoStream(), placed(id, 9))
				var want []runtime.PersistedEvent
				for _, version := range row.want {
					want = append(want, r.Events[version-1])
				}
				s.in(t, func(tx Tx) error {
					got, err := s.Store.ReadAggregateStream(t.Context(), tx, aggregateType, id, row.from, row.to)
					if err != nil {
						return err
					}
					equal(t, "aggregate type", aggregateType, got.AggregateType)
					equal(t, "aggregate ID", id, got.AggregateID)
					equal(t, "version", int64(9), got.Version())
					equal(t, "length", len(want), got.Len())
					equal(t, "IsEmpty", len(want) == 0, got.IsEmpty())
					equal(t, "events", want, append([]runtime.PersistedEvent(nil), got.Events...))
					return nil
				})
			},
		})
	}
	if store, ok := runtime.PartsReader(runtime.AggregateStreamReader[Tx](s.Store)); ok {
		cases = append(cases, testCase{name: "Stream/what is shown while it is read is its beginning", run: func(t *testing.T) { s.streamParts(t, store) }})
	}
	return cases
}

func (s *suite[Tx]) streamParts(t *testing.T, store runtime.StreamPartsReader[Tx]) {
	id := s.newStream()
	s.append(t, runtime.NoStream(), placed(id, 1200))
	from, to := int64(101), int64(1100)
	var shown []runtime.PersistedEvent
	show := func(events []runtime.PersistedEvent) { shown = append(shown, events...) }
	s.in(t, func(tx Tx) error {
		for _, window := range []struct {
			from, to *int64
			show     func([]runtime.PersistedEvent)
		}{{nil, nil, show}, {&from, &to, show}, {&to, nil, show}, {nil, nil, nil}} {
			shown = nil
			want, err := s.Store.ReadAggregateStream(t.Context(), tx, aggregateType, id, window.from, window.to)
			if err != nil {
				return err
			}
			got, err := store.ReadStreamParts(t.Context(), tx, aggregateType, id, window.from, window.to, window.show)
			if err != nil {
				return err
			}
			equal(t, "version", want.Version(), got.Version())
			equal(t, "events", want.Events, got.Events)
			if len(shown) > got.Len() {
				t.Fatalf("%d events were shown of %d", len(shown), got.Len())
			}
			for i := range shown {
				equal(t, "shown", got.Events[i], shown[i])
			}
		}
		return nil
	})
}

func (s *suite[Tx]) streamAbsent(t *testing.T) {
	stream := s.stream(t, s.newStream())
	equal(t, "version", int64(0), stream.Version())
	equal(t, "IsEmpty", true, stream.IsEmpty())
	equal(t, "length", 0, stream.Len())
}

func (s *suite[Tx]) streamUnnameable(t *testing.T) {
	tx := s.begin(t)
	for _, name := range []string{"", "a\x00b", "\xff"} {
		for _, stream := range []runtime.Stream{{AggregateType: aggregateType, AggregateID: name}, {AggregateType: name, AggregateID: "1"}} {
			got, err := s.Store.ReadAggregateStream(t.Context(), tx.Tx, stream.AggregateType, stream.AggregateID, nil, nil)
			if err != nil || got.Version() != 0 || !got.IsEmpty() {
				t.Errorf("stream %q of %q: %d events at version %d, error %v; want none at 0, without an error",
					stream.AggregateID, stream.AggregateType, got.Len(), got.Version(), err)
			}
			if store, ok := s.Store.(runtime.StreamIterator[Tx]); ok {
				events := collect(t, store.StreamEvents(t.Context(), tx.Tx, stream.AggregateType, stream.AggregateID, runtime.StreamQuery{}))
				equal(t, "events", 0, len(events))
			}
		}
	}
	// The transaction goes on.
	if _, err := s.Store.Append(t.Context(), tx.Tx, runtime.NoStream(), placed(s.newStream(), 1)); err != nil {
		t.Error(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Error(err)
	}
}

func (s *suite[Tx]) streamOwn(t *testing.T) {
	id := s.newStream()
	tx := s.begin(t)
	r, err := s.Store.Append(t.Context(), tx.Tx, runtime.NoStream(), placed(id, 2))
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Store.ReadAggregateStream(t.Context(), tx.Tx, aggregateType, id, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "events", r.Events, got.Events)
}

func (s *suite[Tx]) streamOthers(t *testing.T) {
	id := s.newStream()
	tx := s.begin(t)
	if _, err := s.Store.Append(t.Context(), tx.Tx, runtime.NoStream(), placed(id, 2)); err != nil {
		t.Fatal(err)
	}
	equal(t, "version before the commit", int64(0), s.stream(t, id).Version())
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	equal(t, "version after the commit", int64(2), s.stream(t, id).Version())
}
