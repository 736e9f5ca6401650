package astscan

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/tools/go/packages"
)

// loadMode reads the syntax of what matches the patterns and the types of what that imports from export data. It has no
// NeedDeps, which would read every dependency from source, and no NeedTypesInfo, for scopes tell enough.
const loadMode = packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports |
	packages.NeedModule | packages.NeedSyntax | packages.NeedTypes

// A source is a package that matches the patterns.
type source struct {
	pkg        *packages.Package
	below      string    // its path below its module, "" for the module's root
	clause     token.Pos // the package clause of its first file
	types      []*typeDecl
	upcasts    []*funcDecl
	aggregate  *mark // of a package clause
	saysEvents bool  // a mark says what its events are, so that the convention does not
}

// load reads the packages.
func (s *scan) load(ctx context.Context) error {
	queries, err := s.queries()
	if err != nil {
		return err
	}
	s.build = buildLog{dirs: map[*packages.Package]string{}, ours: oursFiles{names: map[string]bool{}}}
	for _, q := range queries {
		roots, err := s.ask(ctx, q)
		if err != nil {
			return err
		}
		if err := s.checkApart(roots); err != nil {
			return err
		}
		packages.Visit(roots, func(p *packages.Package) bool {
			s.build.dirs[p] = q.dir
			return true
		}, nil)
		s.build.roots = append(s.build.roots, roots...)
	}
	if len(s.build.roots) == 0 {
		return s.explainNothing(ctx, queries[0])
	}
	slices.SortFunc(s.build.roots, func(a, b *packages.Package) int { return strings.Compare(a.PkgPath, b.PkgPath) })
	for _, p := range s.build.roots {
		if p.PkgPath == "command-line-arguments" {
			return fmt.Errorf("input %s names files; name the folder that holds the package", strings.Join(s.options.Patterns, " "))
		}
		src := &source{pkg: p}
		if p.Module != nil {
			src.below = strings.TrimPrefix(strings.TrimPrefix(p.PkgPath, p.Module.Path), "/")
		} else {
			src.below = p.PkgPath
		}
		src.clause = s.firstClause(src)
		s.sources = append(s.sources, src)
		s.byPath[p.PkgPath] = src
	}
	return nil
}

// ask loads the packages of one query.
func (s *scan) ask(ctx context.Context, q query) ([]*packages.Package, error) {
	cfg := &packages.Config{
		Mode:       loadMode,
		Context:    ctx,
		Dir:        q.dir,
		Fset:       s.fset,
		ParseFile:  s.parseFile,
		BuildFlags: s.buildFlags(),
	}
	roots, err := packages.Load(cfg, q.patterns...)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil && goMissing():
		return nil, errors.New("the go command was not found on the PATH; it is what reads packages")
	case err != nil:
		_, said, ok := strings.Cut(err.Error(), "stderr: go: ")
		if !ok {
			said = err.Error()
		}
		return nil, fmt.Errorf("read packages: %s", oneLine(said))
	}
	return roots, nil
}

// checkApart returns an error if packages of one load are found in those before as well. Types are the same within one
// load only: an event of the one would not be known as what an interface of the other asks for.
func (s *scan) checkApart(roots []*packages.Package) error {
	for _, pair := range [][2][]*packages.Package{{s.build.roots, roots}, {roots, s.build.roots}} {
		matched := map[string]*packages.Package{}
		for _, p := range pair[0] {
			matched[p.PkgPath] = p
		}
		var err error
		packages.Visit(pair[1], func(p *packages.Package) bool {
			if twin := matched[p.PkgPath]; twin != nil && err == nil {
				err = s.together(twin, p)
			}
			return err == nil
		}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

// together returns the error of a package that two modules have, or that is of one and used in another.
func (s *scan) together(a, b *packages.Package) error {
	if a.Module != nil && b.Module != nil && a.Module.Dir != b.Module.Dir && a.Module.Dir != "" && b.Module.Dir != "" {
		return fmt.Errorf("package %s is in two modules, in %s and in %s; scan one of them at a time", a.PkgPath, s.place.name(a.Module.Dir), s.place.name(b.Module.Dir))
	}
	return fmt.Errorf("package %s is scanned, and imported by what is scanned of another module; have them read together: make them a workspace, with go work init and the folders of the modules", a.PkgPath)
}

// firstClause returns the package clause of the first file that people wrote: cgo adds files of its own.
func (s *scan) firstClause(src *source) token.Pos {
	var first token.Pos
	for _, f := range src.pkg.Syntax {
		if src.hasWritten(s.fset.Position(f.Package).Filename) && (!first.IsValid() || s.byPosition(f.Package, first) < 0) {
			first = f.Package
		}
	}
	return first
}

// hasWritten reports whether a file is one of the package's own: what cgo makes of such a file has line directives that
// say so, and what it adds has none.
func (src *source) hasWritten(filename string) bool {
	return slices.Contains(src.pkg.GoFiles, filename)
}

// goMissing reports whether there is no go command to run.
func goMissing() bool {
	_, err := exec.LookPath("go")
	return err != nil
}

// buildFlags returns the flags of the go command.
func (s *scan) buildFlags() []string {
	if len(s.options.Tags) == 0 {
		return nil
	}
	return []string{"-tags=" + strings.Join(s.options.Tags, ",")}
}

// oursFiles collects the files that the tool itself wrote. Files are parsed at the same time.
type oursFiles struct {
	sync.Mutex
	names map[string]bool // absolute
}

// parseFile parses one file. A file that the tool wrote into the output package is left out: what it declares is about
// to be written anew, and what it holds now may be old, broken or in conflict.
func (s *scan) parseFile(fset *token.FileSet, filename string, src []byte) (*ast.File, error) {
	if s.options.IsGenerated(src) {
		s.build.ours.Lock()
		s.build.ours.names[filename] = true
		s.build.ours.Unlock()
		if s.options.Output != "" && sameFolder(filepath.Dir(filename), s.place.abs(s.options.Output)) {
			return nil, nil
		}
	}
	return parser.ParseFile(fset, filename, src, parser.ParseComments|parser.SkipObjectResolution)
}

// sameFolder reports whether two absolute paths lead to the same folder.
func sameFolder(a, b string) bool {
	if a == b {
		return true
	}
	realA, errA := filepath.EvalSymlinks(a)
	realB, errB := filepath.EvalSymlinks(b)
	return errA == nil && errB == nil && realA == realB
}
