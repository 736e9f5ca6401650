package astscan

import (
	"go/ast"
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
func (s *scan) checkOtherRuns() {
	isRead := func(spec *ast.ImportSpec) bool { return s.Package(importPath(spec)) != nil }
	for _, file := range s.output.Generated {
		if s.Package(s.output.Path) != nil || slices.ContainsFunc(file.Imports, isRead) {
			continue
		}
		others := map[string]*ast.ImportSpec{}
		for _, spec := range file.Imports {
			path := importPath(spec)
			folder, ok := strings.CutPrefix(path, s.output.Module+"/")
			if !ok || path == runtimePath || strings.HasPrefix(path, runtimePath+"/") || !holdsGo(filepath.Join(s.output.Root, folder)) {
				continue
			}
			others[path] = spec
		}
		for path, spec := range others {
			s.problem(spec.Pos(), "this was generated from %s, which this run does not read; one run writes a package: add the pattern, "+
				"or choose another output folder; remove the file if the package is no longer wanted here", path)
		}
	}
}

// importPath returns the path of an import.
func importPath(spec *ast.ImportSpec) string {
	path, _ := strconv.Unquote(spec.Path.Value)
	return path
}

// holdsGo reports whether a folder has Go source.
func holdsGo(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && slices.ContainsFunc(entries, func(e os.DirEntry) bool {
		return strings.HasSuffix(e.Name(), ".go") && !strings.HasSuffix(e.Name(), "_test.go")
	})
}
