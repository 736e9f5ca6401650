package postgres_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/runtime"
)

func TestStore_appendsAndReads(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	store := newPoolStore(t)
	stream := newStream()
	got, err := store.Append(t.Context(), pool, runtime.NoStream(), placed(stream, 3))
	if err != nil {
		t.Fatal(err)
	}
	read, err := store.ReadAggregateStream(t.Context(), pool, "Order", stream, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got.Events, read.Events); diff != "" {
		t.Errorf("stream differs (-appended +read):\n%s", diff)
	}
	log, err := store.ReadEvents(t.Context(), pool, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got.Events, log); diff != "" {
		t.Errorf("log differs (-appended +read):\n%s", diff)
	}
	a, b := newStream(), newStream()
	results, err := store.AppendStreams(t.Context(), pool,
		runtime.StreamAppend{Expected: runtime.NoStream(), Events: placed(a, 2)},
		runtime.StreamAppend{Expected: runtime.Any(), Events: placed(b, 2)},
		runtime.StreamAppend{Expected: runtime.Exact(3), Events: placed(stream, 2)})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		read, err := store.ReadAggregateStream(t.Context(), pool, "Order", r.Events[0].AggregateID, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r.Events, read.Events[r.FromVersion():]); diff != "" {
			t.Errorf("stream differs (-appended +read):\n%s", diff)
		}
	}
	n := 0
	for e, err := range store.LogEvents(t.Context(), pool, runtime.LogQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		_ = e
		n++
	}
	if n != 9 {
		t.Errorf("%d", n)
	}
}
