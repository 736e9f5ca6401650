// Package output writes what the generators return, or tells what writing it would change. It is the only writer of the
// project: it decides nothing about content.
package output

import (
	"bytes"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/eventmap/eventmap/internal/gen"
)

// An Owner tells the files of a tool from those of its user.
type Owner struct {
	// Tool is the command's name, for messages.
	Tool string
	// IsOurs reports whether content was written by the tool, so that it may be overwritten.
	IsOurs func(content []byte) bool
	// IsOrphan reports whether a file of the output folder was written by an earlier run of the same kind and goes if
	// this run does not make it. Nil: nothing ever goes.
	IsOrphan func(name string, content []byte) bool
	// Nested is the name under which a file is looked for in the folders directly below the output folder too, where
	// nothing else ever goes. Empty: there is none.
	Nested string
	// Trees are folders below the output folder in which everything of ours that a run does not make goes, however deep.
	Trees []string
}

// A Change is one file that differs from what was generated.
type Change struct {
	Path string // as the user would name it
	Old  []byte // nil: the file does not exist yet
	New  []byte // nil: the file goes
}

// A Plan is what has to change on disk for a set of generated files to be current.
type Plan struct {
	Changes []Change // by Path
}

// NewPlan compares the files with what lies in dir, which need not exist. It changes nothing. A file in the way that the
// owner did not write is an error; all of them are reported at once. Line ends are no difference, so that a checkout
// with CRLF is current.
func NewPlan(dir string, files []gen.File, owner Owner) (*Plan, error) {
	return newPlan(dir, files, owner, func(gen.File) bool { return false })
}

// newPlan is [NewPlan] where some files are known to be current.
func newPlan(dir string, files []gen.File, owner Owner, isCurrent func(gen.File) bool) (*Plan, error) {
	var plan Plan
	var problems []error
	made := make(map[string]bool, len(files))
	found := listings{}
	for _, f := range files {
		made[f.Path] = true
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		if f.Once && !f.Renew && found.has(path) {
			continue // whatever it holds
		}
		if isCurrent(f) {
			continue
		}
		old, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			plan.Changes = append(plan.Changes, Change{Path: path, New: f.Content})
		case err != nil:
			problems = append(problems, err)
		case bytes.Equal(lf(old), f.Content):
		case !f.Renew && !owner.IsOurs(lf(old)):
			problems = append(problems, fmt.Errorf("%s exists and was not written by %s; move it away, or choose another file name or output folder", path, owner.Tool))
		default:
			plan.Changes = append(plan.Changes, Change{Path: path, Old: old, New: f.Content})
		}
	}
	if owner.IsOrphan != nil {
		orphans, err := findOrphans(dir, made, owner)
		if err != nil {
			problems = append(problems, err)
		}
		plan.Changes = append(plan.Changes, orphans...)
	}
	for _, tree := range owner.Trees {
		left, err := findLeft(dir, tree, made, owner)
		if err != nil {
			problems = append(problems, err)
		}
		plan.Changes = append(plan.Changes, left...)
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	slices.SortFunc(plan.Changes, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return &plan, nil
}

// HasOwn reports whether a folder holds a Go file that the owner wrote.
func HasOwn(dir string, owner Owner) bool {
	files, _ := filepath.Glob(filepath.Join(dir, "*.go"))
	return slices.ContainsFunc(files, func(name string) bool {
		content, err := os.ReadFile(name)
		return err == nil && owner.IsOurs(lf(content))
	})
}

// ForeignFile returns a Go file of a folder that holds code and that the owner did not write, if none there is the owner's;
// else nothing. Tests do not count, nor do files that declare nothing, such as one with a package comment.
func ForeignFile(dir string, owner Owner) string {
	if HasOwn(dir, owner) {
		return ""
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.go"))
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil || len(f.Decls) > 0 {
			return name
		}
	}
	return ""
}

// listings are the names of the files in folders, by the folder, as far as they were asked for. To list a folder takes less
// time than to look for each of its files.
type listings map[string]map[string]bool

// has reports whether there is a file, or something else, at the path.
func (l listings) has(path string) bool {
	dir, name := filepath.Split(path)
	names, known := l[dir]
	if !known {
		entries, _ := os.ReadDir(dir)
		names = make(map[string]bool, len(entries))
		for _, entry := range entries {
			names[entry.Name()] = entry.Type().IsRegular()
		}
		l[dir] = names
	}
	if names[name] {
		return true
	}
	_, err := os.Stat(path) // a link may lead nowhere, and not every file system tells capital letters from small ones
	return err == nil
}

// findOrphans returns the removal of each file of dir that this run no longer makes.
func findOrphans(dir string, made map[string]bool, owner Owner) ([]Change, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var orphans []Change
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() && owner.Nested != "" {
			name += "/" + owner.Nested
		} else if !entry.Type().IsRegular() {
			continue
		}
		if made[name] {
			continue
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		old, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // there is no nested one, or another process was quicker
		}
		if err != nil {
			return nil, err
		}
		if content := lf(old); owner.IsOrphan(name, content) && owner.IsOurs(lf(content)) {
			orphans = append(orphans, Change{Path: path, Old: old})
		}
	}
	return orphans, nil
}

// findLeft returns the removal of each file of ours in a folder below dir that this run no longer makes.
func findLeft(dir, tree string, made map[string]bool, owner Owner) (left []Change, err error) {
	err = filepath.WalkDir(filepath.Join(dir, filepath.FromSlash(tree)), func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || made[filepath.ToSlash(name)] {
			return err
		}
		old, err := os.ReadFile(path)
		if err == nil && owner.IsOurs(lf(old)) {
			left = append(left, Change{Path: path, Old: old})
		}
		return err
	})
	return left, err
}

// IsCurrent reports whether nothing has to change.
func (p *Plan) IsCurrent() bool { return len(p.Changes) == 0 }

// WriteDiff writes the changes as a unified diff, from what is there to what was generated.
func (p *Plan) WriteDiff(w io.Writer) error {
	for _, c := range p.Changes {
		oldName, newName := filepath.ToSlash(c.Path), filepath.ToSlash(c.Path)
		if c.Old == nil {
			oldName = "/dev/null"
		}
		if c.New == nil {
			newName = "/dev/null"
		}
		if _, err := w.Write(diff.Diff(oldName, lf(c.Old), newName, c.New)); err != nil {
			return err
		}
	}
	return nil
}

// lf returns content with LF line ends.
func lf(content []byte) []byte {
	if !bytes.Contains(content, []byte("\r\n")) {
		return content // which is most often, and need not be copied
	}
	return bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n"))
}
