package postgres_test

import (
	"errors"
	"testing"

	"github.com/eventmap/eventmap/runtime"
)

// The suite of storetest knows no heads. Here they count events that are gone, or never came.
func TestStore_headAheadOfItsStream(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	store := newPoolStore(t)
	id := newStream()
	if _, err := store.Append(t.Context(), pool, runtime.NoStream(), placed(id, 5)); err != nil {
		t.Fatal(err)
	}
	execute(t, pool, `update aggregate_heads set aggregate_version = 50 where aggregate_id = $1`, id)

	_, err := store.ReadAggregateStream(t.Context(), pool, "Order", id, nil, nil)
	lacksVersionSix(t, "ReadAggregateStream", err)
	seen := 0
	for _, err = range store.StreamEvents(t.Context(), pool, "Order", id, runtime.StreamQuery{}) {
		if err == nil {
			seen++
		}
	}
	lacksVersionSix(t, "StreamEvents", err)
	if seen != 5 {
		t.Errorf("StreamEvents yields %d events before the error, want 5", seen)
	}
	for _, err = range store.StreamEvents(t.Context(), pool, "Order", id, runtime.StreamQuery{Backward: true}) {
		break
	}
	if incomplete, ok := errors.AsType[*runtime.IncompleteStreamError](err); !ok || incomplete.Missing != 50 {
		t.Errorf("StreamEvents backward: error %v, want an IncompleteStreamError about version 50", err)
	}
	to := int64(5)
	if s, err := store.ReadAggregateStream(t.Context(), pool, "Order", id, nil, &to); err != nil || s.Len() != 5 || s.Version() != 50 {
		t.Errorf("up to version 5: %d events at version %d, error %v; want 5 at 50", s.Len(), s.Version(), err)
	}
}

func lacksVersionSix(t *testing.T, call string, err error) {
	t.Helper()
	if incomplete, ok := errors.AsType[*runtime.IncompleteStreamError](err); !ok || incomplete.Missing != 6 || incomplete.Head != 50 {
		t.Errorf("%s: error %v, want an IncompleteStreamError about version 6 of 50", call, err)
	}
}

// A head that was restored from an older state hides nothing of its stream.
func TestStore_headBehindItsStream(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	store := newPoolStore(t)
	id := newStream()
	if _, err := store.Append(t.Context(), pool, runtime.NoStream(), placed(id, 200)); err != nil {
		t.Fatal(err)
	}
	execute(t, pool, `update aggregate_heads set aggregate_version = 100 where aggregate_id = $1`, id)
	for _, backward := range []bool{false, true} {
		seen := 0
		for _, err := range store.StreamEvents(t.Context(), pool, "Order", id, runtime.StreamQuery{Backward: backward}) {
			if err != nil {
				t.Fatal(err)
			}
			seen++
		}
		if seen != 200 {
			t.Errorf("backward %t: %d events, want 200", backward, seen)
		}
	}
	if s, err := store.ReadAggregateStream(t.Context(), pool, "Order", id, nil, nil); err != nil || s.Len() != 200 {
		t.Errorf("%d events, error %v; want 200", s.Len(), err)
	}
}
