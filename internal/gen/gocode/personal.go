package gocode

import (
	"encoding/json"
	"slices"

	"github.com/dave/jennifer/jen"
)

// personalEvents is the variable that says what of the package's events is personal.
const personalEvents = "personalEvents"

// isPersonal reports whether the event holds personal data.
func (e *event) isPersonal() bool { return len(e.Personal()) > 0 }

// keys returns the parameter for the keys of personal data.
func (g *generator) keys() *jen.Statement {
	return g.local("keys").Op("*").Add(privacyName("Keys")).Types(g.local("Tx"))
}

// newPersonal returns what seals and opens events with the parameter for keys.
func (g *generator) newPersonal() *jen.Statement {
	return mappingName("NewPersonal").Call(g.local("keys"), jen.Id(personalEvents))
}

// keyed returns the parameters that a function which seals or opens takes first, and its type parameter; none if it does neither.
func (g *generator) keyed(is bool) (takes, types []jen.Code) {
	if !is {
		return nil, nil
	}
	return []jen.Code{g.ctx(), g.tx(), g.keys()}, []jen.Code{g.local("Tx").Any()}
}

// codecOf returns the codec that options set: one whose errors quote nothing where events hold personal data.
func codecOf(personal bool) *jen.Statement {
	if personal {
		return mappingName("DiscreetCodecOf")
	}
	return mappingName("CodecOf")
}

// personalTable generates the variable that says what of the package's events is personal.
func (g *generator) personalTable(f *jen.File) {
	var events []jen.Code
	for i := range g.aggregates {
		a := &g.aggregates[i]
		for j := range a.events {
			if e := &a.events[j]; e.isPersonal() {
				events = append(events, eventVersion(a, e).Op(":").Add(personalEvent(e)))
			}
		}
	}
	doc(f, "%s says which members of the events are personal, and so are stored sealed.", personalEvents)
	f.Var().Id(personalEvents).Op("=").Add(mappingName("PersonalEvents")).Custom(rows, events...)
}

// personalEvent returns the literal that says what of an event is personal.
func personalEvent(e *event) *jen.Statement {
	var members, fields []jen.Code
	for i := range e.Payload.Fields {
		f := &e.Payload.Fields[i]
		members = append(members, jen.Lit(f.Name))
		if f.Personal == nil {
			continue
		}
		about := []jen.Code{member("Member", jen.Lit(f.Name)), member("Field", jen.Lit(f.Go))}
		if f.Personal.Subject != "" {
			about = append(about, member("Subject", jen.Lit(f.Personal.Subject)))
		}
		if f.Personal.Erased != nil {
			erased, _ := json.Marshal(*f.Personal.Erased) // a string always marshals
			about = append(about, member("Erased", jen.Lit(string(erased))))
		}
		if f.Personal.HasClear {
			about = append(about, member("HasClear", jen.True()))
		}
		fields = append(fields, jen.Values(about...))
	}
	return jen.Values(
		member("Members", jen.Index().String().Values(members...)),
		member("Fields", jen.Index().Add(mappingName("PersonalField")).Custom(rows, fields...)),
	)
}

// forgetter generates the consumer that forgets the subjects of events which say so.
func (g *generator) forgetter(f *jen.File, a *aggregate) {
	if !a.forgets() {
		return
	}
	var cases []jen.Code
	for i := range a.events {
		if e := &a.events[i]; e.Forget != nil {
			cases = append(cases, eventVersion(a, e).Op(":").Lit(e.Forget.Subject))
		}
	}
	doc(f, `%s returns a consumer that forgets the subjects of the events of %s which say that one is to be forgotten, each in
the transaction that moves its checkpoint. name identifies that checkpoint and must not change.`, a.newForgetter(), a.Name)
	f.Func().Id(a.newForgetter()).Types(g.local("Tx").Any()).Params(
		g.local("name").String(), g.keys(),
	).Qual(consumerPath, "ScopedConsumer").Types(g.local("Tx")).Block(
		jen.Return(jen.Qual(consumerPath, "Scoped").Call(
			g.local("name"), jen.Index().String().Values(jen.Id(a.typeConst())),
			mappingName("Forget").Call(g.local("keys"), jen.Map(mappingName("EventVersion")).String().Custom(rows, cases...)),
		)),
	)
}

// forgets reports whether an event of the aggregate says that a subject is to be forgotten.
func (a *aggregate) forgets() bool {
	return slices.ContainsFunc(a.events, func(e event) bool { return e.Forget != nil })
}

func privacyName(name string) *jen.Statement { return jen.Qual(privacyPath, name) }

// eventVersion returns the literal that names a version of an event, as a key of a map.
func eventVersion(a *aggregate, e *event) *jen.Statement {
	return jen.Values(member("AggregateType", jen.Id(a.typeConst())), member("EventType", jen.Lit(e.Name)), member("Version", jen.Lit(e.Version)))
}
