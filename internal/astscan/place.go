package astscan

import (
	"go/token"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/eventmap/eventmap/internal/model"
)

// A place names files as the user would.
type place struct {
	dir  string // the working directory, absolute
	real string // the same without symbolic links

	names map[string]string // what name has found out
}

func newPlace(dir string) (place, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return place{}, err
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return place{}, err
	}
	return place{dir: abs, real: real, names: map[string]string{}}, nil
}

// abs returns the absolute form of a path that is relative to the working directory.
func (p place) abs(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(p.dir, path)
}

// name returns path relative to the working directory if it lies below it, and as it is otherwise. Symbolic links on
// the way to either make no difference.
func (p place) name(path string) string {
	name, ok := p.names[path]
	if !ok {
		name = p.findName(path)
		p.names[path] = name
	}
	return name
}

func (p place) findName(path string) string {
	for _, dir := range []string{p.dir, p.real} {
		if rel, ok := below(dir, path); ok {
			return rel
		}
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		if rel, ok := below(p.real, real); ok {
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

// position returns where a source file is meant.
func (p place) position(at token.Position) model.Position {
	if !at.IsValid() {
		return model.Position{}
	}
	return model.Position{File: p.name(at.Filename), Line: at.Line, Col: at.Column}
}

// pos returns where p lies. Line directives count, as they do for the compiler: that is how cgo says where its output
// comes from.
func (s *scan) pos(p token.Pos) model.Position { return s.place.position(s.fset.Position(p)) }

// parsePosition reads file:line:col, file:line, file, "-" or nothing, as the go command writes it, with files relative
// to dir.
func (s *scan) parsePosition(text, dir string) model.Position {
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
		rest = filepath.Join(dir, rest)
	}
	at.File = s.place.name(filepath.Clean(rest))
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
