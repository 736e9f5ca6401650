package astscan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A query is what the go command is asked: patterns, from a folder.
type query struct {
	dir      string
	patterns []string
}

// query turns the patterns into one question to the go command. Folders of one module other than that of the working
// directory are asked for from within it: a module is scanned from outside as well as from inside.
func (s *scan) query() (query, error) {
	asked := query{dir: s.place.dir, patterns: slices.Clone(s.options.Patterns)}
	home, homeErr := moduleRoot(s.place.dir)
	var roots, folders []string // of the patterns
	for i, pattern := range asked.patterns {
		folder, local := patternFolder(pattern)
		if !local {
			return asked, homeErr
		}
		path, root, err := s.resolveFolder(s.place.abs(folder), pattern)
		if err != nil {
			return query{}, err
		}
		if path != s.place.abs(folder) {
			asked.patterns[i] = path + strings.TrimPrefix(pattern, folder)
		}
		roots, folders = append(roots, root), append(folders, path)
	}
	if slices.ContainsFunc(roots, func(root string) bool { return root != roots[0] || homeErr == nil && sameFolder(root, home) }) {
		return asked, nil // at home, or in several modules: then they make a workspace, or the go command says so
	}
	moved := query{dir: roots[0]}
	for i, path := range folders {
		rel, err := filepath.Rel(moved.dir, path)
		if err != nil {
			return query{}, err
		}
		folder, _ := patternFolder(s.options.Patterns[i])
		moved.patterns = append(moved.patterns, "./"+filepath.ToSlash(rel)+strings.TrimPrefix(s.options.Patterns[i], folder))
	}
	return moved, nil
}

// resolveFolder returns a pattern's folder and the root of its module. A folder that is a symbolic link is resolved, so
// that its package has the import path that the rest of the module knows it by.
func (s *scan) resolveFolder(path, pattern string) (resolved, root string, err error) {
	if err := checkFolder(path, pattern); err != nil {
		return "", "", err
	}
	root, err = moduleRoot(path)
	if err != nil {
		return "", "", err
	}
	realPath, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", "", err
	}
	realRoot, err := filepath.EvalSymlinks(root)
	if err != nil {
		return "", "", err
	}
	if rel, ok := below(realRoot, realPath); ok {
		return filepath.Join(root, rel), root, nil
	}
	if root, err = moduleRoot(realPath); err != nil {
		return "", "", err
	}
	return realPath, root, nil
}

// patternFolder returns the folder that a pattern begins with, as written. local is false for an import path.
func patternFolder(pattern string) (folder string, local bool) {
	folder = pattern
	if i := strings.Index(pattern, "..."); i >= 0 {
		folder = pattern[:i]
		if j := strings.LastIndexAny(folder, `/`+string(filepath.Separator)); j >= 0 {
			folder = folder[:max(j, 1)]
		}
	}
	slashed := filepath.ToSlash(folder)
	local = slashed == "." || slashed == ".." || strings.HasPrefix(slashed, "./") || strings.HasPrefix(slashed, "../") || filepath.IsAbs(folder)
	return folder, local
}

// checkFolder returns an error unless the folder of a pattern is one.
func checkFolder(path, pattern string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("input %s: there is no such folder", pattern)
	case err != nil:
		return fmt.Errorf("input %s: %w", pattern, err)
	case !info.IsDir():
		return fmt.Errorf("input %s is not a folder; name the folder that holds the package", pattern)
	}
	return nil
}

// moduleRoot returns the nearest folder with a go.mod, from dir, which need not exist, upwards.
func moduleRoot(dir string) (string, error) {
	for at := dir; ; {
		if info, err := os.Stat(filepath.Join(at, "go.mod")); err == nil && !info.IsDir() {
			return at, nil
		}
		parent := filepath.Dir(at)
		if parent == at {
			return "", fmt.Errorf("no go.mod in %s or above it; create one with go mod init", dir)
		}
		at = parent
	}
}

// explainNothing says why the go command found no package at all. It is asked once more, for its own words.
func (s *scan) explainNothing(ctx context.Context, q query) error {
	args := append([]string{"list", "-e"}, s.buildFlags()...)
	cmd := exec.CommandContext(ctx, "go", append(append(args, "--"), q.patterns...)...)
	cmd.Dir = q.dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	runErr := cmd.Run()
	if err := ctx.Err(); err != nil {
		return err
	}
	said := strings.TrimSpace(strings.ReplaceAll(stderr.String(), "go: warning: ", ""))
	if runErr != nil && said != "" {
		return fmt.Errorf("read packages %s: %s", strings.Join(s.options.Patterns, " "), oneLine(said))
	}
	return fmt.Errorf("no Go packages in %s", strings.Join(s.options.Patterns, " "))
}
