package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/mapping"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// A snapshot is a cache: what keeps it from being saved must not take the append before it along.
func TestSaveSnapshot_errorKeepsTransaction(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		options  design.Options
		spoil    string
		snapshot runtime.Snapshot
		want     string
	}{
		"table is missing": {
			options: design.Options{}, snapshot: runtime.Snapshot{Version: 1, State: []byte("1")}, want: "`migrate-gen --snapshots` writes",
		},
		"value is refused": {
			options: design.Options{Snapshots: true}, snapshot: runtime.Snapshot{Version: -1, State: []byte("1")}, want: "aggregate_version_check",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool, store := connect(t, pgtest.New(t, schema(t, tt.options))), newStore(t)
			tx := begin(t, pool)
			stream := newStream()
			if _, err := store.Append(t.Context(), tx, runtime.NoStream(), placed(stream, 1)); err != nil {
				t.Fatal(err)
			}
			key := runtime.SnapshotKey{AggregateType: "Order", AggregateID: stream, Fingerprint: "f"}
			err := store.SaveSnapshot(t.Context(), tx, key, tt.snapshot)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want one that says %q", err, tt.want)
			}
			if _, err := store.Append(t.Context(), tx, runtime.Exact(1), placed(stream, 1)); err != nil {
				t.Errorf("append after it: %v", err)
			}
			commit(t, tx)
		})
	}
}

// What only reads can use snapshots: the statement takes no lock and writes nothing.
func TestReadFromSnapshot_readOnly(t *testing.T) {
	t.Parallel()
	pool, store := connect(t, database(t)), newStore(t)
	stream := newStream()
	tx := begin(t, pool)
	if _, err := store.Append(t.Context(), tx, runtime.NoStream(), placed(stream, 3)); err != nil {
		t.Fatal(err)
	}
	key := runtime.SnapshotKey{AggregateType: "Order", AggregateID: stream, Fingerprint: "f"}
	if err := store.SaveSnapshot(t.Context(), tx, key, runtime.Snapshot{Version: 2, State: []byte("2")}); err != nil {
		t.Fatal(err)
	}
	commit(t, tx)
	for _, level := range []pgx.TxIsoLevel{pgx.ReadCommitted, pgx.RepeatableRead, pgx.Serializable} {
		reading := begin(t, pool, pgx.TxOptions{IsoLevel: level, AccessMode: pgx.ReadOnly})
		snapshot, rest, err := store.ReadFromSnapshot(t.Context(), reading, key)
		if err != nil || snapshot.Version != 2 || rest.Len() != 1 || rest.Version() != 3 {
			t.Errorf("%s: version %d and %d events to %d, %v; want 2, 1, 3", level, snapshot.Version, rest.Len(), rest.Version(), err)
		}
	}
}

func TestCheck_snapshots(t *testing.T) {
	t.Parallel()
	pool := connect(t, pgtest.New(t, schema(t, design.Options{})))
	if err := postgres.Check(t.Context(), pool); err != nil {
		t.Errorf("a store without snapshots: %v", err)
	}
	err := postgres.Check(t.Context(), pool, postgres.WithSnapshotsTable("aggregate_snapshots"))
	if err == nil || !strings.Contains(err.Error(), "table aggregate_snapshots is missing") {
		t.Errorf("without the table the error is %v", err)
	}
	pool = connect(t, database(t))
	execute(t, pool, "alter table aggregate_snapshots drop constraint aggregate_snapshots_pkey, drop column saved_at")
	err = postgres.Check(t.Context(), pool)
	if err == nil || !strings.Contains(err.Error(), "saved_at") || !strings.Contains(err.Error(), "no unique key on (aggregate_type, aggregate_id, fingerprint)") {
		t.Errorf("with a table that was changed the error is %v", err)
	}
}

// A sum is a state that any event missed, repeated or out of order would change.
type sum struct{ Versions, Last int64 }

func (s *sum) apply(events []runtime.PersistedEvent) error {
	for i := range events {
		if events[i].AggregateVersion != s.Last+1 {
			return fmt.Errorf("version %d follows %d", events[i].AggregateVersion, s.Last)
		}
		s.Last = events[i].AggregateVersion
		s.Versions += s.Last
	}
	return nil
}

// Writers that save a snapshot with every append, and readers, all on the same streams: no state lacks an event or has one twice,
// and no update is lost.
func TestSnapshots_concurrently(t *testing.T) {
	t.Parallel()
	const streams, writers, appends = 3, 8, 25
	pool, store := connect(t, database(t)), newStore(t)
	snapshots := mapping.NewSnapshots[pgx.Tx, sum](store, mapping.NewSettings(runtime.SnapshotEvery(1)), "Order", "code", (*sum).apply)
	names := make([]string, streams)
	for i := range names {
		names[i] = newStream()
	}
	load := func(ctx context.Context, tx pgx.Tx, stream string) (mapping.Loaded[sum], error) {
		loaded, err := snapshots.Load(ctx, tx, stream)
		if v := loaded.Version; err == nil && (loaded.State.Last != v || loaded.State.Versions != v*(v+1)/2) {
			err = fmt.Errorf("at version %d the state is %+v, from a snapshot of %d", v, loaded.State, loaded.Saved)
		}
		return loaded, err
	}
	add := func(ctx context.Context, tx pgx.Tx, stream string) error {
		loaded, err := load(ctx, tx, stream)
		if err != nil {
			return err
		}
		result, err := store.Append(ctx, tx, runtime.Exact(loaded.Version), placed(stream, 1))
		if err != nil {
			return err
		}
		loaded.Version = result.ToVersion()
		if err := loaded.State.apply(result.Events); err != nil {
			return err
		}
		snapshots.Save(ctx, tx, stream, loaded)
		return nil
	}
	ctx, stop := context.WithCancel(t.Context())
	var writing, reading errgroup.Group
	for i := range writers {
		writing.Go(func() error {
			for n := 0; n < appends; {
				err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return add(ctx, tx, names[(i+n)%streams]) })
				switch {
				case err == nil:
					n++
				case !errors.Is(err, runtime.ErrOptimisticConcurrency):
					return err
				}
			}
			return nil
		})
		reading.Go(func() error {
			for ctx.Err() == nil {
				err := pgx.BeginFunc(context.WithoutCancel(ctx), pool, func(tx pgx.Tx) error {
					_, err := load(t.Context(), tx, names[i%streams])
					return err
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := writing.Wait(); err != nil {
		t.Error(err)
	}
	stop()
	if err := reading.Wait(); err != nil {
		t.Error(err)
	}
	var events int64
	for _, stream := range names {
		loaded, err := load(t.Context(), begin(t, pool), stream)
		if err != nil {
			t.Error(err)
		}
		events += loaded.Version
	}
	if events != writers*appends {
		t.Errorf("the streams hold %d events, want %d", events, writers*appends)
	}
}
