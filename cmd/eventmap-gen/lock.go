package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/eventmap/eventmap/internal/gen"
	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/internal/schemalock"
)

// judge compares the domain with what is locked. It returns what it found, and the lock as it is to be written if nothing
// of that is breaking.
func (s *settings) judge(domain *model.Domain) (schemalock.Findings, gen.File, error) {
	path := s.lock
	if path == "" {
		path = filepath.Join(s.scan.Output, schemalock.Filename)
	}
	now := schemalock.Of(domain)
	written := schemalock.Encode(now)
	locked, err := s.baseline(path, now, written)
	if err != nil {
		return nil, gen.File{}, err
	}
	inOutput, err := relative(s.scan.Output, path)
	return schemalock.Compare(locked, now, s.accepted), gen.File{Path: inOutput, Content: written}, err
}

// baseline returns what the domain is to be compared with. The lock at path is read in any case: a broken one must not be
// written over. Mostly it is the one that would be written, and need not be parsed.
func (s *settings) baseline(path string, now *schemalock.Lock, written []byte) (*schemalock.Lock, error) {
	locked := &schemalock.Lock{}
	content, err := os.ReadFile(path)
	switch {
	case err == nil && bytes.Equal(content, written):
		locked = now
	case err == nil:
		if locked, err = schemalock.Decode(content, path); err != nil {
			return nil, err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("schema lock: %w", err)
	}
	if ref, ok := strings.CutPrefix(s.against, "git:"); ok {
		return readCommitted(ref, path)
	} else if s.against == "" {
		return locked, nil
	}
	content, err = os.ReadFile(s.against)
	if err != nil {
		return nil, fmt.Errorf("--against: %w", err)
	}
	return schemalock.Decode(content, s.against)
}

// readCommitted reads the lock as it was committed at a git revision. A revision that has none has nothing locked.
func readCommitted(ref, path string) (*schemalock.Lock, error) {
	dir := filepath.Dir(path)
	for {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			break
		}
		dir = filepath.Dir(dir)
	}
	name, err := relative(dir, path)
	if err != nil {
		return nil, err
	}
	_, err = git(dir, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}")
	if _, silent := errors.AsType[*exec.ExitError](err); silent {
		return nil, fmt.Errorf("--against git:%s: there is no such commit here; in CI, fetch it first", ref)
	} else if err != nil {
		return nil, fmt.Errorf("--against git:%s: %w", ref, err)
	}
	listed, err := git(dir, "ls-tree", "-z", "--end-of-options", ref, "./"+name)
	if err != nil {
		return nil, fmt.Errorf("--against git:%s: %w", ref, err)
	}
	if len(listed) == 0 {
		return &schemalock.Lock{}, nil
	}
	content, err := git(dir, "show", "--end-of-options", ref+":./"+name)
	if err != nil {
		return nil, fmt.Errorf("--against git:%s: %w", ref, err)
	}
	return schemalock.Decode(content, path)
}

// git runs git in a folder and returns what it prints. Where it fails, the error is what it says; if that is nothing, an
// [exec.ExitError].
func git(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if said := strings.TrimSpace(stderr.String()); err != nil && said != "" {
		return nil, errors.New(strings.ReplaceAll(said, "\n", " "))
	}
	return out, err
}

// relative returns the path of a file from a folder, with forward slashes.
func relative(dir, path string) (string, error) {
	absDir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	absPath, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(absDir, absPath)
	return filepath.ToSlash(rel), err
}
