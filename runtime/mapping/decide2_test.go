package mapping_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/eventtest"
	"github.com/eventmap/eventmap/runtime/mapping"
)

func encodeTally(c *mapping.Encoder, e any) (runtime.Event, error) {
	n, ok := e.(int)
	if !ok {
		return runtime.Event{}, c.NotAnEvent(e)
	}
	return mapping.Encode(c, "Tally", "Counted", 1, &n)
}

// at returns what a generated At would.
func at[Tx any](store runtime.Store[Tx], id string, opts ...runtime.Option) mapping.Aggregate[Tx, tally, int] {
	return mapping.NewAggregate[int](store, mapping.NewSettings(opts...), "Tally", id, encodeTally, foldTally)
}

func numbers(t *testing.T, store runtime.Store[int], id string) []int {
	t.Helper()
	stream, err := store.ReadAggregateStream(t.Context(), 0, "Tally", id, nil, nil)
	var read tally
	if err = errors.Join(err, foldTally(&read, stream.Events)); err != nil {
		t.Fatal(err)
	}
	return read.Numbers
}

// count appends numbers to a tally behind the back of a decision.
func count(t *testing.T, store runtime.Store[int], id string, numbers ...int) {
	t.Helper()
	events, err := mapping.EncodeAll(mapping.NewEncoder(runtime.Settings{}, "Tally", id), numbers, encodeTally)
	if err == nil {
		_, err = store.Append(t.Context(), 0, runtime.Any(), events)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestDecide2_appendsToBoth(t *testing.T) {
	t.Parallel()
	store := eventtest.NewStore[int]()
	count(t, store, "a", 1, 2)
	a, b, err := mapping.Decide2(t.Context(), 0, at(store, "a"), at(store, "b"), func(a, b tally) (toA, toB []int, err error) {
		return []int{len(a.Numbers), len(b.Numbers)}, []int{7}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]int{1, 2, 2, 0}, a.State.Numbers); d != "" || a.Version != 4 || a.FromVersion() != 2 {
		t.Errorf("a is at version %d, from %d (-want +got):\n%s", a.Version, a.FromVersion(), d)
	}
	if d := cmp.Diff([]int{7}, b.State.Numbers); d != "" || b.Version != 1 || b.ToVersion() != 1 {
		t.Errorf("b is at version %d (-want +got):\n%s", b.Version, d)
	}
	if d := cmp.Diff(a.State.Numbers, numbers(t, store, "a")); d != "" {
		t.Errorf("the state is not what is stored (-state +stored):\n%s", d)
	}
}

// An aggregate that gets no events is guarded: if it changes between the look and the append, the decision is made again.
func TestDecide2_decidesAgainWhenEitherChanges(t *testing.T) {
	t.Parallel()
	for _, changed := range []string{"a", "b"} {
		store := eventtest.NewStore[int]()
		count(t, store, "a", 1)
		var seen [][2]int
		a, b, err := mapping.Decide2(t.Context(), 0, at(store, "a"), at(store, "b"), func(a, b tally) (toA, toB []int, err error) {
			seen = append(seen, [2]int{len(a.Numbers), len(b.Numbers)})
			if len(seen) < 3 {
				count(t, store, changed, 5)
			}
			return []int{9}, nil, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string][][2]int{"a": {{1, 0}, {2, 0}, {3, 0}}, "b": {{1, 0}, {1, 1}, {1, 2}}}[changed]
		if d := cmp.Diff(want, seen); d != "" {
			t.Errorf("%s changes: states seen (-want +got):\n%s", changed, d)
		}
		if got := numbers(t, store, "a"); len(got) != len(a.State.Numbers) || got[len(got)-1] != 9 {
			t.Errorf("a is stored as %v, and its state is %v", got, a.State.Numbers)
		}
		if got := numbers(t, store, "b"); int64(len(got)) != b.Version || len(b.Events) > 0 {
			t.Errorf("b is stored as %v; it is said to be at version %d, with %d new events", got, b.Version, len(b.Events))
		}
	}
}

func TestDecide2_withoutEventsTouchesNothing(t *testing.T) {
	t.Parallel()
	store := eventtest.NewStore[int]()
	count(t, store, "a", 1)
	a, b, err := mapping.Decide2(t.Context(), 0, at(store, "a"), at(store, "b"), func(a, b tally) (toA, toB []int, err error) {
		count(t, store, "b", 5) // is no conflict: nothing is stored that rests on b
		return nil, nil, nil
	})
	if err != nil || a.Version != 1 || len(a.State.Numbers) != 1 || b.Version != 0 || len(store.Events()) != 2 {
		t.Errorf("a %+v, b %+v, %v; %d events", a, b, err, len(store.Events()))
	}
}

func TestDecide2_givesUp(t *testing.T) {
	t.Parallel()
	store := eventtest.NewStore[int]()
	count(t, store, "a", 1)
	errRefused := &runtime.ConflictError{AggregateType: "refused"} // looks like one of the store's
	for _, row := range []struct {
		name   string
		opts   []runtime.ExecuteOption
		decide func(a, b tally) ([]int, []int, error)
		calls  int
		want   error
	}{
		{
			name:   "after as many attempts as allowed",
			opts:   []runtime.ExecuteOption{runtime.WithMaxAttempts(3)},
			decide: func(tally, tally) ([]int, []int, error) { count(t, store, "b", 5); return []int{1}, nil, nil },
			calls:  3, want: runtime.ErrOptimisticConcurrency,
		},
		{
			name: "at another version than is asked for",
			opts: []runtime.ExecuteOption{runtime.IfVersion(4)},
			want: runtime.ErrOptimisticConcurrency,
		},
		{
			name:   "when decide does, with its error",
			decide: func(tally, tally) ([]int, []int, error) { return []int{1}, []int{1}, errRefused },
			calls:  1, want: errRefused,
		},
	} {
		before, calls := len(numbers(t, store, "a")), 0
		a, b, err := mapping.Decide2(t.Context(), 0, at(store, "a"), at(store, "b"), func(a, b tally) ([]int, []int, error) {
			calls++
			return row.decide(a, b)
		}, row.opts...)
		if !errors.Is(err, row.want) || calls != row.calls {
			t.Errorf("%s: %v after %d calls, want %v after %d", row.name, err, calls, row.want, row.calls)
		}
		if a.Version != 0 || b.Version != 0 || len(numbers(t, store, "a")) != before {
			t.Errorf("%s: versions %d and %d; a has %d numbers, want %d", row.name, a.Version, b.Version, len(numbers(t, store, "a")), before)
		}
	}
}

// alone is a store that appends to one stream at a time.
type alone struct{ runtime.Store[int] }

func TestDecide2_refuses(t *testing.T) {
	t.Parallel()
	one, other := eventtest.NewStore[int](), eventtest.NewStore[int]()
	for message, pair := range map[string][2]mapping.Aggregate[int, tally, int]{
		"they are the same":            {at(one, "a"), at(one, "a")},
		"over different stores":        {at(one, "a"), at(other, "b")},
		"is no runtime.StreamsAppende": {at[int](alone{one}, "a"), at[int](alone{one}, "b")},
	} {
		_, _, err := mapping.Decide2(t.Context(), 0, pair[0], pair[1], func(tally, tally) ([]int, []int, error) {
			t.Errorf("%s: decided all the same", message)
			return nil, nil, nil
		})
		if err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("error is %v, want one that says %q", err, message)
		}
	}
	_, _, err := mapping.Decide2(t.Context(), 0, at(one, "a"), mapping.NewAggregate[any](one, runtime.Settings{}, "Tally", "b", encodeTally, foldTally),
		func(tally, tally) ([]int, []any, error) { return []int{1}, []any{"no number"}, nil })
	var invalid *runtime.InvalidEventError
	if !errors.As(err, &invalid) || len(one.Events()) > 0 {
		t.Errorf("error is %v, and %d events are stored; want an InvalidEventError and none", err, len(one.Events()))
	}
}

// With snapshots Decide2 begins with the latest, reads what is new after a conflict, and keeps the states it comes to.
func TestDecide2_snapshots(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	snapshots := b.snapshots("release 1", runtime.SnapshotEvery(3))
	b.add(snapshots, "a", 1, 2, 3)
	b.add(snapshots, "b", 4)
	kept := func(id string) mapping.Aggregate[*sql.Tx, tally, int] {
		return at(b.store, id, runtime.SnapshotEvery(3)).WithSnapshots(snapshots)
	}
	decisions := 0
	b.in(func(ctx context.Context, tx *sql.Tx) error {
		_, _, err := mapping.Decide2(ctx, tx, kept("a"), kept("b"), func(a, other tally) (toA, toB []int, err error) {
			if decisions++; decisions == 1 {
				events, err := mapping.EncodeAll(mapping.NewEncoder(runtime.Settings{}, "Tally", "a"), []int{8}, encodeTally)
				if err == nil {
					_, err = b.store.Append(ctx, tx, runtime.Any(), events)
				}
				if err != nil {
					return nil, nil, err
				}
			}
			return []int{len(a.Numbers)}, []int{len(other.Numbers), 6}, nil
		})
		return err
	})
	for id, want := range map[string]mapping.Loaded[tally]{
		"a": {State: tally{Numbers: []int{1, 2, 3, 8, 4}}, Version: 5, Saved: 3},
		"b": {State: tally{Numbers: []int{4, 1, 6}}, Version: 3, Saved: 3},
	} {
		got := b.load(snapshots, id)
		if d := cmp.Diff(want.State.Numbers, got.State.Numbers); d != "" || got.Version != want.Version || got.Saved != want.Saved {
			t.Errorf("%s is at version %d, saved at %d; want %d and %d (-want +got):\n%s", id, got.Version, got.Saved, want.Version, want.Saved, d)
		}
	}
	if decisions != 2 {
		t.Errorf("decided %d times, want twice", decisions)
	}
}
