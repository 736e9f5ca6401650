package postgres_test

import (
	"database/sql"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/mapping"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// What the server says when a snapshot is saved fails no append, through whatever the append is made; the trouble is told.
func TestSnapshots_serverRefusesThem(t *testing.T) {
	t.Parallel()
	for name, state := range map[string]string{
		"disk is full":          "53100",
		"out of memory":         "53200",
		"statement timeout":     "57014",
		"lock timeout":          "55P03",
		"deadlock":              "40P01",
		"serialization":         "40001",
		"no rights":             "42501",
		"read-only":             "25006",
		"corrupt index":         "XX002",
		"raised by a trigger":   "P0001",
		"value that is refused": "23514",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := pgtest.New(t, schema(t, design.Options{Snapshots: true}))
			pool := connect(t, address)
			execute(t, pool, `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'refused' using errcode = '`+state+`'; end $$`)
			execute(t, pool, `create trigger refuse before insert on aggregate_snapshots for each row execute function refuse()`)
			failsNothing(t, newStore(t), func(call func(pgx.Tx)) {
				tx := begin(t, pool)
				call(tx)
				commit(t, tx)
			})
			failsNothing(t, newPoolStore(t), func(call func(*pgxpool.Pool)) { call(pool) })
			group := newGroup(t, pool)
			failsNothing(t, group, func(call func(*postgres.Group)) { call(group) })
			store, err := postgres.NewSQL()
			if err != nil {
				t.Fatal(err)
			}
			db := connectSQL(t, address, pgx.QueryExecModeCacheStatement)
			failsNothing(t, store, func(call func(*sql.Tx)) {
				tx, err := db.BeginTx(t.Context(), nil)
				if err != nil {
					t.Fatal(err)
				}
				call(tx)
				if err := tx.Commit(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// failsNothing fails t unless two appends succeed, each with a snapshot that cannot be saved, and the stream comes to both.
func failsNothing[Tx any](t *testing.T, store runtime.Store[Tx], in func(call func(Tx))) {
	t.Helper()
	stream, told := newStream(), new(troubles)
	s := orders(store, told)
	for range 2 {
		in(func(tx Tx) { addTo(t, s, store, tx, stream, 2) })
	}
	in(func(tx Tx) {
		got, err := s.Load(t.Context(), tx, stream)
		if err != nil || got.Saved != 0 || got.State != (versions{4, 10}) {
			t.Errorf("%T: got %+v, %v; want version 4, without a snapshot", tx, got, err)
		}
	})
	if len(told.told) != 2 || !strings.Contains(told.told[0], "a snapshot cannot be saved") {
		t.Errorf("%T: the logger was told %q, want of two snapshots that cannot be saved", store, told.told)
	}
}

// A snapshot that waits for a lock gives up after lock_timeout, and the transaction goes on.
func TestSnapshots_lockTimeout(t *testing.T) {
	t.Parallel()
	pool, store, stream, told := connect(t, database(t)), newStore(t), newStream(), new(troubles)
	locking := begin(t, pool)
	if _, err := locking.Exec(t.Context(), "lock table aggregate_snapshots in exclusive mode"); err != nil {
		t.Fatal(err)
	}
	tx := begin(t, pool)
	if _, err := tx.Exec(t.Context(), "set local lock_timeout = '50ms'"); err != nil {
		t.Fatal(err)
	}
	addTo(t, orders(store, told), store, tx, stream, 2)
	commit(t, tx)
	if got, err := orders(store, told).Load(t.Context(), begin(t, pool), stream); err != nil || got.State != (versions{2, 3}) {
		t.Errorf("got %+v, %v; want version 2", got, err)
	}
	if len(told.told) != 1 || !strings.Contains(told.told[0], "lock timeout") {
		t.Errorf("the logger was told %q", told.told)
	}
}

// A row that no release of this library writes: whatever is in its columns, a load is that of the events, by either statement
// that reads snapshots.
func TestSnapshots_rowsByHand(t *testing.T) {
	t.Parallel()
	pool, store := connect(t, database(t)), newStore(t)
	execute(t, pool, `alter table aggregate_snapshots drop constraint aggregate_snapshots_aggregate_version_check,
		alter state drop not null, alter saved_at drop not null, alter key_ids drop not null`)
	for set, saved := range map[string]int64{
		"aggregate_version = 0":                           0,
		"aggregate_version = -1":                          0,
		fmt.Sprint("aggregate_version = ", math.MinInt64): 0,
		fmt.Sprint("aggregate_version = ", math.MaxInt64): 0,
		"aggregate_version = 3":                           0,
		"aggregate_version = 1":                           0,
		"state = null":                                    0,
		"state = ''":                                      0,
		"state = 'null'":                                  0,
		"state = 'null' || substring(state from length(state) - 53)": 0,
		"state = convert_to(repeat('[', 20000), 'UTF8')":             0,
		"state = convert_to(repeat('0', 20000000), 'UTF8')":          0,
		"fingerprint = ''":       0,
		"aggregate_type = 'a b'": 0,
		"key_ids = null":         2,
		"key_ids = '{no,uuid}'":  2,
		"key_ids = '{{a},{b}}'":  2,
		"saved_at = null":        2,
		"saved_at = '-infinity'": 2,
	} {
		t.Run(set, func(t *testing.T) {
			stream, told := newStream(), new(troubles)
			s := orders(store, told)
			add := func(n int) {
				t.Helper()
				tx := begin(t, pool)
				addTo(t, s, store, tx, stream, n)
				commit(t, tx)
			}
			add(2)
			execute(t, pool, fmt.Sprintf("update aggregate_snapshots set %s where aggregate_id = '%s'", set, stream))
			tx := begin(t, pool)
			if got, err := s.Load(t.Context(), tx, stream); err != nil || got.Saved != saved || got.State != (versions{2, 3}) {
				t.Errorf("got %+v, %v; want version 2 and a snapshot of %d", got, err, saved)
			}
			key := one[string](t, pool, "select fingerprint from aggregate_snapshots where aggregate_id = '"+stream+"'")
			read := runtime.SnapshotKey{AggregateType: "Order", AggregateID: stream, Fingerprint: key}
			alone, rest, err := store.ReadFromSnapshot(t.Context(), tx, read)
			if err != nil {
				t.Fatal(err)
			}
			if key != "" {
				among, err := store.ReadStreams(t.Context(), tx, runtime.StreamRead{SnapshotKey: read})
				if err != nil || !reflect.DeepEqual(among[0], runtime.ReadResult{Snapshot: alone, Stream: rest}) {
					t.Errorf("among others the stream is read as %+v, %v; want %+v, %+v", among, err, alone, rest)
				}
			}
			add(1)
			if got, err := s.Load(t.Context(), begin(t, pool), stream); err != nil || got.State != (versions{3, 6}) {
				t.Errorf("later on it is %+v, %v; want version 3", got, err)
			}
		})
	}
}

// A log that was restored without its snapshots, and goes on with other events, is not read from a snapshot of what is lost.
func TestSnapshots_logRestoredWithoutThem(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]design.Options{
		"one table":  {Snapshots: true},
		"partitions": {Snapshots: true, Partition: "hash", Partitions: 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool, store, stream, told := connect(t, pgtest.New(t, schema(t, o))), newStore(t), newStream(), new(troubles)
			s := orders(store, told)
			tx := begin(t, pool)
			addTo(t, s, store, tx, stream, 4)
			commit(t, tx)
			execute(t, pool, "delete from events where aggregate_version > 2")
			execute(t, pool, "update aggregate_heads set aggregate_version = 2")
			tx = begin(t, pool)
			if _, err := store.Append(t.Context(), tx, runtime.Exact(2), placed(stream, 3)); err != nil {
				t.Fatal(err)
			}
			got, err := s.Load(t.Context(), tx, stream)
			if err != nil || got.Saved != 0 || got.State != (versions{5, 15}) {
				t.Errorf("got %+v, %v; want version 5 from its first event", got, err)
			}
			if len(told.told) != 1 || !strings.Contains(told.told[0], "restored without its snapshots") {
				t.Errorf("the logger was told %q", told.told)
			}
			results, err := store.ReadStreams(t.Context(), tx, runtime.StreamRead{SnapshotKey: runtime.SnapshotKey{
				AggregateType: "Order", AggregateID: stream, Fingerprint: one[string](t, pool, "select fingerprint from aggregate_snapshots")}})
			if err != nil {
				t.Fatal(err)
			}
			whole, err := store.ReadAggregateStream(t.Context(), tx, "Order", stream, nil, nil)
			if err != nil || results[0].Snapshot.LastEventID != whole.Events[3].EventID {
				t.Errorf("the last event is %s, %v; want %s", results[0].Snapshot.LastEventID, err, whole.Events[3].EventID)
			}
		})
	}
}

// Snapshots are dropped and swept while streams are loaded and appended to: nothing fails, and nothing is lost.
func TestSnapshots_droppedMeanwhile(t *testing.T) {
	t.Parallel()
	pool, store, told := connect(t, database(t)), newPoolStore(t), new(troubles)
	const writers, appends = 4, 15
	stop := make(chan struct{})
	var dropping, working errgroup.Group
	dropping.Go(func() error {
		for {
			select {
			case <-stop:
				return nil
			default:
			}
			if _, err := store.DropSnapshots(t.Context(), pool, runtime.SnapshotQuery{}); err != nil {
				return err
			}
		}
	})
	names := make([]string, writers)
	for i := range names {
		names[i] = newStream()
		working.Go(func() error {
			s := orders(store, runtime.Logger(new(runtime.NoOpLogger)))
			for n := range int64(appends) {
				loaded, err := s.Load(t.Context(), pool, names[i])
				if err != nil || loaded.Version != n {
					return fmt.Errorf("version %d, %w; want %d", loaded.Version, err, n)
				}
				result, err := store.Append(t.Context(), pool, runtime.Exact(n), placed(names[i], 1))
				if err != nil {
					return err
				}
				if err := loaded.State.apply(result.Events); err != nil {
					return err
				}
				loaded.Appended(result)
				s.Save(t.Context(), pool, names[i], loaded)
			}
			return nil
		})
	}
	if err := working.Wait(); err != nil {
		t.Error(err)
	}
	close(stop)
	if err := dropping.Wait(); err != nil {
		t.Error(err)
	}
	for _, name := range names {
		got, err := orders(store, told).Load(t.Context(), pool, name)
		if err != nil || got.State != (versions{appends, appends * (appends + 1) / 2}) {
			t.Errorf("got %+v, %v; want %d events", got, err, appends)
		}
	}
	if len(told.told) > 0 {
		t.Errorf("the logger was told %q", told.told)
	}
}

// A release that is rolled back goes on with its own snapshots, and with the events that the other has appended.
func TestSnapshots_releasesSideBySide(t *testing.T) {
	t.Parallel()
	pool, store, stream, told := connect(t, database(t)), newStore(t), newStream(), new(troubles)
	release := func(code string) mapping.Snapshots[pgx.Tx, versions] {
		return mapping.NewSnapshots[pgx.Tx, versions](store, mapping.NewSettings(runtime.SnapshotEvery(1), runtime.WithLogger(told)), "Order", code, (*versions).apply)
	}
	for i, tt := range []struct {
		code  string
		saved int64
	}{{"first", 0}, {"second", 0}, {"first", 1}, {"second", 2}, {"second", 4}, {"first", 3}} {
		tx := begin(t, pool)
		got, err := release(tt.code).Load(t.Context(), tx, stream)
		n := int64(i)
		if err != nil || got.Saved != tt.saved || got.State != (versions{n, n * (n + 1) / 2}) {
			t.Errorf("%s at version %d: got %+v, %v; want a snapshot of %d", tt.code, n, got, err, tt.saved)
		}
		addTo(t, release(tt.code), store, tx, stream, 1)
		commit(t, tx)
	}
	if len(told.told) > 0 {
		t.Errorf("the logger was told %q", told.told)
	}
}
