package adopt

import (
	"go/types"
	"maps"
	"slices"
	"strings"
)

// A sum is an interface that may stand for all events of an aggregate.
type sum struct {
	candidate
	iface *types.Interface
}

// readSums finds the interfaces that only events have: those with a method that names events or one of their own, which
// is not exported. What implements one is an event.
func (s *search) readSums() {
	s.sums = slices.DeleteFunc(s.sums, func(u *sum) bool { return u.generated || u.ignored || !u.marked && !isOfEvents(u) })
	for _, u := range s.sums {
		for _, c := range s.order {
			if c.pkg == u.pkg && c.implements(u) && (u.marked || roleOf(c.obj.Name()) == "") {
				c.because("it implements %v (%s)", u, s.at(u.obj.Pos()))
			}
		}
	}
	for _, c := range s.order {
		if len(c.names) == 0 && c.isEvent() {
			maps.Copy(c.names, c.weak)
		}
	}
}

// isOfEvents reports whether an interface is for events only.
func isOfEvents(u *sum) bool {
	if !strings.HasSuffix(u.obj.Name(), "Event") && !strings.HasSuffix(u.obj.Name(), "Events") {
		return false
	}
	for m := range u.iface.Methods() {
		if !m.Exported() || namesEvent.MatchString(m.Name()) || strings.HasPrefix(m.Name(), "Is") || namesMessage.MatchString(m.Name()) {
			return true
		}
	}
	return false
}

// sumOf returns the interface that all events of a group implement and nothing else does, or nil.
func (s *search) sumOf(g *group) *sum {
	for _, u := range s.sums {
		if u.marked || !slices.ContainsFunc(g.events, func(c *candidate) bool { return c.pkg == u.pkg }) {
			continue
		}
		exact := true
		for _, c := range s.order {
			exact = exact && (c.implements(u) == contains(g.events, c) || c.implements(u) && c.structType() != nil && s.lendsMethods(c))
		}
		if exact {
			return u
		}
	}
	return nil
}

// markedSum returns the interface with a mark that a type implements, or nil.
func (s *search) markedSum(c *candidate) *sum {
	for _, u := range s.sums {
		if u.marked && c.pkg == u.pkg && c.implements(u) {
			return u
		}
	}
	return nil
}

// lendsMethods reports whether a struct is a base: another type embeds it, and no event is made of it alone.
func (s *search) lendsMethods(c *candidate) bool {
	if len(c.aggregates) > 0 || len(c.names) > 0 {
		return false
	}
	return slices.ContainsFunc(s.order, func(other *candidate) bool {
		st := other.structType()
		if st == nil || other == c {
			return false
		}
		for field := range st.Fields() {
			if named := pointee(field.Type()); field.Embedded() && named != nil && named.Obj() == c.obj {
				return true
			}
		}
		return false
	})
}
