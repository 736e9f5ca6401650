package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
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

// A call is what is measured, in a transaction.
type call func(ctx context.Context, tx pgx.Tx) error

// rolledBack runs a call in a transaction of its own, which leaves nothing.
func rolledBack(ctx context.Context, pool *pgxpool.Pool, call call) error {
	tx, err := pool.Begin(ctx)
	if err != nil {
		return err
	}
	return errors.Join(call(ctx, tx), tx.Rollback(ctx))
}

// perSecond returns how often work is done in a second, measured for a round.
func (p plan) perSecond(work func() error) (float64, error) {
	runtime.GC()
	calls, begin := 0, time.Now()
	for ; time.Since(begin) < p.round; calls++ {
		if err := work(); err != nil {
			return 0, err
		}
	}
	return float64(calls) / time.Since(begin).Seconds(), nil
}

// snapshots compares what generated Load and Execute do with a stream of 10,000 events: from a snapshot that 100 events
// follow, and from the first event on; and with a stream of 100 events. The last side is Execute's, since it includes a Load.
func snapshots(p plan) []comparison {
	store, newErr := postgres.New()
	kept := mapping.NewSnapshots[pgx.Tx, folded](store, mapping.NewSettings(events.SnapshotEvery(0)), "Order", "code", (*folded).apply)
	none := mapping.NewSnapshots[pgx.Tx, folded](store, mapping.NewSettings(events.SnapshotEvery(0)), "Order", "other code", (*folded).apply)
	without := mapping.NewSnapshots[pgx.Tx, folded](struct{ events.Store[pgx.Tx] }{store}, mapping.NewSettings(), "Order", "code", (*folded).apply)
	load := func(s mapping.Snapshots[pgx.Tx, folded], stream string, length int) call {
		return func(ctx context.Context, tx pgx.Tx) error {
			loaded, err := s.Load(ctx, tx, stream)
			if err == nil && loaded.State.Events != length {
				err = fmt.Errorf("loaded %d events of %d", loaded.State.Events, length)
			}
			return err
		}
	}
	execute := func(s mapping.Snapshots[pgx.Tx, folded], stream string) call {
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
	// A load is measured within a transaction that is there, an execution with the one that it is rolled back with.
	loads := func(name string, call call) side {
		return side{name, func(ctx context.Context, pool *pgxpool.Pool) (figure float64, _ string, err error) {
			err = rolledBack(ctx, pool, func(ctx context.Context, tx pgx.Tx) error {
				figure, err = p.perSecond(func() error { return call(ctx, tx) })
				return err
			})
			return figure, "", errorOf(newErr, err)
		}}
	}
	executions := func(name string, call call) side {
		return side{name, func(ctx context.Context, pool *pgxpool.Pool) (float64, string, error) {
			figure, err := p.perSecond(func() error { return rolledBack(ctx, pool, call) })
			return figure, "", errorOf(newErr, err)
		}}
	}
	prepare := func(ctx context.Context, pool *pgxpool.Pool) error { return prepareSnapshots(ctx, pool, store) }
	return []comparison{
		{
			name: "load 10,000 events from a snapshot, 100 events after it", unit: "loads/s", prepare: prepare,
			sides: []side{
				loads("from the first event", load(without, longStream, longLength)),
				loads("a stream of 100 events", load(without, shortStream, tail)),
				loads("eventmap", load(kept, longStream, longLength)),
			},
			goals: []goal{{against: "from the first event", ratio: 40}, {against: "a stream of 100 events", ratio: 1 / 1.5}},
		},
		{
			name: "load 10,000 events without a snapshot yet", unit: "loads/s", prepare: prepare,
			sides: []side{
				loads("no snapshots", load(without, longStream, longLength)),
				loads("eventmap", load(none, longStream, longLength)),
			},
			goals: []goal{{against: "no snapshots", ratio: 0.97}},
		},
		{
			name: "execute on 10,000 events from a snapshot", unit: "calls/s", prepare: prepare,
			sides: []side{
				executions("on a stream of 100 events", execute(without, shortStream)),
				executions("eventmap", execute(kept, longStream)),
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
