package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// Writers and a reader of a primary go on with its standby. The standby is synchronous, so what was acknowledged is there; an
// append whose answer was lost is made again with the same events, and is stored once.
func TestFailover_appendsAreRetried(t *testing.T) {
	t.Parallel()
	const writers, appends = 6, 40
	primary := pgtest.NewServer(t)
	address := primary.NewDatabase(t, schema(t, design.Options{}))
	standby := primary.NewStandby(t)
	before := connect(t, address)
	commitsWait(t, before)
	after := connect(t, standby.URL(before.Config().ConnConfig.Database))

	var current atomic.Pointer[pgxpool.Pool]
	current.Store(before)
	store := newPoolStore(t)
	var acknowledged, again atomic.Int64
	// until makes a call on whichever server is in charge, until it succeeds.
	until := func(call func(context.Context, *pgxpool.Pool) error) {
		for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			err := call(ctx, current.Load())
			cancel()
			if err == nil {
				return
			}
			if time.Now().After(deadline) || errors.Is(err, runtime.ErrDuplicateEvent) || errors.Is(err, runtime.ErrOptimisticConcurrency) {
				t.Error(err)
				return
			}
		}
	}
	written := make([][]uuid.UUID, writers)
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for n := range appends {
				events := placed(fmt.Sprintf("order-%d", w), 2)
				until(func(ctx context.Context, pool *pgxpool.Pool) error {
					r, err := store.Append(ctx, pool, runtime.Exact(int64(2*n)), events)
					if err == nil && r.AlreadyStored {
						again.Add(1)
					}
					return err
				})
				written[w] = append(written[w], events[0].EventID, events[1].EventID)
				acknowledged.Add(1)
			}
		})
	}
	var read []runtime.PersistedEvent
	group.Go(func() {
		for len(read) < 2*writers*appends && !t.Failed() {
			until(func(ctx context.Context, pool *pgxpool.Pool) error {
				var position int64
				if len(read) > 0 {
					position = read[len(read)-1].GlobalPosition
				}
				page, err := store.ReadEvents(ctx, pool, position, 50)
				read = append(read, page...)
				return err
			})
		}
	})
	eventually(t, "some is written", func() bool { return acknowledged.Load() > writers*appends/3 })
	if err := primary.StopImmediate(); err != nil {
		t.Fatal(err)
	}
	execute(t, after, `select pg_promote()`)
	current.Store(after)
	group.Wait()
	t.Logf("%d appends were found to be stored already", again.Load())

	got := make([][]uuid.UUID, writers)
	for _, e := range read {
		var w int
		if _, err := fmt.Sscanf(e.AggregateID, "order-%d", &w); err != nil {
			t.Fatal(err)
		}
		got[w] = append(got[w], e.EventID)
	}
	if diff := cmp.Diff(written, got); diff != "" {
		t.Errorf("events by stream (-written +read):\n%s", diff)
	}
	if err := postgres.Check(t.Context(), after); err != nil {
		t.Error(err)
	}
}

// commitsWait makes every later commit on the primary wait for its standby. The server takes a changed setting some time after
// it was told to. So commits first wait for a standby that does not exist, until one is seen to wait: from then on, all do.
func commitsWait(t *testing.T, primary *pgxpool.Pool) {
	t.Helper()
	waitFor := func(standby string) {
		execute(t, primary, fmt.Sprintf(`alter system set synchronous_standby_names = '%s'`, standby))
		execute(t, primary, `select pg_reload_conf()`)
	}
	waitFor("nobody")
	var seen atomic.Bool
	var group sync.WaitGroup
	group.Go(func() {
		for !seen.Load() && t.Context().Err() == nil {
			if _, err := primary.Exec(t.Context(), `select pg_logical_emit_message(true, 'a', 'commit')`); err != nil {
				t.Error(err)
				return
			}
		}
	})
	eventually(t, "a commit waits", func() bool {
		return one[bool](t, primary, `select exists (select from pg_stat_activity where wait_event = 'SyncRep')`)
	})
	seen.Store(true)
	waitFor("*")
	group.Wait()
}

// A logical replica is promoted: sequences are not replicated, so its own is where it began. Nothing is stored and nothing of
// the log is read before the sequence is set, whether the sessions are older than the events or not; streams can be read.
func TestFailover_logicalReplicaIsPromoted(t *testing.T) {
	t.Parallel()
	for name, archived := range map[string]bool{"the whole log": false, "its end": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			publisher := pgtest.NewServer(t, pgtest.Setting("wal_level", "logical"))
			subscriber := pgtest.NewServer(t)
			tables := schema(t, design.Options{})
			address := publisher.NewDatabase(t, tables)
			before, after := connect(t, address), connect(t, subscriber.NewDatabase(t, tables))
			store := newPoolStore(t)
			if _, err := store.ReadEvents(t.Context(), after, 0, 10); err != nil { // a session that is older than what comes
				t.Fatal(err)
			}
			for i := range 30 {
				mustStore(t, store, before, runtime.NoStream(), fmt.Sprintf("order-%d", i), 2)
				err := pgx.BeginFunc(t.Context(), before, func(tx pgx.Tx) error { // a hole
					return errors.Join(second(newStore(t).Append(t.Context(), tx, runtime.NoStream(), placed("none", 3))), errHole)
				})
				if !errors.Is(err, errHole) {
					t.Fatal(err)
				}
			}
			execute(t, before, `create publication all_of_it for all tables`)
			executeAlone(t, after, fmt.Sprintf(`create subscription replica connection '%s' publication all_of_it`, address))
			mustStore(t, store, before, runtime.Any(), "order-1", 5)
			mustStore(t, store, before, runtime.NoStream(), "last", 1)
			end, err := store.GetLatestGlobalPosition(t.Context(), before)
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, "all is replicated", func() bool {
				last, err := store.GetLatestGlobalPosition(t.Context(), after)
				heads := one[int64](t, after, `select count(*) from aggregate_heads`)
				return err == nil && last == end && heads == 31
			})
			if err := publisher.StopImmediate(); err != nil {
				t.Fatal(err)
			}
			for _, statement := range []string{`alter subscription replica disable`, `alter subscription replica set (slot_name = none)`, `drop subscription replica`} {
				executeAlone(t, after, statement)
			}
			if archived {
				execute(t, after, `delete from events where global_position < 100`)
			}

			for call, err := range map[string]error{
				"Append to a new stream": second(store.Append(t.Context(), after, runtime.NoStream(), placed(newStream(), 1))),
				"Append":                 second(store.Append(t.Context(), after, runtime.Exact(1), placed("last", 1))),
				"ReadEvents":             second(store.ReadEvents(t.Context(), after, 0, 1000)),
				"LogEvents":              firstError(store.LogEvents(t.Context(), after, runtime.LogQuery{})),
			} {
				if !errors.Is(err, postgres.ErrSequenceBehind) {
					t.Errorf("%s: error is %v, want %v", call, err, postgres.ErrSequenceBehind)
				}
			}
			if s, err := store.ReadAggregateStream(t.Context(), after, "Order", "last", nil, nil); err != nil || s.Len() != 1 {
				t.Errorf("a stream: %d events, %v, want 1", s.Len(), err)
			}
			mends(t, after, second(store.SafeGlobalPosition(t.Context(), after)))
			r, err := store.Append(t.Context(), after, runtime.Exact(1), placed("last", 2))
			if err != nil || r.GlobalPositions[0] <= end {
				t.Errorf("positions %v, error %v, want them behind %d", r.GlobalPositions, err, end)
			}
			if page, err := store.ReadEvents(t.Context(), after, end, 10); err != nil || len(page) != 2 {
				t.Errorf("%d events behind the end of the replica, %v, want 2", len(page), err)
			}
			if err := postgres.Check(t.Context(), after); !archived && err != nil {
				t.Error(err)
			}
		})
	}
}

var errHole = errors.New("rolled back")

// executeAlone runs a statement that cannot be part of a transaction.
func executeAlone(t *testing.T, pool *pgxpool.Pool, statement string) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), statement, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func mustStore(t *testing.T, store *postgres.Store[*pgxpool.Pool], pool *pgxpool.Pool, expected runtime.ExpectedVersion, stream string, n int) {
	t.Helper()
	if _, err := store.Append(t.Context(), pool, expected, placed(stream, n)); err != nil {
		t.Fatal(err)
	}
}

func one[T any](t *testing.T, pool *pgxpool.Pool, statement string) (value T) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), statement).Scan(&value); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return value
}
