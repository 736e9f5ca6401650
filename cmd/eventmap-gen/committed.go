package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	pathpkg "path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/internal/schemalock"
)

// readCommitted reads the lock as it was committed at a git revision. One that was moved since is followed. A revision
// that has none has nothing locked.
func readCommitted(ref, path string) (*schemalock.Lock, error) {
	if ref == "" {
		return nil, errors.New("--against git: names no revision; write one behind it, such as git:origin/main")
	}
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
	object := ref + ":./" + name
	if len(listed) == 0 {
		if path, err = movedFrom(dir, ref, path); err != nil || path == "" {
			return &schemalock.Lock{}, err
		}
		object = ref + ":" + path
	}
	content, err := git(dir, "cat-file", "blob", object)
	if err != nil {
		return nil, fmt.Errorf("--against git:%s: %w", ref, err)
	}
	lock, err := schemalock.Decode(content, path)
	if err != nil { // the one that lies here may be in order
		_, err = schemalock.Decode(content, "git:"+ref+":"+filepath.ToSlash(path))
	}
	return lock, err
}

// movedFrom returns where a revision has the lock that lies elsewhere now, as a path from the top of the repository: the
// one of its locks that is gone. It returns nothing if there is none.
func movedFrom(dir, ref, lock string) (string, error) {
	top, err := git(dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return "", fmt.Errorf("--against git:%s: %w", ref, err)
	}
	committed, err := git(dir, "ls-tree", "-r", "-z", "--full-tree", "--name-only", "--end-of-options", ref)
	if err != nil {
		return "", fmt.Errorf("--against git:%s: %w", ref, err)
	}
	index, err := git(dir, "ls-files", "-t", "-z", "--full-name", ":/")
	if err != nil {
		return "", fmt.Errorf("--against git:%s: %w", ref, err)
	}
	left := map[string]bool{} // out of a sparse checkout
	for entry := range strings.SplitSeq(string(index), "\x00") {
		if file, ok := strings.CutPrefix(entry, "S "); ok {
			left[file] = true
		}
	}
	var gone []string
	for file := range strings.SplitSeq(string(committed), "\x00") {
		if pathpkg.Base(file) != filepath.Base(lock) || left[file] {
			continue
		}
		if _, err := os.Stat(filepath.Join(strings.TrimSpace(string(top)), file)); errors.Is(err, fs.ErrNotExist) {
			gone = append(gone, file)
		}
	}
	if len(gone) > 1 {
		return "", fmt.Errorf("--against git:%s: it has no %s, but %s, which are gone; write the one that was moved to a file, by git show %s:%s, and compare with that",
			ref, filepath.ToSlash(lock), strings.Join(gone, " and "), ref, gone[0])
	}
	return strings.Join(gone, ""), nil
}

// ofHooks are the variables by which git tells a hook where it runs. What counts is the repository that the lock lies in.
var ofHooks = []string{"GIT_DIR=", "GIT_WORK_TREE=", "GIT_COMMON_DIR=", "GIT_INDEX_FILE=", "GIT_PREFIX="}

// git runs git in a folder and returns what it prints. Where it fails, the error is what it says; if that is nothing, an
// [exec.ExitError].
func git(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return slices.ContainsFunc(ofHooks, func(name string) bool { return strings.HasPrefix(variable, name) })
	})
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if said := strings.TrimSpace(stderr.String()); err != nil && said != "" {
		return nil, errors.New(strings.ReplaceAll(said, "\n", " "))
	}
	return out, err
}
