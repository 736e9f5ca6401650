package astscan

import (
	"fmt"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/eventmap/eventmap/internal/fingerprint"
	"github.com/eventmap/eventmap/internal/goload"
	"github.com/eventmap/eventmap/internal/jsonshape"
	"github.com/eventmap/eventmap/internal/model"
)

// snapshots are those of the aggregates whose states have the mark.
type snapshots map[*aggregate]*model.Snapshots

// findSnapshots checks the states that are marked for snapshots, and returns what stands for the code that makes them.
func (s *scan) findSnapshots(decls *declarations, groups aggregates, states states, upcasts upcasts) snapshots {
	found := snapshots{}
	for _, src := range decls.sources {
		if m := src.aggregate; m != nil && m.snapshots {
			s.problem(m.pos, "%v stands on a package, and snapshots are of a state; put the word on the mark of the struct that the events fold into", *m)
		}
	}
	var kept aggregates
	for _, g := range groups {
		if st := states[g]; st != nil && st.mark.snapshots {
			kept = append(kept, g)
			s.checkStateJSON(decls, st)
		}
	}
	if len(kept) == 0 {
		return found
	}
	meanings := s.Meanings(s.foldPackages(kept, states, upcasts))
	code := fingerprint.NewCode(s.foldSource(meanings))
	files := foldFiles{output: s.Dir.Abs(s.options.Output)}
	var folds []*fold
	for _, g := range kept {
		folds = append(folds, &fold{aggregate: g})
	}
	forEach(folds, func(f *fold) {
		g, st := f.aggregate, states[f.aggregate]
		if f.Result, f.err = code.Fingerprint(foldRoots(g, st, upcasts, meanings), foldText(g, st, upcasts)...); f.err == nil {
			f.files = files.of(f.Files)
		}
	})
	for _, f := range folds {
		g, st := f.aggregate, states[f.aggregate]
		if f.err != nil {
			s.problem(st.mark.pos, "%v: what makes its state cannot be told from other code: %v", *st.mark, f.err)
			continue
		}
		for _, r := range f.Refusals {
			s.problems = append(s.problems, model.Problem{Pos: s.Dir.Position(r.Pos), Message: r.Message +
				fmt.Sprintf("; %v has snapshots, which must not differ from what its events come to", st.decl)})
		}
		for _, w := range f.Warnings {
			s.warnings = append(s.warnings, model.Note{Pos: s.Dir.Position(w.Pos), Text: w.Message})
		}
		found[g] = &model.Snapshots{Fingerprint: f.Sum, Files: f.files}
	}
	return found
}

// A fold is what makes the state of one aggregate.
type fold struct {
	aggregate *aggregate
	fingerprint.Result
	files []model.FoldFile
	err   error
}

// checkStateJSON reports the parts of a state that a snapshot would lose.
func (s *scan) checkStateJSON(decls *declarations, st *state) {
	p := payloadReader{scan: s, decls: decls}
	held := p.locks(st.decl.obj)
	reading := jsonshape.NewReader(jsonshape.Source{Fset: s.Fset, Owns: p.owns}).Read(st.decl.obj)
	for _, l := range reading.Losses {
		if l.Invalid != nil || held.at(l.Pos) {
			continue // it does not compile, or holds a lock, which is said elsewhere
		}
		s.problem(l.Pos, "%s %s, or take the word snapshots from the mark of %v, whose snapshots are JSON", l.Path, l.Why, st.decl)
	}
	for _, o := range reading.Omitted {
		if held.at(o.Pos) {
			continue
		}
		s.problem(o.Pos, "%s is not stored, for its tag says so, and would be zero in a state from a snapshot; take the tag away, or the word snapshots from the mark of %v", o.Path, st.decl)
	}
}

// foldSource is what a walk may look at.
func (s *scan) foldSource(meanings map[string]*goload.Meaning) fingerprint.Source {
	source := fingerprint.Source{Fset: s.Fset, Standard: s.IsStandard, Identity: s.Identity}
	for _, path := range slices.Sorted(maps.Keys(meanings)) {
		m := meanings[path]
		if m.Versioned {
			continue // its version counts
		}
		source.Packages = append(source.Packages, &fingerprint.Package{
			Types: m.Types, Info: m.Info, Files: m.Syntax, Excluded: m.Excluded, NonGo: m.NonGo, Others: m.Others,
		})
	}
	return source
}

// foldPackages are the packages that hold roots of the aggregates' folds.
func (s *scan) foldPackages(kept aggregates, states states, upcasts upcasts) []*goload.Package {
	var found []*goload.Package
	add := func(t model.TypeName) { found = append(found, s.Package(t.Package.Path)) }
	for _, g := range kept {
		add(states[g].decl.name())
		for _, e := range g.events {
			add(e.decl.name())
			if up := upcasts[e]; up != nil {
				add(up.Func)
			}
		}
	}
	return found
}

// foldRoots are where the fold of an aggregate begins: its state, the methods that events are applied by, the types of all its
// events, and its upcasters.
func foldRoots(g *aggregate, st *state, upcasts upcasts, meanings map[string]*goload.Meaning) []types.Object {
	var roots []types.Object
	lookup := func(t model.TypeName) types.Object {
		object := meanings[t.Package.Path].Types.Scope().Lookup(t.Name)
		if object != nil {
			roots = append(roots, object)
		}
		return object
	}
	state := lookup(st.decl.name())
	for _, applier := range st.appliers {
		method, _, _ := types.LookupFieldOrMethod(types.NewPointer(state.Type()), true, state.Pkg(), applier.Method)
		roots = append(roots, method)
	}
	for _, e := range g.events {
		lookup(e.decl.name())
		if up := upcasts[e]; up != nil {
			lookup(up.Func)
		}
	}
	return roots
}

// foldText is what a fold depends on beside code.
func foldText(g *aggregate, st *state, upcasts upcasts) []string {
	text := []string{g.name, st.decl.name().Package.Path + "." + st.decl.name().Name}
	for _, applier := range st.appliers {
		text = append(text, fmt.Sprint("apply ", applier.Method, applier.Event, applier.Version, applier.Result, applier.TakesPointer))
	}
	for _, e := range g.events {
		text = append(text, fmt.Sprint("event ", e.model.Name, e.model.Version, e.decl.name().Package.Path, e.decl.name().Name))
		if up := upcasts[e]; up != nil {
			text = append(text, fmt.Sprint("upcast ", up.Func.Package.Path, up.Func.Name, up.To))
		}
	}
	return text
}

// foldFiles knows the files that folds are made of. Many folds may share one.
type foldFiles struct {
	output string   // the folder that their paths begin at
	sums   sync.Map // by name
}

// of returns the files of a fold with what they hold.
func (f *foldFiles) of(names []string) []model.FoldFile {
	var files []model.FoldFile
	for _, name := range names {
		sum, readErr := f.sum(name)
		path, relErr := filepath.Rel(f.output, name)
		if readErr != nil || relErr != nil {
			continue // it is not the user's: made by cgo, or named by a line directive
		}
		files = append(files, model.FoldFile{Path: filepath.ToSlash(path), Sum: sum})
	}
	slices.SortFunc(files, func(a, b model.FoldFile) int { return strings.Compare(a.Path, b.Path) })
	return files
}

func (f *foldFiles) sum(name string) (string, error) {
	if known, ok := f.sums.Load(name); ok {
		return known.(string), nil
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	sum := fingerprint.File(name, content)
	f.sums.Store(name, sum)
	return sum, nil
}
