package schemalock

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/eventmap/eventmap/internal/gitfile"
)

// A Baseline says where the lock is that a domain is compared with.
type Baseline struct {
	// Path is the file of the domain's lock, relative to the working directory.
	Path string
	// Against is the lock to compare with: git:REVISION for the one at Path as it was committed there, or a file. Empty: the
	// one at Path.
	Against string
	// Flag is the flag that Against was given by, for messages. Empty: --against.
	Flag string
	// Moved are the packages that have other import paths since that lock was written.
	Moved []Move
}

// Read returns the lock to compare with, or nil if there is none yet, and the moves of which it has no type. A revision that
// has none has nothing locked.
func (b Baseline) Read(now *Lock, encoded []byte) (locked *Lock, unmoved []Move, err error) {
	here, err := b.readHere(now, encoded)
	if err != nil {
		return nil, nil, err
	}
	return b.choose(here, now)
}

// choose returns the lock to compare with, given the one at Path, and the moves of which it has no type.
func (b Baseline) choose(here, now *Lock) (locked *Lock, unmoved []Move, err error) {
	if locked, err = b.readAgainst(here); err != nil || locked == nil {
		return locked, nil, err
	}
	if locked == now {
		return locked, b.Moved, nil
	}
	return locked, locked.move(b.Moved), nil
}

// readHere returns the lock at Path, or nil if there is none yet.
//
// The lock at Path is read in any case, as a broken one must not be overwritten. It is not parsed if it is the one that
// is about to be written: the encoding of now.
func (b Baseline) readHere(now *Lock, encoded []byte) (locked *Lock, err error) {
	content, err := os.ReadFile(b.Path)
	switch {
	case err == nil && bytes.Equal(content, encoded):
		locked = now
	case err == nil:
		if locked, err = Decode(content, b.Path); err != nil {
			return nil, err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("schema lock: %w", err)
	}
	return locked, nil
}

// readAgainst returns the lock of Against, or the one at Path, which is given.
func (b Baseline) readAgainst(here *Lock) (*Lock, error) {
	if revision, ok := strings.CutPrefix(b.Against, "git:"); ok {
		return b.readCommitted(revision)
	} else if b.Against == "" {
		return here, nil
	}
	content, err := os.ReadFile(b.Against)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.flag(), err)
	}
	return Decode(content, b.Against)
}

// readCommitted reads the lock at Path as it was committed.
func (b Baseline) readCommitted(revision string) (*Lock, error) {
	if revision == "" {
		return nil, fmt.Errorf("%s git: names no revision; write one behind it, such as git:origin/main", b.flag())
	}
	content, path, err := gitfile.Read(revision, b.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &Lock{}, nil
	case err != nil:
		return nil, fmt.Errorf("%s git:%s: %w", b.flag(), revision, err)
	}
	lock, err := Decode(content, path)
	if err != nil { // the one that lies here may be in order
		_, err = Decode(content, "git:"+revision+":"+filepath.ToSlash(path))
	}
	return lock, err
}

func (b Baseline) flag() string {
	if b.Flag == "" {
		return "--against"
	}
	return b.Flag
}
