package postgres_test

import (
	"errors"
	"runtime/metrics"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
)

func TestLogEvents_transactionIsFreeInTheLoop(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t), func(c *pgxpool.Config) { c.MaxConns = 1 })
	store := newStore(t)
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		mustAppend(t, store, tx, placed("source", 150))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		for e, err := range store.LogEvents(t.Context(), tx, runtime.LogQuery{}) {
			if err != nil {
				return err
			}
			mustAppend(t, store, tx, placed("copy", 1))
			stream, err := store.ReadAggregateStream(t.Context(), tx, "Order", "copy", nil, nil)
			if err != nil {
				return err
			}
			if stream.Version() != e.AggregateVersion {
				t.Fatalf("copy is at version %d after event %d", stream.Version(), e.AggregateVersion)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// A pool of one connection is free in the loop as well, for other calls and for the iterator itself.
	poolStore := newPoolStore(t)
	n := 0
	for _, err := range poolStore.StreamEvents(t.Context(), pool, "Order", "copy", runtime.StreamQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n%50 == 0 {
			if _, err := poolStore.GetLatestGlobalPosition(t.Context(), pool); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n != 150 {
		t.Errorf("%d events were read, want 150", n)
	}
}

func TestIterators_endWithTheFirstError(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	store := newPoolStore(t)
	if _, err := store.Append(t.Context(), pool, runtime.Any(), placed("1", 100)); err != nil {
		t.Fatal(err)
	}
	n := 0
	var errs []error
	for _, err := range store.LogEvents(t.Context(), pool, runtime.LogQuery{}) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if n++; n == 1 {
			execute(t, pool, "alter table events rename to gone")
		}
	}
	if len(errs) != 1 {
		t.Fatalf("errors are %v, want one", errs)
	}
	wantState(t, "LogEvents", errs[0], "42P01")
	if n == 0 || n == 100 {
		t.Errorf("%d events came before the error, want a page of them", n)
	}
	for _, err := range store.LogEvents(t.Context(), pool, runtime.LogQuery{Limit: -1}) {
		if err == nil || errors.Is(err, runtime.ErrNoEvents) {
			t.Errorf("error for a limit of -1 is %v", err)
		}
	}
}

// Pages of large events are small in number, so memory depends on neither their size nor their number.
func TestIterators_memoryIsFlat(t *testing.T) {
	// not parallel: the heap is the whole program's
	pool := connect(t, database(t))
	const events, size = 500, 200_000 // 100 MB
	execute(t, pool, `insert into events (aggregate_type, aggregate_id, aggregate_version, event_id, event_type, event_version, payload, created_at)
		select 'Order', '1', i, gen_random_uuid(), 'Placed', 1, decode(repeat('00', $2), 'hex'), now() from generate_series(1, $1) i`, events, size)
	execute(t, pool, "insert into aggregate_heads (aggregate_type, aggregate_id, aggregate_version) values ('Order', '1', $1)", events)
	store := newPoolStore(t)
	live := func() uint64 {
		sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	start := live()
	most := start
	for name, all := range map[string]func(func(runtime.PersistedEvent, error) bool){
		"LogEvents":    store.LogEvents(t.Context(), pool, runtime.LogQuery{}),
		"StreamEvents": store.StreamEvents(t.Context(), pool, "Order", "1", runtime.StreamQuery{Backward: true}),
	} {
		n := 0
		for e, err := range all {
			if err != nil {
				t.Fatal(err)
			}
			if len(e.Payload) != size {
				t.Fatalf("payload of %d bytes", len(e.Payload))
			}
			n++
			most = max(most, live())
		}
		if n != events {
			t.Errorf("%s gave %d events, want %d", name, n, events)
		}
	}
	if grown := (most - start) >> 20; grown >= 32 {
		t.Errorf("what lives on the heap grew by %d MiB over 100 MB of events read twice, want less than 32", grown)
	}
}
