package sqlite_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// Without the table, a load and a save say how to make it, and the transaction goes on.
func TestSnapshots_tableIsMissing(t *testing.T) {
	t.Parallel()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "log.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := sqlite.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "drop table aggregate_snapshots"); err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.New()
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	key := runtime.SnapshotKey{AggregateType: "Order", AggregateID: "1", Fingerprint: "f"}
	_, _, readErr := store.ReadFromSnapshot(t.Context(), tx, key)
	saveErr := store.SaveSnapshot(t.Context(), tx, key, runtime.Snapshot{Version: 1, State: []byte("1")})
	for _, err := range []error{readErr, saveErr} {
		if err == nil || !strings.Contains(err.Error(), "aggregate_snapshots") || !strings.Contains(err.Error(), "migrate") && !strings.Contains(err.Error(), "Migrate") {
			t.Errorf("error is %v, want one that names the table and what makes it", err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Errorf("the transaction after it: %v", err)
	}
}

// Check does not miss a table that only some domains need, unless the program says that it is one of them.
func TestCheck_snapshots(t *testing.T) {
	t.Parallel()
	db := migrated(t, inFile(t), sqlite.Config{})
	named := sqlite.WithSnapshotsTable("aggregate_snapshots")
	for _, opts := range [][]sqlite.Option{nil, {named}} {
		if err := sqlite.Check(t.Context(), db, opts...); err != nil {
			t.Errorf("with the table: %v", err)
		}
	}
	execute(t, db, `alter table aggregate_snapshots drop column saved_at`)
	if err := sqlite.Check(t.Context(), db); err == nil || !strings.Contains(err.Error(), "column saved_at of aggregate_snapshots is missing") {
		t.Errorf("without a column the error is %v", err)
	}
	execute(t, db, `drop table aggregate_snapshots`)
	if err := sqlite.Check(t.Context(), db); err != nil {
		t.Errorf("a store without snapshots: %v", err)
	}
	err := sqlite.Check(t.Context(), db, named)
	if err == nil || !strings.Contains(err.Error(), "table aggregate_snapshots is missing") || !strings.Contains(err.Error(), "migrate-gen --dialect sqlite") {
		t.Errorf("without the table the error is %v, want one that says which command makes it", err)
	}
}

// A disk that has no room for a snapshot has room for the append before it: the transaction goes on and is committed.
func TestSaveSnapshot_diskIsFull(t *testing.T) {
	t.Parallel()
	e := newEnv(t, inFile(t))
	e.append(5, 1)
	tx := begin(t, e.full(10), nil)
	if _, err := e.store.Append(t.Context(), tx, runtime.NoStream(), placed("kept", 2)); err != nil {
		t.Fatal(err)
	}
	key := runtime.SnapshotKey{AggregateType: "Order", AggregateID: "kept", Fingerprint: "f"}
	err := e.store.SaveSnapshot(t.Context(), tx, key, runtime.Snapshot{Version: 2, State: make([]byte, 1<<20)})
	var state interface{ SQLState() string }
	if !errors.As(err, &state) || state.SQLState() != "53100" {
		t.Errorf("error is %v, want SQLSTATE 53100", err)
	}
	if _, err := e.store.Append(t.Context(), tx, runtime.Exact(2), placed("kept", 1)); err != nil {
		t.Errorf("an append after it: %v", err)
	}
	commit(t, tx)
	snapshot, stream, err := e.store.ReadFromSnapshot(t.Context(), begin(t, e.db, nil), key)
	if err != nil || snapshot.Version != 0 || stream.Version() != 3 {
		t.Errorf("version %d from a snapshot of %d, %v; want 3, without one", stream.Version(), snapshot.Version, err)
	}
}
