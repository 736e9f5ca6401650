// Package usage reads an application and says which of its functions emit the events of a domain, and what handles them. It
// goes by the identity of objects: what a call really calls, not what it is called.
package usage

import (
	"context"
	"fmt"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/eventmap/eventmap/internal/model"
)

// Options say what is read.
type Options struct {
	// Dir is the working directory. Positions are given relative to it where they lie below it.
	Dir string
	// Patterns are those of go list, as seen from Dir: the application, and the packages of the domain, whose functions
	// decide which events there are.
	Patterns []string
	// Tags are the build tags that are set.
	Tags []string
	// Store is the folder of the package that eventmap-gen wrote.
	Store string
}

const loadMode = packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports |
	packages.NeedModule | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo

// An Application is a program that was read.
type Application struct{ reader }

// Load reads the packages that match the patterns, but for their tests. Everything that keeps a package from compiling is
// returned at once, as [model.Problems].
func Load(ctx context.Context, o Options) (*Application, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	cfg := &packages.Config{Mode: loadMode, Context: ctx, Dir: dir, Fset: token.NewFileSet()}
	if len(o.Tags) > 0 {
		cfg.BuildFlags = []string{"-tags=" + strings.Join(o.Tags, ",")}
	}
	loaded, err := packages.Load(cfg, append([]string{storePattern(o.Store)}, o.Patterns...)...)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("read the application: %w", err)
	}
	a := &Application{reader{dir: dir, fset: cfg.Fset, packages: loaded, folder: o.Store}}
	if err := a.problems().Err(); err != nil {
		return nil, err
	}
	return a, nil
}

// Usage returns who emits and who handles the events of the domain.
func (a *Application) Usage(domain *model.Domain) (*model.Usage, error) {
	r := a.reader
	r.domain = domain
	var err error
	if r.store, err = findStore(r.packages, r.dir, r.folder, domain); err != nil {
		return nil, err
	}
	return r.usage(), nil
}

// storePattern returns the pattern of the store's folder.
func storePattern(folder string) string {
	if filepath.IsAbs(folder) {
		return folder
	}
	return "./" + filepath.ToSlash(filepath.Clean(folder))
}

// A reader is the state of one run.
type reader struct {
	dir      string
	fset     *token.FileSet
	domain   *model.Domain
	packages []*packages.Package
	folder   string // of the store
	store    *store
}

// problems returns what keeps packages from compiling.
func (r *reader) problems() (problems model.Problems) {
	packages.Visit(r.packages, nil, func(p *packages.Package) {
		for _, e := range p.Errors {
			problems = append(problems, model.Problem{Pos: r.place(e.Pos), Message: e.Msg})
		}
	})
	return problems
}

// place returns the position that go/packages wrote as file:line:col.
func (r *reader) place(written string) model.Position {
	parts := strings.Split(written, ":")
	if len(parts) < 2 || written == "-" {
		return model.Position{}
	}
	var numbers []int
	for len(parts) > 1 && len(numbers) < 2 {
		n, err := strconv.Atoi(parts[len(parts)-1])
		if err != nil {
			break
		}
		numbers, parts = append(numbers, n), parts[:len(parts)-1]
	}
	slices.Reverse(numbers)
	at := model.Position{File: r.relative(strings.Join(parts, ":"))}
	if len(numbers) > 0 {
		at.Line = numbers[0]
	}
	if len(numbers) > 1 {
		at.Col = numbers[1]
	}
	return at
}

// pos returns a position as the user would name it.
func (r *reader) pos(p token.Pos) model.Position {
	at := r.fset.Position(p)
	return model.Position{File: r.relative(at.Filename), Line: at.Line, Col: at.Column}
}

func (r *reader) relative(file string) string {
	rel, err := filepath.Rel(r.dir, file)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return file
	}
	return filepath.ToSlash(rel)
}
