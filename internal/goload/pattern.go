package goload

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A query is what the go command is asked: patterns, from a folder.
type query struct {
	dir      string
	patterns []string
}

// queries turns the patterns into questions to the go command: one in all, unless they lie in several modules that do not
// make a workspace. A module is asked for from within it, and so is scanned from outside as well as from inside.
func queries(dir Dir, patterns []string) ([]query, error) {
	home, homeErr := moduleRoot(dir.path)
	places := make([]patternPlace, len(patterns))
	several := false // modules
	for i, pattern := range patterns {
		at, err := placeOf(dir, pattern, home, homeErr)
		if err != nil {
			return nil, err
		}
		places[i] = at
		several = several || at.module != places[0].module
	}
	var asked []query
	var units []string // of the queries: a module or a workspace
	for _, at := range places {
		unit, atHome := "", homeErr == nil && sameFolder(at.module, home)
		if several {
			unit = readTogether(at.module)
			atHome = homeErr == nil && unit == readTogether(home)
		}
		i := slices.Index(units, unit)
		if i < 0 {
			i = len(asked)
			from := at.module
			if atHome {
				from = dir.path
			}
			units, asked = append(units, unit), append(asked, query{dir: from})
		}
		if asked[i].dir == dir.path {
			asked[i].patterns = append(asked[i].patterns, at.pattern)
			continue
		}
		rel, err := filepath.Rel(asked[i].dir, at.folder)
		if err != nil {
			return nil, err
		}
		asked[i].patterns = append(asked[i].patterns, "./"+filepath.ToSlash(rel)+at.rest)
	}
	return asked, nil
}

// A patternPlace is where a pattern looks.
type patternPlace struct {
	pattern string // as the working directory knows it
	folder  string // absolute; of an import path empty
	rest    string // of the pattern, after the folder
	module  string // the root of its module
}

// placeOf finds out where a pattern looks. An import path is one that the module of the working directory knows.
func placeOf(dir Dir, pattern, home string, homeErr error) (patternPlace, error) {
	folder, local := patternFolder(pattern)
	if !local {
		return patternPlace{pattern: pattern, module: home}, homeErr
	}
	path, root, err := resolveFolder(dir.Abs(folder), pattern)
	if err != nil {
		return patternPlace{}, err
	}
	at := patternPlace{pattern: pattern, folder: path, rest: strings.TrimPrefix(pattern, folder), module: root}
	if path != dir.Abs(folder) {
		at.pattern = path + at.rest
	}
	return at, nil
}

// resolveFolder returns a pattern's folder and the root of its module. A folder that is a symbolic link is resolved, so
// that its package has the import path that the rest of the module knows it by.
func resolveFolder(path, pattern string) (resolved, root string, err error) {
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
