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
	q, err := s.query()
	if err != nil {
		return err
	}
	s.build = buildLog{dir: q.dir, ours: oursFiles{names: map[string]bool{}}}
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
		return ctx.Err()
	case err != nil && goMissing():
		return errors.New("the go command was not found on the PATH; it is what reads packages")
	case err != nil:
		_, said, ok := strings.Cut(err.Error(), "stderr: go: ")
		if !ok {
			said = err.Error()
		}
		return fmt.Errorf("read packages: %s", oneLine(said))
	case len(roots) == 0:
		return s.explainNothing(ctx, q)
	}
	slices.SortFunc(roots, func(a, b *packages.Package) int { return strings.Compare(a.PkgPath, b.PkgPath) })
	s.build.roots = roots
	for _, p := range roots {
		if p.PkgPath == "command-line-arguments" {
			return fmt.Errorf("input %s names files; name the folder that holds the package", strings.Join(s.options.Patterns, " "))
		}
		src := &source{pkg: p}
		if p.Module != nil {
			src.below = strings.TrimPrefix(strings.TrimPrefix(p.PkgPath, p.Module.Path), "/")
		} else {
			src.below = p.PkgPath
		}
		src.clause = s.firstClause(p)
		s.sources = append(s.sources, src)
		s.byPath[p.PkgPath] = src
	}
	return nil
}

// firstClause returns the package clause of the first file that people wrote: cgo adds files of its own.
func (s *scan) firstClause(p *packages.Package) token.Pos {
	var first token.Pos
	for _, f := range p.Syntax {
		written := slices.Contains(p.GoFiles, s.fset.Position(f.Package).Filename)
		if written && (!first.IsValid() || s.byPosition(f.Package, first) < 0) {
			first = f.Package
		}
	}
	return first
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
		if sameFolder(filepath.Dir(filename), s.place.abs(s.options.Output)) {
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
