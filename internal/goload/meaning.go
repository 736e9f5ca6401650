package goload

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/types"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// A Meaning says what every identifier in a package's source stands for.
type Meaning struct {
	*Package
	Types *types.Package // its own: objects of [Package.Types] are others
	Info  *types.Info
	NonGo bool // something else than Go is built in: assembly, C, or files that it embeds
	// Excluded are its Go files that build constraints keep out of this build, as far as they can be parsed.
	Excluded []*ast.File
}

// Meanings type-checks the packages that match the patterns once more, from the syntax that is there, and notes what every
// identifier stands for. It is for those few runs that have to know; [Options.Info] has all of them pay.
func (p *Program) Meanings() map[string]*Meaning {
	c := checker{Program: p, imported: map[string]*types.Package{}, done: map[string]*Meaning{}}
	packages.Visit(p.roots, nil, func(pkg *packages.Package) {
		if p.byPath[pkg.PkgPath] == nil && pkg.Types != nil {
			c.imported[pkg.PkgPath] = pkg.Types
		}
	})
	for _, pkg := range p.Packages {
		c.check(pkg)
	}
	return c.done
}

// A checker type-checks packages, each after those that it imports.
type checker struct {
	*Program
	imported map[string]*types.Package // from export data
	done     map[string]*Meaning
}

// Import implements [types.Importer].
func (c *checker) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if pkg := c.byPath[path]; pkg != nil {
		return c.check(pkg).Types, nil
	}
	if t := c.imported[path]; t != nil {
		return t, nil
	}
	return nil, errors.New("it was not loaded")
}

func (c *checker) check(pkg *Package) *Meaning {
	if m := c.done[pkg.Path]; m != nil {
		return m
	}
	m := &Meaning{Package: pkg, NonGo: len(pkg.loaded.OtherFiles) > 0, Excluded: c.excluded(pkg), Info: &types.Info{
		Types:      map[ast.Expr]types.TypeAndValue{},
		Defs:       map[*ast.Ident]types.Object{},
		Uses:       map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
	}}
	c.done[pkg.Path] = m
	// Errors were judged when the packages were loaded; those that are left stand in code that waits for what is generated.
	config := types.Config{Importer: c, Error: func(error) {}, FakeImportC: true, Sizes: pkg.loaded.TypesSizes}
	m.Types, _ = config.Check(pkg.Path, c.Fset, pkg.Syntax, m.Info)
	for _, file := range pkg.Syntax {
		for _, group := range file.Comments {
			m.NonGo = m.NonGo || slices.ContainsFunc(group.List, func(comment *ast.Comment) bool { return strings.HasPrefix(comment.Text, "//go:embed ") })
		}
		m.NonGo = m.NonGo || slices.ContainsFunc(file.Imports, func(spec *ast.ImportSpec) bool { return spec.Path.Value == `"C"` })
	}
	return m
}

// excluded parses the files of a package that build constraints keep out. Tests are none of it, nor programs in files of
// their own.
func (c *checker) excluded(pkg *Package) []*ast.File {
	var files []*ast.File
	for _, name := range pkg.Ignored {
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		var content any // that of the file
		if over, ok := c.options.Overlay[name]; ok {
			content = over
		}
		file, _ := parser.ParseFile(c.Fset, name, content, parser.ParseComments|parser.SkipObjectResolution)
		if file != nil && file.Name.Name == pkg.Name {
			files = append(files, file)
		}
	}
	return files
}

// IsStandard reports whether a package that was loaded is of the standard library.
func (p *Program) IsStandard(path string) bool {
	pkg := p.find(path)
	return pkg == nil || pkg.Module == nil
}

// Identity names the content of a package and of all that it imports: of a module that has a version, by that; of one that
// has none, as the main module and what a replace directive names by a folder, by a hash of the packages' files.
func (p *Program) Identity(path string) (string, error) {
	hash := sha256.New()
	seen := map[string]bool{}
	var add func(pkg *packages.Package) error
	add = func(pkg *packages.Package) error {
		if seen[pkg.PkgPath] || pkg.Module == nil {
			return nil
		}
		seen[pkg.PkgPath] = true
		if version := moduleVersion(pkg.Module); version != "" {
			fmt.Fprintf(hash, "%s %s\n", pkg.PkgPath, version)
		} else if err := hashFolder(hash, pkg); err != nil {
			return err
		}
		paths := imports(pkg)
		for _, imported := range paths {
			if next := pkg.Imports[imported]; next != nil {
				if err := add(next); err != nil {
					return err
				}
			}
		}
		return nil
	}
	pkg := p.find(path)
	if pkg == nil {
		return "", errors.New("it was not loaded")
	}
	if err := add(pkg); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// moduleVersion returns the module and version that a package comes from, or nothing if it has none.
func moduleVersion(m *packages.Module) string {
	if m.Replace != nil {
		m = m.Replace
	}
	if m.Main || m.Version == "" {
		return ""
	}
	return m.Path + "@" + m.Version
}

// hashFolder adds the files of a package's folder, and of those below it that are no packages, which it may embed.
func hashFolder(to interface{ Write([]byte) (int, error) }, pkg *packages.Package) error {
	if len(pkg.GoFiles) == 0 {
		return nil
	}
	root := filepath.Dir(pkg.GoFiles[0])
	return filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != root:
			if sources, _ := filepath.Glob(filepath.Join(name, "*.go")); len(sources) > 0 {
				return filepath.SkipDir
			}
			return nil
		case !entry.Type().IsRegular() || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		below, err := filepath.Rel(root, name)
		fmt.Fprintf(to, "%s/%s %x\n", pkg.PkgPath, filepath.ToSlash(below), sha256.Sum256(content))
		return err
	})
}

// find returns a package that was loaded, whether it matches the patterns or not, or nil.
func (p *Program) find(path string) *packages.Package { return p.loaded()[path] }

// indexLoaded returns every package that was loaded, by path.
func (p *Program) indexLoaded() map[string]*packages.Package {
	byPath := map[string]*packages.Package{}
	packages.Visit(p.roots, func(pkg *packages.Package) bool {
		byPath[pkg.PkgPath] = pkg
		return true
	}, nil)
	return byPath
}
