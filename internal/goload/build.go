package goload

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

// A Build is what the go command and the type checker said of the packages, judged by whether it stands in the way: in code
// that uses what is to be generated, directly or through other packages, errors are expected until it is.
type Build struct {
	// Problems are the errors that stand in the way.
	Problems model.Problems

	program   *Program
	output    *Output
	unsettled map[string]bool // paths of packages that wait for generated code
	forgiven  []forgiven
	missing   map[*packages.Package][]model.Problem // imports of the user's own packages that do not exist
}

// A forgiven error does not stand in the way, unless something that matters turns out to depend on it.
type forgiven struct {
	model.Problem
	path string // of its package
}

// Build judges the errors of the packages and of those they import. Without an output package nothing waits for it.
func (p *Program) Build(out *Output) *Build {
	b := &Build{program: p, output: out, missing: map[*packages.Package][]model.Problem{}}
	b.findUnsettled()
	for _, root := range p.roots {
		b.judgeRoot(root)
	}
	for _, pkg := range p.all {
		if p.byPath[pkg.PkgPath] == nil && pkg.Module != nil && pkg.Module.Main {
			for _, e := range pkg.Errors {
				if saysCompiler(e) {
					continue
				}
				b.forgive(pkg, model.Problem{Pos: b.at(pkg, e.Pos), Message: oneLine(e.Msg)})
			}
		}
	}
	return b
}

// Within returns the forgiven errors between two positions of one file, for what stands there matters after all.
func (b *Build) Within(from, to token.Pos) (problems model.Problems) {
	if len(b.forgiven) == 0 {
		return nil
	}
	start, end := b.program.Pos(from), b.program.Pos(to)
	for _, e := range b.forgiven {
		if e.Pos.File == start.File && start.Compare(e.Pos) <= 0 && e.Pos.Compare(end) <= 0 {
			problems = append(problems, e.Problem)
		}
	}
	return problems
}

// In returns the forgiven errors of the package of that path, for it matters after all.
func (b *Build) In(path string) (problems model.Problems) {
	for _, e := range b.forgiven {
		if e.path == path {
			problems = append(problems, e.Problem)
		}
	}
	return problems
}

// Missing returns the imports of a package that do not exist, for they are needed after all.
func (b *Build) Missing(pkg *Package) model.Problems { return b.missing[pkg.loaded] }

// at reads a position that the go command gave for a package.
func (b *Build) at(p *packages.Package, text string) model.Position {
	return b.program.Dir.parsePosition(text, b.program.ran[p])
}

// findUnsettled finds the packages that cannot be whole before the generated code is: the output package, packages of
// the user's modules that do not exist, packages in which a file of ours does not compile, and everything that imports
// one of these.
func (b *Build) findUnsettled() {
	modules := map[string]bool{}
	for _, p := range b.program.all {
		if p.Module != nil && p.Module.Main {
			modules[p.Module.Path] = true
		}
	}
	b.unsettled = map[string]bool{}
	for _, p := range b.program.all { // imports come first
		unsettled := p.PkgPath == b.output.Path || b.isMissing(p) && ownedBy(modules, p.PkgPath)
		for _, e := range p.Errors {
			unsettled = unsettled || b.isOurs(p, e.Pos)
		}
		for path := range imports(p) {
			unsettled = unsettled || path == b.output.Path || b.unsettled[path]
		}
		if unsettled {
			b.unsettled[p.PkgPath] = true
		}
	}
}

// isMissing reports whether p is imported but not there.
func (b *Build) isMissing(p *packages.Package) bool {
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
func (b *Build) isOurs(p *packages.Package, pos string) bool {
	file := pos
	for range 2 {
		file, _, _ = cutNumber(file)
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(b.program.ran[p], file)
	}
	return b.program.ours.names[file]
}

// judgeRoot sorts the errors of a package that matches the patterns.
func (b *Build) judgeRoot(p *packages.Package) {
	broken := map[model.Position]bool{} // lines with syntax errors; what follows the first on a line follows from it
	for _, e := range p.Errors {
		if e.Kind == packages.ParseError && !b.isOurs(p, e.Pos) {
			at := b.at(p, e.Pos)
			if line := (model.Position{File: at.File, Line: at.Line}); !broken[line] {
				broken[line] = true
				b.Problems = append(b.Problems, model.Problem{Pos: at, Message: "syntax error: " + e.Msg})
			}
		}
	}
	if len(broken) > 0 {
		return // its type errors follow from these
	}
	for i, e := range p.TypeErrors {
		at := e.Fset.Position(e.Pos)
		if at.IsValid() && b.program.ours.names[e.Fset.File(e.Pos).Name()] || strings.HasPrefix(e.Msg, "\t") {
			continue // a line that begins with a tab goes on about the one before
		}
		message := oneLine(e.Msg)
		for _, more := range p.TypeErrors[i+1:] {
			if !strings.HasPrefix(more.Msg, "\t") {
				break
			}
			message += fmt.Sprintf("; %s (%v)", oneLine(more.Msg), b.program.Pos(more.Pos))
		}
		b.judgeTypeError(p, model.Problem{Pos: b.program.Dir.Position(at), Message: message})
	}
	for _, e := range p.Errors {
		if e.Kind == packages.ListError || e.Kind == packages.UnknownError {
			b.judgeListError(p, e)
		}
	}
}

// judgeTypeError sorts one error of the type checker.
func (b *Build) judgeTypeError(p *packages.Package, e model.Problem) {
	if path, ok := unimportable(e.Message); ok {
		b.judgeImport(p, path, e)
		return
	}
	switch {
	case p.PkgPath == b.output.Path && strings.Contains(e.Message, "; expected package "):
		return // the go command's word on it follows
	case p.PkgPath == b.output.Path && lacksNames(e.Message):
		b.forgive(p, e)
	case p.PkgPath != b.output.Path && b.unsettled[p.PkgPath]:
		b.forgive(p, e)
	default:
		b.Problems = append(b.Problems, e)
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
func (b *Build) judgeImport(p *packages.Package, path string, e model.Problem) {
	imported := p.Imports[path]
	switch {
	case path == b.output.Path:
		return // it is about to be written
	case path == "C" && slices.ContainsFunc(p.Errors, saysCompiler):
		return // the C compiler's own words follow
	case imported != nil && b.isMissing(imported) && b.unsettled[path]:
		e.Message = "there is no package " + path + "; if a tool writes it, run that tool first"
		b.missing[p] = append(b.missing[p], e)
		b.forgive(p, e)
		return
	case imported != nil && b.isMissing(imported):
		e.Message = oneLine(imported.Errors[0].Msg)
	case strings.Contains(e.Message, "import cycle"):
		e.Message = "import cycle: " + path + " imports " + p.PkgPath + ", directly or through others"
	}
	b.Problems = append(b.Problems, e)
}

// judgeListError sorts one error of the go command. Most repeat what the parser or the type checker says better.
func (b *Build) judgeListError(p *packages.Package, e packages.Error) {
	switch {
	case b.isOurs(p, e.Pos):
		return
	case saysCompiler(e):
		b.judgeCompiler(p, e)
		return
	case strings.HasPrefix(e.Msg, "found packages ") && p.PkgPath == b.output.Path:
		b.judgeOutputNames(p, e)
		return
	case strings.HasPrefix(e.Msg, "found packages ") && len(p.TypeErrors) > 0:
		return // the type checker names the file
	case strings.HasPrefix(e.Msg, "pattern ") && strings.HasSuffix(e.Msg, ": no matching files found") && b.at(p, e.Pos).IsValid():
		return // a go:embed of what is not built yet, such as the record of migrate-gen: no type depends on it
	case strings.HasPrefix(e.Msg, "import cycle not allowed") && (b.isOutputCycle(e) || b.sawCycle()):
		return // it is reported where the import is
	}
	message := strings.ReplaceAll(oneLine(e.Msg), b.program.ran[p]+string(filepath.Separator), "")
	b.Problems = append(b.Problems, model.Problem{Pos: b.at(p, e.Pos), Message: b.withRemedy(message, b.program.ran[p])})
}

// recursive returns the pattern of all packages below a folder, as any command takes it.
func recursive(folder string) string {
	if !filepath.IsAbs(folder) && !strings.HasPrefix(folder, ".") {
		folder = "./" + folder
	}
	return strings.TrimSuffix(folder, "/") + "/..."
}

// withRemedy adds to what the go command, run in dir, says of a pattern what to do about it, where that is known.
func (b *Build) withRemedy(message, dir string) string {
	if folder, ok := strings.CutPrefix(message, "no Go files in "); ok {
		if !filepath.IsAbs(folder) {
			folder = filepath.Join(dir, folder)
		}
		return message + "; for the packages below it, write " + recursive(b.program.Dir.Name(folder))
	}
	if what, _, ok := strings.Cut(message, " is not in std ("); ok { // where the standard library lies is no news
		if path := strings.TrimPrefix(what, "package "); checkFolder(b.program.Dir.Abs(path), path) == nil {
			return what + " is not in std; for the packages in that folder and below it, write " + recursive(path)
		}
	}
	if strings.HasSuffix(message, "does not contain modules listed in go.work or their selected dependencies") {
		module := b.program.Dir.Name(dir)
		return fmt.Sprintf("the module in %s is not part of the workspace it lies in; add it with go work use %s, or set GOWORK=off", module, module)
	}
	return message
}

// judgeOutputNames judges an output folder with files of several packages. Those of earlier runs alone do no harm: they
// are written anew or go. Beside files written by hand they keep these from being read.
func (b *Build) judgeOutputNames(p *packages.Package, e packages.Error) {
	byHand := packageNames(b.output.files, func(f outputFile) bool { return f.included && !f.ours && !f.test })
	message := strings.ReplaceAll(oneLine(e.Msg), b.program.ran[p]+string(filepath.Separator), "")
	switch len(byHand) {
	case 0:
		return
	case 1:
		message += "; remove the files that were generated for another package than " + byHand[0] + ", and generate again"
	}
	b.Problems = append(b.Problems, model.Problem{Message: message})
}

// saysCompiler reports whether an error of the go command repeats what a compiler printed.
func saysCompiler(e packages.Error) bool { return strings.HasPrefix(e.Msg, "# ") }

// judgeCompiler takes the errors that only a compiler finds: everything else is known by now.
func (b *Build) judgeCompiler(p *packages.Package, e packages.Error) {
	known := slices.ContainsFunc(p.TypeErrors, func(e types.Error) bool { return !strings.HasPrefix(e.Msg, "could not import C ") })
	if known || b.unsettled[p.PkgPath] || b.hasOurs(p) {
		return
	}
	_, said, _ := strings.Cut(e.Msg, "\n")
	found := false
	for line := range strings.Lines(said) {
		pos, message, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if at := b.at(p, pos); ok && at.Line > 0 {
			b.Problems = append(b.Problems, model.Problem{Pos: at, Message: strings.TrimPrefix(message, "fatal error: ")})
			found = true
		}
	}
	if !found {
		b.Problems = append(b.Problems, model.Problem{Message: oneLine(strings.TrimPrefix(e.Msg, "# "))})
	}
}

// isOutputCycle reports whether the go command met an import cycle that the output package is part of.
func (b *Build) isOutputCycle(e packages.Error) bool {
	_, stack, _ := strings.Cut(e.Msg, "[")
	return slices.Contains(strings.Fields(strings.TrimSuffix(stack, "]")), b.output.Path)
}

// hasOurs reports whether one of p's files is ours.
func (b *Build) hasOurs(p *packages.Package) bool {
	return slices.ContainsFunc(p.CompiledGoFiles, func(name string) bool { return b.program.ours.names[name] })
}

// sawCycle reports whether the type checker met an import cycle: it says where.
func (b *Build) sawCycle() bool {
	for _, p := range b.program.roots {
		for _, e := range p.TypeErrors {
			if strings.HasPrefix(e.Msg, "could not import ") && strings.Contains(e.Msg, "import cycle") {
				return true
			}
		}
	}
	return false
}

// forgive keeps an error in case it turns out to matter.
func (b *Build) forgive(p *packages.Package, e model.Problem) {
	b.forgiven = append(b.forgiven, forgiven{Problem: e, path: p.PkgPath})
}

// oneLine joins the lines of a message.
func oneLine(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(slices.DeleteFunc(lines, func(line string) bool { return line == "" }), " ")
}
