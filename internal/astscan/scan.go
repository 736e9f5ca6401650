// Package astscan reads Go source and says which aggregates and events it holds: it knows marks, discovery and names. What
// it returns is plain data of [model]. It prints nothing and writes nothing.
package astscan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/token"
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
	// Convention says that exported structs of packages without marks are events even if other packages have marks.
	Convention bool
	// IsGenerated tells the files that the tool itself has written by their content. Those of the output package are not
	// read, whatever state they are in. Nil: there are none.
	IsGenerated func(src []byte) bool
	// ReadFile reads a Go file of the output package, by its absolute path. Nil: [os.ReadFile].
	ReadFile func(name string) ([]byte, error)
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
	if len(o.Patterns) == 0 {
		return nil, errors.New("no input: name the packages to scan, as in ./domain/... for a folder and all below it")
	}
	dir, err := goload.NewDir(o.Dir)
	if err != nil {
		return nil, err
	}
	program, err := goload.Load(ctx, goload.Options{Dir: dir, Patterns: o.Patterns, Tags: o.Tags, Output: o.Output, IsGenerated: o.IsGenerated, ReadFile: o.ReadFile})
	if err != nil {
		return nil, err
	}
	return ScanProgram(program, o)
}

// ScanProgram is [Scan] for packages that are loaded already, by the same options.
func ScanProgram(program *goload.Program, o Options) (*model.Domain, error) {
	s := &scan{Program: program, options: o, output: &goload.Output{}}
	var decls *declarations
	join := s.aside(func(s *scan) { decls = s.declare() })
	err := s.judgeBuild()
	join()
	if err != nil {
		return nil, err
	}
	if err := s.problems.Err(); err != nil {
		return nil, err // types are not whole: what follows would find more than there is
	}
	sums := s.findSums(decls)
	events := s.findEvents(decls)
	if len(events.all) == 0 && len(s.problems) == 0 {
		if len(s.doubts) > 0 {
			return nil, questions(s.doubts)
		}
		if s.checkSums(sums, events, nil, nil); len(s.problems) > 0 {
			return nil, s.problems.Err()
		}
		return nil, s.nothingFound()
	}
	groups := s.group(events, sums)
	upcasts := s.findUpcasts(decls, events)
	states := s.findStates(decls, events, groups, upcasts)
	s.checkSums(sums, events, groups, upcasts)
	s.checkVisibility(events, sums, states)
	var snapshots snapshots
	join = s.aside(func(s *scan) { snapshots = s.findSnapshots(decls, groups, states, upcasts) })
	payloads := s.readPayloads(decls, events)
	s.checkPersonal(decls, groups, states, payloads)
	join()
	if err := s.problems.Err(); err != nil {
		return nil, err
	}
	d := s.domain(groups, states, upcasts, payloads, snapshots)
	d.LooseIndexes = s.looseIndexes(decls, payloads)
	return d, nil
}

// A scan is one run: what was loaded, and what is reported. Its methods are the stages of [Scan], each of which says what
// it takes and gives.
type scan struct {
	*goload.Program
	options Options
	output  *goload.Output
	build   *goload.Build

	problems model.Problems
	notes    []model.Note
	doubts   []model.Note
	warnings []model.Note
}

// judgeBuild finds out about the output package, and by it which errors of the build stand in the way.
func (s *scan) judgeBuild() (err error) {
	if s.options.Output != "" {
		if s.output, err = s.Output(s.options.Package); err != nil {
			return err
		}
		if home := s.output.Borrowed; home != "" {
			s.note(s.Packages[0].Clause, "output %s lies in no module: what is written there compiles as a package of %s", s.options.Output, home)
		}
		s.checkOtherRuns()
	}
	s.build = s.Build(s.output)
	s.problems = append(s.problems, s.build.Problems...)
	return nil
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

// questions returns doubts as what is wrong.
func questions(doubts []model.Note) error {
	var problems model.Problems
	for _, doubt := range doubts {
		problems = append(problems, model.Problem{Pos: doubt.Pos, Message: doubt.Text})
	}
	return problems.Err()
}

// nothingFound returns the error of a run without events.
func (s *scan) nothingFound() error {
	return fmt.Errorf("no events in %s: looked at %s for structs marked //eventmap:event, structs that implement an interface marked //eventmap:events, and exported structs of packages without such marks; mark an event by writing //eventmap:event on the line above its type%s",
		strings.Join(s.options.Patterns, " "), count(len(s.Packages), "package"), s.OtherModules())
}

// domain returns what was found in the model's terms.
func (s *scan) domain(groups aggregates, states states, upcasts upcasts, payloads payloads, snapshots snapshots) *model.Domain {
	d := &model.Domain{Output: s.output.Output, Notes: s.notes, Doubts: s.doubts, Warnings: s.warnings}
	for _, notes := range []*[]model.Note{&d.Notes, &d.Doubts, &d.Warnings} {
		slices.SortFunc(*notes, func(a, b model.Note) int {
			return cmp.Or(a.Pos.Compare(b.Pos), cmp.Compare(a.Text, b.Text))
		})
		*notes = slices.Compact(*notes) // an event of several aggregates is read for each
	}
	for _, g := range groups {
		a := model.Aggregate{Name: g.name, Pos: s.Pos(g.pos), Why: g.why}
		if g.sum != nil {
			a.Sum = &model.Sum{Type: g.sum.decl.name(), Pos: s.Pos(g.sum.decl.obj.Pos())}
		}
		if st := states[g]; st != nil {
			a.State, a.ID = &model.State{Type: st.decl.name(), Pos: s.Pos(st.decl.obj.Pos()), Appliers: st.appliers, Snapshots: snapshots[g]}, st.id
		}
		a.IsSubject = g.isSubject(states[g])
		a.Events = make([]model.Event, 0, len(g.events))
		for _, e := range g.events {
			m := e.model
			m.Upcast, m.Payload, m.Forget = upcasts[e], payloads[e], s.forgets(g, states[g], e, payloads[e])
			m.Pointer = slices.Contains(e.decl.sums, g.sum) && !g.sum.implementedBy(e.named)
			a.Events = append(a.Events, m)
		}
		d.Aggregates = append(d.Aggregates, a)
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
