package gocode

import "github.com/dave/jennifer/jen"

// rows are the elements of a literal, each on a line of its own.
var rows = jen.Options{Open: "{", Close: "}", Separator: ",", Multi: true}

// describe generates what is known of the events while the program runs: their versions, docs and fields.
func (g *generator) describe(f *jen.File) {
	doc(f, `Describe returns what is known of the events here: their versions, what they mean and hold, and how they are
read. Pass it to runtime/console. The options hold for reading.`)
	var events []jen.Code
	for i := range g.aggregates {
		a := &g.aggregates[i]
		for j := range a.events {
			events = append(events, described(a, &a.events[j]))
		}
	}
	f.Func().Id("Describe").Params(g.local("opts").Op("...").Add(runtimeName("Option"))).Op("*").Add(inspectName("Domain")).Block(
		jen.Return(jen.Op("&").Add(inspectName("Domain")).Custom(rows,
			member("Events", jen.Index().Add(inspectName("EventType")).Custom(rows, events...)),
			member("Decode", jen.Func().Params(g.local("e").Op("*").Add(runtimeName("PersistedEvent"))).Params(jen.Any(), jen.Error()).Block(
				g.describedValue()...,
			)),
		)),
	)
}

// describedValue returns the statements that decode an event for people to look at, who have no keys.
func (g *generator) describedValue() []jen.Code {
	if !g.personal {
		return []jen.Code{jen.Return(jen.Id("FromESEvent").Call(jen.Op("*").Add(g.local("e")), g.local("opts").Op("...")))}
	}
	decode := jen.Id("decodeEvent").Call(codecOf(true).Call(g.local("opts").Op("...")), jen.Op("&").Add(g.local("concealed")))
	code := []jen.Code{g.local("concealed").Op(":=").Id(personalEvents).Dot("Conceal").Call(jen.Op("*").Add(g.local("e")))}
	if !g.anySealed() {
		return append(code, jen.Return(decode))
	}
	return append(code,
		jen.List(g.local("event"), jen.Id("_"), g.local("err")).Op(":=").Add(decode),
		jen.Return(g.local("event"), g.local("err")))
}

// described returns the literal of an event.
func described(a *aggregate, e *event) jen.Code {
	members := []jen.Code{
		member("AggregateType", jen.Id(a.typeConst())), member("EventType", jen.Lit(e.Name)), member("Version", jen.Lit(e.Version)),
	}
	if e.Current() {
		members = append(members, member("Current", jen.True()))
	}
	if e.Doc != "" {
		members = append(members, member("Doc", jen.Lit(e.Doc)))
	}
	if e.Payload == nil || len(e.Payload.Fields) == 0 {
		return jen.Values(members...)
	}
	var fields []jen.Code
	for _, field := range e.Payload.Fields {
		about := []jen.Code{member("Name", jen.Lit(field.Name)), member("Type", jen.Lit(field.Shape.Go))}
		if field.Doc != "" {
			about = append(about, member("Doc", jen.Lit(field.Doc)))
		}
		if field.Personal != nil {
			about = append(about, member("Personal", jen.True()))
		}
		fields = append(fields, jen.Values(about...))
	}
	return jen.Values(append(members, member("Fields", jen.Index().Add(inspectName("Field")).Custom(rows, fields...)))...)
}

// member returns a member of a struct literal.
func member(name string, value jen.Code) jen.Code { return jen.Id(name).Op(":").Add(value) }

func inspectName(name string) *jen.Statement { return jen.Qual(inspectPath, name) }
