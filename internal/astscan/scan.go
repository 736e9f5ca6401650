// Package astscan reads Go source and says which aggregates and events it holds. It is the only package that knows
// go/packages, go/ast and go/types: what it returns is plain data of [model]. It prints nothing and writes nothing.
//
// One load serves a whole run. Packages that match the patterns are read with their syntax, everything they import from
// export data.
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
	s, err := newScan(o)
	if err != nil {
		return nil, err
	}
	if err := s.load(ctx); err != nil {
		return nil, err
	}
	if o.Output != "" {
		if err := s.findOutput(); err != nil {
			return nil, err
		}
		if err := s.checkOtherRuns(); err != nil {
			return nil, err
		}
	}
	s.judgeBuild()
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

// A scan is the state of one run. Its methods are the stages of [Scan], in that order.
type scan struct {
	options Options
	place   place
	fset    *token.FileSet
	sources []*source          // by path
	byPath  map[string]*source // the same
	build   buildLog
	output  output

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

// problem adds a problem at p.
func (s *scan) problem(p token.Pos, format string, args ...any) {
	s.problems = append(s.problems, model.Problem{Pos: s.pos(p), Message: fmt.Sprintf(format, args...)})
}

// note adds an explanation at p.
func (s *scan) note(p token.Pos, format string, args ...any) {
	s.notes = append(s.notes, model.Note{Pos: s.pos(p), Text: fmt.Sprintf(format, args...)})
}

// noteAt adds an explanation at a position.
func (s *scan) noteAt(at model.Position, text string) {
	s.notes = append(s.notes, model.Note{Pos: at, Text: text})
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

// newScan checks the options that can be checked before anything is read.
func newScan(o Options) (*scan, error) {
	if len(o.Patterns) == 0 {
		return nil, errors.New("no input: name the packages to scan, as in ./domain/... for a folder and all below it")
	}
	if o.Aggregate != "" && !validName(o.Aggregate) {
		return nil, fmt.Errorf("aggregate name %q: %s", o.Aggregate, nameRule)
	}
	if o.IsGenerated == nil {
		o.IsGenerated = func([]byte) bool { return false }
	}
	p, err := newPlace(o.Dir)
	if err != nil {
		return nil, err
	}
	return &scan{
		options: o,
		place:   p,
		fset:    token.NewFileSet(),
		byPath:  map[string]*source{},
		decls:   map[*types.TypeName]*typeDecl{},
		ignored: map[token.Pos]bool{},
		indexed: map[*ast.Field]token.Pos{},
		byType:  map[*types.TypeName]*event{},
	}, nil
}
