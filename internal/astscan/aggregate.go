package astscan

import (
	"cmp"
	"go/token"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/eventmap/eventmap/internal/goload"
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
	sum    *sum
	events []*event // by name, then version
}

// aggregates are all of them, by name.
type aggregates []*aggregate

// find returns the aggregate of that name, or nil.
func (gs aggregates) find(name string) *aggregate {
	for _, g := range gs {
		if g.name == name {
			return g
		}
	}
	return nil
}

// group groups the events by their aggregates.
func (s *scan) group(events *events, us sums) (groups aggregates) {
	for _, e := range events.all {
		g := groups.find(e.naming.name)
		if g == nil {
			g = &aggregate{naming: e.naming}
			groups = append(groups, g)
		} else if e.naming.rank < g.rank {
			g.naming = e.naming
		}
		g.events = append(g.events, e)
	}
	slices.SortFunc(groups, func(a, b *aggregate) int { return strings.Compare(a.name, b.name) })
	for _, u := range us {
		if g := groups.find(u.named.name); g != nil && g.sum == nil {
			g.sum = u
		}
	}
	for _, g := range groups {
		slices.SortStableFunc(g.events, func(a, b *event) int {
			return cmp.Or(strings.Compare(a.model.Name, b.model.Name), cmp.Compare(a.model.Version, b.model.Version))
		})
		s.checkVersions(g)
		for _, e := range g.events {
			s.note(e.decl.obj.Pos(), "%v is event %s version %d of %s (found by %s; aggregate by %s)", e.decl, e.model.Name, e.model.Version, g.name, e.how, e.naming.why)
		}
	}
	return groups
}

// checkOneSum reports aggregates with more than one interface.
func (s *scan) checkOneSum(us sums) {
	first := map[string]*sum{}
	for _, u := range us {
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

// packageNaming returns the aggregate of a package's events: by the mark of its package clause, by the option, by the
// folder that holds it, or by its name.
func (s *scan) packageNaming(decls *declarations, src *source, prefix string) naming {
	if src.aggregate != nil {
		return naming{name: src.aggregate.name, why: prefix + "mark of package " + src.Name, pos: src.aggregate.pos, rank: 2}
	}
	if s.options.Aggregate != "" {
		return naming{name: s.options.Aggregate, why: prefix + "option --aggregate", pos: src.Clause, rank: 3}
	}
	folder, moved := holder(src.Below)
	if over := decls.byPath[path.Join(src.Module, folder)]; moved && over != nil && over.aggregate != nil {
		return naming{name: over.aggregate.name, why: prefix + "mark of package " + over.Name + " above it", pos: over.aggregate.pos, rank: 4}
	}
	name, why, rank := namedBy(src.Package)
	return naming{name: name, why: prefix + why, pos: src.Clause, rank: rank}
}

// PackageAggregate returns the aggregate that the events of a package belong to where no mark says it: that of its name,
// or, of the folders events and vN, that of the folder or module which holds them.
func PackageAggregate(pkg *goload.Package) string {
	name, _, _ := namedBy(pkg)
	return name
}

// namedBy returns the aggregate of a package without marks, what says it, and its rank.
func namedBy(pkg *goload.Package) (name, why string, rank int) {
	switch folder, moved := holder(pkg.Below); {
	case !moved:
		return upperCamel(pkg.Name), "name of package " + pkg.Name, 5
	case folder == "":
		return upperCamel(moduleName(pkg.Module)), "module " + pkg.Module, 4
	default:
		return upperCamel(path.Base(folder)), "folder " + folder, 4
	}
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
