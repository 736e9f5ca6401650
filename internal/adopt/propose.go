package adopt

import (
	"fmt"
	"go/ast"
	"go/types"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// readSums finds the interfaces that only events have: those with a method that names events or one of their own, which
// is not exported. What implements one is an event.
func (s *search) readSums() {
	s.sums = slices.DeleteFunc(s.sums, func(u *sum) bool { return u.generated || !isOfEvents(u) })
	for _, u := range s.sums {
		for _, c := range s.order {
			if c.pkg == u.pkg && implements(c, u) && !isCommand(c.obj.Name()) {
				c.strong = append(c.strong, "it implements "+u.String()+" ("+s.at(u.obj.Pos())+")")
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
	if isCommand(u.obj.Name()) || !strings.HasSuffix(u.obj.Name(), "Event") && !strings.HasSuffix(u.obj.Name(), "Events") {
		return false
	}
	for m := range u.iface.Methods() {
		if !m.Exported() || namesEvent.MatchString(m.Name()) || strings.HasPrefix(m.Name(), "Is") || namesMessage.MatchString(m.Name()) {
			return true
		}
	}
	return false
}

func implements(c *candidate, u *sum) bool {
	return types.Implements(c.obj.Type(), u.iface) || types.Implements(types.NewPointer(c.obj.Type()), u.iface)
}

// A group is the events of one aggregate.
type group struct {
	name   string
	state  *candidate // or nil
	why    string
	events []*candidate
}

// propose groups the events and decides on the marks.
func (s *search) propose() {
	groups := map[string]*group{}
	for _, c := range s.order {
		if !c.isEvent() || s.lendsMethods(c) {
			continue
		}
		s.proposal.Events++
		switch {
		case c.marked:
			continue
		case c.generated:
			s.ask(c.obj.Pos(), "%v is an event (%s), but its file is generated, which no mark survives; declare a type of your own for it", c, c.reason())
			continue
		case !c.obj.Exported():
			s.ask(c.obj.Pos(), "%v is an event (%s), but is not exported, so generated code cannot name it; export it", c, c.reason())
			continue
		case len(c.names) > 1:
			s.ask(c.obj.Pos(), "%v has several stored names: %s; mark it //eventmap:event name=... with the one that the log has, and one type for each other", c, listed(c.names))
			continue
		}
		if _, ok := c.obj.Type().Underlying().(*types.Struct); !ok {
			s.ask(c.obj.Pos(), "%v is an event (%s), but is no struct; wrap it: type %s struct { Value %s }, with MarshalJSON and UnmarshalJSON if its JSON has to stay as it is", c, c.reason(), c.obj.Name(), types.TypeString(c.obj.Type().Underlying(), (*types.Package).Name))
			continue
		}
		g := s.groupOf(c)
		if groups[g.name] == nil {
			groups[g.name] = &g
		} else if known := groups[g.name]; known.state == nil {
			known.state = g.state
		}
		groups[g.name].events = append(groups[g.name].events, c)
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		s.markGroup(groups[name])
	}
}

// lendsMethods reports whether a struct is a base: another event embeds it, and no event is made of it alone.
func (s *search) lendsMethods(c *candidate) bool {
	if len(c.aggregates) > 0 || len(c.names) > 0 {
		return false
	}
	return slices.ContainsFunc(s.order, func(other *candidate) bool {
		st, ok := other.obj.Type().Underlying().(*types.Struct)
		if !ok || other == c {
			return false
		}
		for field := range st.Fields() {
			t := types.Unalias(field.Type())
			if p, isPointer := t.(*types.Pointer); isPointer {
				t = types.Unalias(p.Elem())
			}
			if named, isNamed := t.(*types.Named); field.Embedded() && isNamed && named.Obj() == c.obj {
				return true
			}
		}
		return false
	})
}

// reason says why a type is an event, by the best that was found.
func (c *candidate) reason() string {
	for _, where := range slices.Sorted(maps.Values(c.aggregates)) {
		return where
	}
	return c.strong[0]
}

func listed(names map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		all = append(all, fmt.Sprintf("%q by %s", name, names[name]))
	}
	return strings.Join(all, ", ")
}

// groupOf returns the aggregate of an event: the one whose state it is applied to, else its package's.
func (s *search) groupOf(c *candidate) group {
	states := slices.SortedFunc(maps.Keys(c.aggregates), func(a, b *types.TypeName) int { return s.ByPosition(a.Pos(), b.Pos()) })
	states = slices.DeleteFunc(states, func(state *types.TypeName) bool { return len(states) > 1 && state.Pkg() != c.obj.Pkg() })
	if len(states) > 1 {
		var names []string
		for _, state := range states {
			names = append(names, state.Name())
		}
		s.ask(c.obj.Pos(), "%v is applied to several states, %s; it is marked for the first, and an event belongs to one: say which with aggregate=NAME, and give the others a type of their own", c, strings.Join(names, " and "))
	}
	if len(states) > 0 {
		state := s.types[states[0]]
		name, why := strings.TrimSuffix(strings.TrimSuffix(state.obj.Name(), "Aggregate"), "State"), c.aggregates[states[0]]
		if named := s.aggNames[states[0]]; named != "" {
			name = named
		} else if named := s.pkgNames[state.pkg]; named != "" {
			name = named
		}
		if name == "" {
			name = camel(state.pkg.Name)
		}
		return group{name: name, state: state, why: why}
	}
	if named := s.pkgNames[c.pkg]; named != "" {
		return group{name: named, why: "package " + c.pkg.Name + " says that this is its aggregate type"}
	}
	return group{name: packageAggregate(c), why: "by package " + c.pkg.Name}
}

// packageAggregate returns the aggregate that eventmap-gen gives the events of a package without marks.
func packageAggregate(c *candidate) string {
	below := c.pkg.Below
	for below != "" {
		last := path.Base(below)
		isVersion := len(last) > 1 && last[0] == 'v' && strings.Trim(last[1:], "0123456789") == ""
		if last != "events" && !isVersion {
			break
		}
		below = strings.TrimSuffix(strings.TrimSuffix(below, last), "/")
	}
	if below == c.pkg.Below || below == "" {
		return camel(c.pkg.Name)
	}
	return camel(path.Base(below))
}

func camel(words string) string {
	var b strings.Builder
	upper := true
	for _, r := range words {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			upper = true
		case upper:
			b.WriteRune(unicode.ToUpper(r))
			upper = false
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// markGroup marks the events of one aggregate: by the interface that they all implement and nothing else does, or each.
func (s *search) markGroup(g *group) {
	u := s.sumOf(g)
	if u != nil {
		s.mark(&u.candidate, "//eventmap:events "+quoted(g.name), fmt.Sprintf("the %d events of %s implement it, and nothing else does", len(g.events), g.name))
	}
	for _, c := range g.events {
		text, reasons := "//eventmap:event", []string{c.reason()}
		for name, where := range c.names { // one at most
			if name != c.obj.Name() {
				text += " name=" + quoted(name)
			}
			reasons = []string{where + fmt.Sprintf(" says %q", name)}
		}
		if len(c.names) == 0 && s.byMessage != "" {
			text += " name=" + quoted(c.pkg.Name+"."+c.obj.Name())
			reasons = append(reasons, "watermill stores it as package and type unless told otherwise")
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
		if u == nil && g.name != packageAggregate(c) {
			text += " aggregate=" + quoted(g.name)
			reasons = append(reasons, g.why)
		}
		if u == nil || text != "//eventmap:event" {
			s.mark(c, text, strings.Join(unique(reasons), "; "))
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

func unique(reasons []string) []string {
	slices.Sort(reasons)
	return slices.Compact(reasons)
}

// sumOf returns the interface that all events of a group implement and nothing else does, or nil.
func (s *search) sumOf(g *group) *sum {
	for _, u := range s.sums {
		if u.marked || !slices.ContainsFunc(g.events, func(c *candidate) bool { return c.pkg == u.pkg }) {
			continue
		}
		exact := true
		for _, c := range s.order {
			_, isStruct := c.obj.Type().Underlying().(*types.Struct)
			exact = exact && (implements(c, u) == slices.Contains(g.events, c) || implements(c, u) && isStruct && s.lendsMethods(c))
		}
		if exact {
			return u
		}
	}
	return nil
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

// markFields marks fields whose JSON is of no type that is known beforehand, and asks about those that would be lost.
func (s *search) markFields(c *candidate, expr ast.Expr, seen map[*candidate]bool) {
	st, ok := expr.(*ast.StructType)
	if !ok {
		return
	}
	for _, field := range st.Fields.List {
		if isMarked(field.Doc) || isMarked(field.Comment) || field.Tag != nil && strings.Contains(field.Tag.Value, `json:"-"`) {
			continue
		}
		t := c.pkg.Info.TypeOf(field.Type)
		if t == nil {
			continue
		}
		if holdsAny(t) {
			name := "an embedded field"
			if len(field.Names) > 0 {
				name = field.Names[0].Name
			}
			s.proposal.Marks = append(s.proposal.Marks, Mark{
				Pos: s.Pos(field.Pos()), Text: "//eventmap:opaque", Subject: c.String() + "." + name,
				Reason: "it is of type " + types.TypeString(t, (*types.Package).Name) + ", of which nothing is known beforehand", file: c.file, node: field})
			continue
		}
		for _, name := range field.Names {
			if !name.IsExported() && name.Name != "_" {
				s.ask(name.Pos(), "%v.%s is not exported, so encoding/json does not store it; export it, or tag it `json:\"-\"` if it need not be stored", c, name.Name)
			}
		}
		if inner := s.innerOf(t); inner != nil && !seen[inner] && !inner.generated {
			seen[inner] = true
			s.markFields(inner, inner.spec.Type, seen)
		}
	}
}

// innerOf returns the struct of the sources that a type holds, or nil.
func (s *search) innerOf(t types.Type) *candidate {
	for {
		switch u := types.Unalias(t).(type) {
		case *types.Pointer:
			t = u.Elem()
		case *types.Slice:
			t = u.Elem()
		case *types.Array:
			t = u.Elem()
		case *types.Map:
			t = u.Elem()
		case *types.Named:
			return s.types[u.Obj()]
		default:
			return nil
		}
	}
}

// holdsAny reports whether a type holds values of any type.
func holdsAny(t types.Type) bool {
	if m, _, _ := types.LookupFieldOrMethod(t, true, nil, "MarshalJSON"); m != nil {
		return false
	}
	switch u := t.Underlying().(type) {
	case *types.Interface:
		return true
	case *types.Pointer:
		return holdsAny(u.Elem())
	case *types.Slice:
		return holdsAny(u.Elem())
	case *types.Array:
		return holdsAny(u.Elem())
	case *types.Map:
		return holdsAny(u.Elem())
	}
	return false
}

// mark adds a mark to a type.
func (s *search) mark(c *candidate, text, reason string) {
	m := Mark{Pos: s.Pos(c.obj.Pos()), Text: text, Subject: c.String(), Reason: reason, file: c.file, node: c.spec}
	if !c.decl.Lparen.IsValid() {
		m.node = c.decl
	}
	s.proposal.Marks = append(s.proposal.Marks, m)
}
