package astscan

import (
	"go/types"
	"slices"
	"strings"
)

// A sum is an interface marked as the events of an aggregate.
type sum struct {
	decl  *typeDecl
	mark  *mark
	iface *types.Interface
	ids   []string // of its methods
	named naming   // of its aggregate
	// shared says that there are structs that implement another marked interface as well.
	shared bool
}

// sums are the marked interfaces.
type sums []*sum

// findSums finds the marked interfaces, each with the aggregate that it names.
func (s *scan) findSums(decls *declarations) (found sums) {
	for _, src := range decls.sources {
		for _, d := range src.types {
			m := d.marked("events")
			if m == nil {
				continue
			}
			iface := d.typ().Underlying().(*types.Interface)
			switch {
			case s.brokenWithin(d.spec.Pos(), d.spec.End()):
			case !iface.IsMethodSet():
				s.problem(m.pos, "%v stands on %s, which is a constraint and not the type of a value; mark an interface that has methods only", *m, d.obj.Name())
			case iface.Empty():
				s.problem(m.pos, "%v stands on %s, which every type implements; give it a method that only events have, such as is%s()", *m, d.obj.Name(), d.obj.Name())
			case isCommon(iface):
				s.problem(m.pos, "%v stands on %s, which asks for %s only, as many other types have; give it a method that only events have, such as is%s()", *m, d.obj.Name(), methodNames(iface), d.obj.Name())
			default:
				u := &sum{decl: d, mark: m, iface: iface, named: s.packageNaming(decls, src, "interface "+d.String()+", ")}
				if len(m.aggregates) > 0 {
					u.named = naming{name: m.aggregates[0], why: "interface " + d.String(), pos: m.pos}
				}
				u.named.rank = 1
				found = append(found, u)
			}
		}
	}
	for _, u := range found {
		for m := range u.iface.Methods() {
			u.ids = append(u.ids, m.Id())
		}
	}
	forEach(shares(decls.sources), func(share []*source) {
		for _, src := range share {
			for _, d := range src.types {
				d.sums = found.of(d)
			}
		}
	})
	s.checkOneSum(found)
	return found
}

// isCommon reports whether an interface asks for nothing but methods that all kinds of values have.
func isCommon(iface *types.Interface) bool {
	for m := range iface.Methods() {
		switch m.Name() {
		case "String", "GoString", "Error", "MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText", "MarshalBinary", "UnmarshalBinary":
		default:
			return false
		}
	}
	return true
}

// implementedBy reports whether t implements the interface. It asks for methods that are there: [types.Implements] gives the
// benefit of the doubt to a struct that embeds what is not generated yet.
func (u *sum) implementedBy(t types.Type) bool {
	missing, _ := types.MissingMethod(t, u.iface, true)
	return missing == nil
}

// of returns the marked interfaces that a declared type implements, by value or pointer. Names are compared first: where
// there are many interfaces, nearly all of them ask for a method of a name that the type has not.
func (us sums) of(d *typeDecl) (found sums) {
	if len(us) == 0 || d.isGeneric() || types.IsInterface(d.typ()) {
		return nil
	}
	pointer := types.NewPointer(d.typ())
	methods := types.NewMethodSet(pointer)
	if methods.Len() == 0 {
		return nil
	}
	has := make(map[string]bool, methods.Len())
	for m := range methods.Methods() {
		has[m.Obj().Id()] = true
	}
	for _, u := range us {
		if !slices.ContainsFunc(u.ids, func(id string) bool { return !has[id] }) && u.implementedBy(pointer) {
			found = append(found, u)
		}
	}
	return found
}

// embeddedEvents returns, for each struct that implements a marked interface and lends its methods to another that
// does, which one that is. Such a struct is a base of events and no event.
func embeddedEvents(decls *declarations) map[*types.TypeName]*typeDecl {
	bases := map[*types.TypeName]*typeDecl{}
	for _, src := range decls.sources {
		for _, d := range src.types {
			st := d.structType()
			if st == nil || d.isGeneric() || len(d.sums) == 0 {
				continue
			}
			for field := range st.Fields() {
				if named := namedOf(field.Type()); field.Embedded() && named != nil && bases[named.Obj()] == nil {
					bases[named.Obj()] = d
				}
			}
		}
	}
	return bases
}

// namedOf returns the named type that t is or points to, behind any alias, or nil.
func namedOf(t types.Type) *types.Named {
	t = types.Unalias(t)
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	named, _ := t.(*types.Named)
	return named
}

// checkSums compares each aggregate's events with its interface.
func (s *scan) checkSums(us sums, events *events, groups aggregates, up upcasts) {
	for _, u := range us {
		if !u.shared && groups.find(u.named.name) == nil {
			s.problem(u.mark.pos, "no struct implements %v; give each event of %s its methods (%s), or scan the packages that hold them", u.decl, u.named.name, methodNames(u.iface))
		}
	}
	for _, e := range events.all {
		all := events.byType[e.named.Obj()]
		for _, u := range e.decl.sums {
			if all.in(u.named.name) == nil {
				s.problem(e.decl.obj.Pos(), "%v is an event of %s (%s) and implements %v, the events of %s; mark it //eventmap:event aggregate=%s, take the methods of %v from it, or name all in its mark if streams of each hold it: %s",
					e.decl, all.aggregates(), e.naming.why, u.decl, u.named.name, quoted(u.named.name), u.decl, aggregateKeys(append(all.names(), u.named.name)))
			}
		}
	}
	for _, g := range groups {
		if g.sum == nil {
			continue
		}
		for _, e := range g.events {
			if !slices.Contains(e.decl.sums, g.sum) && up[e] == nil {
				s.lacksMethod(g, e)
			}
		}
	}
}

// lacksMethod reports an event that does not implement its aggregate's interface and reaches user code.
func (s *scan) lacksMethod(g *aggregate, e *event) {
	missing, wrong := types.MissingMethod(types.NewPointer(e.named), g.sum.iface, true)
	what := "lacks method"
	if wrong {
		what = "has the wrong form of method"
	}
	remedy := "add it"
	if !missing.Exported() && missing.Pkg() != e.decl.obj.Pkg() {
		remedy = "declare it in package " + missing.Pkg().Name() + ", or export the method"
	}
	if latest := g.latest(e.model.Name); latest != e {
		remedy += ", or write an //eventmap:upcast function that turns it into " + latest.decl.String()
	}
	if e.how == byConvention {
		remedy += ", or mark " + e.decl.obj.Name() + " //eventmap:ignore if it is no event"
	}
	s.problem(e.decl.obj.Pos(), "%v is an event of %s, but %s %s of %v; %s", e.decl, g.name, what, signature(missing, e.decl.obj.Pkg()), g.sum.decl, remedy)
}

// signature writes a method as an interface declares it, for readers of package pkg.
func signature(m *types.Func, pkg *types.Package) string {
	return m.Name() + strings.TrimPrefix(types.TypeString(m.Type(), qualifier(pkg)), "func")
}

// methodNames lists the methods of an interface.
func methodNames(iface *types.Interface) string {
	var names []string
	for m := range iface.Methods() {
		names = append(names, m.Name())
	}
	return strings.Join(names, ", ")
}
