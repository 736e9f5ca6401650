package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Backup writes a copy of the database to the file path, which must not exist. The copy is the database at one moment, with
// everything that was committed by then: the log, its positions, checkpoints, and the tables beside them. Transactions
// go on meanwhile, writing ones too. The copy is one file, without what a copy of the open file lacks: the commits that are
// still in the file beside it whose name ends in -wal.
//
// The file appears under its name only when it is whole and on the disk. When ctx ends, or the disk is full, nothing is left.
// [Check], and `pragma integrity_check`, tell of a copy whether it is sound.
func Backup(ctx context.Context, db *sql.DB, path string) error {
	if err := backup(ctx, db, path); err != nil {
		return fmt.Errorf("back up to %s: %w", path, withState(err))
	}
	return nil
}

func backup(ctx context.Context, db *sql.DB, path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fs.ErrExist
		}
		return err
	}
	folder, err := os.MkdirTemp(filepath.Dir(path), ".backup-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }() // what is whole is elsewhere by then
	part := filepath.Join(folder, filepath.Base(path))
	if _, err := db.ExecContext(ctx, "-- eventmap: back up\nvacuum into ?1", part); err != nil {
		return err
	}
	if err := flush(part); err != nil {
		return err
	}
	// A link, unlike a rename, does not replace a file that has come there meanwhile. Not every file system has links.
	err = os.Link(part, path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = os.Rename(part, path)
	}
	if err != nil {
		return err
	}
	return flush(filepath.Dir(path))
}

// flush waits until a file or folder is on the disk. SQLite does not for what it writes here.
func flush(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
