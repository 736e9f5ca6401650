package adopt

import (
	"fmt"
	"go/types"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/eventmap/eventmap/internal/astscan"
)

// propose groups the events and decides on the marks.
func (s *search) propose() {
	groups := map[string]*group{}
	for _, c := range s.order {
		if !c.isEvent() || c.ignored {
			continue
		}
		if c.markedName != "" {
			s.proposal.Events++
			continue
		}
		if why := s.notEvent(c); why != "" {
			if !c.folds {
				s.note(c.obj.Pos(), "%v is not marked: %s, though %s", c, why, c.reason())
			}
			continue
		}
		if s.lendsMethods(c) {
			continue
		}
		s.proposal.Events++
		if c.marked {
			continue
		}
		if why := s.refusal(c); why != "" {
			s.ask(c.obj.Pos(), "%s", why)
			continue
		}
		g := s.groupOf(c)
		if groups[g.name] == nil {
			groups[g.name] = &g
		} else if known := groups[g.name]; known.state == nil {
			known.state = g.state
		}
		c.aggregate = g.name
		groups[g.name].events = append(groups[g.name].events, c)
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		s.markGroup(groups[name])
	}
}

// refusal says why an event cannot be marked as it is, and what to do; or nothing.
func (s *search) refusal(c *candidate) string {
	if len(c.names) == 0 && c.computed == "" {
		c.computed = s.promotedName(c)
	}
	var why string
	switch {
	case c.madeOf != "":
		why = "its file is made of " + c.madeOf + ", as a //line comment says, and is written anew; write the mark there"
	case c.generated:
		why = "its file is generated, which no mark survives; declare a type of your own for it"
	case c.pkg.Name == "main":
		why = "package main cannot be imported by generated code; move it into a package of its own"
	case !c.obj.Exported():
		why = "is not exported, so generated code cannot name it; export it"
	case c.spec.TypeParams != nil:
		why = "is generic; declare a type for each event: type NAME " + c.obj.Name() + "[...]"
	case len(c.names) > 1:
		return fmt.Sprintf("%v has several stored names: %s; mark it //eventmap:event name=... with the one that the log has, and one type for each other", c, listed(c.names))
	case len(c.names) == 0 && c.computed != "":
		return fmt.Sprintf("%v is an event (%s), but its stored name is computed by %s; mark it //eventmap:event name=... with the one that the log has", c, c.reason(), c.computed)
	case c.structType() == nil:
		why = fmt.Sprintf("is no struct; wrap it: type %s struct { Value %s }, with MarshalJSON and UnmarshalJSON if its JSON has to stay as it is", c.obj.Name(), types.TypeString(c.obj.Type().Underlying(), (*types.Package).Name))
	default:
		return ""
	}
	return fmt.Sprintf("%v is an event (%s), but %s", c, c.reason(), why)
}

func listed(names map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		all = append(all, fmt.Sprintf("%q by %s", name, names[name]))
	}
	return strings.Join(all, ", ")
}

// markGroup marks the events of one aggregate: by the interface that they all implement and nothing else does, or each.
func (s *search) markGroup(g *group) {
	u := s.sumOf(g)
	if u != nil {
		s.mark(&u.candidate, "//eventmap:events "+quoted(g.name), fmt.Sprintf("the %d events of %s implement it, and nothing else does", len(g.events), g.name))
	}
	for _, c := range g.events {
		byInterface := u != nil || s.markedSum(c) != nil
		text, reason := s.markOf(c, g, byInterface)
		if !byInterface || text != "//eventmap:event" {
			s.mark(c, text, reason)
		}
		s.markFields(c, c.spec.Type, map[*candidate]bool{c: true})
	}
	if g.state != nil && !g.state.marked && !g.state.generated && g.state.obj.Exported() && s.foldsAll(g, u) {
		text := "//eventmap:aggregate"
		if g.name != g.state.obj.Name() {
			text += " name=" + quoted(g.name)
		}
		if !hasTextID(g.state) {
			text += " id=string"
		}
		s.mark(g.state, text, "it has a method that applies each event of "+g.name)
	}
}

// markOf returns the mark of an event, and why it is what it is.
func (s *search) markOf(c *candidate, g *group, byInterface bool) (text, reason string) {
	text, reasons := "//eventmap:event", []string{c.reason()}
	for name, where := range c.names { // one at most
		if name != c.obj.Name() {
			text += " name=" + quoted(name)
		}
		reasons = []string{where + fmt.Sprintf(" says %q", name)}
	}
	if len(c.names) == 0 && s.byMessage != "" {
		switch s.byMessage {
		case "FullyQualifiedStructName":
			text += " name=" + quoted(c.pkg.Name+"."+c.obj.Name())
			reasons = append(reasons, "watermill stores it as package and type unless told otherwise")
		case "StructName":
		default:
			s.ask(c.obj.Pos(), "%v is stored under the name that %s makes; mark it //eventmap:event name=... with the one that the log has", c, s.byMessage)
		}
	}
	if len(c.versions) > 1 {
		s.ask(c.obj.Pos(), "%v says several versions; mark it with version=", c)
	}
	for version, where := range c.versions {
		if len(c.versions) == 1 && version > 1 {
			text += " version=" + strconv.Itoa(version)
			reasons = append(reasons, where)
		}
	}
	if !byInterface && g.name != astscan.PackageAggregate(c.pkg) {
		text += " aggregate=" + quoted(g.name)
		reasons = append(reasons, g.why)
	}
	slices.Sort(reasons)
	return text, strings.Join(slices.Compact(reasons), "; ")
}

// foldsAll reports whether a state has one method in the form that generated code calls for each event.
func (s *search) foldsAll(g *group, u *sum) bool {
	methods := types.NewMethodSet(types.NewPointer(g.state.obj.Type()))
	takes := func(t types.Type, names ...string) bool {
		for sel := range methods.Methods() {
			m := sel.Obj().(*types.Func)
			sig := m.Signature()
			if sig.Params().Len() != 1 || !slices.Contains(names, m.Name()) || sig.Results().Len() > 1 {
				continue
			}
			param := types.Unalias(sig.Params().At(0).Type())
			if p, ok := param.(*types.Pointer); ok {
				param = types.Unalias(p.Elem())
			}
			if types.Identical(param, t) {
				return true
			}
		}
		return false
	}
	if u != nil && takes(u.obj.Type(), "Apply", "On", "When", "Mutate", "Transition", "Evolve", "Fold", "ApplyEvent", "OnEvent") {
		return true
	}
	for _, c := range g.events {
		name := c.obj.Name()
		if !takes(c.obj.Type(), "On"+name, "Apply"+name, "When"+name) {
			return false
		}
	}
	return true
}

// hasTextID reports whether the state's streams can be named by its field ID, or it has none.
func hasTextID(state *candidate) bool {
	obj, _, _ := types.LookupFieldOrMethod(state.obj.Type(), true, state.obj.Pkg(), "ID")
	field, ok := obj.(*types.Var)
	if !ok {
		return true
	}
	if isString(field.Type()) {
		return true
	}
	m, _, _ := types.LookupFieldOrMethod(field.Type(), false, nil, "String")
	_, ok = m.(*types.Func)
	return ok
}
