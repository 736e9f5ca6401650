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
	q := query{dir: s.place.dir, patterns: s.options.Patterns}
	root, rootErr := moduleRoot(q.dir)
	var foreign string
	var bases []string
	for _, pattern := range q.patterns {
		base, local := patternFolder(pattern)
		if !local {
			if rootErr != nil {
				return query{}, rootErr
			}
			return q, nil
		}
		base = s.place.abs(base)
		if err := checkFolder(base, pattern); err != nil {
			return query{}, err
		}
		at, err := moduleRoot(base)
		if err != nil {
			return query{}, err
		}
		if at != root {
			if foreign != "" && foreign != at || foreign == "" && len(bases) > 0 {
				return q, nil // several modules: a workspace, or the go command says what is wrong
			}
			foreign = at
		} else if foreign != "" {
			return q, nil
		}
		bases = append(bases, base)
	}
	if foreign == "" {
		return q, nil
	}
	moved := query{dir: foreign}
	for i, base := range bases {
		rel, err := filepath.Rel(foreign, base)
		if err != nil {
			return query{}, err
		}
		folder, _ := patternFolder(q.patterns[i])
		moved.patterns = append(moved.patterns, "./"+filepath.ToSlash(rel)+strings.TrimPrefix(q.patterns[i], folder))
	}
	return moved, nil
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
