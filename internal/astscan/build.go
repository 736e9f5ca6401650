package astscan

import (
	"fmt"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/eventmap/eventmap/internal/model"
)

// A buildLog is what the go command and the type checker said of the packages.
type buildLog struct {
	dirs      map[*packages.Package]string // where the go command ran
	roots     []*packages.Package
	ours      oursFiles
	unsettled map[string]bool                       // packages that wait for generated code, by path, and what they wait for
	forgiven  []forgiven                            // errors that generating is expected to mend
	missing   map[*packages.Package][]model.Problem // imports of the user's own packages that do not exist
	reaching  map[*packages.Package]bool            // whether packages import the output package, as far as found out
}

// A forgiven error does not stand in the way, unless something that matters turns out to depend on it.
type forgiven struct {
	model.Problem
	path string // of its package
}

// judgeBuild tells the errors that stand in the way from those that do not: in code that uses what is to be generated,
// directly or through other packages, errors are expected until it is. They count only where they leave a type that
// matters here unfinished; see [scan.brokenWithin].
func (s *scan) judgeBuild() {
	s.build.missing = map[*packages.Package][]model.Problem{}
	s.build.reaching = map[*packages.Package]bool{}
	s.findUnsettled()
	for _, p := range s.build.roots {
		s.judgeRoot(p)
	}
	packages.Visit(s.build.roots, nil, func(p *packages.Package) {
		if s.byPath[p.PkgPath] == nil && p.Module != nil && p.Module.Main {
			for _, e := range p.Errors {
				if saysCompiler(e) {
					continue
				}
				s.forgive(p, model.Problem{Pos: s.parsePosition(e.Pos, s.build.dirs[p]), Message: oneLine(e.Msg)})
			}
		}
	})
}

// findUnsettled finds the packages that cannot be whole before the generated code is: the output package, packages of
// the user's modules that do not exist, packages in which a file of ours does not compile, and everything that imports
// one of these.
func (s *scan) findUnsettled() {
	modules := map[string]bool{}
	packages.Visit(s.build.roots, nil, func(p *packages.Package) {
		if p.Module != nil && p.Module.Main {
			modules[p.Module.Path] = true
		}
	})
	s.build.unsettled = map[string]bool{}
	packages.Visit(s.build.roots, nil, func(p *packages.Package) { // imports come first
		unsettled := p.PkgPath == s.output.Path || s.isMissing(p) && ownedBy(modules, p.PkgPath)
		for _, e := range p.Errors {
			unsettled = unsettled || s.isOurs(p, e.Pos)
		}
		for _, path := range imports(p) {
			unsettled = unsettled || path == s.output.Path || s.build.unsettled[path]
		}
		if unsettled {
			s.build.unsettled[p.PkgPath] = true
		}
	})
}

// imports returns the paths that p imports, including those that could not be.
func imports(p *packages.Package) []string {
	var paths []string
	for path := range p.Imports {
		paths = append(paths, path)
	}
	for _, f := range p.Syntax {
		for _, spec := range f.Imports {
			paths = append(paths, strings.Trim(spec.Path.Value, "`\""))
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// isMissing reports whether p is imported but not there.
func (s *scan) isMissing(p *packages.Package) bool {
	return len(p.GoFiles) == 0 && len(p.Errors) > 0 && p.Errors[0].Kind == packages.ListError
}

// ownedBy reports whether path lies in one of the modules.
func ownedBy(modules map[string]bool, path string) bool {
	for module := range modules {
		if path == module || strings.HasPrefix(path, module+"/") {
			return true
		}
	}
	return false
}

// isOurs reports whether a position that the go command or the type checker gave for p lies in a file of ours.
func (s *scan) isOurs(p *packages.Package, pos string) bool {
	file := pos
	for range 2 {
		file, _, _ = cutNumber(file)
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(s.build.dirs[p], file)
	}
	return s.build.ours.names[file]
}

// judgeRoot sorts the errors of a package that matches the patterns.
func (s *scan) judgeRoot(p *packages.Package) {
	broken := map[model.Position]bool{} // lines with syntax errors; what follows the first on a line follows from it
	for _, e := range p.Errors {
		if e.Kind == packages.ParseError && !s.isOurs(p, e.Pos) {
			at := s.parsePosition(e.Pos, s.build.dirs[p])
			if line := (model.Position{File: at.File, Line: at.Line}); !broken[line] {
				broken[line] = true
				s.problems = append(s.problems, model.Problem{Pos: at, Message: "syntax error: " + e.Msg})
			}
		}
	}
	if len(broken) > 0 {
		return // its type errors follow from these
	}
	for i, e := range p.TypeErrors {
		at := e.Fset.Position(e.Pos)
		if at.IsValid() && s.build.ours.names[at.Filename] || strings.HasPrefix(e.Msg, "\t") {
			continue // a line that begins with a tab goes on about the one before
		}
		message := oneLine(e.Msg)
		for _, more := range p.TypeErrors[i+1:] {
			if !strings.HasPrefix(more.Msg, "\t") {
				break
			}
			message += fmt.Sprintf("; %s (%v)", oneLine(more.Msg), s.pos(more.Pos))
		}
		s.judgeTypeError(p, model.Problem{Pos: s.place.position(at), Message: message})
	}
	for _, e := range p.Errors {
		if e.Kind == packages.ListError || e.Kind == packages.UnknownError {
			s.judgeListError(p, e)
		}
	}
}

// judgeTypeError sorts one error of the type checker.
func (s *scan) judgeTypeError(p *packages.Package, e model.Problem) {
	if path, ok := unimportable(e.Message); ok {
		s.judgeImport(p, path, e)
		return
	}
	switch {
	case p.PkgPath == s.output.Path && strings.Contains(e.Message, "; expected package "):
		return // the go command's word on it follows
	case p.PkgPath == s.output.Path && lacksNames(e.Message):
		s.forgive(p, e)
	case p.PkgPath != s.output.Path && s.build.unsettled[p.PkgPath]:
		s.forgive(p, e)
	default:
		s.problems = append(s.problems, e)
	}
}

// lacksNames reports whether the type checker's message can come from names that are not declared yet: go/types offers
// no other way to tell, for the codes of its errors are not exported.
func lacksNames(message string) bool {
	for _, sign := range []string{"undefined", "missing method", "not used"} {
		if strings.Contains(message, sign) {
			return true
		}
	}
	return false
}

// unimportable returns the import path of an error about an import.
func unimportable(message string) (path string, ok bool) {
	rest, ok := strings.CutPrefix(message, "could not import ")
	if !ok {
		return "", false
	}
	path, _, ok = strings.Cut(rest, " (")
	return path, ok
}

// judgeImport sorts the error of an import, and says why the go command could not find it.
func (s *scan) judgeImport(p *packages.Package, path string, e model.Problem) {
	imported := p.Imports[path]
	switch {
	case path == s.output.Path:
		return // it is about to be written
	case path == "C" && slices.ContainsFunc(p.Errors, saysCompiler):
		return // the C compiler's own words follow
	case imported != nil && s.isMissing(imported) && s.build.unsettled[path]:
		e.Message = "there is no package " + path + "; if a tool writes it, run that tool first"
		s.build.missing[p] = append(s.build.missing[p], e)
		s.forgive(p, e)
		return
	case imported != nil && s.isMissing(imported):
		e.Message = oneLine(imported.Errors[0].Msg)
	case strings.Contains(e.Message, "import cycle"):
		e.Message = "import cycle: " + path + " imports " + p.PkgPath + ", directly or through others"
	}
	s.problems = append(s.problems, e)
}

// judgeListError sorts one error of the go command. Most repeat what the parser or the type checker says better.
func (s *scan) judgeListError(p *packages.Package, e packages.Error) {
	switch {
	case s.isOurs(p, e.Pos):
		return
	case saysCompiler(e):
		s.judgeCompiler(p, e)
		return
	case strings.HasPrefix(e.Msg, "found packages ") && p.PkgPath == s.output.Path:
		s.judgeOutputNames(p, e)
		return
	case strings.HasPrefix(e.Msg, "found packages ") && len(p.TypeErrors) > 0:
		return // the type checker names the file
	case strings.HasPrefix(e.Msg, "import cycle not allowed") && (s.isOutputCycle(e) || s.sawCycle()):
		return // it is reported where the import is
	}
	message := strings.ReplaceAll(oneLine(e.Msg), s.build.dirs[p]+string(filepath.Separator), "")
	s.problems = append(s.problems, model.Problem{Pos: s.parsePosition(e.Pos, s.build.dirs[p]), Message: s.withRemedy(message, s.build.dirs[p])})
}

// withRemedy adds to what the go command, run in dir, says of a pattern what to do about it, where that is known.
func (s *scan) withRemedy(message, dir string) string {
	if folder, ok := strings.CutPrefix(message, "no Go files in "); ok {
		if !filepath.IsAbs(folder) {
			folder = filepath.Join(dir, folder)
		}
		return message + "; for what lies below it, write --input " + s.place.name(folder)
	}
	if what, _, ok := strings.Cut(message, " is not in std ("); ok { // where the standard library lies is no news
		if path := strings.TrimPrefix(what, "package "); checkFolder(s.place.abs(path), path) == nil {
			return what + " is not in std; for the folder and what lies below it, write --input " + path
		}
	}
	if strings.HasSuffix(message, "does not contain modules listed in go.work or their selected dependencies") {
		module := s.place.name(dir)
		return fmt.Sprintf("the module in %s is not part of the workspace it lies in; add it with go work use %s, or set GOWORK=off", module, module)
	}
	return message
}

// judgeOutputNames judges an output folder with files of several packages. Those of earlier runs alone do no harm: they
// are written anew or go. Beside files written by hand they keep these from being read.
func (s *scan) judgeOutputNames(p *packages.Package, e packages.Error) {
	byHand := packageNames(s.output.files, func(f outputFile) bool { return f.included && !f.ours && !f.test })
	message := strings.ReplaceAll(oneLine(e.Msg), s.build.dirs[p]+string(filepath.Separator), "")
	switch len(byHand) {
	case 0:
		return
	case 1:
		message += "; remove the files that were generated for another package than " + byHand[0] + ", and generate again"
	}
	s.problems = append(s.problems, model.Problem{Message: message})
}

// saysCompiler reports whether an error of the go command repeats what a compiler printed.
func saysCompiler(e packages.Error) bool { return strings.HasPrefix(e.Msg, "# ") }

// judgeCompiler takes the errors that only a compiler finds: everything else is known by now.
func (s *scan) judgeCompiler(p *packages.Package, e packages.Error) {
	known := slices.ContainsFunc(p.TypeErrors, func(e types.Error) bool { return !strings.HasPrefix(e.Msg, "could not import C ") })
	if known || s.build.unsettled[p.PkgPath] || s.hasOurs(p) {
		return
	}
	_, said, _ := strings.Cut(e.Msg, "\n")
	found := false
	for line := range strings.Lines(said) {
		pos, message, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if at := s.parsePosition(pos, s.build.dirs[p]); ok && at.Line > 0 {
			s.problems = append(s.problems, model.Problem{Pos: at, Message: strings.TrimPrefix(message, "fatal error: ")})
			found = true
		}
	}
	if !found {
		s.problems = append(s.problems, model.Problem{Message: oneLine(strings.TrimPrefix(e.Msg, "# "))})
	}
}

// isOutputCycle reports whether the go command met an import cycle that the output package is part of.
func (s *scan) isOutputCycle(e packages.Error) bool {
	_, stack, _ := strings.Cut(e.Msg, "[")
	return slices.Contains(strings.Fields(strings.TrimSuffix(stack, "]")), s.output.Path)
}

// hasOurs reports whether one of p's files is ours.
func (s *scan) hasOurs(p *packages.Package) bool {
	return slices.ContainsFunc(p.CompiledGoFiles, func(name string) bool { return s.build.ours.names[name] })
}

// sawCycle reports whether the type checker met an import cycle: it says where.
func (s *scan) sawCycle() bool {
	for _, p := range s.build.roots {
		for _, e := range p.TypeErrors {
			if strings.HasPrefix(e.Msg, "could not import ") && strings.Contains(e.Msg, "import cycle") {
				return true
			}
		}
	}
	return false
}

// forgive keeps an error in case it turns out to matter.
func (s *scan) forgive(p *packages.Package, e model.Problem) {
	s.build.forgiven = append(s.build.forgiven, forgiven{Problem: e, path: p.PkgPath})
}

// brokenWithin reports the forgiven errors between two positions of one file as problems after all, for what stands
// there matters. It returns whether there are any.
func (s *scan) brokenWithin(from, to token.Pos) bool {
	start, end := s.pos(from), s.pos(to)
	found := false
	for _, e := range s.build.forgiven {
		if e.Pos.File == start.File && start.Compare(e.Pos) <= 0 && e.Pos.Compare(end) <= 0 {
			s.problems = append(s.problems, e.Problem)
			found = true
		}
	}
	return found
}

// brokenPackage reports the forgiven errors of a package as problems after all. It returns whether there are any.
func (s *scan) brokenPackage(path string) bool {
	found := false
	for _, e := range s.build.forgiven {
		if e.path == path {
			s.problems = append(s.problems, e.Problem)
			found = true
		}
	}
	return found
}

// oneLine joins the lines of a message.
func oneLine(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(slices.DeleteFunc(lines, func(line string) bool { return line == "" }), " ")
}
