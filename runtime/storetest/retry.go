package storetest

import (
	"errors"
	"slices"
	"testing"

	"github.com/eventmap/eventmap/runtime"
)

func (s *suite[Tx]) retryCases() []testCase {
	return []testCase{
		{name: "Retry/same events give the first result", run: s.retrySame},
		{name: "Retry/in the same transaction", needs: []Ability{Transactions}, run: s.retryInTransaction},
		{name: "Retry/the transaction goes on", needs: []Ability{Transactions}, run: s.retryKeepsTransaction},
		{name: "Duplicate/event ID stored otherwise", run: s.duplicateElsewhere},
		{name: "Duplicate/event ID stored in another stream", needs: []Ability{DuplicatesElsewhere}, run: s.duplicateInOtherStream},
		{name: "Duplicate/event ID given twice", run: s.duplicateInCall},
	}
}

func (s *suite[Tx]) retrySame(t *testing.T) {
	stream := s.newStream()
	start, more := placed(stream, 3), placed(stream, 1)
	first := s.append(t, runtime.NoStream(), start)
	second := s.append(t, runtime.Exact(3), more)
	before := s.end(t)
	// A retry may carry another time or payload, if the clock went on or the code changed; what was stored first counts.
	changed := slices.Clone(start)
	changed[1].Payload = []byte("changed")
	for _, try := range []struct {
		name     string
		expected runtime.ExpectedVersion
		events   []runtime.Event
		want     runtime.AppendResult
	}{
		{"NoStream", runtime.NoStream(), start, first},
		{"Exact", runtime.Exact(3), more, second},
		{"changed", runtime.NoStream(), changed, first},
	} {
		want := try.want
		want.AlreadyStored = true
		equal(t, try.name, want, s.append(t, try.expected, try.events))
	}
	s.append(t, runtime.Exact(4), placed(stream, 1))
	again := s.append(t, runtime.NoStream(), start)
	equal(t, "AlreadyStored after later events", true, again.AlreadyStored)
	equal(t, "events written since", 1, len(s.log(t, before, 10)))
}

func (s *suite[Tx]) retryInTransaction(t *testing.T) {
	stream := s.newStream()
	events := placed(stream, 2)
	s.in(t, func(tx Tx) error {
		first, err := s.Store.Append(t.Context(), tx, runtime.NoStream(), events)
		if err != nil {
			return err
		}
		again, err := s.Store.Append(t.Context(), tx, runtime.NoStream(), events)
		first.AlreadyStored = true
		equal(t, "second result", first, again)
		return err
	})
	equal(t, "version", int64(2), s.stream(t, stream).Version())
}

func (s *suite[Tx]) retryKeepsTransaction(t *testing.T) {
	stream := s.newStream()
	events := placed(stream, 2)
	s.append(t, runtime.NoStream(), events)
	s.in(t, func(tx Tx) error {
		again, err := s.Store.Append(t.Context(), tx, runtime.NoStream(), events)
		if err != nil {
			return err
		}
		_, err = s.Store.Append(t.Context(), tx, runtime.Exact(again.ToVersion()), placed(stream, 1))
		return err
	})
	equal(t, "version", int64(3), s.stream(t, stream).Version())
}

func (s *suite[Tx]) duplicateElsewhere(t *testing.T) {
	stream, other := s.newStream(), s.newStream()
	stored := placed(stream, 3)
	s.append(t, runtime.NoStream(), stored)
	s.append(t, runtime.NoStream(), placed(other, 2))
	before := s.end(t)
	moved := slices.Clone(stored)
	for i := range moved {
		moved[i].AggregateID = other
	}
	reversed := slices.Clone(stored)
	slices.Reverse(reversed)
	for _, try := range []struct {
		name     string
		expected runtime.ExpectedVersion
		events   []runtime.Event
	}{
		{"Any again", runtime.Any(), stored},
		{"Any again, one event", runtime.Any(), stored[:1]},
		{"StreamExists again", runtime.StreamExists(), stored},
		{"at the present version", runtime.Exact(3), stored[:1]},
		{"at another version", runtime.Exact(1), stored},
		{"with more", runtime.NoStream(), slices.Concat(stored, placed(stream, 1))},
		{"in another order", runtime.NoStream(), reversed},
		{"after a new one", runtime.Exact(3), slices.Concat(placed(stream, 1), stored[2:])},
		{"in another stream at another version", runtime.NoStream(), moved},
	} {
		_, err := s.try(t.Context(), try.expected, try.events)
		if !errors.Is(err, runtime.ErrDuplicateEvent) {
			t.Errorf("%s: error is %v, want %v", try.name, err, runtime.ErrDuplicateEvent)
		}
		if errors.Is(err, runtime.ErrOptimisticConcurrency) {
			t.Errorf("%s: %v is taken for a version conflict", try.name, err)
		}
	}
	equal(t, "latest position", before, s.end(t))
}

func (s *suite[Tx]) duplicateInOtherStream(t *testing.T) {
	stream, other := s.newStream(), s.newStream()
	stored := placed(stream, 3)
	s.append(t, runtime.NoStream(), stored)
	s.append(t, runtime.NoStream(), placed(other, 2))
	before := s.end(t)
	moved := slices.Clone(stored)
	for i := range moved {
		moved[i].AggregateID = other
	}
	for _, events := range [][]runtime.Event{moved, moved[1:2], append(placed(other, 1), moved[2])} {
		_, err := s.try(t.Context(), runtime.Exact(2), events)
		if !errors.Is(err, runtime.ErrDuplicateEvent) || errors.Is(err, runtime.ErrOptimisticConcurrency) {
			t.Errorf("%d events: error is %v, want %v", len(events), err, runtime.ErrDuplicateEvent)
		}
	}
	equal(t, "latest position", before, s.end(t))
}

func (s *suite[Tx]) duplicateInCall(t *testing.T) {
	events := placed(s.newStream(), 3)
	events[2].EventID = events[0].EventID
	if _, err := s.try(t.Context(), runtime.Any(), events); !errors.Is(err, runtime.ErrDuplicateEvent) {
		t.Errorf("error is %v, want %v", err, runtime.ErrDuplicateEvent)
	}
}
