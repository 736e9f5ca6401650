package goload

import (
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/eventmap/eventmap/internal/model"
)

// A Dir is the working directory. It names files as the user would. Several goroutines may use it.
type Dir struct {
	path string // absolute
	real string // the same without symbolic links

	names *sync.Map // what Name has found out, by path
}

// NewDir returns the directory of that path; empty: that of the process. It is an error if there is none.
func NewDir(path string) (Dir, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return Dir{}, err
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return Dir{}, err
	}
	return Dir{path: abs, real: real, names: new(sync.Map)}, nil
}

// Abs returns the absolute form of a path that is relative to the working directory.
func (d Dir) Abs(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(d.path, path)
}

// Name returns path relative to the working directory if it lies below it, and as it is otherwise. Symbolic links on
// the way to either make no difference.
func (d Dir) Name(path string) string {
	if name, ok := d.names.Load(path); ok {
		return name.(string)
	}
	name := d.findName(path)
	d.names.Store(path, name)
	return name
}

func (d Dir) findName(path string) string {
	for _, dir := range []string{d.path, d.real} {
		if rel, ok := below(dir, path); ok {
			return rel
		}
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		if rel, ok := below(d.real, real); ok {
			return rel
		}
	}
	return path
}

// below returns path relative to dir if it lies there.
func below(dir, path string) (rel string, ok bool) {
	rel, err := filepath.Rel(dir, path)
	return rel, err == nil && filepath.IsLocal(rel)
}

// Position returns where a position lies, or nowhere for one that is not valid.
func (d Dir) Position(at token.Position) model.Position {
	if !at.IsValid() {
		return model.Position{}
	}
	return model.Position{File: d.Name(at.Filename), Line: at.Line, Col: at.Column}
}

// parsePosition reads file:line:col, file:line, file, "-" or nothing, as the go command writes it, with files relative
// to the folder where it ran.
func (d Dir) parsePosition(text, ran string) model.Position {
	if text == "" || text == "-" {
		return model.Position{}
	}
	var at model.Position
	rest, last, ok := cutNumber(text)
	if ok {
		if file, line, ok := cutNumber(rest); ok {
			rest, at.Line, at.Col = file, line, last
		} else {
			at.Line = last
		}
	}
	if !filepath.IsAbs(rest) {
		rest = filepath.Join(ran, rest)
	}
	at.File = d.Name(filepath.Clean(rest))
	return at
}

// cutNumber splits text at its last colon if a number follows.
func cutNumber(text string) (before string, number int, ok bool) {
	i := strings.LastIndexByte(text, ':')
	if i < 0 {
		return text, 0, false
	}
	n, err := strconv.Atoi(text[i+1:])
	if err != nil {
		return text, 0, false
	}
	return text[:i], n, true
}
