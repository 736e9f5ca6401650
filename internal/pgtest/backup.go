package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// A backup is a copy of the files of a running server on this machine, made as "Making a Base Backup Using the Low Level
// API" in PostgreSQL's manual has it. There is pg_basebackup for that, but not in every package of the server.
type backup struct {
	primary string // address
	data    string // the new data folder
	owner   *account
}

// notCopied are files that belong to the running server, or that every server makes anew; the manual lists them.
var notCopied = []string{
	"postmaster.pid", "postmaster.opts", "pg_internal.init", "backup_label", "tablespace_map",
	"pg_wal", "pg_replslot", "pg_dynshmem", "pg_notify", "pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_subtrans",
}

// make makes the copy, which starts as a standby of its primary.
func (b backup) make(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, b.primary)
	if err != nil {
		return err
	}
	// It ends the slot, and a backup that was not finished.
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var version int
	var source string
	if err := conn.QueryRow(ctx, "select current_setting('server_version_num')::int, current_setting('data_directory')").Scan(&version, &source); err != nil {
		return err
	}
	start, stop := "pg_backup_start('pgtest', fast => true)", "pg_backup_stop(wait_for_archive => false)"
	if version < 150000 { // other names, and an argument for a way that is gone
		start, stop = "pg_start_backup('pgtest', fast => true, exclusive => false)", "pg_stop_backup(exclusive => false, wait_for_archive => false)"
	}
	// The slot keeps what is written to the log from here on until it is copied.
	if _, err := conn.Exec(ctx, "select pg_create_physical_replication_slot('pgtest_' || pg_backend_pid(), immediately_reserve => true, temporary => true)"); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "select "+start); err != nil {
		return err
	}
	if err := b.copy(source, "."); err != nil {
		return err
	}
	var label string
	if err := conn.QueryRow(ctx, "select labelfile from "+stop).Scan(&label); err != nil {
		return err
	}
	if err := b.copy(source, "pg_wal"); err != nil {
		return err
	}
	if err := b.write("backup_label", strings.NewReader(label)); err != nil {
		return err
	}
	return b.write("standby.signal", strings.NewReader(""))
}

// copy copies a folder within the data folder, and what is below it.
func (b backup) copy(source, folder string) error {
	return filepath.WalkDir(filepath.Join(source, folder), func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // what the server removes meanwhile, recovery removes too
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(source, path)
		if err != nil {
			return err
		}
		left := name != folder && (slices.Contains(notCopied, entry.Name()) || strings.HasPrefix(entry.Name(), "pgsql_tmp"))
		switch {
		case left && entry.IsDir():
			if err := b.makeFolder(name); err != nil {
				return err
			}
			return fs.SkipDir
		case left:
			return nil
		case entry.IsDir():
			return b.makeFolder(name)
		case entry.Type().IsRegular():
			return b.copyFile(path, name)
		}
		return fmt.Errorf("%s: neither a folder nor a file", path) // a tablespace
	})
}

func (b backup) makeFolder(name string) error {
	path := filepath.Join(b.data, name)
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return b.own(path)
}

func (b backup) copyFile(path, name string) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	return b.write(name, file)
}

// write makes a file in the new data folder.
func (b backup) write(name string, content io.Reader) error {
	path := filepath.Join(b.data, name)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Close(), b.own(path))
}

func (b backup) own(path string) error {
	if !b.owner.other {
		return nil
	}
	return os.Chown(path, b.owner.uid, b.owner.gid)
}
