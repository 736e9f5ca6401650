package goload

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"iter"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/eventmap/eventmap/internal/model"
)

// A Package is one that matches the patterns.
type Package struct {
	model.Package
	Module  string    // the path of its module; empty: it is in none
	Below   string    // its path below its module, "" for the module's root
	Clause  token.Pos // the package clause of its first file
	Types   *types.Package
	Info    *types.Info // if it was asked for
	Syntax  []*ast.File
	Ignored []string // its files that build constraints exclude

	loaded *packages.Package
}

func (p *Program) newPackage(root *packages.Package) *Package {
	pkg := &Package{
		Package: model.Package{Path: root.PkgPath, Name: root.Name},
		Below:   root.PkgPath,
		Types:   root.Types,
		Info:    root.TypesInfo,
		Syntax:  root.Syntax,
		Ignored: root.IgnoredFiles,
		loaded:  root,
	}
	if root.Module != nil {
		pkg.Module = root.Module.Path
		pkg.Below = strings.TrimPrefix(strings.TrimPrefix(root.PkgPath, root.Module.Path), "/")
	}
	for _, f := range root.Syntax {
		if p.Source(pkg, f).Path != "" && (!pkg.Clause.IsValid() || p.ByPosition(f.Package, pkg.Clause) < 0) {
			pkg.Clause = f.Package
		}
	}
	return pkg
}

// Package returns the package of that path if it matches the patterns, or nil.
func (p *Program) Package(path string) *Package { return p.byPath[path] }

// Folder returns the folder of the package, or nothing if it has no files.
func (p *Package) Folder() string {
	if len(p.loaded.GoFiles) == 0 {
		return ""
	}
	return filepath.Dir(p.loaded.GoFiles[0])
}

// A Source is a Go file as somebody wrote it.
type Source struct {
	Path string    // absolute, whatever line directives in it say
	Cgo  bool      // what was loaded is made of it by cgo
	Pos  token.Pos // in what was loaded, where the file begins
}

// Source returns the file of the package that a loaded one is, or is made of by cgo, which says so in the first line
// directive. Path is empty for what cgo adds.
func (p *Program) Source(pkg *Package, f *ast.File) Source {
	if path := p.Fset.PositionFor(f.FileStart, false).Filename; slices.Contains(pkg.loaded.GoFiles, path) {
		return Source{Path: path, Pos: f.FileStart}
	}
	for _, group := range f.Comments {
		for _, c := range group.List {
			if strings.HasPrefix(c.Text, "//line ") {
				return p.cgoSource(pkg, c)
			}
		}
	}
	return Source{}
}

// cgoSource finds the file that a line directive of cgo names. Where the build trims paths, it names no folder.
func (p *Program) cgoSource(pkg *Package, directive *ast.Comment) Source {
	named := p.Fset.Position(directive.End() + 1).Filename
	for _, path := range pkg.loaded.GoFiles {
		if path == named || filepath.Base(path) == filepath.Base(named) {
			return Source{Path: path, Cgo: true, Pos: directive.End() + 1}
		}
	}
	return Source{}
}

var generatedLine = regexp.MustCompile(`^// Code generated .* DO NOT EDIT\.$`)

// Generated reports whether a tool wrote a file, which it says as https://go.dev/s/generatedcode asks, or the go command
// added it. What cgo makes of a file that people wrote does not count.
func (p *Program) Generated(pkg *Package, f *ast.File) bool {
	source := p.Source(pkg, f)
	if source.Path == "" {
		return true
	}
	for _, group := range f.Comments {
		for _, c := range group.List {
			if c.Pos() > f.Package {
				return false
			}
			if c.Pos() >= source.Pos && generatedLine.MatchString(c.Text) {
				return true
			}
		}
	}
	return false
}

// Pos returns where pos lies. Line directives count, as they do for the compiler: that is how cgo says where its output
// comes from.
func (p *Program) Pos(pos token.Pos) model.Position { return p.Dir.Position(p.Fset.Position(pos)) }

// ByPosition orders declarations by where they are written. Line directives in two files may lead to the same place.
func (p *Program) ByPosition(a, b token.Pos) int {
	return cmp.Or(p.Pos(a).Compare(p.Pos(b)), cmp.Compare(p.Fset.PositionFor(a, false).Filename, p.Fset.PositionFor(b, false).Filename), cmp.Compare(a, b))
}

// Line returns the line of the written file that a position is on, whatever line directives say of it. Cgo keeps lines.
func (p *Program) Line(s Source, pos token.Pos) int {
	return p.Fset.PositionFor(pos, false).Line - p.Fset.PositionFor(s.Pos, false).Line + 1
}

// MadeOf returns the file that a declaration comes from by line directives which are not cgo's, as the user would name it,
// or nothing: a tool makes the Go file of that one.
func (p *Program) MadeOf(s Source, pos token.Pos) string {
	from, begin := p.Fset.Position(pos).Filename, s.Path
	if s.Cgo {
		begin = p.Fset.Position(s.Pos).Filename
	}
	if s.Path == "" || from == begin {
		return ""
	}
	return p.Dir.Name(from)
}

// A reach is a question: whether a package imports the one of that path, directly or through others.
type reach struct {
	from *packages.Package
	path string
}

// ImportOf returns the import by which a package comes to depend on the package of that path, and through which package it
// does, if not directly. The position is not valid if it does not.
func (p *Program) ImportOf(pkg *Package, path string) (at token.Pos, through string) {
	for _, f := range pkg.Syntax {
		for _, spec := range f.Imports {
			imported := strings.Trim(spec.Path.Value, "`\"")
			if imported == path {
				return spec.Pos(), ""
			}
			if from := pkg.loaded.Imports[imported]; from != nil && p.reaches(reach{from, path}) {
				return spec.Pos(), imported
			}
		}
	}
	return token.NoPos, ""
}

func (p *Program) reaches(r reach) bool {
	if known, ok := p.reaching[r]; ok {
		return known
	}
	for path := range imports(r.from) {
		if path == r.path || r.from.Imports[path] != nil && p.reaches(reach{r.from.Imports[path], r.path}) {
			p.reaching[r] = true
			return true
		}
	}
	p.reaching[r] = false
	return false
}

// imports returns the paths that pkg imports, including those that could not be; in some order, and some of them twice.
func imports(pkg *packages.Package) iter.Seq[string] {
	return func(yield func(string) bool) {
		for path := range pkg.Imports {
			if !yield(path) {
				return
			}
		}
		for _, f := range pkg.Syntax {
			for _, spec := range f.Imports {
				if !yield(strings.Trim(spec.Path.Value, "`\"")) {
					return
				}
			}
		}
	}
}
