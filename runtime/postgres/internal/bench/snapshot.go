package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	events "github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/mapping"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// A folded is what the events of a stream come to here: 1 KB of JSON, whose content depends on every event.
type folded struct {
	Events int
	Sums   [64]uint64
}

func (f *folded) apply(all []events.PersistedEvent) error {
	for i := range all {
		f.Sums[f.Events%len(f.Sums)] += uint64(binary.BigEndian.Uint32(all[i].EventID[:4])) + uint64(len(all[i].Payload))
		f.Events++
	}
	return nil
}

const (
	shortStream = "filled-short"
	longLength  = 10_000
	longStream  = "filled-0"
	tail        = 100
)

// snapshots compares what generated Load and Execute do with a stream of 10,000 events: from a snapshot that 100 events
// follow, and from the first event on; and with a stream of 100 events. The last side is Execute's, since it includes a Load.
func snapshots(p plan) []comparison {
	store, newErr := postgres.New()
	kept := mapping.NewSnapshots[pgx.Tx, folded](store, mapping.NewSettings(events.SnapshotEvery(0)), "Order", "code", (*folded).apply)
	none := mapping.NewSnapshots[pgx.Tx, folded](store, mapping.NewSettings(events.SnapshotEvery(0)), "Order", "other code", (*folded).apply)
	without := mapping.NewSnapshots[pgx.Tx, folded](struct{ events.Store[pgx.Tx] }{store}, mapping.NewSettings(), "Order", "code", (*folded).apply)
	timed := func(name string, call func(ctx context.Context, tx pgx.Tx) error) side {
		return side{name, func(ctx context.Context, pool *pgxpool.Pool) (float64, string, error) {
			if newErr != nil {
				return 0, "", newErr
			}
			calls, begin := 0, time.Now()
			for ; time.Since(begin) < p.round; calls++ {
				tx, err := pool.Begin(ctx)
				if err != nil {
					return 0, "", err
				}
				if err := call(ctx, tx); err != nil {
					return 0, "", err
				}
				if err := tx.Rollback(ctx); err != nil {
					return 0, "", err
				}
			}
			return float64(calls) / time.Since(begin).Seconds(), "", nil
		}}
	}
	load := func(s mapping.Snapshots[pgx.Tx, folded], stream string, length int) func(ctx context.Context, tx pgx.Tx) error {
		return func(ctx context.Context, tx pgx.Tx) error {
			loaded, err := s.Load(ctx, tx, stream)
			if err == nil && loaded.State.Events != length {
				err = fmt.Errorf("loaded %d events of %d", loaded.State.Events, length)
			}
			return err
		}
	}
	execute := func(s mapping.Snapshots[pgx.Tx, folded], stream string) func(ctx context.Context, tx pgx.Tx) error {
		return func(ctx context.Context, tx pgx.Tx) error {
			loaded, err := s.Load(ctx, tx, stream)
			if err != nil {
				return err
			}
			w := writer{stream: stream, version: loaded.Version, left: 1}
			_, err = store.Append(ctx, tx, events.Exact(loaded.Version), w.next(1))
			return err
		}
	}
	prepare := func(ctx context.Context, pool *pgxpool.Pool) error { return prepareSnapshots(ctx, pool, store) }
	return []comparison{
		{
			name: "load 10,000 events from a snapshot, 100 events after it", unit: "loads/s", prepare: prepare,
			sides: []side{
				timed("from the first event", load(without, longStream, longLength)),
				timed("a stream of 100 events", load(without, shortStream, tail)),
				timed("eventmap", load(kept, longStream, longLength)),
			},
			goals: []goal{{against: "from the first event", ratio: 40}, {against: "a stream of 100 events", ratio: 1 / 1.5}},
		},
		{
			name: "load 10,000 events without a snapshot yet", unit: "loads/s", prepare: prepare,
			sides: []side{
				timed("no snapshots", load(without, longStream, longLength)),
				timed("eventmap", load(none, longStream, longLength)),
			},
			goals: []goal{{against: "no snapshots", ratio: 0.97}},
		},
		{
			name: "execute on 10,000 events from a snapshot", unit: "calls/s", prepare: prepare,
			sides: []side{
				timed("on a stream of 100 events", execute(without, shortStream)),
				timed("eventmap", execute(kept, longStream)),
			},
			goals: []goal{{against: "on a stream of 100 events", ratio: 1 / 1.3}},
		},
	}
}

// prepareSnapshots fills both streams, and saves a snapshot of the long one, 100 events before its end.
func prepareSnapshots(ctx context.Context, pool *pgxpool.Pool, store *postgres.Store[pgx.Tx]) error {
	if err := fill("", longLength, longLength)(ctx, pool); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		w := writer{stream: shortStream, left: 1}
		if _, err := store.Append(ctx, tx, events.NoStream(), w.next(tail)); err != nil {
			return err
		}
		until := int64(longLength - tail)
		stream, err := store.ReadAggregateStream(ctx, tx, "Order", longStream, nil, &until)
		if err != nil {
			return err
		}
		saving := mapping.NewSnapshots[pgx.Tx, folded](store, mapping.NewSettings(events.SnapshotEvery(1)), "Order", "code", (*folded).apply)
		loaded := mapping.Loaded[folded]{Version: until}
		if err := loaded.State.apply(slices.Clip(stream.Events)); err != nil {
			return err
		}
		saving.Save(ctx, tx, longStream, loaded)
		return nil
	})
}
