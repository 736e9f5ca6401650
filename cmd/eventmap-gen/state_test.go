package main

import (
	"fmt"
	"path"

	"pgregory.net/rapid"
)

// stateIDs are declarations of a state's ID: what comes before the state, the field, and the option of its mark.
var stateIDs = []struct{ before, field, option string }{
	{},
	{field: "ID string"},
	{before: "type Key string", field: "ID Key"},
	{before: "type Key string", field: "Other Key", option: " id=Key"},
	{before: "type Key = string", field: "ID Key"},
	{before: "type Key struct{ A, B int }\n\nfunc (Key) String() string { return \"key\" }", field: "ID Key"},
	{field: "ID {github.com/google/uuid}.UUID"},
	{field: "ID *{github.com/google/uuid}.UUID", option: " id=string"},
	{field: "ID {net/netip}.Addr"},
	{field: "ID {kinds}.Text"},
}

// writeState writes the state that the aggregate's events fold into, beside the events or in a package of its own.
func (a *domainAggregate) writeState(t *rapid.T, dir string) {
	s := a.main
	if a.how == byConvention || chance(t, 3) {
		s = a.domain.source(path.Join(dir, "state"), packageName(t, "state"))
	}
	id := rapid.SampledFrom(stateIDs).Draw(t, "id")
	if id.before != "" {
		if s.taken["Key"] {
			return
		}
		s.declare("Key")
		s.printf("%s\n\n", id.before)
	}
	name := s.declare(rapid.SampledFrom([]string{"State", "Order", "Aggregate", "T", "Store"}).Draw(t, "state"))
	s.printf("//eventmap:aggregate name=%s%s\ntype %s struct {\n\t%s\n}\n\n", a.name, id.option, name, s.spell(id.field))
	if a.sum != "" && chance(t, 2) {
		a.writeApplier(t, s, name, "Apply", s.use(modulePath+"/"+a.main.dir)+a.sum, false)
		return
	}
	for i, e := range a.events {
		if e.current {
			a.writeApplier(t, s, name, fmt.Sprintf("On%s%d", e.typ, i), s.use(modulePath+"/"+e.src.dir)+e.typ, chance(t, 2))
		}
	}
}

// writeApplier writes a method of the state in one of the forms there are.
func (a *domainAggregate) writeApplier(t *rapid.T, s *source, state, method, takes string, pointer bool) {
	if pointer {
		takes = "*" + takes
	}
	receiver, results, body := "*"+state, "", "return"
	switch rapid.IntRange(0, 4).Draw(t, "result") {
	case 0:
		results, body = state, "return *s"
	case 1:
		receiver, results, body = state, state, "return s"
	case 2:
		results, body = "*"+state, "return s"
	case 3:
		receiver, results, body = state, "*"+state, "return &s"
	}
	if chance(t, 3) {
		if results == "" {
			results, body = "error", "return nil"
		} else {
			results, body = "("+results+", error)", body+", nil"
		}
	}
	s.printf("func (s %s) %s(%s) %s { %s }\n\n", receiver, method, takes, results, body)
}
