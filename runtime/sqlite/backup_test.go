package sqlite_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// A copy that is made while others write holds all that was committed before it began, and no half of anything.
func TestBackup_whileOthersWrite(t *testing.T) {
	t.Parallel()
	db, store := migrated(t, inFile(t), sqlite.Config{}), newStore(t, sqlite.Config{})
	appendPair := func(ctx context.Context) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		if _, err := store.Append(ctx, tx, runtime.Any(), placed(newStream(), 2)); err != nil {
			return err
		}
		return tx.Commit()
	}
	for range 20 {
		if err := appendPair(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	writer.Go(func() {
		for ctx.Err() == nil {
			if err := appendPair(t.Context()); err != nil {
				t.Error(err)
				return
			}
		}
	})
	folder := t.TempDir()
	path := filepath.Join(folder, "copy of it.db")
	err := sqlite.Backup(t.Context(), db, path)
	stop()
	writer.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(folder, ".*")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}

	restored, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = restored.Close() })
	if err := sqlite.Check(t.Context(), restored); err != nil {
		t.Errorf("Check of the copy: %v", err)
	}
	var sound string
	if err := restored.QueryRowContext(t.Context(), "pragma integrity_check").Scan(&sound); err != nil || sound != "ok" {
		t.Errorf("integrity of the copy: %s, %v", sound, err)
	}
	tx, err := restored.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	events, err := store.ReadEvents(t.Context(), tx, 0, 1<<20)
	if err != nil || len(events) < 40 || len(events)%2 != 0 {
		t.Fatalf("the copy has %d events, error %v; want at least 40, in pairs", len(events), err)
	}
	r, err := store.Append(t.Context(), tx, runtime.NoStream(), placed(newStream(), 1))
	if last := events[len(events)-1].GlobalPosition; err != nil || r.GlobalPositions[0] <= last {
		t.Errorf("the copy goes on at %v after %d, error %v", r.GlobalPositions, last, err)
	}
}

func TestBackup_overwritesNothing(t *testing.T) {
	t.Parallel()
	db := migrated(t, inFile(t), sqlite.Config{})
	path := filepath.Join(t.TempDir(), "taken.db")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sqlite.Backup(t.Context(), db, path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error is %v, want %v", err, fs.ErrExist)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "mine" {
		t.Errorf("the file is now %q, %v", content, err)
	}
	if err := sqlite.Backup(t.Context(), db, filepath.Join(t.TempDir(), "no", "folder.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: error is %v, want %v", err, fs.ErrNotExist)
	}
}

// A database in memory has one connection, and is saved by the same call.
func TestBackup_ofADatabaseInMemory(t *testing.T) {
	t.Parallel()
	db := migrated(t, ":memory:", sqlite.Config{})
	path := filepath.Join(t.TempDir(), "saved.db")
	if err := sqlite.Backup(t.Context(), db, path); err != nil {
		t.Fatal(err)
	}
	saved, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = saved.Close() })
	if err := sqlite.Check(t.Context(), saved); err != nil {
		t.Error(err)
	}
}

func TestBackup_leavesNothingWhenItIsBrokenOff(t *testing.T) {
	t.Parallel()
	db := migrated(t, inFile(t), sqlite.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	folder := t.TempDir()
	if err := sqlite.Backup(ctx, db, filepath.Join(folder, "copy.db")); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want %v", err, context.Canceled)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
		t.Errorf("%v is left, %v", entries, err)
	}
}
