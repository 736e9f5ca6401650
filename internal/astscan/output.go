package astscan

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
	"golang.org/x/tools/go/packages"

	"github.com/eventmap/eventmap/internal/model"
)

// An output is the package that is generated into.
type output struct {
	model.Output
	dir string // absolute
}

// findOutput finds out the output package's import path, its name, and the names it declares by hand. It reads the
// folder itself: it need not match the patterns, nor exist, nor compile.
func (s *scan) findOutput() error {
	dir := s.place.abs(s.options.Output)
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return fmt.Errorf("output %s is not a folder", s.options.Output)
	}
	importPath, err := s.importPath(dir)
	if err != nil {
		return fmt.Errorf("output %s: %w", s.options.Output, err)
	}
	files, err := s.handWritten(dir)
	if err != nil {
		return fmt.Errorf("output %s: %w", s.options.Output, err)
	}
	name, err := s.outputName(dir, importPath, files)
	if err != nil {
		return fmt.Errorf("output %s: %w", s.options.Output, err)
	}
	s.output = output{dir: dir, Output: model.Output{
		Package:      model.Package{Path: importPath, Name: name},
		Declared:     s.declared(files, func(f handFile) bool { return f.pkg == name }),
		TestDeclared: s.declared(files, func(f handFile) bool { return f.test && f.pkg == name+"_test" }),
	}}
	return nil
}

// importPath returns the path by which dir is imported: that of the module it lies in and its place there.
func (s *scan) importPath(dir string) (string, error) {
	root, err := moduleRoot(dir)
	if err != nil {
		if real, realErr := filepath.EvalSymlinks(dir); realErr == nil {
			dir = real
			root, err = moduleRoot(dir)
		}
		if err != nil {
			return "", err
		}
	}
	modulePath := ""
	packages.Visit(s.build.roots, func(p *packages.Package) bool {
		if p.Module != nil && p.Module.Dir == root {
			modulePath = p.Module.Path
		}
		return false
	}, nil)
	if modulePath == "" {
		if modulePath, err = readModulePath(filepath.Join(root, "go.mod")); err != nil {
			return "", err
		}
	}
	rel, err := filepath.Rel(root, dir)
	if err != nil {
		return "", err
	}
	importPath := path.Join(modulePath, filepath.ToSlash(rel))
	if err := module.CheckImportPath(importPath); err != nil {
		return "", fmt.Errorf("a package there cannot be imported: %w", err)
	}
	return importPath, nil
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

// A handFile is a file of the output folder that people write.
type handFile struct {
	name     string
	pkg      string
	test     bool
	included bool // by its build constraints, here and now
	syntax   *ast.File
}

// handWritten parses the files of dir that the tool did not write, as far as they can be parsed.
func (s *scan) handWritten(dir string) ([]handFile, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	constraints := build.Default
	constraints.BuildTags = s.options.Tags
	var files []handFile
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		if s.options.IsGenerated(text) {
			continue
		}
		syntax, _ := parser.ParseFile(s.fset, filepath.Join(dir, name), text, parser.SkipObjectResolution)
		if syntax == nil || syntax.Name == nil || syntax.Name.Name == "_" {
			continue
		}
		included, err := constraints.MatchFile(dir, name)
		files = append(files, handFile{
			name:     name,
			pkg:      syntax.Name.Name,
			test:     strings.HasSuffix(name, "_test.go"),
			included: included && err == nil,
			syntax:   syntax,
		})
	}
	return files, nil
}

// outputName returns the name of the output package: the one asked for, the one that is there, or one made from the
// folder's.
func (s *scan) outputName(dir, importPath string, files []handFile) (string, error) {
	there := ""
	for _, f := range files {
		if !f.included {
			continue
		}
		name := f.pkg
		if f.test {
			name = strings.TrimSuffix(name, "_test")
		}
		if there == "" || !f.test {
			there = name
		}
		if !f.test {
			break
		}
	}
	asked := s.options.Package
	switch {
	case asked != "" && (!token.IsIdentifier(asked) || asked == "_"):
		return "", fmt.Errorf("package name %q is not a Go identifier", asked)
	case asked != "" && there != "" && asked != there:
		return "", fmt.Errorf("it holds package %s already, so package %s cannot be generated into it", there, asked)
	case asked != "":
		return asked, nil
	case there != "":
		return there, nil
	}
	if name := s.generatedName(dir); name != "" {
		return name, nil
	}
	return folderName(path.Base(importPath)), nil
}

// generatedName returns the package name of an earlier run's files in dir, if all agree.
func (s *scan) generatedName(dir string) string {
	matches, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return ""
	}
	var names []string
	for _, match := range matches {
		if syntax, err := parser.ParseFile(token.NewFileSet(), match, nil, parser.PackageClauseOnly); err == nil && !strings.HasSuffix(match, "_test.go") {
			names = append(names, syntax.Name.Name)
		}
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) == 1 {
		return names[0]
	}
	return ""
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

// declared returns the names that the chosen files declare at package level, with the first place of each.
func (s *scan) declared(files []handFile, choose func(handFile) bool) map[string]model.Position {
	names := map[string]model.Position{}
	for _, f := range files {
		if !choose(f) {
			continue
		}
		for _, id := range topLevel(f.syntax) {
			at := s.pos(id.Pos())
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
