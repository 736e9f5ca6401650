package astscan

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
)

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
	return fmt.Errorf("no Go packages in %s%s", strings.Join(s.options.Patterns, " "), s.otherModules())
}

// nothingFound returns the error of a run without events.
func (s *scan) nothingFound() error {
	return fmt.Errorf("no events in %s: looked at %s for structs marked //eventmap:event, structs that implement an interface marked //eventmap:events, and exported structs of packages without such marks; mark an event by writing //eventmap:event on the line above its type%s",
		strings.Join(s.options.Patterns, " "), count(len(s.sources), "package"), s.otherModules())
}

// otherModules names the modules below the folders of patterns that end in "...": those end where another module begins.
func (s *scan) otherModules() string {
	var found []string
	for _, pattern := range s.options.Patterns {
		folder, local := patternFolder(pattern)
		if !local || folder == pattern {
			continue
		}
		top := s.place.abs(folder)
		// What cannot be read holds no module to name.
		_ = filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
			switch name := filepath.Base(path); {
			case err != nil || path != top && entry.IsDir() && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "node_modules"):
				return filepath.SkipDir
			case name == "go.mod" && filepath.Dir(path) != top:
				found = append(found, s.place.name(filepath.Dir(path)))
				return filepath.SkipDir
			}
			return nil
		})
	}
	if len(found) == 0 {
		return ""
	}
	return "; modules below are not part of it: name " + strings.Join(found[:min(3, len(found))], " or ") + " to scan that"
}
