package main

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/mapping"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// decisions compares a decision on two aggregates by Decide2 with loading and appending to one after the other, by what it
// costs on the wire.
func decisions() comparison {
	store, newErr := postgres.New()
	counted := func(name string, work func(ctx context.Context, tx pgx.Tx, store *postgres.Store[pgx.Tx], a, b string) error) side {
		return side{name, func(ctx context.Context, pool *pgxpool.Pool) (float64, string, error) {
			if newErr != nil {
				return 0, "", newErr
			}
			return tripsOf(ctx, pool, func(counted *pgxpool.Pool) error {
				n := pairNumber.Add(1)
				return pgx.BeginFunc(ctx, counted, func(tx pgx.Tx) error {
					return work(ctx, tx, store, "a", fmt.Sprint("b-", n))
				})
			})
		}}
	}
	return comparison{
		name:  "round trips of a decision on two aggregates",
		unit:  "round trips, begin and commit included",
		sides: []side{counted("one after the other", oneByOne), counted("Decide2", decideBoth)},
		goals: []goal{{against: "one after the other", ratio: 0.67, atMost: true}},
	}
}

var pairNumber atomic.Int64

// oneByOne reads two streams, and appends to both, each by itself.
func oneByOne(ctx context.Context, tx pgx.Tx, store *postgres.Store[pgx.Tx], a, b string) error {
	versions := make([]int64, 0, 2)
	for _, id := range []string{a, b} {
		s, err := store.ReadAggregateStream(ctx, tx, "Order", id, nil, nil)
		if err != nil {
			return err
		}
		versions = append(versions, s.Version())
	}
	for i, id := range []string{a, b} {
		w := writer{stream: id, version: versions[i], left: 1}
		if _, err := store.Append(ctx, tx, runtime.Exact(versions[i]), w.next(1)); err != nil {
			return err
		}
	}
	return nil
}

// decideBoth does the same as one decision.
func decideBoth(ctx context.Context, tx pgx.Tx, store *postgres.Store[pgx.Tx], a, b string) error {
	at := func(id string) mapping.Aggregate[pgx.Tx, int, int] {
		return mapping.NewAggregate[int](store, runtime.Settings{}, "Order", id,
			func(*mapping.Encoder, any) (runtime.Event, error) {
				w := writer{stream: id, left: 1}
				return w.next(1)[0], nil
			},
			func(state *int, events []runtime.PersistedEvent) error {
				*state += len(events)
				return nil
			})
	}
	_, _, err := mapping.Decide2(ctx, tx, at(a), at(b), func(int, int) ([]int, []int, error) { return []int{1}, []int{1}, nil })
	return err
}
