package astscan

import (
	"fmt"
	"go/types"
	"slices"

	"github.com/eventmap/eventmap/internal/model"
)

// How an event was found.
const (
	byMark       = "mark"
	byInterface  = "interface"
	byConvention = "convention"
)

// An event is a struct type that is taken as one version of an event.
type event struct {
	decl   *typeDecl
	named  *types.Named // the struct, behind any alias
	how    string
	mark   *mark // or nil
	naming naming
	model  model.Event
}

// findEvents takes the events among the declared types, in all three ways, and notes why the others are left.
func (s *scan) findEvents() {
	bases := s.embeddedEvents()
	used := s.usedAsFields()
	for _, src := range s.sources {
		if src.Name == "main" {
			continue
		}
		for _, d := range src.types {
			if how, why := s.judgeType(d, bases, used); how != "" {
				s.takeEvent(d, how)
			} else if why != "" && d.obj.Exported() {
				s.note(d.obj.Pos(), "%v is no event: %s", d, why)
			}
		}
	}
	slices.SortFunc(s.events, func(a, b *event) int { return s.ByPosition(a.decl.obj.Pos(), b.decl.obj.Pos()) })
}

// judgeType says how a type comes to be an event, or else why it does not. Types that are no structs need no reason.
func (s *scan) judgeType(d *typeDecl, bases map[*types.TypeName]*typeDecl, used map[*types.TypeName]*typeDecl) (how, why string) {
	switch {
	case d.marks["event"] != nil:
		return byMark, ""
	case d.structType() == nil:
		return "", ""
	case d.marks["ignore"] != nil:
		return "", "it is marked //eventmap:ignore"
	case d.marks["aggregate"] != nil:
		return "", "it is an aggregate's state"
	case d.generated:
		return "", "its file is generated"
	case d.isGeneric():
		return "", "it is generic"
	case d.obj.IsAlias():
		return "", "it is another name for " + types.TypeString(d.typ(), qualifier(d.obj.Pkg()))
	}
	if sums := s.sumsOf(d.typ()); len(sums) > 0 {
		if within := bases[d.obj]; within != nil {
			return "", fmt.Sprintf("%v embeds it", within)
		}
		return byInterface, ""
	}
	switch within := used[d.obj]; {
	case d.src.saysEvents:
		return "", "its package marks its events, and it bears no mark"
	case !d.obj.Exported():
		return "", "it is not exported"
	case within != nil:
		return "", fmt.Sprintf("%v has it as a field", within)
	}
	return byConvention, ""
}

// takeEvent takes d as an event.
func (s *scan) takeEvent(d *typeDecl, how string) {
	named, ok := d.typ().(*types.Named)
	if !ok {
		s.problem(d.obj.Pos(), "%v is another name for a struct that has none; declare it as a type of its own: type %s struct { ... }", d, d.obj.Name())
		return
	}
	e := &event{decl: d, named: named, how: how, mark: d.marks["event"]}
	if first := s.byType[named.Obj()]; first != nil {
		s.problem(d.obj.Pos(), "%v and %v (%v) are one type and cannot both be events; mark one of them //eventmap:ignore", d, first.decl, s.Pos(first.decl.obj.Pos()))
		return
	}
	if sums := s.sumsOf(named); len(sums) > 1 {
		s.problem(d.obj.Pos(), "%v implements both %v (%v) and %v (%v), but an event belongs to one aggregate; give each interface a method of its own, such as is%sEvent()",
			d, sums[0].decl, s.Pos(sums[0].decl.obj.Pos()), sums[1].decl, s.Pos(sums[1].decl.obj.Pos()), upperCamel(sums[0].decl.src.Name))
		return
	}
	e.model = model.Event{Name: d.obj.Name(), Version: 1, Type: d.name(), Doc: d.doc, Pos: s.Pos(d.obj.Pos())}
	if n, ok := pathVersion(d.src.Below); ok {
		e.model.Version = n
	}
	if e.mark != nil && e.mark.name != "" {
		e.model.Name = e.mark.name
	}
	if e.mark != nil && e.mark.version != 0 {
		e.model.Version = e.mark.version
	}
	s.events = append(s.events, e)
	s.byType[named.Obj()] = e
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
