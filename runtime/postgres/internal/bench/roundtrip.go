package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
	"github.com/eventmap/eventmap/runtime/postgres/internal/wire"
)

// roundTrips counts what one append of 100 events costs on the wire, begin and commit included.
func roundTrips() comparison {
	store, newErr := postgres.New()
	poolStore, poolErr := postgres.NewPool()
	count := func(name string, work func(ctx context.Context, pool *pgxpool.Pool, w *writer) error) side {
		return side{name, func(ctx context.Context, pool *pgxpool.Pool) (float64, string, error) {
			if newErr != nil || poolErr != nil {
				return 0, "", fmt.Errorf("store: %w", errorOf(newErr, poolErr))
			}
			var w writer
			return tripsOf(ctx, pool, func(counted *pgxpool.Pool) error { return work(ctx, counted, &w) })
		}}
	}
	inTx := func(work func(ctx context.Context, tx pgx.Tx, w *writer) error) func(context.Context, *pgxpool.Pool, *writer) error {
		return func(ctx context.Context, pool *pgxpool.Pool, w *writer) error {
			return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return work(ctx, tx, w) })
		}
	}
	const n = 100
	return comparison{
		name: "round trips of one append of 100 events",
		unit: "round trips, begin and commit included",
		sides: []side{
			count("begin and commit alone", inTx(func(context.Context, pgx.Tx, *writer) error { return nil })),
			count("statement per event", inTx(func(ctx context.Context, tx pgx.Tx, w *writer) error {
				return statementPerEvent(ctx, throughPgx(tx), w, n)
			})),
			count("eventmap, in a transaction", inTx(func(ctx context.Context, tx pgx.Tx, w *writer) error {
				r, err := store.Append(ctx, tx, runtime.Exact(w.version), w.next(n))
				w.version = r.ToVersion()
				return err
			})),
			count("eventmap, through the pool", func(ctx context.Context, pool *pgxpool.Pool, w *writer) error {
				r, err := poolStore.Append(ctx, pool, runtime.Exact(w.version), w.next(n))
				w.version = r.ToVersion()
				return err
			}),
		},
	}
}

// tripsOf returns what the work costs on the wire, on the one connection of the pool it is given. It is done three times: the
// first two prepare the statements, that for a new stream and that for one that exists.
func tripsOf(ctx context.Context, pool *pgxpool.Pool, work func(counted *pgxpool.Pool) error) (float64, string, error) {
	var counter wire.Counter
	config := pool.Config()
	config.MaxConns = 1
	counter.Count(&config.ConnConfig.Config)
	counted, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return 0, "", err
	}
	defer counted.Close()
	var before int64
	for range 3 {
		before = counter.Trips()
		if err := work(counted); err != nil {
			return 0, "", err
		}
	}
	return float64(counter.Trips() - before), "", nil
}

func errorOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
