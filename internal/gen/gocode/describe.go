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
				jen.Return(jen.Id("FromESEvent").Call(jen.Op("*").Add(g.local("e")), g.local("opts").Op("..."))),
			)),
		)),
	)
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
		fields = append(fields, jen.Values(about...))
	}
	return jen.Values(append(members, member("Fields", jen.Index().Add(inspectName("Field")).Custom(rows, fields...)))...)
}

// member returns a member of a struct literal.
func member(name string, value jen.Code) jen.Code { return jen.Id(name).Op(":").Add(value) }

func inspectName(name string) *jen.Statement { return jen.Qual(inspectPath, name) }
