// Package gitfile reads files as they were committed, by the git command. It changes nothing.
package gitfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	pathpkg "path"
	"path/filepath"
	"strings"
)

// Read returns a file as it was committed at a revision, such as origin/main, of the repository that path lies in, and where
// it lay. The folder of path need not exist. A file that was moved since is followed: it is the one of its name that the
// revision has and the working tree has not; where it lay is then a path from the top of the repository. Without any, the
// error is [fs.ErrNotExist].
func Read(revision, path string) (content []byte, lay string, err error) {
	dir := filepath.Dir(path)
	for {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			break
		}
		dir = filepath.Dir(dir)
	}
	name, err := filepath.Rel(dir, path)
	if err != nil {
		return nil, "", err
	}
	_, err = run(dir, "rev-parse", "--verify", "--quiet", "--end-of-options", revision+"^{commit}")
	if _, silent := errors.AsType[*exec.ExitError](err); silent {
		return nil, "", errors.New("there is no such commit here; in CI, fetch it first")
	} else if err != nil {
		return nil, "", err
	}
	listed, err := run(dir, "ls-tree", "-z", "--end-of-options", revision, "./"+filepath.ToSlash(name))
	if err != nil {
		return nil, "", err
	}
	object := revision + ":./" + filepath.ToSlash(name)
	if len(listed) == 0 {
		moved, err := movedFrom(dir, revision, path)
		if err != nil {
			return nil, "", err
		}
		object, path = revision+":"+moved, moved
	}
	content, err = run(dir, "cat-file", "blob", object)
	return content, path, err
}

// movedFrom returns where a revision has the file that lies elsewhere now, as a path from the top of the repository: the
// one of its name that is gone. If there is none, the error is [fs.ErrNotExist].
func movedFrom(dir, revision, path string) (string, error) {
	top, err := run(dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return "", err
	}
	committed, err := run(dir, "ls-tree", "-r", "-z", "--full-tree", "--name-only", "--end-of-options", revision)
	if err != nil {
		return "", err
	}
	index, err := run(dir, "ls-files", "-t", "-z", "--full-name", ":/")
	if err != nil {
		return "", err
	}
	left := map[string]bool{} // out of a sparse checkout
	for entry := range strings.SplitSeq(string(index), "\x00") {
		if file, ok := strings.CutPrefix(entry, "S "); ok {
			left[file] = true
		}
	}
	var gone []string
	for file := range strings.SplitSeq(string(committed), "\x00") {
		if pathpkg.Base(file) != filepath.Base(path) || left[file] {
			continue
		}
		if _, err := os.Stat(filepath.Join(strings.TrimSpace(string(top)), file)); errors.Is(err, fs.ErrNotExist) {
			gone = append(gone, file)
		}
	}
	switch len(gone) {
	case 0:
		return "", fs.ErrNotExist
	case 1:
		return gone[0], nil
	}
	return "", fmt.Errorf("it has no %s, but %s, which are gone; write the one that was moved to a file, by git show %s:%s, and compare with that",
		filepath.ToSlash(path), strings.Join(gone, " and "), revision, gone[0])
}
