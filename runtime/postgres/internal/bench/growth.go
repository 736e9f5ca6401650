package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// growth compares the latency of appends to a log that began empty with that of appends to one that holds many events.
// They are in two schemas, so that the sides can take turns.
func growth(p plan) comparison {
	timed := func(name, table string) side {
		store, newErr := postgres.NewPool(postgres.WithEventsTable(table))
		return side{name, func(ctx context.Context, pool *pgxpool.Pool) (float64, string, error) {
			if newErr != nil {
				return 0, "", newErr
			}
			var took []float64
			var w writer
			for begin := time.Now(); time.Since(begin) < p.round; {
				events := w.next(1)
				before := time.Now()
				r, err := store.Append(ctx, pool, runtime.Exact(w.version), events)
				if err != nil {
					return 0, "", err
				}
				took = append(took, float64(time.Since(before).Microseconds()))
				w.version = r.ToVersion()
			}
			slices.Sort(took)
			return median(took), fmt.Sprintf("p99 %.0f us", took[len(took)*99/100]), nil
		}}
	}
	const small, large = "events", "grown.events"
	grown := fmt.Sprintf("after %d events", p.growth)
	return comparison{
		name: "append latency as the log grows",
		unit: "us",
		prepare: func(ctx context.Context, pool *pgxpool.Pool) error {
			if err := createTables(ctx, pool, "grown"); err != nil {
				return err
			}
			return fill("grown.", p.growth, 10)(ctx, pool)
		},
		sides: []side{timed("from empty", small), timed(grown, large)},
		goals: []goal{{against: "from empty", ratio: 1.2, atMost: true}},
	}
}
