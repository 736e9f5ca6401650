package storetest

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
)

func (s *suite[Tx]) logCases() []testCase {
	concurrent := []Ability{Transactions, ConcurrentWriters, ConcurrentReaders}
	return []testCase{
		{name: "Log/pages of any size give the same events", run: s.logPages},
		{name: "Log/a limit below 1 is an error", run: s.logLimit},
		{name: "Log/beyond the end it is empty", run: s.logEnd},
		{name: "Log/an append in flight holds back what came after it", needs: concurrent, run: s.logInFlight},
		{name: "Log/what is in flight is not read", needs: []Ability{Transactions, ConcurrentReaders}, run: s.logUnseen},
		{name: "Log/a rollback holds back nothing", needs: concurrent, run: s.logRollback},
		{name: "Log/own appends are in flight too", needs: []Ability{Transactions}, run: s.logOwn},
		{name: "Log/safe position", needs: []Ability{SafePosition}, run: s.logSafe},
		{name: "Log/safe position with an append in flight", needs: append(concurrent, SafePosition), run: s.logSafeInFlight},
	}
}

// safePosition returns the frontier.
func (s *suite[Tx]) safePosition(t *testing.T) (position int64) {
	t.Helper()
	store := s.Store.(runtime.SafePositionReader[Tx])
	s.reading(t, func(tx Tx) (err error) {
		position, err = store.SafeGlobalPosition(t.Context(), tx)
		return err
	})
	return position
}

func (s *suite[Tx]) logPages(t *testing.T) {
	before := s.end(t)
	var want []runtime.PersistedEvent
	for _, n := range []int{1, 4, 2, 7} {
		want = append(want, s.append(t, runtime.NoStream(), placed(s.newStream(), n)).Events...)
	}
	for _, page := range []int{1, 2, 3, 5, 13, 14, 15, 1_000_000} {
		equal(t, "log", want, s.log(t, before, page))
	}
	equal(t, "tail", want[10:], s.log(t, want[9].GlobalPosition, 100))
	equal(t, "latest position", want[len(want)-1].GlobalPosition, s.end(t))
}

func (s *suite[Tx]) logLimit(t *testing.T) {
	s.append(t, runtime.NoStream(), placed(s.newStream(), 1))
	for _, limit := range []int{0, -1} {
		err := s.do(t.Context(), func(tx Tx) error {
			_, err := s.Store.ReadEvents(t.Context(), tx, 0, limit)
			return err
		})
		if err == nil {
			t.Errorf("no error for a limit of %d", limit)
		}
	}
}

func (s *suite[Tx]) logEnd(t *testing.T) {
	s.append(t, runtime.NoStream(), placed(s.newStream(), 1))
	equal(t, "events", 0, len(s.log(t, s.end(t), 1)))
	equal(t, "events", 0, len(s.log(t, s.end(t)+1000, 1)))
}

func (s *suite[Tx]) logInFlight(t *testing.T) {
	before := s.end(t)
	early := s.begin(t)
	first, err := s.Store.Append(t.Context(), early.Tx, runtime.NoStream(), placed(s.newStream(), 2))
	if err != nil {
		t.Fatal(err)
	}
	second := s.append(t, runtime.NoStream(), placed(s.newStream(), 2))
	equal(t, "log with the append in flight", 0, len(s.readable(t, before, 10)))
	equal(t, "latest position", second.Events[1].GlobalPosition, s.end(t))
	if err := early.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	equal(t, "log", slices.Concat(first.Events, second.Events), s.log(t, before, 10))
}

func (s *suite[Tx]) logUnseen(t *testing.T) {
	stream, before := s.newStream(), s.end(t)
	tx := s.begin(t)
	r, err := s.Store.Append(t.Context(), tx.Tx, runtime.NoStream(), placed(stream, 2))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "log with the append in flight", 0, len(s.readable(t, before, 10)))
	equal(t, "latest position with the append in flight", before, s.end(t))
	equal(t, "version with the append in flight", int64(0), s.stream(t, stream).Version())
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	equal(t, "log", r.Events, s.log(t, before, 10))
}

func (s *suite[Tx]) logRollback(t *testing.T) {
	before := s.end(t)
	early := s.begin(t)
	if _, err := s.Store.Append(t.Context(), early.Tx, runtime.NoStream(), placed(s.newStream(), 2)); err != nil {
		t.Fatal(err)
	}
	second := s.append(t, runtime.NoStream(), placed(s.newStream(), 2))
	if err := early.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	equal(t, "log", second.Events, s.log(t, before, 10))
}

func (s *suite[Tx]) logOwn(t *testing.T) {
	before := s.end(t)
	var want []uuid.UUID
	s.in(t, func(tx Tx) error {
		r, err := s.Store.Append(t.Context(), tx, runtime.NoStream(), placed(s.newStream(), 2))
		if err != nil {
			return err
		}
		want = ids(r.Events)
		events, err := s.Store.ReadEvents(t.Context(), tx, before, 10)
		equal(t, "events before the commit", 0, len(events))
		return err
	})
	equal(t, "log", want, ids(s.log(t, before, 10)))
}

func (s *suite[Tx]) logSafe(t *testing.T) {
	r := s.append(t, runtime.NoStream(), placed(s.newStream(), 3))
	if safe := s.safePosition(t); safe < r.GlobalPositions[2] {
		t.Errorf("safe position is %d with nothing in flight, want at least %d", safe, r.GlobalPositions[2])
	}
}

func (s *suite[Tx]) logSafeInFlight(t *testing.T) {
	before := s.end(t)
	tx := s.begin(t)
	r, err := s.Store.Append(t.Context(), tx.Tx, runtime.NoStream(), placed(s.newStream(), 2))
	if err != nil {
		t.Fatal(err)
	}
	s.append(t, runtime.NoStream(), placed(s.newStream(), 2))
	if safe := s.safePosition(t); safe < before || safe >= r.GlobalPositions[0] {
		t.Errorf("safe position is %d, want at least %d and less than %d, which is in flight", safe, before, r.GlobalPositions[0])
	}
}
