package postgres_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

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
