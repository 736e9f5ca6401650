package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/eventmap/eventmap/runtime"
)

// guard returns a guard on a stream of the suite's type.
func guard(stream string, expected runtime.ExpectedVersion) runtime.StreamAppend {
	return runtime.Guard(aggregateType, stream, expected)
}

func (s *suite[Tx]) guardsHold(t *testing.T) {
	guarded, absent, written := s.newStream(), s.newStream(), s.newStream()
	s.append(t, runtime.NoStream(), placed(guarded, 2))
	for i, guards := range [][]runtime.StreamAppend{
		{guard(guarded, runtime.Exact(2))},
		{guard(guarded, runtime.StreamExists())},
		{guard(absent, runtime.NoStream())},
		{guard(absent, runtime.Exact(0)), guard(guarded, runtime.Exact(2))},
	} {
		before := s.end(t)
		events := placed(written, 2)
		r, err := s.tryStreams(t.Context(), append(guards, runtime.StreamAppend{Expected: runtime.Exact(int64(2 * i)), Events: events})...)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "number of results", len(guards)+1, len(r))
		for _, of := range r[:len(guards)] {
			equal(t, "result of a guard", runtime.AppendResult{}, of)
		}
		equal(t, "version", int64(2*i+2), r[len(guards)].ToVersion())
		equal(t, "log as read", r[len(guards)].Events, s.log(t, before, 100))
	}
	equal(t, "version of the guarded stream", int64(2), s.stream(t, guarded).Version())
	equal(t, "version of the absent stream", int64(0), s.stream(t, absent).Version())
	s.append(t, runtime.Exact(2), placed(guarded, 1))
	s.append(t, runtime.NoStream(), placed(absent, 1))
}

func (s *suite[Tx]) guardsFail(t *testing.T) {
	guarded, absent := s.newStream(), s.newStream()
	s.append(t, runtime.NoStream(), placed(guarded, 2))
	for _, row := range []struct {
		stream   string
		expected runtime.ExpectedVersion
		actual   int64
	}{
		{guarded, runtime.NoStream(), 2},
		{guarded, runtime.Exact(1), 2},
		{guarded, runtime.Exact(3), 2},
		{absent, runtime.StreamExists(), 0},
		{absent, runtime.Exact(1), 0},
	} {
		written, untouched := s.newStream(), s.newStream()
		before := s.end(t)
		_, err := s.tryStreams(t.Context(),
			runtime.StreamAppend{Expected: runtime.Any(), Events: placed(written, 1)},
			guard(untouched, runtime.NoStream()),
			guard(row.stream, row.expected))
		wantConflict(t, err, &runtime.ConflictError{
			AggregateType: aggregateType, AggregateID: row.stream, Expected: row.expected, Actual: row.actual,
		})
		equal(t, "latest position", before, s.end(t))
		s.append(t, runtime.NoStream(), placed(written, 1))
		s.append(t, runtime.NoStream(), placed(untouched, 1))
	}
	s.append(t, runtime.Exact(2), placed(guarded, 1))
	s.append(t, runtime.NoStream(), placed(absent, 1))
}

func (s *suite[Tx]) guardsAlone(t *testing.T) {
	stream, absent := s.newStream(), s.newStream()
	s.append(t, runtime.NoStream(), placed(stream, 1))
	before := s.end(t)
	r, err := s.tryStreams(t.Context(), guard(stream, runtime.Exact(1)), guard(absent, runtime.NoStream()))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "results", make([]runtime.AppendResult, 2), r)
	_, err = s.tryStreams(t.Context(), guard(stream, runtime.Exact(1)), guard(absent, runtime.StreamExists()))
	wantConflict(t, err, &runtime.ConflictError{AggregateType: aggregateType, AggregateID: absent, Expected: runtime.StreamExists()})
	equal(t, "latest position", before, s.end(t))
}

func (s *suite[Tx]) guardsKeepTransaction(t *testing.T) {
	store := s.Store.(runtime.StreamsAppender[Tx])
	guarded, absent, written := s.newStream(), s.newStream(), s.newStream()
	s.append(t, runtime.NoStream(), placed(guarded, 1))
	s.in(t, func(tx Tx) error {
		appends := []runtime.StreamAppend{
			guard(absent, runtime.NoStream()),
			{Expected: runtime.NoStream(), Events: placed(written, 1)},
			guard(guarded, runtime.Exact(7)),
		}
		if _, err := store.AppendStreams(t.Context(), tx, appends...); !errors.Is(err, runtime.ErrOptimisticConcurrency) {
			t.Errorf("error is %v, want %v", err, runtime.ErrOptimisticConcurrency)
		}
		appends[2] = guard(guarded, runtime.Exact(1))
		_, err := store.AppendStreams(t.Context(), tx, appends...)
		return err
	})
	equal(t, "version", int64(1), s.stream(t, written).Version())
	s.append(t, runtime.NoStream(), placed(absent, 1))
	s.append(t, runtime.Exact(1), placed(guarded, 1))
}

// A transaction may append to what it has guarded: to a stream that exists, and to one that it begins.
func (s *suite[Tx]) guardsThenAppend(t *testing.T) {
	store := s.Store.(runtime.StreamsAppender[Tx])
	guarded, absent := s.newStream(), s.newStream()
	s.append(t, runtime.NoStream(), placed(guarded, 1))
	s.in(t, func(tx Tx) error {
		if _, err := store.AppendStreams(t.Context(), tx, guard(guarded, runtime.Exact(1)), guard(absent, runtime.NoStream())); err != nil {
			return err
		}
		if _, err := s.Store.Append(t.Context(), tx, runtime.Exact(1), placed(guarded, 1)); err != nil {
			return err
		}
		if _, err := s.Store.Append(t.Context(), tx, runtime.NoStream(), placed(absent, 2)); err != nil {
			return err
		}
		_, err := store.AppendStreams(t.Context(), tx, guard(guarded, runtime.Exact(2)), guard(absent, runtime.Exact(2)))
		return err
	})
	equal(t, "version", int64(2), s.stream(t, guarded).Version())
	equal(t, "version", int64(2), s.stream(t, absent).Version())
}

func (s *suite[Tx]) guardsRetry(t *testing.T) {
	guarded, absent, one, two := s.newStream(), s.newStream(), s.newStream(), s.newStream()
	s.append(t, runtime.NoStream(), placed(guarded, 1))
	appends := []runtime.StreamAppend{
		guard(guarded, runtime.Exact(1)),
		{Expected: runtime.NoStream(), Events: placed(one, 2)},
		guard(absent, runtime.NoStream()),
		{Expected: runtime.NoStream(), Events: placed(two, 1)},
	}
	want, err := s.tryStreams(t.Context(), appends...)
	if err != nil {
		t.Fatal(err)
	}
	want[1].AlreadyStored, want[3].AlreadyStored = true, true
	for range 2 {
		got, err := s.tryStreams(t.Context(), appends...)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "results", want, got)
		// The streams that were guarded go on, and the retry is one all the same.
		s.append(t, runtime.Any(), placed(guarded, 1))
		s.append(t, runtime.Any(), placed(absent, 1))
	}
	other := placed(one, 2)
	_, err = s.tryStreams(t.Context(), appends[0], runtime.StreamAppend{Expected: runtime.Exact(2), Events: other})
	wantConflict(t, err, &runtime.ConflictError{AggregateType: aggregateType, AggregateID: guarded, Expected: runtime.Exact(1), Actual: 3})
}

func (s *suite[Tx]) guardsRefused(t *testing.T) {
	stream := s.newStream()
	fine := runtime.StreamAppend{Expected: runtime.Any(), Events: placed(stream, 1)}
	named := fine
	named.AggregateType, named.AggregateID = aggregateType, s.newStream()
	for name, appends := range map[string][]runtime.StreamAppend{
		"any version":             {fine, guard(s.newStream(), runtime.Any())},
		"a negative version":      {fine, guard(s.newStream(), runtime.Exact(-1))},
		"no type":                 {fine, runtime.Guard("", stream, runtime.NoStream())},
		"no ID":                   {fine, runtime.Guard(aggregateType, "", runtime.NoStream())},
		"a NUL":                   {fine, guard("a\x00b", runtime.NoStream())},
		"invalid UTF-8":           {fine, guard("a\xffb", runtime.NoStream())},
		"guarded and appended to": {fine, guard(stream, runtime.NoStream())},
		"guarded twice":           {fine, guard("twice", runtime.NoStream()), guard("twice", runtime.NoStream())},
		"events of another":       {named},
	} {
		var invalid *runtime.InvalidEventError
		if _, err := s.tryStreams(t.Context(), appends...); !errors.As(err, &invalid) {
			t.Errorf("%s: error is %v, want an InvalidEventError", name, err)
		}
	}
	equal(t, "version", int64(0), s.stream(t, stream).Version())
}

// A transaction that guards a stream, whether it exists or not, lets nobody append to it before it ends.
func (s *suite[Tx]) guardsLock(t *testing.T) {
	store := s.Store.(runtime.StreamsAppender[Tx])
	for _, version := range []int64{0, 1} {
		stream := s.newStream()
		if version > 0 {
			s.append(t, runtime.NoStream(), placed(stream, int(version)))
		}
		for _, commit := range []bool{true, false} {
			tx := s.begin(t)
			if _, err := store.AppendStreams(t.Context(), tx.Tx, guard(stream, runtime.Exact(version))); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() {
				_, err := s.try(t.Context(), runtime.Any(), placed(stream, 1))
				done <- err
			}()
			select {
			case err := <-done:
				t.Fatalf("an append to a guarded stream did not wait: %v", err)
			case <-time.After(100 * time.Millisecond):
			}
			end := tx.Rollback
			if commit {
				end = tx.Commit
			}
			if err := end(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			version++
			equal(t, "version", version, s.stream(t, stream).Version())
		}
	}
}

// guardsCross has each writer append to a stream of its own if those of all others stand still. Whatever order the writers
// come in, the first is the only one that may succeed.
func (s *suite[Tx]) guardsCross(t *testing.T) {
	for round := range 8 {
		streams := make([]string, writers)
		for i := range streams {
			streams[i] = s.newStream()
		}
		existing := round%2 == 1
		if existing {
			for _, stream := range streams {
				s.append(t, runtime.NoStream(), placed(stream, 1))
			}
		}
		errs := together(func(w int) error {
			random := rand.New(rand.NewPCG(uint64(round), uint64(w)))
			var appends []runtime.StreamAppend
			for _, i := range random.Perm(writers) {
				expected := runtime.NoStream()
				if existing {
					expected = runtime.Exact(1)
				}
				if i == w {
					appends = append(appends, runtime.StreamAppend{Expected: expected, Events: placed(streams[i], 1)})
				} else {
					appends = append(appends, guard(streams[i], expected))
				}
			}
			_, err := s.tryStreams(t.Context(), appends...)
			return err
		})
		won := 0
		for w, err := range errs {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, runtime.ErrOptimisticConcurrency):
				t.Errorf("writer %d: %v", w, err)
			}
		}
		equal(t, fmt.Sprintf("round %d: writers that won", round), 1, won)
	}
}
