package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Patterns returns what is to be scanned: the patterns as given, and one for each input folder and what lies below it. An
// input that is a pattern already is taken as it is.
func Patterns(given, inputs []string) ([]string, error) {
	patterns := given
	for _, dir := range inputs {
		if strings.Contains(dir, "...") {
			patterns = append(patterns, dir)
			continue
		}
		info, err := os.Stat(dir)
		switch {
		case errors.Is(err, os.ErrNotExist):
			return nil, fmt.Errorf("--input: there is no folder %s", dir)
		case err != nil:
			return nil, fmt.Errorf("--input: %w", err)
		case !info.IsDir():
			return nil, fmt.Errorf("--input: %s is not a folder", dir)
		}
		patterns = append(patterns, below(dir))
	}
	if len(patterns) == 0 {
		return nil, errors.New("nothing to scan: give --input or a pattern")
	}
	return patterns, nil
}

// below returns the pattern of the go command for the folder and all below it. A relative one begins with a dot, or it
// would be taken for an import path.
func below(dir string) string {
	dir = filepath.ToSlash(filepath.Clean(dir))
	if !filepath.IsAbs(dir) && dir != ".." && !strings.HasPrefix(dir, "../") {
		dir = "./" + dir
	}
	return strings.TrimSuffix(dir, "/") + "/..."
}
