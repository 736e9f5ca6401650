package goload

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// explainNothing says why the go command found no package at all. It is asked once more, for its own words.
func explainNothing(ctx context.Context, o Options, q query) error {
	args := append([]string{"list", "-e"}, buildFlags(o.Tags)...)
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
		return fmt.Errorf("read packages %s: %s", strings.Join(o.Patterns, " "), oneLine(said))
	}
	return fmt.Errorf("no Go packages in %s%s%s", strings.Join(o.Patterns, " "), leftOut(o), otherModules(o))
}

// leftOut names a Go file below the folders of the patterns. Where there is no package, the go command left it out.
func leftOut(o Options) (said string) {
	for _, pattern := range o.Patterns {
		folder, local := patternFolder(pattern)
		if !local {
			continue
		}
		top := o.Dir.Abs(folder)
		// What cannot be read is no file to name.
		_ = filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
			name := filepath.Base(path)
			switch {
			case err != nil || path != top && entry.IsDir() && (isIgnored(name) || isFile(filepath.Join(path, "go.mod"))):
				return filepath.SkipDir
			case !entry.IsDir() && strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go"):
				said = fmt.Sprintf(": %s is left out by its name or build constraints; name build tags with --tags", o.Dir.Name(path))
				return filepath.SkipAll
			}
			return nil
		})
	}
	return said
}

// isIgnored reports whether the go command passes a folder of that name over.
func isIgnored(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "vendor"
}

// isFile reports whether there is a file at the path.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// OtherModules names the modules below the folders of patterns that end in "...": those end where another module begins. It
// returns a clause that goes on from an error that nothing was found, or nothing.
func (p *Program) OtherModules() string { return otherModules(p.options) }

func otherModules(o Options) string {
	var found []string
	for _, pattern := range o.Patterns {
		folder, local := patternFolder(pattern)
		if !local || folder == pattern {
			continue
		}
		top := o.Dir.Abs(folder)
		// What cannot be read holds no module to name.
		_ = filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
			switch name := filepath.Base(path); {
			case err != nil || path != top && entry.IsDir() && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "node_modules"):
				return filepath.SkipDir
			case name == "go.mod" && filepath.Dir(path) != top:
				found = append(found, o.Dir.Name(filepath.Dir(path)))
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
