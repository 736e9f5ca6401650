package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// hotStream compares all writers on one stream: appending to whatever version it is at, and reading the version and
// appending at it, again and again until nobody else came first. The figure is successes.
func hotStream(p plan) comparison {
	store, err := postgres.New()
	trying := func(name string, attempt func(ctx context.Context, tx pgx.Tx) error) side {
		return side{name, func(ctx context.Context, pool *pgxpool.Pool) (float64, string, error) {
			if err != nil {
				return 0, "", err
			}
			return contend(ctx, p, pool, attempt)
		}}
	}
	event := func() []runtime.Event {
		w := writer{stream: "hot", left: 1}
		return w.next(1)
	}
	return comparison{
		name: fmt.Sprintf("hot stream, %d writers", p.writers),
		unit: "successes/s",
		sides: []side{
			trying("read, compare, retry", func(ctx context.Context, tx pgx.Tx) error {
				var head int64
				err := tx.QueryRow(ctx, "select aggregate_version from aggregate_heads where aggregate_type = 'Order' and aggregate_id = 'hot'").Scan(&head)
				if err != nil && !errors.Is(err, pgx.ErrNoRows) {
					return err
				}
				_, err = store.Append(ctx, tx, runtime.Exact(head), event())
				return err
			}),
			trying("eventmap, Any()", func(ctx context.Context, tx pgx.Tx) error {
				_, err := store.Append(ctx, tx, runtime.Any(), event())
				return err
			}),
		},
		goals: []goal{{against: "read, compare, retry", ratio: 3}},
	}
}

// contend has all writers attempt for a round and returns the rate of successes.
func contend(ctx context.Context, p plan, pool *pgxpool.Pool, attempt func(ctx context.Context, tx pgx.Tx) error) (float64, string, error) {
	var wg sync.WaitGroup
	var won, lost atomic.Int64
	failures := make([]error, p.writers)
	begin := time.Now()
	for i := range p.writers {
		wg.Go(func() {
			conn, err := pool.Acquire(ctx)
			if err != nil {
				failures[i] = err
				return
			}
			defer conn.Release()
			for time.Since(begin) < p.round {
				switch err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return attempt(ctx, tx) }); {
				case err == nil:
					won.Add(1)
				case errors.Is(err, runtime.ErrOptimisticConcurrency):
					lost.Add(1)
				default:
					failures[i] = err
					return
				}
			}
		})
	}
	wg.Wait()
	attempts := won.Load() + lost.Load()
	remark := fmt.Sprintf("%d of %d attempts lost (%.0f %%)", lost.Load(), attempts, 100*float64(lost.Load())/float64(max(attempts, 1)))
	return float64(won.Load()) / time.Since(begin).Seconds(), remark, errors.Join(failures...)
}
