package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/eventmap/eventmap/runtime"
)

func (s *suite[Tx]) expectationCases() []testCase {
	cases := []testCase{
		{name: "Conflict/nothing is written", run: s.conflictWritesNothing},
		{name: "Conflict/transaction goes on", needs: []Ability{Transactions}, run: s.conflictKeepsTransaction},
	}
	for _, row := range []struct {
		expected runtime.ExpectedVersion
		at       int64 // the stream's version; 0: it does not exist
		succeeds bool
	}{
		{runtime.Any(), 0, true},
		{runtime.Any(), 2, true},
		{runtime.NoStream(), 0, true},
		{runtime.NoStream(), 2, false},
		{runtime.StreamExists(), 0, false},
		{runtime.StreamExists(), 2, true},
		{runtime.Exact(0), 0, true},
		{runtime.Exact(0), 2, false},
		{runtime.Exact(2), 0, false},
		{runtime.Exact(1), 2, false},
		{runtime.Exact(2), 2, true},
		{runtime.Exact(3), 2, false},
		{runtime.ExpectedVersion{}, 0, true},
		{runtime.ExpectedVersion{}, 2, false},
	} {
		for _, n := range []int{1, 3} {
			cases = append(cases, testCase{
				name: fmt.Sprintf("Expect/%s of a stream at %d, %d events", row.expected, row.at, n),
				run: func(t *testing.T) {
					stream := s.newStream()
					if row.at > 0 {
						s.append(t, runtime.Any(), placed(stream, int(row.at)))
					}
					r, err := s.try(t.Context(), row.expected, placed(stream, n))
					if row.succeeds {
						if err != nil {
							t.Fatal(err)
						}
						equal(t, "FromVersion", row.at, r.FromVersion())
						return
					}
					wantConflict(t, err, &runtime.ConflictError{
						AggregateType: aggregateType, AggregateID: stream, Expected: row.expected, Actual: row.at,
					})
				},
			})
		}
	}
	return cases
}

// wantConflict fails t if err is not the conflict.
func wantConflict(t *testing.T, err error, want *runtime.ConflictError) {
	t.Helper()
	var got *runtime.ConflictError
	if !errors.As(err, &got) {
		t.Fatalf("error is %v, want %v", err, want)
	}
	equal(t, "conflict", want, got)
	for _, is := range []struct {
		target error
		want   bool
	}{{runtime.ErrOptimisticConcurrency, true}, {runtime.ErrDuplicateEvent, false}} {
		if errors.Is(err, is.target) != is.want {
			t.Errorf("errors.Is(%v, %v) is %v", err, is.target, !is.want)
		}
	}
	if runtime.Retryable(err) {
		t.Errorf("Retryable(%v) is true: the decision has to be made again", err)
	}
}

func (s *suite[Tx]) conflictWritesNothing(t *testing.T) {
	stream, absent := s.newStream(), s.newStream()
	s.append(t, runtime.NoStream(), placed(stream, 2))
	before := s.end(t)
	for _, try := range []struct {
		stream   string
		expected runtime.ExpectedVersion
	}{{stream, runtime.NoStream()}, {stream, runtime.Exact(1)}, {absent, runtime.Exact(1)}, {absent, runtime.StreamExists()}} {
		// Committed, not rolled back: the promise is that there is nothing to commit.
		tx := s.begin(t)
		if _, err := s.Store.Append(t.Context(), tx.Tx, try.expected, placed(try.stream, 2)); err == nil {
			t.Fatalf("no conflict for %s", try.expected)
		}
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "latest position", before, s.end(t))
	equal(t, "version", int64(2), s.stream(t, stream).Version())
	equal(t, "version of the absent stream", int64(0), s.stream(t, absent).Version())
	s.append(t, runtime.NoStream(), placed(absent, 1))
}

func (s *suite[Tx]) conflictKeepsTransaction(t *testing.T) {
	stream, other := s.newStream(), s.newStream()
	s.append(t, runtime.NoStream(), placed(stream, 2))
	s.in(t, func(tx Tx) error {
		if _, err := s.Store.Append(t.Context(), tx, runtime.Any(), placed(other, 1)); err != nil {
			return err
		}
		_, err := s.Store.Append(t.Context(), tx, runtime.NoStream(), placed(stream, 1))
		var conflict *runtime.ConflictError
		if !errors.As(err, &conflict) {
			return fmt.Errorf("no conflict: %w", err)
		}
		_, err = s.Store.Append(t.Context(), tx, runtime.Exact(conflict.Actual), placed(stream, 1))
		return err
	})
	equal(t, "version", int64(3), s.stream(t, stream).Version())
	equal(t, "version of the other stream", int64(1), s.stream(t, other).Version())
}
