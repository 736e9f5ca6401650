// Package astscan reads Go source and says which aggregates and events it holds: it knows marks, discovery and names. What
// it returns is plain data of [model]. It prints nothing and writes nothing.
package astscan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/internal/goload"
	"github.com/eventmap/eventmap/internal/model"
)

// Options say what is scanned and for whom.
type Options struct {
	// Dir is the working directory. Positions are given relative to it where they lie below it. Empty: the process's.
	Dir string
	// Patterns are those of go list. Folders begin with ./ or ../ or are absolute, and end in /... to include what lies
	// below; they may lie in a module other than Dir's.
	Patterns []string
	// Tags are the build tags that are set.
	Tags []string
	// Output is the folder of the output package, relative to Dir. It need not exist. Empty: no Go code is generated, so
	// that nothing has to be within its reach.
	Output string
	// Package is the output package's name. Empty: the one its files have already, else the folder's.
	Package string
	// Aggregate names the aggregate of every event for which no mark and no interface does.
	Aggregate string
	// IsGenerated tells the files that the tool itself has written by their content. Those of the output package are not
	// read, whatever state they are in. Nil: there are none.
	IsGenerated func(src []byte) bool
}

// Scan returns the events found in the packages that match the patterns, and what code for them has to know.
//
// Everything wrong with the user's source is returned at once, as [model.Problems]. Any other error is about the run:
// a folder that does not exist, no go.mod, no go command, or nothing found. The result depends on the source alone: not
// on the order of files, and not on where the checkout lies.
func Scan(ctx context.Context, o Options) (*model.Domain, error) {
	if o.Aggregate != "" && !validName(o.Aggregate) {
		return nil, fmt.Errorf("aggregate name %q: %s", o.Aggregate, nameRule)
	}
	s, err := load(ctx, o)
	if err != nil {
		return nil, err
	}
	s.declare()
	if err := s.problems.Err(); err != nil {
		return nil, err // types are not whole: what follows would find more than there is
	}
	s.findSums()
	s.findEvents()
	if len(s.events) == 0 && len(s.problems) == 0 {
		return nil, s.nothingFound()
	}
	s.nameAggregates()
	s.findUpcasts()
	s.findStates()
	s.checkSums()
	s.checkReach()
	s.readPayloads()
	if err := s.problems.Err(); err != nil {
		return nil, err
	}
	return s.domain(), nil
}

// A source is a package that is searched.
type source struct {
	*goload.Package
	types      []*typeDecl
	upcasts    []*funcDecl
	aggregate  *mark // of a package clause
	saysEvents bool  // a mark says what its events are, so that the convention does not
}

// A scan is the state of one run. Its methods are the stages of [Scan], in that order.
type scan struct {
	*goload.Program
	options Options
	sources []*source          // by path
	byPath  map[string]*source // the same
	build   *goload.Build
	output  *goload.Output

	decls   map[*types.TypeName]*typeDecl // types declared by the sources
	ignored map[token.Pos]bool            // names of the methods marked ignore
	indexed map[*ast.Field]token.Pos      // fields marked index, and where
	sums    []*sum
	events  []*event                   // by position
	byType  map[*types.TypeName]*event // the same, by the type behind any alias
	groups  []*aggregate               // by name
	states  []*state

	problems model.Problems
	notes    []model.Note
}

// load reads the packages, and what there is of the output package.
func load(ctx context.Context, o Options) (*scan, error) {
	if len(o.Patterns) == 0 {
		return nil, errors.New("no input: name the packages to scan, as in ./domain/... for a folder and all below it")
	}
	dir, err := goload.NewDir(o.Dir)
	if err != nil {
		return nil, err
	}
	s := &scan{
		options: o,
		byPath:  map[string]*source{},
		output:  &goload.Output{},
		decls:   map[*types.TypeName]*typeDecl{},
		ignored: map[token.Pos]bool{},
		indexed: map[*ast.Field]token.Pos{},
		byType:  map[*types.TypeName]*event{},
	}
	s.Program, err = goload.Load(ctx, goload.Options{Dir: dir, Patterns: o.Patterns, Tags: o.Tags, Output: o.Output, IsGenerated: o.IsGenerated})
	if err != nil {
		return nil, err
	}
	for _, pkg := range s.Packages {
		src := &source{Package: pkg}
		s.sources = append(s.sources, src)
		s.byPath[pkg.Path] = src
	}
	if o.Output != "" {
		if s.output, err = s.Program.Output(o.Package); err != nil {
			return nil, err
		}
		if home := s.output.Borrowed; home != "" {
			s.note(s.sources[0].Clause, "output %s lies in no module: what is written there compiles as a package of %s", o.Output, home)
		}
		s.checkOtherRuns()
	}
	s.build = s.Build(s.output)
	s.problems = append(s.problems, s.build.Problems...)
	return s, nil
}

// problem adds a problem at p.
func (s *scan) problem(p token.Pos, format string, args ...any) {
	s.problems = append(s.problems, model.Problem{Pos: s.Pos(p), Message: fmt.Sprintf(format, args...)})
}

// note adds an explanation at p.
func (s *scan) note(p token.Pos, format string, args ...any) {
	s.notes = append(s.notes, model.Note{Pos: s.Pos(p), Text: fmt.Sprintf(format, args...)})
}

// isBroken adds problems of the build that turn out to matter, and reports whether there are any.
func (s *scan) isBroken(problems model.Problems) bool {
	s.problems = append(s.problems, problems...)
	return len(problems) > 0
}

// brokenWithin reports whether what stands between two positions of one file does not compile, and why.
func (s *scan) brokenWithin(from, to token.Pos) bool { return s.isBroken(s.build.Within(from, to)) }

// nothingFound returns the error of a run without events.
func (s *scan) nothingFound() error {
	return fmt.Errorf("no events in %s: looked at %s for structs marked //eventmap:event, structs that implement an interface marked //eventmap:events, and exported structs of packages without such marks; mark an event by writing //eventmap:event on the line above its type%s",
		strings.Join(s.options.Patterns, " "), count(len(s.sources), "package"), s.OtherModules())
}

// domain returns what was found in the model's terms.
func (s *scan) domain() *model.Domain {
	d := &model.Domain{Output: s.output.Output, Notes: s.notes, LooseIndexes: s.looseIndexes()}
	slices.SortFunc(d.Notes, func(a, b model.Note) int {
		return cmp.Or(a.Pos.Compare(b.Pos), cmp.Compare(a.Text, b.Text))
	})
	for _, g := range s.groups {
		d.Aggregates = append(d.Aggregates, g.model())
	}
	return d
}

// count returns "1 package" or "3 packages".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
