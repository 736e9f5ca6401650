package astscan

import (
	"fmt"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

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
	var meanings map[string]*goload.Meaning
	var code *fingerprint.Code
	for _, g := range groups {
		st := states[g]
		if st == nil || !st.mark.snapshots {
			continue
		}
		s.checkStateJSON(decls, st)
		if meanings == nil {
			meanings = s.Meanings(s.foldPackages(groups, states, upcasts))
			code = fingerprint.NewCode(s.foldSource(meanings))
		}
		result, err := code.Fingerprint(foldRoots(g, st, upcasts, meanings), foldText(g, st, upcasts)...)
		if err != nil {
			s.problem(st.mark.pos, "%v: what makes its state cannot be told from other code: %v", *st.mark, err)
			continue
		}
		for _, r := range result.Refusals {
			s.problems = append(s.problems, model.Problem{Pos: s.Dir.Position(r.Pos), Message: r.Message +
				fmt.Sprintf("; %v has snapshots, which must not differ from what its events come to", st.decl)})
		}
		for _, w := range result.Warnings {
			s.warnings = append(s.warnings, model.Note{Pos: s.Dir.Position(w.Pos), Text: w.Message})
		}
		found[g] = &model.Snapshots{Fingerprint: result.Sum, Files: s.foldFiles(result.Files)}
	}
	return found
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
			Types: m.Types, Info: m.Info, Files: m.Syntax, Excluded: m.Excluded, NonGo: m.NonGo,
		})
	}
	return source
}

// foldPackages are the packages that hold roots of folds with snapshots.
func (s *scan) foldPackages(groups aggregates, states states, upcasts upcasts) []*goload.Package {
	var found []*goload.Package
	add := func(t model.TypeName) { found = append(found, s.Package(t.Package.Path)) }
	for _, g := range groups {
		st := states[g]
		if st == nil || !st.mark.snapshots {
			continue
		}
		add(st.decl.name())
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

// foldFiles returns the files of a fold with what they hold.
func (s *scan) foldFiles(names []string) []model.FoldFile {
	var files []model.FoldFile
	for _, name := range names {
		content, readErr := os.ReadFile(name)
		path, relErr := filepath.Rel(s.Dir.Abs(s.options.Output), name)
		if readErr != nil || relErr != nil {
			continue // it is not the user's: made by cgo, or named by a line directive
		}
		files = append(files, model.FoldFile{Path: filepath.ToSlash(path), Sum: fingerprint.File(content)})
	}
	slices.SortFunc(files, func(a, b model.FoldFile) int { return strings.Compare(a.Path, b.Path) })
	return files
}
