package astscan

import (
	"cmp"
	"go/token"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/eventmap/eventmap/internal/model"
)

// A naming says what an event's aggregate is called and why.
type naming struct {
	name string
	why  string
	pos  token.Pos
	rank int // of the rule: the lower, the more the user said so
}

// An aggregate is a group of events under one name.
type aggregate struct {
	naming
	scan   *scan
	sum    *sum
	state  *state
	events []*event // by name, then version
}

// nameAggregates gives every event its aggregate and groups them.
func (s *scan) nameAggregates() {
	for _, u := range s.sums {
		u.named = s.packageNaming(u.decl.src, "interface "+u.decl.String()+", ")
		if u.mark.aggregate != "" {
			u.named = naming{name: u.mark.aggregate, why: "interface " + u.decl.String(), pos: u.mark.pos}
		}
		u.named.rank = 1
	}
	s.checkOneSum()
	groups := map[string]*aggregate{}
	for _, e := range s.events {
		e.naming = s.naming(e)
		g := groups[e.naming.name]
		if g == nil {
			g = &aggregate{naming: e.naming, scan: s}
			groups[e.naming.name] = g
			s.groups = append(s.groups, g)
		} else if e.naming.rank < g.rank {
			g.naming = e.naming
		}
		g.events = append(g.events, e)
	}
	slices.SortFunc(s.groups, func(a, b *aggregate) int { return strings.Compare(a.name, b.name) })
	for _, u := range s.sums {
		if g := groups[u.named.name]; g != nil && g.sum == nil {
			g.sum = u
		}
	}
	for _, g := range s.groups {
		slices.SortStableFunc(g.events, func(a, b *event) int {
			return cmp.Or(strings.Compare(a.model.Name, b.model.Name), cmp.Compare(a.model.Version, b.model.Version))
		})
		s.checkVersions(g)
		for _, e := range g.events {
			s.note(e.decl.obj.Pos(), "%v is event %s version %d of %s (found by %s; aggregate by %s)", e.decl, e.model.Name, e.model.Version, g.name, e.how, e.naming.why)
		}
	}
}

// checkOneSum reports aggregates with more than one interface.
func (s *scan) checkOneSum() {
	first := map[string]*sum{}
	for _, u := range s.sums {
		if other := first[u.named.name]; other != nil {
			s.problem(u.mark.pos, "%v and %v (%v) are both marked as the events of %s; name another aggregate in one of the marks, or mark one interface only", u.decl, other.decl, s.Pos(other.mark.pos), u.named.name)
			continue
		}
		first[u.named.name] = u
	}
}

// checkVersions reports two types for one version of an event.
func (s *scan) checkVersions(g *aggregate) {
	for i := 1; i < len(g.events); i++ {
		a, b := g.events[i-1], g.events[i]
		if a.model.Name == b.model.Name && a.model.Version == b.model.Version {
			s.problem(b.decl.obj.Pos(), "%v and %v (%v) are both version %d of event %s of %s; mark one of them //eventmap:event with another version= or name=, or with its aggregate=",
				b.decl, a.decl, s.Pos(a.decl.obj.Pos()), b.model.Version, b.model.Name, g.name)
		}
	}
}

// naming returns the aggregate of an event: by its mark, by the interface it implements, or by its package.
func (s *scan) naming(e *event) naming {
	if e.mark != nil && e.mark.aggregate != "" {
		return naming{name: e.mark.aggregate, why: "mark", pos: e.mark.pos}
	}
	if sums := s.sumsOf(e.named); len(sums) > 0 {
		return sums[0].named
	}
	return s.packageNaming(e.decl.src, "")
}

// packageNaming returns the aggregate of a package's events: by the mark of its package clause, by the option, by the
// folder that holds it, or by its name.
func (s *scan) packageNaming(src *source, prefix string) naming {
	if src.aggregate != nil {
		return naming{name: src.aggregate.name, why: prefix + "mark of package " + src.Name, pos: src.aggregate.pos, rank: 2}
	}
	if s.options.Aggregate != "" {
		return naming{name: s.options.Aggregate, why: prefix + "option --aggregate", pos: src.Clause, rank: 3}
	}
	folder, moved := holder(src.Below)
	if !moved {
		return naming{name: upperCamel(src.Name), why: prefix + "name of package " + src.Name, pos: src.Clause, rank: 5}
	}
	if over := s.byPath[path.Join(src.Module, folder)]; over != nil && over.aggregate != nil {
		return naming{name: over.aggregate.name, why: prefix + "mark of package " + over.Name + " above it", pos: over.aggregate.pos, rank: 4}
	}
	name, why := path.Base(folder), "folder "+folder
	if folder == "" {
		name, why = moduleName(src.Module), "module "+src.Module
	}
	return naming{name: upperCamel(name), why: prefix + why, pos: src.Clause, rank: 4}
}

// holder returns the folder that holds the events/ and vN/ folders at the end of a path below a module. moved is false
// if it does not end in any.
func holder(below string) (folder string, moved bool) {
	for below != "" {
		last := path.Base(below)
		if _, ok := versionElement(last); !ok && last != "events" {
			break
		}
		moved = true
		below = strings.TrimSuffix(strings.TrimSuffix(below, last), "/")
	}
	return below, moved
}

// moduleName returns the last element of a module path that is not its major version.
func moduleName(modulePath string) string {
	last := path.Base(modulePath)
	if _, ok := versionElement(last); ok && strings.Contains(modulePath, "/") {
		last = path.Base(path.Dir(modulePath))
	}
	return last
}

// upperCamel makes a name of the words of a folder's or package's: purchase_order becomes PurchaseOrder.
func upperCamel(words string) string {
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

// latest returns the highest version of the named event.
func (g *aggregate) latest(name string) *event {
	var latest *event
	for _, e := range g.events {
		if e.model.Name == name {
			latest = e
		}
	}
	return latest
}

// model returns the aggregate in the model's terms.
func (g *aggregate) model() model.Aggregate {
	a := model.Aggregate{Name: g.name, Pos: g.scan.Pos(g.pos), Why: g.why}
	if g.sum != nil {
		a.Sum = g.sum.model(g.scan)
	}
	if g.state != nil {
		a.State, a.ID = g.state.model(g.scan), g.state.id
	}
	for _, e := range g.events {
		a.Events = append(a.Events, e.model)
	}
	return a
}
