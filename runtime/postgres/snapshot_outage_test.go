package postgres_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/mapping"
)

// A versions is a state that any event missed, repeated or out of order would change.
type versions struct{ Last, Sum int64 }

func (v *versions) apply(events []runtime.PersistedEvent) error {
	for i := range events {
		if events[i].AggregateVersion != v.Last+1 {
			return errors.New("a version is missing, or there twice")
		}
		v.Last = events[i].AggregateVersion
		v.Sum += v.Last
	}
	return nil
}

// orders are snapshots of orders over a store, saved with every append.
func orders[Tx any](store runtime.Store[Tx], told runtime.Logger) mapping.Snapshots[Tx, versions] {
	return mapping.NewSnapshots[Tx, versions](store, mapping.NewSettings(runtime.SnapshotEvery(1), runtime.WithLogger(told)), "Order", "code", (*versions).apply)
}

// A standby reads snapshots, and writes nothing: not to load, and where a program executes there by mistake, the append is
// refused, and with it the snapshot.
func TestSnapshots_standby(t *testing.T) {
	t.Parallel()
	primary := pgtest.NewServer(t)
	address := primary.NewDatabase(t, schema(t, design.Options{Snapshots: true}))
	pool, store, stream, told := connect(t, address), newStore(t), newStream(), new(troubles)
	s := orders[pgx.Tx](store, told)
	add := func(n int) {
		t.Helper()
		tx := begin(t, pool)
		addTo(t, s, store, tx, stream, n)
		commit(t, tx)
	}
	add(3)
	standby := primary.NewStandby(t)
	there := connect(t, standby.URL(pool.Config().ConnConfig.Database))
	if one[bool](t, there, "select not pg_is_in_recovery()") {
		t.Fatal("it is no standby")
	}
	execute(t, pool, "update aggregate_snapshots set saved_at = 'epoch'") // what is saved again has another time
	if _, err := store.Append(t.Context(), begin(t, pool), runtime.Any(), placed("never committed", 1)); err != nil {
		t.Fatal(err)
	}
	tx := begin(t, pool)
	if _, err := store.Append(t.Context(), tx, runtime.Exact(3), placed(stream, 2)); err != nil {
		t.Fatal(err)
	}
	commit(t, tx)
	eventually(t, "the standby has the events", func() bool {
		tail, err := newPoolStore(t).ReadAggregateStream(t.Context(), there, "Order", stream, nil, nil)
		return err == nil && tail.Version() == 5
	})
	loaded, err := s.Load(t.Context(), begin(t, there), stream)
	if err != nil || loaded.Saved != 3 || loaded.State != (versions{5, 15}) {
		t.Errorf("got %+v, %v; want version 5 from a snapshot of 3", loaded, err)
	}

	tx = begin(t, there)
	_, err = store.Append(t.Context(), tx, runtime.Exact(5), placed(stream, 1))
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != "25006" {
		t.Errorf("an append on a standby: %v, want that it is read-only", err)
	}
	// Nor does a snapshot of what is there already end the transaction of who only reads.
	tx = begin(t, there)
	s.Save(t.Context(), tx, stream, loaded)
	if again, err := s.Load(t.Context(), tx, stream); err != nil || again.State != loaded.State || again.Saved != 3 {
		t.Errorf("after a snapshot that a standby does not take: %+v, %v; want %+v", again, err, loaded)
	}
	if len(told.told) != 1 || !strings.Contains(told.told[0], "a snapshot cannot be saved") {
		t.Errorf("the logger was told %q", told.told)
	}
	if n := one[int](t, pool, "select count(*) from aggregate_snapshots where saved_at = 'epoch'"); n != 1 {
		t.Errorf("%d snapshots are as they were, want 1", n)
	}
}

// The server is killed between an append and its snapshot. In a transaction both are gone; where the append is committed by
// itself, the next load folds the stream from where the last snapshot stands.
func TestSnapshots_serverIsKilledAfterAppend(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t)
	address := server.NewDatabase(t, schema(t, design.Options{Snapshots: true}))
	store, poolStore, stream := newStore(t), newPoolStore(t), newStream()
	load := func(pool *pgxpool.Pool) mapping.Loaded[versions] {
		t.Helper()
		loaded, err := orders[pgx.Tx](store, new(troubles)).Load(t.Context(), begin(t, pool), stream)
		if err != nil {
			t.Fatal(err)
		}
		return loaded
	}
	kill := func() {
		t.Helper()
		if err := errors.Join(server.StopImmediate(), server.Start()); err != nil {
			t.Fatal(err)
		}
	}
	pool := connect(t, address)
	tx := begin(t, pool)
	addTo(t, orders[pgx.Tx](store, new(troubles)), store, tx, stream, 4)
	commit(t, tx)

	tx = begin(t, pool)
	loaded, err := orders[pgx.Tx](store, new(troubles)).Load(t.Context(), tx, stream)
	if err != nil {
		t.Fatal(err)
	}
	result, err := store.Append(t.Context(), tx, runtime.Exact(4), placed(stream, 2))
	if err != nil {
		t.Fatal(err)
	}
	kill()
	told := new(troubles)
	loaded.Appended(result)
	orders[pgx.Tx](store, told).Save(t.Context(), tx, stream, loaded) // fails nothing
	if err := tx.Commit(t.Context()); err == nil {
		t.Error("a transaction of a server that was killed is committed")
	}
	if len(told.told) != 1 {
		t.Errorf("the logger was told %q", told.told)
	}
	pool = connect(t, address)
	if got := load(pool); got.Saved != 4 || got.State != (versions{4, 10}) {
		t.Errorf("in a transaction: %+v, want version 4, from a snapshot of it", got)
	}

	if _, err := poolStore.Append(t.Context(), pool, runtime.Exact(4), placed(stream, 2)); err != nil {
		t.Fatal(err)
	}
	kill()
	pool = connect(t, address)
	if got := load(pool); got.Saved != 4 || got.State != (versions{6, 21}) {
		t.Errorf("each by itself: %+v, want version 6, from a snapshot of 4", got)
	}
	tx = begin(t, pool)
	addTo(t, orders[pgx.Tx](store, new(troubles)), store, tx, stream, 1)
	commit(t, tx)
	if got := load(pool); got.Saved != 7 || got.State != (versions{7, 28}) {
		t.Errorf("and then: %+v, want version 7, from a snapshot of it", got)
	}
}

// The server is killed while a snapshot is saved. Where the append is committed by itself, it has succeeded.
func TestSnapshots_serverIsKilledWhileOneIsSaved(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t)
	address := server.NewDatabase(t, schema(t, design.Options{Snapshots: true}))
	pool, store, stream, told := connect(t, address), newPoolStore(t), newStream(), new(troubles)
	locking := begin(t, connect(t, address))
	if _, err := locking.Exec(t.Context(), "lock table aggregate_snapshots in exclusive mode"); err != nil {
		t.Fatal(err)
	}
	killed := make(chan error, 1)
	go func() {
		for waiting := 0; waiting == 0; time.Sleep(time.Millisecond) { // until the snapshot waits for the lock
			err := locking.QueryRow(t.Context(), "select count(*) from pg_locks where not granted and relation = 'aggregate_snapshots'::regclass").Scan(&waiting)
			if err != nil {
				killed <- err
				return
			}
		}
		killed <- errors.Join(server.StopImmediate(), server.Start())
	}()
	addTo(t, orders(store, told), store, pool, stream, 2)
	if err := <-killed; err != nil {
		t.Fatal(err)
	}
	if len(told.told) != 1 || !strings.Contains(told.told[0], "a snapshot cannot be saved") {
		t.Errorf("the logger was told %q", told.told)
	}
	pool = connect(t, address)
	if got, err := orders(store, told).Load(t.Context(), pool, stream); err != nil || got.Saved != 0 || got.State != (versions{2, 3}) {
		t.Errorf("got %+v, %v; want version 2, without a snapshot", got, err)
	}
}

// addTo does what a generated Execute does, once.
func addTo[Tx any](t *testing.T, s mapping.Snapshots[Tx, versions], store runtime.Store[Tx], tx Tx, stream string, n int) {
	t.Helper()
	loaded, err := s.Load(t.Context(), tx, stream)
	if err != nil {
		t.Fatal(err)
	}
	result, err := store.Append(t.Context(), tx, runtime.Exact(loaded.Version), placed(stream, n))
	if err != nil {
		t.Fatal(err)
	}
	if err := loaded.State.apply(result.Events); err != nil {
		t.Fatal(err)
	}
	loaded.Appended(result)
	s.Save(t.Context(), tx, stream, loaded)
}
