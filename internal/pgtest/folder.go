package pgtest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	folderPrefix = "eventmap-pg-"
	lockFile     = "lock"

	// maxSocketPath is the longest path of a Unix socket on every system: sun_path has 104 bytes on macOS and the BSDs, 108
	// on Linux, with a zero byte at the end.
	maxSocketPath = 103
	// longestName is what is appended to the folder for temporary files: the server's folder and its socket.
	longestName = "/" + folderPrefix + "4294967295/.s.PGSQL.5432"
)

// A folder holds all files of a private server. Its keeper has a lock on it as long as it lives.
type folder struct {
	path string
	lock *os.File
}

// newFolder makes a folder that belongs to an account, and removes those that nobody keeps any more.
func newFolder(a *account) (*folder, error) {
	base, err := folderBase(a)
	if err != nil {
		return nil, err
	}
	sweep(base, a)
	path, err := os.MkdirTemp(base, folderPrefix)
	if err != nil {
		return nil, fmt.Errorf("folder of the server: %w", err)
	}
	lock, err := lockFolder(path)
	if err == nil && a.other {
		err = os.Chown(path, a.uid, a.gid)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("folder of the server: %w", err), os.RemoveAll(path))
	}
	return &folder{path: path, lock: lock}, nil
}

// lockFolder marks a new folder as kept. The lock goes with the process, however that ends; the server does not inherit
// it.
func lockFolder(path string) (*os.File, error) {
	// The file has its name only once it is locked: so one that is not locked has lost its keeper.
	unlocked := filepath.Join(path, lockFile+".new")
	lock, err := os.OpenFile(unlocked, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = tryLock(lock)
	if err == nil {
		_, err = fmt.Fprintln(lock, os.Getpid()) // for people, and for tests
	}
	if err == nil {
		err = os.Rename(unlocked, filepath.Join(path, lockFile))
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// tryLock locks a file, or fails if another process has done so.
func tryLock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// folderBase returns the folder for temporary files, or /tmp where its path is too long for a socket's or an account
// cannot get into it.
func folderBase(a *account) (string, error) {
	for _, base := range []string{os.TempDir(), "/tmp"} {
		base, err := filepath.Abs(base)
		if err == nil && len(base)+len(longestName) <= maxSocketPath && (!a.other || openToAll(base)) {
			return base, nil
		}
	}
	return "", fmt.Errorf("folder of the server: neither %s nor /tmp has a path that is short enough for a socket and open to "+
		"the account with uid %d; set TMPDIR", os.TempDir(), a.uid)
}

// openToAll reports whether every account may pass through a folder and those above it.
func openToAll(path string) bool {
	for {
		info, err := os.Stat(path)
		if err != nil || info.Mode()&0o001 == 0 {
			return false
		}
		if path == filepath.Dir(path) {
			return true
		}
		path = filepath.Dir(path)
	}
}

// sweep removes an account's folders whose keeper was killed or lost its power. A server that still runs in one ends by
// itself within a minute, as every postmaster does that misses its postmaster.pid. What cannot be removed stays.
func sweep(base string, a *account) {
	paths, _ := filepath.Glob(filepath.Join(base, folderPrefix+"*")) // the pattern is well formed
	for _, path := range paths {
		info, err := os.Lstat(path)
		if err != nil || !info.IsDir() || int(info.Sys().(*syscall.Stat_t).Uid) != a.uid {
			continue
		}
		lock, err := os.Open(filepath.Join(path, lockFile))
		if errors.Is(err, fs.ErrNotExist) && time.Since(info.ModTime()) > time.Hour {
			// Its keeper ended between making and locking it, which takes no time.
			_ = os.Remove(filepath.Join(path, lockFile+".new"))
			_ = os.Remove(path)
		}
		if err != nil {
			continue
		}
		if tryLock(lock) == nil {
			_ = os.RemoveAll(path)
		}
		_ = lock.Close()
	}
}

// remove removes the folder and all in it.
func (f *folder) remove() error {
	// A backend of a killed postmaster may still write: then a second attempt finds what it wrote.
	err := os.RemoveAll(f.path)
	if err != nil {
		err = os.RemoveAll(f.path)
	}
	return errors.Join(err, f.lock.Close())
}
