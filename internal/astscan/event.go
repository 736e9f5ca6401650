package astscan

import (
	"fmt"
	"go/types"
	"slices"
	"sync"

	"github.com/eventmap/eventmap/internal/model"
)

// How an event was found.
const (
	byMark       = "mark"
	byInterface  = "interface"
	byConvention = "convention"
)

// An event is a struct type that is taken as one version of an event of one aggregate. A type that is an event of several
// aggregates is one of them for each, under the same name and version.
type event struct {
	decl   *typeDecl
	named  *types.Named // the struct, behind any alias
	how    string
	mark   *mark // or nil
	naming naming
	shared bool // the type is an event of other aggregates, too
	model  model.Event
}

// events are all that were found.
type events struct {
	all    []*event                   // by position
	byType map[*types.TypeName]shared // the same, by the type behind any alias
	left   map[*types.TypeName]string // structs that the convention does not take, and why
}

// of returns the event that t is or points to, in each of its aggregates, or nothing.
func (es *events) of(t types.Type) (found shared, pointer bool) {
	_, pointer = types.Unalias(t).(*types.Pointer)
	if named := namedOf(t); named != nil {
		found = es.byType[named.Obj()]
	}
	return found, pointer
}

// findEvents takes the events among the declared types, in all three ways, and notes why the others are left.
func (s *scan) findEvents(decls *declarations) *events {
	f := eventFinder{
		scan:  s,
		decls: decls,
		bases: embeddedEvents(decls),
		used:  sync.OnceValue(func() map[*types.TypeName]*typeDecl { return s.usedAsFields(decls) }),
		code:  sync.OnceValue(func() code { return readCode(decls) }),
		found: &events{byType: map[*types.TypeName]shared{}, left: map[*types.TypeName]string{}},
	}
	for _, src := range decls.sources {
		if src.Name == "main" {
			continue
		}
		for _, d := range src.types {
			if isSumOfNoStruct(d) {
				f.problem(d.obj.Pos(), "%v implements %v, but is no struct, as every event is; make it one, as in %s, or mark it //eventmap:ignore", d, d.sums[0].decl, asStruct(d))
			} else if how, why := f.judge(d); how != "" {
				f.take(d, how)
			} else if why != "" && d.obj.Exported() {
				s.note(d.obj.Pos(), "%v is no event: %s", d, why)
			}
		}
	}
	slices.SortStableFunc(f.found.all, func(a, b *event) int { return s.ByPosition(a.decl.obj.Pos(), b.decl.obj.Pos()) })
	return f.found
}

// An eventFinder takes types as events.
type eventFinder struct {
	*scan
	decls *declarations
	bases map[*types.TypeName]*typeDecl        // structs that lend their methods to an event
	used  func() map[*types.TypeName]*typeDecl // structs that another has as a field
	code  func() code
	found *events
}

// judge says how a type comes to be an event, or else why it does not. Types that are no structs need no reason.
func (f eventFinder) judge(d *typeDecl) (how, why string) {
	switch {
	case d.marked("event") != nil:
		return byMark, ""
	case d.structType() == nil:
		return "", ""
	case d.marked("ignore") != nil:
		return "", "it is marked //eventmap:ignore"
	case d.marked("aggregate") != nil:
		return "", "it is an aggregate's state"
	case d.generated:
		return "", "its file is generated"
	case d.isGeneric():
		return "", "it is generic"
	case d.obj.IsAlias():
		return "", "it is another name for " + types.TypeString(d.typ(), qualifier(d.obj.Pkg()))
	}
	if len(d.sums) > 0 {
		if within := f.bases[d.obj]; within != nil {
			return "", fmt.Sprintf("%v embeds it", within)
		}
		return byInterface, ""
	}
	switch {
	case d.src.saysEvents:
		return "", "its package marks its events, and it bears no mark"
	case !d.obj.Exported():
		return "", "it is not exported"
	case f.decls.saysEvents && !f.options.Convention:
		return "", "other packages mark their events, and it bears no mark; --convention takes those of packages without marks too"
	}
	if why := f.judgeByConvention(d); why != "" {
		f.found.left[d.obj] = why
		return "", why
	}
	return byConvention, ""
}

// judgeByConvention says why a struct of a package without marks is no event, or nothing if it is one. It adds a doubt where
// the name says otherwise.
func (f eventFinder) judgeByConvention(d *typeDecl) (why string) {
	why = f.notData(d)
	switch within := f.used()[d.obj]; {
	case within != nil:
		why = fmt.Sprintf("%v has it as a field", within)
	case why == "" && soundsLikeCommand(d.obj.Name()):
		why = "its name says what is to be done, and not what happened"
		f.doubt(d, why)
		return why
	}
	if why != "" && SoundsLikeEvent(d.obj.Name()) && method(d.typ(), "Error", true) == nil {
		f.doubt(d, why)
	}
	return why
}

// doubt adds a question that a mark answers.
func (s *scan) doubt(d *typeDecl, why string) {
	s.doubts = append(s.doubts, model.Note{Pos: s.Pos(d.obj.Pos()), Text: fmt.Sprintf(
		"is %v an event? %s; if it is none, mark it //eventmap:ignore; if it is one, mark the interface that all events implement //eventmap:events, or each event //eventmap:event", d, why)})
}

// asStruct proposes a struct that holds what a type is.
func asStruct(d *typeDecl) string {
	return fmt.Sprintf("type %s struct { Value %s }", d.obj.Name(), types.TypeString(d.typ().Underlying(), qualifier(d.src.Types)))
}

// isSumOfNoStruct reports whether a type that is no struct implements a marked interface.
func isSumOfNoStruct(d *typeDecl) bool {
	return d.structType() == nil && !types.IsInterface(d.typ()) && d.marked("ignore") == nil && !d.obj.IsAlias() && !d.isGeneric() && !d.generated && len(d.sums) > 0
}

// take takes d as an event.
func (f eventFinder) take(d *typeDecl, how string) {
	named, ok := d.typ().(*types.Named)
	if !ok {
		f.problem(d.obj.Pos(), "%v is another name for a struct that has none; declare it as a type of its own: type %s struct { ... }", d, d.obj.Name())
		return
	}
	if first := f.found.byType[named.Obj()]; first != nil {
		f.problem(d.obj.Pos(), "%v and %v (%v) are one type and cannot both be events; mark one of them //eventmap:ignore", d, first[0].decl, f.Pos(first[0].decl.obj.Pos()))
		return
	}
	m := model.Event{Name: d.obj.Name(), Version: 1, Type: d.name(), Doc: d.doc, Pos: f.Pos(d.obj.Pos())}
	if n, ok := pathVersion(d.src.Below); ok {
		m.Version = n
	}
	mark := d.marked("event")
	if mark != nil && mark.name != "" {
		m.Name = mark.name
	}
	if mark != nil && mark.version != 0 {
		m.Version = mark.version
	}
	namings := f.namings(d, mark)
	for _, naming := range namings {
		e := &event{decl: d, named: named, how: how, mark: mark, naming: naming, shared: len(namings) > 1, model: m}
		f.found.all = append(f.found.all, e)
		f.found.byType[named.Obj()] = append(f.found.byType[named.Obj()], e)
	}
}

// namings returns the aggregates of an event: one, unless its mark names several.
func (f eventFinder) namings(d *typeDecl, m *mark) (all []naming) {
	switch {
	case m != nil && len(m.aggregates) > 0:
		for _, name := range m.aggregates {
			all = append(all, naming{name: name, why: "mark", pos: m.pos})
		}
		return all
	case len(d.sums) > 1:
		f.severalSums(d)
		return nil
	case len(d.sums) > 0:
		return []naming{d.sums[0].named}
	}
	return []naming{f.packageNaming(f.decls, d.src, "")}
}

// severalSums reports an event that implements several marked interfaces; of several such events, the first.
func (s *scan) severalSums(d *typeDecl) {
	told := true
	for _, u := range d.sums {
		told = told && u.shared
		u.shared = true
	}
	if told {
		return
	}
	a, b := d.sums[0], d.sums[1]
	s.problem(d.obj.Pos(), "%v implements both %v (%v) and %v (%v), and an event belongs to one aggregate unless its mark says otherwise; give each interface a method of its own, such as is%sEvent(), or, if streams of both hold it, mark it //eventmap:event %s",
		d, a.decl, s.Pos(a.decl.obj.Pos()), b.decl, s.Pos(b.decl.obj.Pos()), upperCamel(a.decl.src.Name), aggregateKeys([]string{a.named.name, b.named.name}))
}

// name returns the declared type's name in the model's terms.
func (d *typeDecl) name() model.TypeName {
	return model.TypeName{Package: d.src.name(), Name: d.obj.Name()}
}

// name returns the package in the model's terms.
func (src *source) name() model.Package {
	return src.Package.Package
}

// qualifier names types of other packages than pkg by package name, as code there does.
func qualifier(pkg *types.Package) types.Qualifier {
	return func(other *types.Package) string {
		if other == pkg {
			return ""
		}
		return other.Name()
	}
}
