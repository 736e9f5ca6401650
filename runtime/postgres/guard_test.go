package postgres_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/runtime"
)

// guardedStreams is how many streams the calls of a history are about.
const guardedStreams = 3

// A guardedCall is what a client asked for: a version of each stream, and one event more for some.
type guardedCall struct {
	expected [guardedStreams]int64
	appends  [guardedStreams]bool
}

// guardedModel is what guards are meant to be, one call at a time: a call succeeds if and only if every stream is at the
// version that it expects, whether it appends to it or not.
var guardedModel = porcupine.Model{
	Init: func() any { return [guardedStreams]int64{} },
	Step: func(state, input, output any) (bool, any) {
		versions, call, won := state.([guardedStreams]int64), input.(guardedCall), output.(bool)
		if won != (versions == call.expected) {
			return false, versions
		}
		for i, appends := range call.appends {
			if won && appends {
				versions[i]++
			}
		}
		return true, versions
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %v", input, output) },
}

// Concurrent appends with guards on each other's streams behave as if they had been made one after the other: what one was
// decided on holds when it is stored.
func TestGuards_areLinearizable(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	store, poolStore, group := newStore(t), newPoolStore(t), newGroup(t, pool)
	for round := range 12 {
		seed := uint64(time.Now().UnixNano()) + uint64(round)
		var streams [guardedStreams]string
		for i := range streams {
			streams[i] = newStream()
		}
		const clients, calls = 6, 12
		var mu sync.Mutex
		var history []porcupine.Operation
		var wg sync.WaitGroup
		begin := time.Now()
		for client := range clients {
			wg.Go(func() {
				random := rand.New(rand.NewPCG(seed, uint64(client)))
				for range calls {
					var call guardedCall
					var appends []runtime.StreamAppend
					for _, i := range random.Perm(guardedStreams) {
						stream, err := poolStore.ReadAggregateStream(t.Context(), pool, "Order", streams[i], nil, nil)
						if err != nil {
							t.Error(err)
							return
						}
						call.expected[i] = stream.Version()
						call.appends[i] = random.IntN(guardedStreams) == 0
						a := runtime.Guard("Order", streams[i], runtime.Exact(stream.Version()))
						if call.appends[i] {
							a.Events = placed(streams[i], 1)
						}
						appends = append(appends, a)
					}
					from := time.Since(begin)
					var err error
					switch random.IntN(3) {
					case 0:
						_, err = poolStore.AppendStreams(t.Context(), pool, appends...)
					case 1:
						_, err = group.AppendStreams(t.Context(), group, appends...)
					default:
						err = pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
							_, err := store.AppendStreams(t.Context(), tx, appends...)
							return err
						})
					}
					if err != nil && !errors.Is(err, runtime.ErrOptimisticConcurrency) {
						t.Errorf("seed %d: %+v: %v", seed, call, err)
						return
					}
					mu.Lock()
					history = append(history, porcupine.Operation{
						ClientId: client, Input: call, Output: err == nil, Call: from.Nanoseconds(), Return: time.Since(begin).Nanoseconds(),
					})
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if t.Failed() {
			return
		}
		if verdict := porcupine.CheckOperationsTimeout(guardedModel, history, patience); verdict != porcupine.Ok {
			t.Fatalf("seed %d: the history is not linearizable (%s): %+v", seed, verdict, history)
		}
	}
	var heads, streams int64
	err := pool.QueryRow(t.Context(), `select
		(select count(*) from aggregate_heads),
		(select count(distinct (aggregate_type, aggregate_id)) from events)`).Scan(&heads, &streams)
	if err != nil || heads != streams {
		t.Errorf("there are %d heads of %d streams (%v); a guard has left one behind", heads, streams, err)
	}
}

// A doctor may go off call if another one is on call. Each of two looks at both and goes: only one may.
func TestGuards_noWriteSkew(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	store := newStore(t)
	for range 40 {
		doctors := []string{newStream(), newStream()}
		for _, d := range doctors {
			if _, err := newPoolStore(t).Append(t.Context(), pool, runtime.NoStream(), placed(d, 1)); err != nil {
				t.Fatal(err)
			}
		}
		errs := make([]error, len(doctors))
		var looked, done sync.WaitGroup
		looked.Add(len(doctors))
		for i := range doctors {
			done.Go(func() {
				errs[i] = pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
					me, other := doctors[i], doctors[1-i]
					stream, err := store.ReadAggregateStream(t.Context(), tx, "Order", other, nil, nil)
					looked.Done()
					looked.Wait()
					if err != nil || stream.Version() != 1 {
						return fmt.Errorf("the other doctor is at version %d: %w", stream.Version(), err)
					}
					_, err = store.AppendStreams(t.Context(), tx,
						runtime.StreamAppend{Expected: runtime.Exact(1), Events: placed(me, 1)},
						runtime.Guard("Order", other, runtime.Exact(1)))
					return err
				})
			})
		}
		done.Wait()
		if won := (errs[0] == nil) != (errs[1] == nil); !won || !errors.Is(errors.Join(errs...), runtime.ErrOptimisticConcurrency) {
			t.Fatalf("errors are %v and %v, want one that is %v", errs[0], errs[1], runtime.ErrOptimisticConcurrency)
		}
	}
}

// At REPEATABLE READ a guard on a stream that has changed since the snapshot ends the transaction, as an append does.
func TestGuards_lostRaceAtHigherLevels(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	store := newStore(t)
	for _, level := range []pgx.TxIsoLevel{pgx.RepeatableRead, pgx.Serializable} {
		for _, exists := range []bool{true, false} {
			stream := newStream()
			var version int64
			if exists {
				version = 1
				if _, err := newPoolStore(t).Append(t.Context(), pool, runtime.NoStream(), placed(stream, 1)); err != nil {
					t.Fatal(err)
				}
			}
			tx := begin(t, pool, pgx.TxOptions{IsoLevel: level})
			if _, err := store.ReadAggregateStream(t.Context(), tx, "Order", stream, nil, nil); err != nil {
				t.Fatal(err)
			}
			if _, err := newPoolStore(t).Append(t.Context(), pool, runtime.Any(), placed(stream, 1)); err != nil {
				t.Fatal(err)
			}
			_, err := store.AppendStreams(t.Context(), tx,
				runtime.StreamAppend{Events: placed(newStream(), 1)}, runtime.Guard("Order", stream, runtime.Exact(version)))
			if !errors.Is(err, runtime.ErrOptimisticConcurrency) || !runtime.Retryable(err) {
				t.Errorf("%s, exists %v: error is %v", level, exists, err)
			}
		}
	}
}
