package postgres_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/mapping"
	"github.com/eventmap/eventmap/runtime/postgres"
	"github.com/eventmap/eventmap/runtime/postgres/internal/wire"
)

// purse is an aggregate whose state is the number of its events.
func purse[Tx any](store runtime.Store[Tx], id string, opts ...runtime.Option) mapping.Aggregate[Tx, int, int] {
	encode := func(c *mapping.Encoder, e any) (runtime.Event, error) {
		n := e.(int)
		return mapping.Encode(c, "Purse", "Filled", 1, &n)
	}
	fold := func(state *int, events []runtime.PersistedEvent) error {
		*state += len(events)
		return nil
	}
	return mapping.NewAggregate[int](store, mapping.NewSettings(opts...), "Purse", id, encode, fold)
}

func TestDecide2_isTwoRoundTrips(t *testing.T) {
	t.Parallel()
	var counter wire.Counter
	pool := connect(t, database(t), func(c *pgxpool.Config) {
		c.MaxConns = 1
		counter.Count(&c.ConnConfig.Config)
	})
	store := newStore(t)
	for n, row := range []struct {
		name string
		b    []int // what is decided to append to the second
		want int64
	}{{"both are appended to", []int{1}, 2}, {"one is guarded", nil, 2}, {"one is guarded that does not exist", nil, 2}} {
		a, b := fmt.Sprint("a", n), fmt.Sprint("b", n)
		for try := range 3 { // pgx prepares each statement once, which is a round trip of its own
			other := b
			if n == 2 {
				other = fmt.Sprint("absent-", try)
			}
			tx := begin(t, pool)
			before := counter.Trips()
			_, _, err := mapping.Decide2(t.Context(), tx, purse(store, a), purse(store, other), func(a, b int) ([]int, []int, error) {
				if n == 1 && try == 0 {
					return nil, []int{1}, nil // so that there is something to guard
				}
				return []int{1}, row.b, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := counter.Trips() - before; try == 2 && got != row.want {
				t.Errorf("%s: %d round trips, want %d", row.name, got, row.want)
			}
			commit(t, tx)
		}
	}
}

// Two purses may be emptied as long as one of them is not. Many who look at both and empty either never leave both empty, and
// nobody deadlocks.
func TestDecide2_noWriteSkew(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	store := newStore(t)
	errLast := errors.New("the other one is empty")
	for round := range 20 {
		ids := [2]string{fmt.Sprint("left-", round), fmt.Sprint("right-", round)}
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
					mine, other := purse(store, ids[i%2]), purse(store, ids[1-i%2])
					_, _, err := mapping.Decide2(t.Context(), tx, mine, other, func(mine, other int) ([]int, []int, error) {
						if other > 0 {
							return nil, nil, errLast
						}
						return []int{1}, nil, nil
					})
					return err
				})
				if err != nil && !errors.Is(err, errLast) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		var emptied int
		if err := pool.QueryRow(t.Context(), "select count(*) from aggregate_heads where aggregate_id = any($1)", ids[:]).Scan(&emptied); err != nil {
			t.Fatal(err)
		}
		if emptied != 1 {
			t.Fatalf("round %d: %d of 2 purses are emptied, want 1", round, emptied)
		}
	}
}

// Decide2 works in a transaction of database/sql, and through a pool and a group, where read and append are transactions of
// their own: what changes in between is decided on again.
func TestDecide2_everyTransaction(t *testing.T) {
	t.Parallel()
	address := database(t)
	pool, db := connect(t, address), connectSQL(t, address, pgx.QueryExecModeCacheStatement)
	sqlStore, err := postgres.NewSQL()
	if err != nil {
		t.Fatal(err)
	}
	group := newGroup(t, pool)
	poolStore := newPoolStore(t)
	fill := func(int, int) ([]int, []int, error) { return []int{1}, []int{1}, nil }
	const each = 10
	var wg sync.WaitGroup
	for range each {
		wg.Go(func() {
			_, _, err := mapping.Decide2(t.Context(), pool, purse(poolStore, "x", runtime.WithMaxAttempts(100)), purse(poolStore, "y"), fill)
			if err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			_, _, err := mapping.Decide2(t.Context(), group, purse(group, "y", runtime.WithMaxAttempts(100)), purse(group, "x"), fill)
			if err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			tx, err := db.BeginTx(t.Context(), nil)
			if err == nil {
				_, _, err = mapping.Decide2(t.Context(), tx, purse(sqlStore, "x"), purse(sqlStore, "y"), fill)
				err = errors.Join(err, tx.Commit())
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, id := range []string{"x", "y"} {
		s, err := poolStore.ReadAggregateStream(t.Context(), pool, "Purse", id, nil, nil)
		if err != nil || s.Version() != 3*each {
			t.Errorf("%s is at version %d, %v; want %d", id, s.Version(), err, 3*each)
		}
	}
}
