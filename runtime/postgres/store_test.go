package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
	"github.com/eventmap/eventmap/runtime/postgres/internal/wire"
)

func TestAppend_isOneRoundTrip(t *testing.T) {
	t.Parallel()
	var counter wire.Counter
	pool := connect(t, database(t), func(c *pgxpool.Config) {
		c.MaxConns = 1
		counter.Count(&c.ConnConfig.Config)
	})
	store, poolStore := newStore(t), newPoolStore(t)
	count := func(what string, want int64, call func() error) {
		t.Helper()
		before := counter.Trips()
		if err := call(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if got := counter.Trips() - before; got != want {
			t.Errorf("%s took %d round trips, want %d", what, got, want)
		}
	}
	stream := newStream()
	warm := begin(t, pool) // the first call of a store looks at the server
	mustAppend(t, store, warm, placed(newStream(), 1))
	commit(t, warm)
	prepare := begin(t, pool) // pgx prepares each statement once, which is a round trip of its own
	for _, text := range postgres.AppendStatements(store) {
		if _, err := prepare.Prepare(t.Context(), text, text); err != nil {
			t.Fatal(err)
		}
	}
	commit(t, prepare)
	if _, err := poolStore.Append(t.Context(), pool, runtime.Any(), placed(stream, 1)); err != nil {
		t.Fatal(err)
	}
	guards := []runtime.StreamAppend{
		{Events: placed(newStream(), 1)}, runtime.Guard("Order", stream, runtime.StreamExists()), runtime.Guard("Order", newStream(), runtime.NoStream()),
	}
	for range 2 {
		for _, err := range poolStore.LogEvents(t.Context(), pool, runtime.LogQuery{}) {
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := poolStore.ReadAggregateStream(t.Context(), pool, "Order", stream, nil, nil); err != nil {
			t.Fatal(err)
		}
		for n := 1; n <= len(guards); n++ {
			guards[0].Events = placed(newStream(), 1)
			if _, err := poolStore.AppendStreams(t.Context(), pool, guards[:n]...); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, n := range []int{1, 2, 10, 100, 1000} {
		for _, expected := range []runtime.ExpectedVersion{runtime.Any(), runtime.StreamExists()} {
			count(fmt.Sprintf("an append of %d through the pool", n), 1, func() error {
				_, err := poolStore.Append(t.Context(), pool, expected, placed(stream, n))
				return err
			})
		}
		tx := begin(t, pool)
		count(fmt.Sprintf("an append of %d in a transaction", n), 1, func() error {
			_, err := store.Append(t.Context(), tx, runtime.Any(), placed(stream, n))
			return err
		})
		commit(t, tx)
	}
	count("an append to 20 streams", 1, func() error {
		var appends []runtime.StreamAppend
		for range 20 {
			appends = append(appends, runtime.StreamAppend{Events: placed(newStream(), 5)})
		}
		_, err := poolStore.AppendStreams(t.Context(), pool, appends...)
		return err
	})
	count("an append with guards, on a stream and on one that does not exist", 1, func() error {
		guards[0].Events = placed(newStream(), 1)
		_, err := poolStore.AppendStreams(t.Context(), pool, guards...)
		return err
	})
	count("a stream's read", 1, func() error {
		_, err := poolStore.ReadAggregateStream(t.Context(), pool, "Order", stream, nil, nil)
		return err
	})
	count("the log's read", 1, func() error {
		_, err := poolStore.ReadEvents(t.Context(), pool, 0, 1000)
		return err
	})
}

func TestReadEvents_refusesOldSnapshots(t *testing.T) {
	t.Parallel()
	address := database(t)
	pool := connect(t, address)
	store := newStore(t)
	calls := func(tx pgx.Tx) map[string]error {
		_, readErr := store.ReadEvents(t.Context(), tx, 0, 10)
		_, safeErr := store.SafeGlobalPosition(t.Context(), tx)
		var iterErr error
		for _, err := range store.LogEvents(t.Context(), tx, runtime.LogQuery{}) {
			iterErr = err
		}
		return map[string]error{"ReadEvents": readErr, "SafeGlobalPosition": safeErr, "LogEvents": iterErr}
	}
	for _, level := range []pgx.TxIsoLevel{pgx.RepeatableRead, pgx.Serializable} {
		tx := begin(t, pool, pgx.TxOptions{IsoLevel: level})
		for name, err := range calls(tx) {
			if !errors.Is(err, postgres.ErrIsolation) {
				t.Errorf("%s in %s: error is %v, want %v", name, level, err, postgres.ErrIsolation)
			}
		}
		// The transaction goes on, and what needs no frontier works at every level.
		mustAppend(t, store, tx, placed(newStream(), 1))
		if _, err := store.GetLatestGlobalPosition(t.Context(), tx); err != nil {
			t.Error(err)
		}
		commit(t, tx)
	}
	for _, options := range []pgx.TxOptions{{IsoLevel: pgx.ReadUncommitted}, {AccessMode: pgx.ReadOnly}} {
		for name, err := range calls(begin(t, pool, options)) {
			if err != nil {
				t.Errorf("%s with %+v: %v", name, options, err)
			}
		}
	}
	strict := connect(t, address, func(c *pgxpool.Config) {
		c.ConnConfig.RuntimeParams["default_transaction_isolation"] = "repeatable read"
	})
	if _, err := newPoolStore(t).ReadEvents(t.Context(), strict, 0, 10); !errors.Is(err, postgres.ErrIsolation) {
		t.Errorf("pool whose default is REPEATABLE READ: error is %v, want %v", err, postgres.ErrIsolation)
	}
}

func TestAppend_lostRaceAtHigherLevels(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	store, poolStore := newStore(t), newPoolStore(t)
	for _, level := range []pgx.TxIsoLevel{pgx.RepeatableRead, pgx.Serializable} {
		for _, exists := range []bool{true, false} {
			for _, expected := range []runtime.ExpectedVersion{runtime.Any(), runtime.Exact(0), runtime.Exact(1)} {
				stream := newStream()
				version := int64(0)
				if exists {
					r, err := poolStore.Append(t.Context(), pool, runtime.Any(), placed(stream, 1))
					if err != nil {
						t.Fatal(err)
					}
					version = r.ToVersion()
				}
				if !expected.IsAny() && expected.Value() != version {
					continue
				}
				tx := begin(t, pool, pgx.TxOptions{IsoLevel: level})
				if _, err := store.ReadAggregateStream(t.Context(), tx, "Order", stream, nil, nil); err != nil {
					t.Fatal(err)
				}
				if _, err := poolStore.Append(t.Context(), pool, runtime.Any(), placed(stream, 1)); err != nil {
					t.Fatal(err)
				}
				_, err := store.Append(t.Context(), tx, expected, placed(stream, 1))
				what := fmt.Sprintf("%s, expecting %s, stream exists %v", level, expected, exists)
				wantState(t, what, err, "40001")
				if !errors.Is(err, runtime.ErrOptimisticConcurrency) || !runtime.Retryable(err) {
					t.Errorf("%s: %v is not a lost race to retry", what, err)
				}
				_ = tx.Rollback(t.Context())
			}
		}
	}
}

func TestAppend_deadlockIsRetryable(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t), func(c *pgxpool.Config) {
		c.ConnConfig.RuntimeParams["deadlock_timeout"] = "50ms"
	})
	store := newStore(t)
	streams := []string{newStream(), newStream()}
	txs := []pgx.Tx{begin(t, pool), begin(t, pool)}
	for i, tx := range txs {
		mustAppend(t, store, tx, placed(streams[i], 1))
	}
	errs := make([]error, 2)
	var wg sync.WaitGroup
	for i, tx := range txs {
		wg.Go(func() {
			_, errs[i] = store.Append(t.Context(), tx, runtime.Any(), placed(streams[1-i], 1))
			if errs[i] != nil {
				_ = tx.Rollback(t.Context())
			}
		})
	}
	wg.Wait()
	err := errors.Join(errs...)
	wantState(t, "one of two in a deadlock", err, "40P01")
	if !runtime.Retryable(err) || errors.Is(err, runtime.ErrOptimisticConcurrency) {
		t.Errorf("%v: want it retryable and no version conflict", err)
	}
}

// The statement's snapshot may be older than what the row lock shows after a wait. Whatever the writer that was waited
// for did, the answer is about the stream as it is then.
func TestAppend_judgesTheStreamItWaitedFor(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	store, poolStore := newStore(t), newPoolStore(t)
	for _, row := range []struct {
		name     string
		start    int  // the stream's version before
		commits  bool // the writer that is waited for appends one and commits; else it rolls back
		expected runtime.ExpectedVersion
		want     int64 // version after the append; 0: conflict
		actual   int64
	}{
		{"Any, created", 0, true, runtime.Any(), 2, 0},
		{"Any, not created", 0, false, runtime.Any(), 1, 0},
		{"NoStream, created", 0, true, runtime.NoStream(), 0, 1},
		{"NoStream, not created", 0, false, runtime.NoStream(), 1, 0},
		{"Any, moved", 2, true, runtime.Any(), 4, 0},
		{"StreamExists, moved", 2, true, runtime.StreamExists(), 4, 0},
		{"Exact, moved away", 2, true, runtime.Exact(2), 0, 3},
		{"Exact, not moved", 2, false, runtime.Exact(2), 3, 0},
	} {
		for _, several := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, several streams %v", row.name, several), func(t *testing.T) {
				stream := newStream()
				if row.start > 0 {
					if _, err := poolStore.Append(t.Context(), pool, runtime.Any(), placed(stream, row.start)); err != nil {
						t.Fatal(err)
					}
				}
				holder := begin(t, pool)
				mustAppend(t, store, holder, placed(stream, 1))
				waiter := begin(t, pool)
				var pid int
				if err := waiter.QueryRow(t.Context(), "select pg_backend_pid()").Scan(&pid); err != nil {
					t.Fatal(err)
				}
				type answer struct {
					r   runtime.AppendResult
					err error
				}
				answers := make(chan answer, 1)
				go func() {
					if !several {
						r, err := store.Append(context.Background(), waiter, row.expected, placed(stream, 1))
						answers <- answer{r, err}
						return
					}
					rs, err := store.AppendStreams(context.Background(), waiter,
						runtime.StreamAppend{Expected: runtime.Any(), Events: placed(stream+"-other", 1)},
						runtime.StreamAppend{Expected: row.expected, Events: placed(stream, 1)})
					if err != nil {
						rs = make([]runtime.AppendResult, 2)
					}
					answers <- answer{rs[1], err}
				}()
				eventually(t, "the second append waits for the first", func() bool {
					var waits bool
					if err := pool.QueryRow(t.Context(), "select cardinality(pg_blocking_pids($1)) > 0", pid).Scan(&waits); err != nil {
						t.Fatal(err)
					}
					return waits
				})
				if row.commits {
					commit(t, holder)
				} else if err := holder.Rollback(t.Context()); err != nil {
					t.Fatal(err)
				}
				got := <-answers
				if row.want > 0 {
					if got.err != nil {
						t.Fatal(got.err)
					}
					if got.r.ToVersion() != row.want {
						t.Errorf("appended version %d, want %d", got.r.ToVersion(), row.want)
					}
				} else {
					var conflict *runtime.ConflictError
					if !errors.As(got.err, &conflict) || conflict.Actual != row.actual {
						t.Errorf("error is %v, want a conflict at version %d", got.err, row.actual)
					}
				}
				// Whatever the answer, the transaction goes on.
				mustAppend(t, store, waiter, placed(newStream(), 1))
				commit(t, waiter)
				stands, err := poolStore.ReadAggregateStream(t.Context(), pool, "Order", stream, nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				if want := max(row.want, row.actual); stands.Version() != want || stands.Len() != int(want) {
					t.Errorf("stream is at %d with %d events, want %d", stands.Version(), stands.Len(), want)
				}
			})
		}
	}
}

func TestReadEvents_refusesStandbys(t *testing.T) {
	t.Parallel()
	primary := pgtest.NewServer(t)
	address := primary.NewDatabase(t, schema(t, design.Options{}))
	pool := connect(t, address)
	stream := newStream()
	if _, err := newPoolStore(t).Append(t.Context(), pool, runtime.Any(), placed(stream, 2)); err != nil {
		t.Fatal(err)
	}
	name, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	standby := connect(t, primary.NewStandby(t).URL(name.Database))
	store := newPoolStore(t)
	if _, err := store.ReadEvents(t.Context(), standby, 0, 10); !errors.Is(err, postgres.ErrStandby) {
		t.Errorf("ReadEvents: error is %v, want %v", err, postgres.ErrStandby)
	}
	if _, err := store.SafeGlobalPosition(t.Context(), standby); !errors.Is(err, postgres.ErrStandby) {
		t.Errorf("SafeGlobalPosition: error is %v, want %v", err, postgres.ErrStandby)
	}
	read, err := store.ReadAggregateStream(t.Context(), standby, "Order", stream, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if read.Len() != 2 {
		t.Errorf("%d events were read from the standby, want 2", read.Len())
	}
}

func TestStore_withFiveHundredConnections(t *testing.T) {
	t.Parallel()
	const writers = 500
	server := pgtest.NewServer(t, pgtest.Setting("max_connections", "520"))
	pool := connect(t, server.NewDatabase(t, schema(t, design.Options{})), func(c *pgxpool.Config) { c.MaxConns = writers + 5 })
	store := newStore(t)
	// All of them have appended before any commits: that many fences are held at once.
	errs := make([]error, writers)
	var appended, done sync.WaitGroup
	appended.Add(writers)
	release := make(chan struct{})
	for w := range writers {
		done.Go(func() {
			errs[w] = pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
				_, err := store.Append(t.Context(), tx, runtime.NoStream(), placed(fmt.Sprint("one-of-500-", w), 2))
				appended.Done()
				<-release
				return err
			})
		})
	}
	appended.Wait()
	if got := readable(t, pool); len(got) != 0 {
		t.Errorf("%d events were read with all appends in flight", len(got))
	}
	if held, _ := fences(t, pool); held != writers {
		t.Errorf("%d locks are held, want %d", held, writers)
	}
	close(release)
	done.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if got := readable(t, pool); len(got) != 2*writers {
		t.Errorf("%d events were read, want %d", len(got), 2*writers)
	}
}
