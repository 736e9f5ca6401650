package main

import (
	"fmt"
	"path"
	"strings"

	"pgregory.net/rapid"
)

// How the events of a random aggregate are found.
const (
	byMark = iota
	byInterface
	byConvention
)

// A domainAggregate is an aggregate of a random domain.
type domainAggregate struct {
	domain *domain
	index  int
	faulty bool
	how    int
	name   string
	main   *source
	sum    string // the interface's name
	method string // that its events have
	events []*domainEvent
	wires  map[string]bool
	shares string // an aggregate that some events are shared with, or nothing
}

// A domainEvent is one version of one event.
type domainEvent struct {
	name    string
	version int
	src     *source
	typ     string
	pointer bool // only the pointer has the interface's method
	current bool
}

// write writes the aggregate into a folder.
func (a *domainAggregate) write(t *rapid.T, dir string) {
	a.wires = map[string]bool{}
	a.how = rapid.IntRange(byMark, byConvention).Draw(t, "how")
	for a.name = ""; a.name == "" || a.domain.names[a.name]; {
		a.name = rapid.SampledFrom(aggregateNames).Draw(t, "aggregate")
	}
	a.domain.names[a.name] = true
	if a.how != byConvention && chance(t, 2) {
		a.shares = fmt.Sprint("shared with ", a.index)
	}
	a.main = a.source(dir, packageName(t, path.Base(dir)))
	if a.how == byInterface {
		a.sum = a.main.declare(rapid.SampledFrom([]string{"Event", "Events", "OrderEvent", "Any", "Error", "E"}).Draw(t, "interface"))
		a.method = fmt.Sprintf("IsEvent%d", a.index)
		if chance(t, 2) {
			a.method = "is" + a.method[2:]
		}
		a.main.printf("// %s is one of them.\n//\n//eventmap:events\ntype %s interface{ %s() }\n\n", a.sum, a.sum, a.method)
	}
	names := rapid.SliceOfNDistinct(rapid.SampledFrom(eventNames), 1, 4, rapid.ID).Draw(t, "events")
	for i, name := range names {
		a.writeVersions(t, dir, name, i)
	}
	if chance(t, 2) {
		a.writeState(t, dir)
	}
}

// source begins a package that says which aggregate its events are of.
func (a *domainAggregate) source(dir, name string) *source {
	s := a.domain.source(dir, name)
	s.clause = "//eventmap:aggregate " + a.name + "\n"
	return s
}

// writeVersions writes the versions of one event and what leads from one to the next.
func (a *domainAggregate) writeVersions(t *rapid.T, dir, name string, index int) {
	versions := rapid.SampledFrom([][]int{{1}, {1}, {2}, {1, 2}, {1, 2}, {1, 3}, {1, 2, 3}, {3, 11}}).Draw(t, "versions")
	wire := name
	if a.how != byConvention && chance(t, 3) {
		wire = rapid.SampledFrom(wireNames).Draw(t, "wire name")
	}
	if a.wires[wire] {
		return
	}
	a.wires[wire] = true
	var last *domainEvent
	for i, version := range versions {
		e := &domainEvent{name: wire, version: version, src: a.main, typ: name, current: true}
		latest := i == len(versions)-1
		switch {
		case a.how == byConvention:
			if len(versions) > 1 || version > 1 {
				e.src = a.source(path.Join(dir, fmt.Sprintf("v%d", version)), "events")
			}
		case !latest && chance(t, 2):
			e.typ += fmt.Sprint("Version", version)
		case !latest && !strings.HasPrefix(a.method, "is"):
			e.src = a.source(path.Join(dir, fmt.Sprint("old", version)), "old")
		case !latest:
			e.typ += fmt.Sprint("Version", version)
		}
		e.typ = e.src.declare(e.typ)
		a.writeEvent(t, e, a.faulty && index == 0 && latest)
		if last != nil && !chance(t, 4) {
			a.writeUpcast(t, last, e)
		}
		last = e
	}
}

// writeEvent writes one version.
func (a *domainAggregate) writeEvent(t *rapid.T, e *domainEvent, faulty bool) {
	fields := e.src.fields(t, faulty)
	doc := rapid.SampledFrom(docs).Draw(t, "doc")
	if doc != "" {
		doc = fmt.Sprintf(doc, e.typ)
	}
	if a.how == byMark || a.how == byInterface && (e.typ != e.name || e.version > 1 || strings.Contains(e.src.dir, "/v")) {
		if strings.HasPrefix(doc, "//") {
			doc += "//\n"
		}
		doc += "//eventmap:event"
		if e.typ != e.name {
			doc += " name=" + e.name
		}
		doc += fmt.Sprintf(" version=%d", e.version)
		if a.shares != "" && chance(t, 2) {
			doc += fmt.Sprintf(" aggregate=%q aggregate=%q", a.name, a.shares)
		}
		doc += "\n"
	}
	if !faulty && chance(t, 3) {
		fields = personal(t, fields)
		if chance(t, 4) {
			doc += "//eventmap:forget who\n"
		}
	}
	if a.how == byInterface {
		fields += a.writeMethod(t, e)
	}
	e.src.printf("%stype %s struct {\n%s}\n\n", doc, e.typ, fields)
	a.events = append(a.events, e)
}

// writeMethod gives an event the interface's method in one of the ways there are, and returns the field it needs for that.
func (a *domainAggregate) writeMethod(t *rapid.T, e *domainEvent) (field string) {
	switch rapid.IntRange(0, 3).Draw(t, "method") {
	case 0:
		e.pointer = true
		e.src.printf("func (*%s) %s() {}\n\n", e.typ, a.method)
	case 1:
		base := e.src.declare("Base" + e.typ)
		e.src.printf("type %s struct{ Stamp int }\n\nfunc (%s) %s() {}\n\n", base, base, a.method)
		return "\t" + base + "\n"
	case 2:
		e.pointer = true
		base := e.src.declare("base" + e.typ)
		e.src.printf("type %s struct{ Stamp int }\n\nfunc (*%s) %s() {}\n\n", base, base, a.method)
		return "\t" + base + "\n"
	default:
		e.src.printf("func (%s) %s() {}\n\n", e.typ, a.method)
	}
	return ""
}

// writeUpcast writes a function from one version to a later one, in a package that can import both.
func (a *domainAggregate) writeUpcast(t *rapid.T, from, to *domainEvent) {
	s := a.main
	if a.how == byConvention {
		s = to.src
	}
	takes, gives := s.use(modulePath+"/"+from.src.dir)+from.typ, s.use(modulePath+"/"+to.src.dir)+to.typ
	value := gives + "{}"
	if chance(t, 3) {
		takes = "*" + takes
	}
	if chance(t, 3) {
		gives, value = "*"+gives, "&"+value
	}
	if chance(t, 3) {
		gives, value = "("+gives+", error)", value+", nil"
	}
	name := s.declare("Upcast" + from.typ)
	s.printf("//eventmap:upcast\nfunc %s(old %s) %s { return %s }\n\n", name, takes, gives, value)
	from.current = false
}
