package goload

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/types"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/tools/go/gcexportdata"
	"golang.org/x/tools/go/packages"
)

// A Meaning says what every identifier in a package's source stands for.
type Meaning struct {
	*Package
	Types *types.Package // its own: objects of [Package.Types] are others
	Info  *types.Info
	NonGo bool // something else than Go is built in: assembly, C, or files that it embeds
	// Others are the files of that, as far as they are there.
	Others []string
	// Excluded are its Go files that build constraints keep out of this build, as far as they can be parsed.
	Excluded []*ast.File
	// Versioned says that the package is of a module with a version, which stands for its content.
	Versioned bool
}

// Meanings type-checks packages from source and notes what every identifier stands for: those that match the patterns, and
// those of modules without a version that the given ones import, directly or through others. Types of one package are the same
// for all that use it, so whatever lies between two of these is read from source too.
//
// It is for those few runs that have to know; [Options.Info] has all of them pay.
func (p *Program) Meanings(from []*Package) map[string]*Meaning {
	c := checker{
		Program:  p,
		imported: map[string]*types.Package{},
		done:     map[string]*Meaning{},
		source:   p.readFromSource(from),
	}
	for _, pkg := range p.all {
		if c.source[pkg.PkgPath] == nil && pkg.Types != nil {
			c.imported[pkg.PkgPath] = pkg.Types
		}
	}
	c.checkAll()
	return c.done
}

// readFromSource returns the packages that are type-checked from source, by path.
func (p *Program) readFromSource(from []*Package) map[string]*packages.Package {
	source := map[string]*packages.Package{}
	for _, root := range p.roots {
		source[root.PkgPath] = root
	}
	var starts []*packages.Package
	for _, pkg := range from {
		starts = append(starts, pkg.loaded)
	}
	packages.Visit(starts, nil, func(pkg *packages.Package) {
		if isLocal(pkg) && len(pkg.CompiledGoFiles) > 0 {
			source[pkg.PkgPath] = pkg
		}
	})
	for _, pkg := range p.all { // imports come first
		for _, imported := range pkg.Imports {
			if source[imported.PkgPath] != nil {
				source[pkg.PkgPath] = pkg
			}
		}
	}
	return source
}

// A checker type-checks packages, several at a time and each after those that it imports.
type checker struct {
	*Program
	source map[string]*packages.Package // to be read from source

	mu       sync.Mutex
	imported map[string]*types.Package // as export data has them, some not read yet
	done     map[string]*Meaning
}

// checkAll checks the packages that are to be read from source. What go/packages notes as imported has no circles, whatever
// the source says.
func (c *checker) checkAll() {
	checked := map[string]chan struct{}{} // closed once the package is
	for path := range c.source {
		checked[path] = make(chan struct{})
	}
	var group sync.WaitGroup
	processors := make(chan struct{}, runtime.GOMAXPROCS(0))
	for path, pkg := range c.source {
		group.Go(func() {
			defer close(checked[path])
			for _, imported := range pkg.Imports {
				if c.source[imported.PkgPath] != nil {
					<-checked[imported.PkgPath]
				}
			}
			processors <- struct{}{}
			m := c.check(pkg)
			<-processors
			c.mu.Lock()
			defer c.mu.Unlock()
			c.done[path] = m
		})
	}
	group.Wait()
}

// Import implements [types.Importer].
func (c *checker) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.source[path] != nil {
		if m := c.done[path]; m != nil {
			return m.Types, nil
		}
		return nil, errors.New("it is imported in a circle")
	}
	t := c.imported[path]
	switch {
	case t == nil:
		return nil, errors.New("it was not loaded")
	case t.Complete():
		return t, nil
	}
	return c.readExported(path)
}

// readExported reads the export data of a package that no package which matches the patterns imports itself.
func (c *checker) readExported(path string) (*types.Package, error) {
	file, err := os.Open(c.find(path).ExportFile)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	r, err := gcexportdata.NewReader(file) //nolint:staticcheck // the compiler's files are archives, which go/packages reads so too
	if err != nil {
		return nil, err
	}
	return gcexportdata.Read(r, c.Fset, c.imported, path)
}

// check type-checks a package. Those that it imports have been.
func (c *checker) check(loaded *packages.Package) *Meaning {
	pkg := c.byPath[loaded.PkgPath]
	if pkg == nil {
		pkg = c.parse(loaded)
	}
	m := &Meaning{
		Package:   pkg,
		NonGo:     len(pkg.loaded.OtherFiles) > 0,
		Others:    slices.Concat(pkg.loaded.OtherFiles, pkg.loaded.EmbedFiles),
		Excluded:  c.excluded(pkg),
		Versioned: c.byPath[loaded.PkgPath] == nil && !isLocal(loaded),
		Info:      newInfo(pkg.Syntax),
	}
	// Errors were judged when the packages were loaded; those that are left stand in code that waits for what is generated.
	config := types.Config{Importer: c, Error: func(error) {}, FakeImportC: true, Sizes: pkg.loaded.TypesSizes}
	if module := loaded.Module; module != nil && module.GoVersion != "" {
		config.GoVersion = "go" + module.GoVersion
	}
	m.Types, _ = config.Check(pkg.Path, c.Fset, pkg.Syntax, m.Info)
	for _, file := range pkg.Syntax {
		for _, group := range file.Comments {
			m.NonGo = m.NonGo || slices.ContainsFunc(group.List, func(comment *ast.Comment) bool { return strings.HasPrefix(comment.Text, "//go:embed ") })
		}
		m.NonGo = m.NonGo || slices.ContainsFunc(file.Imports, func(spec *ast.ImportSpec) bool { return spec.Path.Value == `"C"` })
	}
	return m
}

// newInfo returns an empty [types.Info] with room for what is said about files of that size.
func newInfo(files []*ast.File) *types.Info {
	bytes := 0
	for _, file := range files {
		bytes += int(file.FileEnd - file.FileStart)
	}
	return &types.Info{
		Types:      make(map[ast.Expr]types.TypeAndValue, bytes/12),
		Defs:       make(map[*ast.Ident]types.Object, bytes/24),
		Uses:       make(map[*ast.Ident]types.Object, bytes/16),
		Selections: make(map[*ast.SelectorExpr]*types.Selection, bytes/80),

		FileVersions: map[*ast.File]string{},
	}
}

// parse reads the files of a package that does not match the patterns. What does not compile in it was judged before.
func (c *checker) parse(loaded *packages.Package) *Package {
	pkg := c.newPackage(loaded)
	pkg.Syntax = nil
	for _, name := range loaded.CompiledGoFiles {
		src, over := c.options.Overlay[name]
		if !over {
			var err error
			if src, err = os.ReadFile(name); err != nil {
				continue
			}
		}
		if file, _ := c.parseFile(c.Fset, name, src); file != nil {
			pkg.Syntax = append(pkg.Syntax, file)
		}
	}
	return pkg
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
