package astscan

import (
	"go/ast"
	"go/parser"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// runtimePath is what generated code imports beside the domain.
const runtimePath = "github.com/eventmap/eventmap/runtime"

// checkOtherRuns refuses an output folder with code that was generated from packages which this run does not read though
// they are there. Two runs into one package would remove each other's files for ever. A file that has a package of this
// run as well is this run's: what else it imports may be the package of an ID, which need not be read.
func (s *scan) checkOtherRuns() error {
	root, _ := moduleRoot(s.output.dir)
	if root == "" {
		return nil // a link to a folder elsewhere, whose module is another
	}
	module, err := readModulePath(filepath.Join(root, "go.mod"))
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(s.output.dir, "*.go"))
	if err != nil {
		return err
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil || !s.options.IsGenerated(src) {
			continue
		}
		syntax, err := parser.ParseFile(s.fset, file, src, parser.ImportsOnly)
		if err != nil {
			continue // broken: it is written anew or goes
		}
		others, known := map[string]*ast.ImportSpec{}, s.byPath[s.output.Path] != nil
		for _, spec := range syntax.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			known = known || s.byPath[path] != nil
			folder, ok := strings.CutPrefix(path, module+"/")
			if !ok || path == runtimePath || strings.HasPrefix(path, runtimePath+"/") || !holdsGo(filepath.Join(root, folder)) {
				continue
			}
			others[path] = spec
		}
		if known {
			continue
		}
		for path, spec := range others {
			s.problem(spec.Pos(), "this was generated from %s, which this run does not read; one run writes a package: add the pattern, "+
				"or choose another output folder; remove the file if the package is no longer wanted here", path)
		}
	}
	return nil
}

// holdsGo reports whether a folder has Go source.
func holdsGo(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && slices.ContainsFunc(entries, func(e os.DirEntry) bool {
		return strings.HasSuffix(e.Name(), ".go") && !strings.HasSuffix(e.Name(), "_test.go")
	})
}
