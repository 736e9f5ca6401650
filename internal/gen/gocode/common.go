package gocode

import (
	"slices"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/eventmap/eventmap/internal/model"
)

// hasCodeByHand reports whether hand-written files other than tests belong to the output package: one of them describes it.
func (g *generator) hasCodeByHand() bool {
	for _, at := range g.output.Declared {
		if !strings.HasSuffix(at.File, "_test.go") {
			return true
		}
	}
	return false
}

// common generates the functions over all aggregates of the package.
func (g *generator) common() *jen.File {
	f := g.newFile()
	if !g.hasCodeByHand() {
		for _, line := range wrap("Package " + g.output.Name + " maps the events of " + g.listed() +
			" to what is stored and back, and holds a typed store and an exhaustive handler for each aggregate.") {
			f.PackageComment(line)
		}
	}
	g.eventTypeOf(f)
	g.toESEvents(f)
	g.fromESEvents(f)
	g.fromESEvent(f)
	if slices.ContainsFunc(g.aggregates, func(a aggregate) bool { return a.State != nil }) {
		g.decide2(f)
	}
	g.describe(f)
	if g.personal {
		g.personalTable(f)
	}
	return f
}

// listed returns the aggregates' names as a sentence has them, or their number where they are many.
func (g *generator) listed() string {
	var names []string
	for _, a := range g.aggregates {
		names = append(names, a.Name)
	}
	switch n := len(names); {
	case n == 1:
		return names[0]
	case n <= 4:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	default:
		return strings.Join(names[:3], ", ") + " and others"
	}
}

func (g *generator) anySealed() bool {
	return slices.ContainsFunc(g.aggregates, func(a aggregate) bool { return a.sealed() })
}

func (g *generator) eventTypeOf(f *jen.File) {
	doc(f, "EventTypeOf returns the name under which e, an event or a pointer to one, is stored.")
	f.Func().Id("EventTypeOf").Params(g.local("e").Any()).Params(jen.String(), jen.Error()).Block(
		g.eventTypeSwitch(),
		jen.Return(jen.Lit(""), jen.Qual(fmtPath, "Errorf").Call(jen.Lit("%T is not an event of this package"), g.local("e"))),
	)
}

func (g *generator) eventTypeSwitch() *jen.Statement {
	switched := g.local("e").Assert(jen.Type())
	if g.anySealed() {
		switched = g.local("e").Op(":=").Add(switched)
	}
	told := map[model.TypeName]bool{} // an event of several aggregates has one name in all
	return jen.Switch(switched).BlockFunc(func(group *jen.Group) {
		for _, a := range g.aggregates {
			for i := 0; i < len(a.events); {
				versions, forms := a.versions(i), []jen.Code{}
				for _, e := range versions {
					if !told[e.Type] {
						forms = append(forms, g.typeOf(e.Type), jen.Op("*").Add(g.typeOf(e.Type)))
					}
					told[e.Type] = true
				}
				if len(forms) > 0 {
					group.Case(forms...).Block(jen.Return(jen.Lit(versions[0].Name), jen.Nil()))
				}
				i += len(versions)
			}
			if a.sealed() {
				group.Case(jen.Id(a.sum())).Block(jen.Return(jen.Id("EventTypeOf").Call(g.local("e").Dot(g.localName("event")))))
			}
		}
	})
}

func (g *generator) toESEvents(f *jen.File) {
	var names []string
	for _, a := range g.aggregates {
		names = append(names, a.Name)
	}
	doc(f, `ToESEvents returns the events as they are stored in the stream of the named aggregate. T is an event type, an
interface over some, or any; values and pointers may be mixed. A nil event, and one that is not of the aggregate,
is a *runtime.InvalidEventError.`)
	keyed, types := g.keyed(g.personal)
	f.Func().Id("ToESEvents").Types(append([]jen.Code{g.local("T").Any()}, types...)...).Custom(lines, append(keyed,
		jen.List(g.local("aggregateType"), g.local("aggregateID")).String(),
		g.local("events").Index().Add(g.local("T")),
		g.local("opts").Op("...").Add(runtimeName("Option")))...,
	).Params(jen.Index().Add(runtimeName("Event")), jen.Error()).Block(
		g.local("encoder").Op(":=").Add(mappingName("NewEncoder")).Call(
			g.settings(), g.local("aggregateType"), g.local("aggregateID")),
		jen.Switch(g.local("aggregateType")).BlockFunc(func(group *jen.Group) {
			for _, a := range g.aggregates {
				encode := mappingName("EncodeAll").Call(g.local("encoder"), g.local("events"), jen.Id(a.encode()))
				if !a.HasPersonal() {
					group.Case(jen.Id(a.typeConst())).Block(jen.Return(encode))
					continue
				}
				group.Case(jen.Id(a.typeConst())).Block(
					jen.List(g.local("mapped"), g.local("err")).Op(":=").Add(encode),
					jen.Return(g.newPersonal().Dot("SealAll").Call(g.local("ctx"), g.local("tx"), g.local("mapped"), g.local("err"))))
			}
		}),
		jen.Return(jen.Nil(), jen.Op("&").Add(runtimeName("InvalidEventError")).Values(jen.Dict{
			jen.Id("Index"):  jen.Lit(-1),
			jen.Id("Field"):  jen.Lit("AggregateType"),
			jen.Id("Reason"): jen.Qual(fmtPath, "Sprintf").Call(jen.Lit("is %q, which is none of "+escapePercent(strings.Join(names, ", "))), g.local("aggregateType")),
		})),
	)
}

// settings returns the settings that options make.
func (g *generator) settings() *jen.Statement {
	settings := mappingName("NewSettings").Call(g.local("opts").Op("..."))
	if g.personal {
		return mappingName("Discreet").Call(settings)
	}
	return settings
}

// escapePercent makes s safe within a format.
func escapePercent(s string) string { return strings.ReplaceAll(s, "%", "%%") }

func (g *generator) fromESEvents(f *jen.File) {
	decoded, forms := []jen.Code{g.local("event")}, []jen.Code{jen.Op("&").Add(g.local("events")).Index(g.local("i")), g.local("event")}
	if g.anySealed() {
		decoded, forms = append(decoded, g.local("wrapped")), append(forms, g.local("wrapped"))
	}
	element := g.local("typed").Index(g.local("i"))
	doc(f, `FromESEvents returns the stored events as values of T: an event type, an interface over some, or any. They are
upcast to the versions that are current. The first event that cannot be decoded, or is no T, ends it with a
*runtime.DecodeError.`)
	keyed, types := g.keyed(g.personal)
	opened := jen.Null()
	if g.personal {
		opened = jen.List(g.local("events"), g.local("err")).Op(":=").Add(g.newPersonal()).Dot("OpenAll").Call(g.local("ctx"), g.local("tx"), g.local("events")).
			Line().Add(g.ifErr(jen.Nil(), g.local("err")))
	}
	f.Func().Id("FromESEvents").Types(append([]jen.Code{g.local("T").Any()}, types...)...).Add(params(append(keyed,
		g.local("events").Index().Add(runtimeName("PersistedEvent")), g.local("opts").Op("...").Add(runtimeName("Option")))...,
	)).Params(jen.Index().Add(g.local("T")), jen.Error()).Block(
		opened,
		g.local("codec").Op(":=").Add(codecOf(g.personal)).Call(g.local("opts").Op("...")),
		g.local("typed").Op(":=").Make(jen.Index().Add(g.local("T")), jen.Len(g.local("events"))),
		jen.For(g.local("i").Op(":=").Range().Add(g.local("events"))).Block(
			jen.List(append(decoded, g.local("err"))...).Op(":=").Id("decodeEvent").Call(
				g.local("codec"), jen.Op("&").Add(g.local("events")).Index(g.local("i"))),
			g.ifErr(jen.Nil(), g.local("err")),
			jen.If(jen.List(element, g.local("err")).Op("=").Add(mappingName("As")).Types(g.local("T")).Call(forms...),
				g.local("err").Op("!=").Nil()).Block(jen.Return(jen.Nil(), g.local("err"))),
		),
		jen.Return(g.local("typed"), jen.Nil()),
	)
}

func (g *generator) fromESEvent(f *jen.File) {
	sealed := g.anySealed()
	call := jen.Id("decodeEvent").Call(codecOf(g.personal).Call(g.local("opts").Op("...")), jen.Op("&").Add(g.local("e")))
	body := []jen.Code{jen.Return(call)}
	if sealed {
		body = []jen.Code{
			jen.List(g.local("event"), jen.Id("_"), g.local("err")).Op(":=").Add(call),
			jen.Return(g.local("event"), g.local("err")),
		}
	}
	doc(f, "FromESEvent returns the event that is stored as e, upcast to the version that is current.")
	keyed, types := g.keyed(g.personal)
	if g.personal {
		body = append([]jen.Code{jen.If(g.local("err").Op(":=").Add(g.newPersonal()).Dot("OpenOne").Call(
			g.local("ctx"), g.local("tx"), jen.Op("&").Add(g.local("e"))), g.local("err").Op("!=").Nil()).Block(jen.Return(jen.Nil(), g.local("err")))}, body...)
	}
	f.Func().Id("FromESEvent").Types(types...).Add(params(append(keyed,
		g.local("e").Add(runtimeName("PersistedEvent")), g.local("opts").Op("...").Add(runtimeName("Option")))...,
	)).Params(jen.Any(), jen.Error()).Block(body...)

	results, unknown := []jen.Code{jen.Any(), jen.Error()}, []jen.Code{jen.Nil()}
	comment := "decodeEvent decodes an event of any aggregate."
	if sealed {
		results = []jen.Code{jen.List(g.local("event"), g.local("wrapped")).Any(), g.local("err").Error()}
		unknown = append(unknown, jen.Nil())
		comment = "decodeEvent decodes an event of any aggregate, and returns it by itself and as the aggregate's sum type."
	}
	doc(f, "%s", comment)
	f.Func().Id("decodeEvent").Params(
		g.local("codec").Add(runtimeName("Codec")), g.local("e").Op("*").Add(runtimeName("PersistedEvent")),
	).Params(results...).Block(
		jen.Switch(g.local("e").Dot("AggregateType")).BlockFunc(func(group *jen.Group) {
			for _, a := range g.aggregates {
				group.Case(jen.Id(a.typeConst())).Block(g.decodeCall(&a, sealed)...)
			}
		}),
		jen.Return(append(unknown, mappingName("NewDecodeError").Call(g.local("e"), runtimeName("ErrUnknownEvent")))...),
	)
}

func (g *generator) decodeCall(a *aggregate, sealed bool) []jen.Code {
	call := jen.Id(a.decode()).Call(g.local("codec"), g.local("e"))
	if !sealed {
		return []jen.Code{jen.Return(call)}
	}
	event := g.local("typed")
	if a.sealed() {
		event.Dot(g.localName("event"))
	}
	return []jen.Code{
		jen.List(g.local("typed"), g.local("err")).Op(":=").Add(call),
		jen.Return(event, g.local("typed"), g.local("err")),
	}
}

// decide2 generates the function that decides on two aggregates of any types. It is generic, so that one is enough for all
// pairs.
func (g *generator) decide2(f *jen.File) {
	tx, a, b := g.local("Tx"), g.local("A"), g.local("B")
	eventOfA, eventOfB := g.local("EventOfA"), g.local("EventOfB")
	aggregate := func(state, event jen.Code) *jen.Statement { return mappingName("Aggregate").Types(tx, state, event) }
	doc(f, `Decide2 loads two aggregates, lets decide return the events that follow from both, and appends those to both streams at
once, if both are still at the versions that were loaded. A stream for which decide returns no events has to stand
still all the same until the transaction ends. If decide returns none at all, nothing is appended and nothing locked. The
results are the states and versions afterwards. If another append was quicker, Decide2 reads only what is new and
decides again, as many times as runtime.WithMaxAttempts allows for a; then it returns the *runtime.ConflictError. With
runtime.IfVersion it decides at that version of a only. An error of decide is returned as it is. decide must not change
what its arguments point to. Both generated stores are over one store, which is a runtime.StreamsAppender.`)
	f.Func().Id("Decide2").Types(jen.List(tx, a, eventOfA, b, eventOfB).Any()).Custom(lines,
		g.ctx(), g.tx(),
		g.local("a").Add(aggregate(a, eventOfA)),
		g.local("b").Add(aggregate(b, eventOfB)),
		g.local("decide").Func().Params(a, b).Params(jen.Index().Add(eventOfA), jen.Index().Add(eventOfB), jen.Error()),
		g.local("opts").Op("...").Add(runtimeName("ExecuteOption")),
	).Params(runtimeName("Execution").Types(a), runtimeName("Execution").Types(b), jen.Error()).Block(
		jen.Return(mappingName("Decide2").Call(
			g.local("ctx"), g.local("tx"), g.local("a"), g.local("b"), g.local("decide"), g.local("opts").Op("..."))),
	)
}
