package astscan

import (
	"fmt"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"github.com/eventmap/eventmap/internal/model"
)

// A state is a struct marked as what an aggregate's events fold into.
type state struct {
	decl     *typeDecl
	mark     *mark
	named    *types.Named
	group    *aggregate
	id       model.ID
	appliers []model.Applier
}

// states are those of the aggregates that have one.
type states map[*aggregate]*state

// A stateFinder finds states.
type stateFinder struct {
	*scan
	decls  *declarations
	events *events
	groups aggregates
	up     upcasts
	found  states
}

// findStates finds the marked states and how events are applied to them.
func (s *scan) findStates(decls *declarations, events *events, groups aggregates, up upcasts) states {
	f := stateFinder{s, decls, events, groups, up, states{}}
	for _, src := range decls.sources {
		for _, d := range src.types {
			if m := d.marked("aggregate"); m != nil {
				f.find(d, m)
			}
		}
	}
	return f.found
}

// find reads one state.
func (s stateFinder) find(d *typeDecl, m *mark) {
	if s.brokenWithin(d.spec.Pos(), d.spec.End()) {
		return
	}
	named, ok := d.typ().(*types.Named)
	if !ok {
		s.problem(m.pos, "%v stands on another name for a struct that has none; declare %s as a type of its own", *m, d.obj.Name())
		return
	}
	st := &state{decl: d, mark: m, named: named}
	if st.group = s.groupOf(st); st.group == nil {
		return
	}
	if first := s.found[st.group]; first != nil {
		s.problem(d.obj.Pos(), "%v and %v (%v) are both the state of %s; name another aggregate in one of the marks, such as %v name=%s", d, first.decl, s.Pos(first.decl.obj.Pos()), st.group.name, *m, d.obj.Name())
		return
	}
	s.checkLocks(st)
	s.found[st.group] = st
	st.id = s.findID(st)
	s.findAppliers(st)
	s.note(d.obj.Pos(), "%v is the state of %s", d, st.group.name)
}

// checkLocks reports the locks of a state.
func (s stateFinder) checkLocks(st *state) {
	held := payloadReader{scan: s.scan, decls: s.decls}.locks(st.decl.obj)
	for _, l := range held {
		s.problem(l.Pos, "%s holds a lock, and generated code returns states by value; use a plain field: each Load makes a state of its own, to be guarded where it is shared", l.Path)
	}
	if len(held) == 0 && holdsLock(st.named) {
		s.problem(st.decl.obj.Pos(), "%v has methods Lock and Unlock, which go vet takes for those of a lock, and generated code returns states by value; rename them", st.decl)
	}
}

// groupOf returns the aggregate that a state belongs to: the one its mark names; else the one it shares its name with;
// else the one of its package's events. It reports a state of which there is none.
func (s stateFinder) groupOf(st *state) *aggregate {
	if len(s.groups) == 0 {
		return nil // a problem that is reported already keeps the events from being found
	}
	var names []string
	for _, g := range s.groups {
		names = append(names, g.name)
	}
	known := strings.Join(names, ", ")
	if st.mark.name != "" {
		g := s.groups.find(st.mark.name)
		if g == nil {
			s.problem(st.mark.pos, "%v is marked as the state of %s, which has no events; there are events of %s: name the aggregate alike in both, for instance by //eventmap:aggregate %s on the package clause of the events",
				st.decl, st.mark.name, known, st.mark.name)
		}
		return g
	}
	if g := s.groups.find(st.decl.obj.Name()); g != nil {
		return g
	}
	var near []*aggregate
	for _, g := range s.groups {
		if slices.ContainsFunc(g.events, func(e *event) bool { return e.decl.src == st.decl.src }) {
			near = append(near, g)
		}
	}
	if len(near) == 0 {
		if g := s.groups.find(s.packageNaming(s.decls, st.decl.src, "").name); g != nil {
			return g
		}
	}
	if len(near) != 1 {
		name := "..."
		if len(s.groups) == 1 {
			name = quoted(s.groups[0].name)
		}
		s.problem(st.mark.pos, "%v does not say which aggregate %v is the state of; there are events of %s: write %v name=%s", *st.mark, st.decl, known, *st.mark, name)
		return nil
	}
	return near[0]
}

// findAppliers finds the methods by which events are applied to the state: one that takes them all, or one for each.
func (s stateFinder) findAppliers(st *state) {
	var all []model.Applier
	byEvent := map[*event][]model.Applier{}
	var misses []string
	var strays []*types.Func
	misnamed := map[*event][]*types.Func{} // of nil: those that take the sum
	methods := types.NewMethodSet(types.NewPointer(st.named))
	for sel := range methods.Methods() {
		m, ok := sel.Obj().(*types.Func)
		if !ok || s.decls.ignored[m.Pos()] || m.Signature().Params().Len() != 1 || m.Signature().Variadic() {
			continue
		}
		param := m.Signature().Params().At(0).Type()
		if !m.Exported() {
			if found, _ := s.events.of(param); found.in(st.group.name) != nil {
				misses = append(misses, m.Name()+" is not exported")
			}
			continue
		}
		takesSum := st.group.sum != nil && types.Identical(param, st.group.sum.decl.obj.Type())
		found, pointer := s.events.of(param)
		e := found.in(st.group.name)
		if !takesSum && e == nil {
			if types.IsInterface(param) {
				misses = append(misses, fmt.Sprintf("%s takes %s, which is not marked //eventmap:events", m.Name(), types.TypeString(param, qualifier(st.decl.src.Types))))
			}
			if len(found) == 0 {
				strays = append(strays, m)
			}
			continue
		}
		applier := model.Applier{Method: m.Name(), TakesPointer: pointer, Pos: s.Pos(m.Pos())}
		if why := readApplier(&applier, m, st.named); why != "" {
			misses = append(misses, m.Name()+" "+why)
			s.note(m.Pos(), "%s applies no event: it %s", m.Name(), why)
			continue
		}
		if !s.appliesByName(m.Name(), e, takesSum, st) {
			misnamed[e] = append(misnamed[e], m)
			s.note(m.Pos(), "%s applies no event: it is not called as a method that does, such as On%s", m.Name(), typeNameOf(m.Signature().Params().At(0).Type()))
			continue
		}
		if takesSum {
			all = append(all, applier)
			continue
		}
		applier.Event, applier.Version = e.model.Name, e.model.Version
		byEvent[e] = append(byEvent[e], applier)
	}
	if len(all) == 0 && len(byEvent) == 0 && len(misnamed[nil]) > 0 {
		s.reportMisnamed(st, misnamed[nil][0], "Apply")
		return
	}
	if len(all) > 0 {
		s.oneApplier(st, all, st.group.sum.decl.String())
		st.appliers = all[:1]
		return
	}
	for _, e := range st.group.events {
		if appliers := byEvent[e]; len(appliers) > 0 {
			s.oneApplier(st, appliers, e.decl.String())
			if s.up[e] == nil {
				st.appliers = append(st.appliers, appliers[0])
			}
		}
	}
	if s.checkMisnamed(st, byEvent, misnamed) {
		return
	}
	s.checkExhaustive(st, byEvent, misses)
	s.checkStrays(st, strays)
}

// appliesByName reports whether a method is called as one that applies an event: OnPlaced, ApplyPlaced or WhenPlaced, with
// the name of the event's type or the one it is stored under and perhaps its version, or that alone; or Apply alone.
func (s *scan) appliesByName(name string, e *event, takesSum bool, st *state) bool {
	subjects := []string{""}
	if takesSum {
		subjects = append(subjects, "Event", st.group.sum.decl.obj.Name())
	} else {
		version := "V" + strconv.Itoa(e.model.Version)
		for _, subject := range []string{e.decl.obj.Name(), upperCamel(e.model.Name)} {
			subjects = append(subjects, subject, subject+version, upperCamel(e.decl.src.Name)+subject)
		}
	}
	verbs := []string{"On", "Apply", "When", "With"}
	if takesSum {
		verbs = append(verbs, "Evolve", "Fold", "Mutate", "Transition")
	}
	if !takesSum && slices.Contains(subjects[1:], name) {
		return true
	}
	for _, verb := range verbs {
		rest, ok := strings.CutPrefix(name, verb)
		if ok && slices.ContainsFunc(subjects, func(subject string) bool { return isNumbered(rest, subject) }) {
			return true
		}
	}
	return false
}

// isNumbered reports whether a name is the subject, or the subject and a number that tells it from another's.
func isNumbered(name, subject string) bool {
	number, ok := strings.CutPrefix(name, subject)
	return ok && strings.Trim(number, "0123456789") == "" && (number == "" || subject != "")
}

// typeNameOf returns the name of the type that t is or points to.
func typeNameOf(t types.Type) string {
	if named := namedOf(t); named != nil {
		return named.Obj().Name()
	}
	return "Event"
}

// checkMisnamed reports events that only methods of other names take: whether those apply them would be a guess.
func (s *scan) checkMisnamed(st *state, byEvent map[*event][]model.Applier, misnamed map[*event][]*types.Func) bool {
	found := false
	for _, e := range st.group.events {
		if methods := misnamed[e]; e.model.Current() && len(byEvent[e]) == 0 && len(methods) > 0 {
			for _, m := range methods {
				s.reportMisnamed(st, m, applierName(st, e.decl.obj.Name()))
			}
			found = true
		}
	}
	return found
}

func (s *scan) reportMisnamed(st *state, m *types.Func, want string) {
	param := types.TypeString(m.Signature().Params().At(0).Type(), qualifier(st.decl.src.Types))
	s.problem(m.Pos(), "%s takes %s, but is not called %s: whether it applies it to %v would be a guess; rename it, or mark it //eventmap:ignore", m.Name(), param, want, st.decl)
}

// readApplier reads what a method does with the state. If it is no applier, why says so.
func readApplier(a *model.Applier, m *types.Func, state *types.Named) (why string) {
	sig := m.Signature()
	_, a.PointerReceiver = types.Unalias(sig.Recv().Type()).(*types.Pointer)
	n := sig.Results().Len()
	if n > 0 && isError(sig.Results().At(n-1).Type()) {
		a.ReturnsError = true
		n--
	}
	switch {
	case n == 0 && a.PointerReceiver:
		a.Result = model.Mutates
	case n == 0:
		return "has a value receiver and returns no " + state.Obj().Name() + ", so what it changes is lost"
	case n == 1 && types.Identical(sig.Results().At(0).Type(), state):
		a.Result = model.GivesState
	case n == 1 && types.Identical(sig.Results().At(0).Type(), types.NewPointer(state)):
		a.Result = model.GivesStatePtr
	default:
		return "returns " + types.TypeString(sig.Results(), qualifier(state.Obj().Pkg()))
	}
	return ""
}

// oneApplier reports all but one of several methods that take the same.
func (s *scan) oneApplier(st *state, appliers []model.Applier, takes string) {
	for _, a := range appliers[1:] {
		s.problems = append(s.problems, model.Problem{Pos: a.Pos, Message: fmt.Sprintf(
			"%s and %s (%v) both take %s, and either could apply it to %v; mark the one that does not //eventmap:ignore",
			a.Method, appliers[0].Method, appliers[0].Pos, takes, st.decl)})
	}
}

// checkExhaustive reports the events that reach the state and have no method there.
func (s stateFinder) checkExhaustive(st *state, byEvent map[*event][]model.Applier, misses []string) {
	hint := ""
	if len(misses) > 0 {
		hint = " (" + strings.Join(misses, "; ") + ")"
	}
	name := st.decl.obj.Name()
	receiver := strings.ToLower(name[:1]) + " *" + name
	if len(byEvent) == 0 {
		first := st.group.events[0].decl
		remedy := "one such method for each event, such as func (" + receiver + ") Apply" + first.obj.Name() + "(e " + s.typeString(first, st.decl.src) + ")"
		if st.group.sum != nil {
			remedy = "func (" + receiver + ") Apply(e " + s.typeString(st.group.sum.decl, st.decl.src) + ")"
		}
		s.problem(st.decl.obj.Pos(), "%v is the state of %s, but has no exported method that takes an event%s; add %s", st.decl, st.group.name, hint, remedy)
		return
	}
	for _, e := range st.group.events {
		if s.up[e] == nil && len(byEvent[e]) == 0 {
			s.problem(st.decl.obj.Pos(), "%v has no method that takes %v, an event of %s%s; add func (%s) %s(e %s)",
				st.decl, e.decl, st.group.name, hint, receiver, applierName(st, e.decl.obj.Name()), s.typeString(e.decl, st.decl.src))
		}
	}
}

// checkStrays reports methods that look as if they applied an event, but whose parameter is none: what was meant to be one
// would never be stored, and nobody would say so.
func (s *scan) checkStrays(st *state, methods []*types.Func) {
	for _, m := range methods {
		named := namedOf(m.Signature().Params().At(0).Type())
		if named == nil || named.Obj().Pkg() != st.named.Obj().Pkg() || len(st.appliers) == 0 || m.Name() != applierName(st, named.Obj().Name()) {
			continue
		}
		if _, ok := named.Underlying().(*types.Struct); !ok {
			continue
		}
		remedy := "mark it //eventmap:event"
		if sum := st.group.sum; sum != nil {
			missing, _ := types.MissingMethod(types.NewPointer(named), sum.iface, true)
			if missing == nil { // what events embed implements their interface too, and is none
				continue
			}
			remedy = fmt.Sprintf("add its method %s of %v", signature(missing, named.Obj().Pkg()), sum.decl)
		}
		s.problem(m.Pos(), "%s takes %s, which is no event of %s; %s, or mark the method //eventmap:ignore", m.Name(), named.Obj().Name(), st.group.name, remedy)
	}
}

// applierName proposes the name of a method that applies an event, in the manner of those that are there.
func applierName(st *state, event string) string {
	for _, a := range st.appliers {
		if other := st.group.find(a.Event, a.Version); other != nil && strings.Contains(a.Method, other.decl.obj.Name()) {
			return strings.Replace(a.Method, other.decl.obj.Name(), event, 1)
		}
	}
	return "Apply" + event
}

// typeString names a type as code of the package names it.
func (s *scan) typeString(d *typeDecl, in *source) string {
	if d.src == in {
		return d.obj.Name()
	}
	return d.src.Name + "." + d.obj.Name()
}

// find returns the named version.
func (g *aggregate) find(name string, version int) *event {
	for _, e := range g.events {
		if e.model.Name == name && e.model.Version == version {
			return e
		}
	}
	return nil
}
