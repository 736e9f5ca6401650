package goload

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"github.com/eventmap/eventmap/internal/model"
)

// An Output is the package that is generated into.
type Output struct {
	model.Output
	// Module is the path of the module that the folder lies in, and Root that module's folder. Both are empty where the folder
	// is in none, or is a link to one elsewhere.
	Module, Root string
	// Borrowed is the path of the module that a folder in no module counts as part of, or empty.
	Borrowed string
	// Generated are the files there that the tool wrote and that can be parsed, as far as their imports.
	Generated []*ast.File

	files []outputFile // that are there, by name
}

// Output finds out the import path of the package that is generated into, its name, and the names it declares by hand. It
// reads the folder itself: it need not match the patterns, nor exist, nor compile. An empty name stands for the one its
// files have already, else the folder's.
func (p *Program) Output(name string) (*Output, error) {
	fail := func(err error) (*Output, error) {
		return nil, fmt.Errorf("output %s: %w", p.options.Output, err)
	}
	dir := p.Dir.Abs(p.options.Output)
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return nil, fmt.Errorf("output %s is not a folder", p.options.Output)
	}
	out := &Output{}
	if err := p.locate(out, dir); err != nil {
		return fail(err)
	}
	if out.files, err = p.written(); err != nil {
		return fail(err)
	}
	if out.Name, err = outputName(name, out.Path, out.files); err != nil {
		return fail(err)
	}
	out.Declared = p.declared(out.files, func(f outputFile) bool { return f.pkg == out.Name })
	out.TestDeclared = p.declared(out.files, func(f outputFile) bool { return f.test && f.pkg == out.Name+"_test" })
	for _, f := range out.files {
		if f.ours && !f.broken {
			out.Generated = append(out.Generated, f.syntax)
		}
	}
	return out, nil
}

// locate finds out the path by which dir is imported: that of the module it lies in and its place there. A folder in no
// module, where somebody wants to look at what would be written, counts as one at the root of the module of the events.
func (p *Program) locate(out *Output, dir string) error {
	root, err := moduleRoot(dir)
	if err == nil {
		out.Root = root
	} else {
		if real, realErr := filepath.EvalSymlinks(dir); realErr == nil {
			dir = real
			root, err = moduleRoot(dir)
		}
		home := p.roots[0].Module
		if err != nil && home != nil && p.byPath[path.Join(home.Path, filepath.Base(dir))] == nil {
			out.Borrowed = home.Path
			root, dir, err = home.Dir, filepath.Join(home.Dir, filepath.Base(dir)), nil
		}
		if err != nil {
			return err
		}
	}
	modulePath, err := readModulePath(filepath.Join(root, "go.mod"))
	if err != nil {
		return err
	}
	if out.Root != "" {
		out.Module = modulePath
	}
	rel, err := filepath.Rel(root, dir)
	if err != nil {
		return err
	}
	out.Path = path.Join(modulePath, filepath.ToSlash(rel))
	if err := module.CheckImportPath(out.Path); err != nil {
		return fmt.Errorf("a package there cannot be imported: %w", err)
	}
	return nil
}

// readModulePath returns the module path that a go.mod file declares. The rest of the file may be wrong.
func readModulePath(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	mod, err := modfile.ParseLax(file, bytes.TrimPrefix(text, []byte("\ufeff")), nil)
	if err != nil {
		return "", err
	}
	if mod.Module == nil || mod.Module.Mod.Path == "" {
		return "", fmt.Errorf("%s declares no module", file)
	}
	return mod.Module.Mod.Path, nil
}

// An outputFile is a Go file of the output folder.
type outputFile struct {
	pkg      string
	test     bool
	included bool      // by its build constraints, here and now; not asked for where ours
	ours     bool      // written by the tool; such a file is read as far as its imports
	broken   bool      // it cannot be parsed
	syntax   *ast.File // as far as it can be parsed
}

// readOutput reads the Go files of the output folder that say which package they belong to.
func (p *Program) readOutput() ([]outputFile, error) {
	dir := p.Dir.Abs(p.options.Output)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	constraints := build.Default
	constraints.BuildTags = p.options.Tags
	var files []outputFile
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") {
			continue
		}
		text, err := p.options.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		f := outputFile{test: strings.HasSuffix(name, "_test.go"), ours: p.options.IsGenerated(text)}
		mode := parser.SkipObjectResolution
		if f.ours {
			mode = parser.ImportsOnly
		}
		f.syntax, err = parser.ParseFile(p.Fset, filepath.Join(dir, name), text, mode)
		f.broken = err != nil
		if f.syntax == nil || f.syntax.Name == nil || f.syntax.Name.Name == "_" {
			continue
		}
		f.pkg = f.syntax.Name.Name
		if !f.ours {
			included, err := constraints.MatchFile(dir, name)
			f.included = included && err == nil
		}
		files = append(files, f)
	}
	return files, nil
}

// packageNames returns the names of the packages that files of one kind belong to, sorted. An external test package
// counts as the package it tests.
func packageNames(files []outputFile, choose func(outputFile) bool) []string {
	var names []string
	for _, f := range files {
		if choose(f) && f.test {
			names = append(names, strings.TrimSuffix(f.pkg, "_test"))
		} else if choose(f) {
			names = append(names, f.pkg)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// outputName returns the name of the output package: the one asked for, the one that is there, or one made from the
// folder's. What people wrote counts before what the tool wrote, and tests count where there is nothing else.
func outputName(asked, importPath string, files []outputFile) (string, error) {
	byHand := packageNames(files, func(f outputFile) bool { return f.included && !f.ours && !f.test })
	if len(byHand) == 0 {
		byHand = packageNames(files, func(f outputFile) bool { return f.included && !f.ours })
	}
	earlier := packageNames(files, func(f outputFile) bool { return f.ours && !f.test })
	switch {
	case asked != "" && (!token.IsIdentifier(asked) || asked == "_"):
		return "", fmt.Errorf("package name %q is not a Go identifier", asked)
	case asked != "" && len(byHand) > 0 && !slices.Contains(byHand, asked):
		return "", fmt.Errorf("it holds package %s already, so package %s cannot be generated into it", byHand[0], asked)
	case asked != "":
		return asked, nil
	case len(byHand) > 0:
		return byHand[0], nil
	case len(earlier) == 1:
		return earlier[0], nil
	}
	return folderName(path.Base(importPath)), nil
}

// folderName makes a package name from a folder's: its letters and digits, in lower case.
func folderName(folder string) string {
	name := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' {
			return unicode.ToLower(r)
		}
		return -1
	}, folder)
	if !token.IsIdentifier(name) || name == "_" || name == "main" {
		name = "gen" + strings.TrimLeft(name, "_")
	}
	return name
}

// declared returns the names that the chosen files, if people wrote them, declare at package level, with the first place
// of each.
func (p *Program) declared(files []outputFile, choose func(outputFile) bool) map[string]model.Position {
	names := map[string]model.Position{}
	for _, f := range files {
		if f.ours || !choose(f) {
			continue
		}
		for _, id := range topLevel(f.syntax) {
			at := p.Pos(id.Pos())
			if first, ok := names[id.Name]; id.Name != "_" && id.Name != "init" && (!ok || at.Compare(first) < 0) {
				names[id.Name] = at
			}
		}
	}
	return names
}

// topLevel returns the identifiers that a file declares at package level.
func topLevel(f *ast.File) []*ast.Ident {
	var ids []*ast.Ident
	for _, decl := range f.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Recv == nil {
				ids = append(ids, decl.Name)
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					ids = append(ids, spec.Name)
				case *ast.ValueSpec:
					ids = append(ids, spec.Names...)
				}
			}
		}
	}
	return ids
}
