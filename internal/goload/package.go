package goload

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
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
		if p.Wrote(pkg, f) && (!pkg.Clause.IsValid() || p.ByPosition(f.Package, pkg.Clause) < 0) {
			pkg.Clause = f.Package
		}
	}
	return pkg
}

// Package returns the package of that path if it matches the patterns, or nil.
func (p *Program) Package(path string) *Package { return p.byPath[path] }

// Wrote reports whether a file is one of the package's own: what cgo makes of such a file has line directives that say so,
// and what it adds has none.
func (p *Program) Wrote(pkg *Package, f *ast.File) bool {
	return slices.Contains(pkg.loaded.GoFiles, p.Fset.Position(f.Package).Filename)
}

// Pos returns where pos lies. Line directives count, as they do for the compiler: that is how cgo says where its output
// comes from.
func (p *Program) Pos(pos token.Pos) model.Position { return p.Dir.Position(p.Fset.Position(pos)) }

// ByPosition orders declarations by where they are written.
func (p *Program) ByPosition(a, b token.Pos) int {
	return cmp.Or(p.Pos(a).Compare(p.Pos(b)), cmp.Compare(a, b))
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
	p.reaching[r] = slices.ContainsFunc(imports(r.from), func(path string) bool {
		return path == r.path || r.from.Imports[path] != nil && p.reaches(reach{r.from.Imports[path], r.path})
	})
	return p.reaching[r]
}

// imports returns the paths that pkg imports, including those that could not be.
func imports(pkg *packages.Package) []string {
	var paths []string
	for path := range pkg.Imports {
		paths = append(paths, path)
	}
	for _, f := range pkg.Syntax {
		for _, spec := range f.Imports {
			paths = append(paths, strings.Trim(spec.Path.Value, "`\""))
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}
