package postgres_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
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

// What is lent is what is read, also when a load is made within another one or fails, and by many at once. What the events point
// to is not lent.
func TestLendFromSnapshot(t *testing.T) {
	t.Parallel()
	pool, store := connect(t, database(t)), newPoolStore(t)
	var keys []runtime.SnapshotKey
	for i := range 8 {
		key := runtime.SnapshotKey{AggregateType: "Order", AggregateID: newStream(), Fingerprint: "f"}
		if _, err := store.Append(t.Context(), pool, runtime.NoStream(), placed(key.AggregateID, 3*i+2)); err != nil {
			t.Fatal(err)
		}
		if i%2 == 1 {
			if err := store.SaveSnapshot(t.Context(), pool, key, runtime.Snapshot{Version: int64(i), State: []byte(key.AggregateID)}); err != nil {
				t.Fatal(err)
			}
		}
		keys = append(keys, key)
	}
	keys = append(keys, runtime.SnapshotKey{AggregateType: "Order", AggregateID: newStream(), Fingerprint: "f"}, runtime.SnapshotKey{AggregateType: "Order"})
	errOfUse := errors.New("of use")
	var lend func(depth int, key runtime.SnapshotKey) error
	lend = func(depth int, key runtime.SnapshotKey) error {
		wantSnapshot, want, err := store.ReadFromSnapshot(t.Context(), pool, key)
		if err != nil {
			return err
		}
		var kept []runtime.PersistedEvent
		for range 3 {
			for _, result := range []error{nil, errOfUse} {
				err := store.LendFromSnapshot(t.Context(), pool, key, func(snapshot runtime.Snapshot, stream runtime.Stream) error {
					if depth > 0 {
						if err := lend(depth-1, keys[(len(stream.Events)+depth)%len(keys)]); err != nil {
							return err
						}
					}
					kept = slices.Clone(stream.Events)
					if diff := cmp.Diff(wantSnapshot, snapshot) + cmp.Diff(want.Events, stream.Events, cmpopts.EquateEmpty()); diff != "" || stream.Version() != want.Version() {
						t.Errorf("lent is something else, of version %d in place of %d:\n%s", stream.Version(), want.Version(), diff)
					}
					return result
				})
				if err != result { //nolint:errorlint // as it is
					return fmt.Errorf("the error is %w, want that of use, %w", err, result)
				}
			}
		}
		if diff := cmp.Diff(want.Events, kept, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("what events point to has changed since:\n%s", diff)
		}
		return nil
	}
	var group errgroup.Group
	for i := range 4 {
		group.Go(func() error {
			for j := range keys {
				if err := lend(2, keys[(i+j)%len(keys)]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	never := func(runtime.Snapshot, runtime.Stream) error { panic("used") }
	if err := store.LendFromSnapshot(t.Context(), nil, keys[0], never); err == nil {
		t.Error("no transaction is no error")
	}
	execute(t, pool, "delete from events where aggregate_version = 2")
	var incomplete *runtime.IncompleteStreamError
	if err := store.LendFromSnapshot(t.Context(), pool, keys[0], never); !errors.As(err, &incomplete) {
		t.Errorf("the error of a stream without its version 2 is %v", err)
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
