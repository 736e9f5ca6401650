// Package goload reads the packages that patterns match, with the types they are made of, and says what keeps them from
// being whole. It is the only package that knows go/packages.
//
// [Load] reads the packages. [Program.Output] finds out about the package that code is generated into, and
// [Program.Build] judges by it which errors of the build stand in the way: those in code that waits for generated code do
// not.
package goload

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/tools/go/packages"
)

// Mode is what packages are loaded with: the syntax of what matches the patterns and the types of what that imports from
// export data. It has no NeedDeps, which would read every dependency from source, and no NeedTypesInfo, for scopes tell
// enough. Where the export data lies is known anyway, and [Program.Meanings] reads more of it.
const Mode = packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports |
	packages.NeedModule | packages.NeedSyntax | packages.NeedTypes | packages.NeedExportFile | packages.NeedEmbedFiles

// Options say what is loaded.
type Options struct {
	Dir Dir
	// Patterns are those of go list. Folders begin with ./ or ../ or are absolute, and end in /... to include what lies
	// below; they may lie in a module other than Dir's.
	Patterns []string
	// Tags are the build tags that are set.
	Tags []string
	// Output is the folder that is generated into, relative to Dir, or empty. Files there that IsGenerated are not read: what
	// they declare is about to be written anew, and what they hold now may be old, broken or in conflict.
	Output string
	// IsGenerated tells the files that the tool itself has written by their content. Nil: there are none.
	IsGenerated func(src []byte) bool
	// ReadFile reads a Go file of the output folder, by its absolute path. Nil: [os.ReadFile].
	ReadFile func(name string) ([]byte, error)
	// Info asks for what each identifier means: [Package.Info].
	Info bool
	// Overlay has the content of files, by absolute path, that are read as if they held it.
	Overlay map[string][]byte
}

// A Program is what was loaded.
type Program struct {
	Dir      Dir
	Fset     *token.FileSet
	Packages []*Package // that match the patterns, by path

	options  Options
	byPath   map[string]*Package
	roots    []*packages.Package                 // the same as Packages
	all      []*packages.Package                 // that were loaded, whether they match or not; imports come first
	loaded   func() map[string]*packages.Package // the same by path
	ran      map[*packages.Package]string        // where the go command ran
	written  func() ([]outputFile, error)        // the Go files of the output folder, read once
	ours     generated
	reaching map[reach]bool // whether one package imports another, as far as found out
}

// Load reads the packages that match the patterns. That there are none is an error, which says why; errors in their source
// are not: see [Program.Build].
func Load(ctx context.Context, o Options) (*Program, error) {
	if o.IsGenerated == nil {
		o.IsGenerated = func([]byte) bool { return false }
	}
	if o.ReadFile == nil {
		o.ReadFile = os.ReadFile
	}
	asked, err := queries(o.Dir, o.Patterns)
	if err != nil {
		return nil, err
	}
	p := &Program{
		Dir:      o.Dir,
		Fset:     token.NewFileSet(),
		options:  o,
		byPath:   map[string]*Package{},
		ran:      map[*packages.Package]string{},
		ours:     generated{names: map[string]bool{}},
		reaching: map[reach]bool{},
	}
	p.written = sync.OnceValues(p.readOutput)
	if o.Output != "" {
		go func() { _, _ = p.written() }() // while the go command lists packages
	}
	for _, q := range asked {
		roots, err := p.ask(ctx, q)
		if err != nil {
			return nil, err
		}
		if err := p.checkApart(roots); err != nil {
			return nil, err
		}
		for pkg := range packages.Postorder(roots) {
			p.ran[pkg] = q.dir
		}
		p.roots = append(p.roots, roots...)
	}
	if len(p.roots) == 0 {
		return nil, explainNothing(ctx, o, asked[0])
	}
	slices.SortFunc(p.roots, func(a, b *packages.Package) int { return strings.Compare(a.PkgPath, b.PkgPath) })
	for _, root := range p.roots {
		if root.PkgPath == "command-line-arguments" {
			return nil, fmt.Errorf("input %s names files; name the folder that holds the package", strings.Join(o.Patterns, " "))
		}
		pkg := p.newPackage(root)
		p.Packages = append(p.Packages, pkg)
		p.byPath[pkg.Path] = pkg
	}
	p.all = slices.Collect(packages.Postorder(p.roots))
	p.loaded = sync.OnceValue(p.indexLoaded)
	return p, nil
}

// ask loads the packages of one query.
func (p *Program) ask(ctx context.Context, q query) ([]*packages.Package, error) {
	cfg := &packages.Config{
		Mode:       Mode,
		Context:    ctx,
		Dir:        q.dir,
		Env:        environment(),
		Fset:       p.Fset,
		ParseFile:  p.parseFile,
		BuildFlags: buildFlags(p.options.Tags),
		Overlay:    p.options.Overlay,
	}
	if p.options.Info {
		cfg.Mode |= packages.NeedTypesInfo
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
func (p *Program) checkApart(roots []*packages.Package) error {
	if len(p.roots) == 0 {
		return nil // it is the first, and mostly the only load
	}
	for _, pair := range [][2][]*packages.Package{{p.roots, roots}, {roots, p.roots}} {
		matched := map[string]*packages.Package{}
		for _, pkg := range pair[0] {
			matched[pkg.PkgPath] = pkg
		}
		var err error
		packages.Visit(pair[1], func(pkg *packages.Package) bool {
			if twin := matched[pkg.PkgPath]; twin != nil && err == nil {
				err = p.together(twin, pkg)
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
func (p *Program) together(a, b *packages.Package) error {
	if a.Module != nil && b.Module != nil && a.Module.Dir != b.Module.Dir && a.Module.Dir != "" && b.Module.Dir != "" {
		return fmt.Errorf("package %s is in two modules, in %s and in %s; scan one of them at a time", a.PkgPath, p.Dir.Name(a.Module.Dir), p.Dir.Name(b.Module.Dir))
	}
	return fmt.Errorf("package %s is scanned, and imported by what is scanned of another module; have them read together: make them a workspace, with go work init and the folders of the modules", a.PkgPath)
}

// goMissing reports whether there is no go command to run.
func goMissing() bool {
	_, err := exec.LookPath("go")
	return err != nil
}

// environment returns that of the go command, which lists packages in a tenth less time if it collects garbage less often.
// What GOGC says in ours stays. See docs/adr/0179-the-go-command-collects-less-often.md.
func environment() []string {
	environment := os.Environ()
	if os.Getenv("GOGC") == "" {
		environment = append(environment, "GOGC=175")
	}
	return environment
}

// buildFlags returns the flags of the go command.
func buildFlags(tags []string) []string {
	if len(tags) == 0 {
		return nil
	}
	return []string{"-tags=" + strings.Join(tags, ",")}
}

// generated collects the files that the tool itself wrote. Files are parsed at the same time.
type generated struct {
	sync.Mutex
	names map[string]bool // absolute
}

// parseFile parses one file, unless the tool wrote it into the output package.
func (p *Program) parseFile(fset *token.FileSet, filename string, src []byte) (*ast.File, error) {
	if p.options.IsGenerated(src) {
		p.ours.Lock()
		p.ours.names[filename] = true
		p.ours.Unlock()
		if p.options.Output != "" && sameFolder(filepath.Dir(filename), p.Dir.Abs(p.options.Output)) {
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
