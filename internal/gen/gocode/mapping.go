package gocode

import (
	"fmt"
	"strconv"

	"github.com/dave/jennifer/jen"
)

// mapping generates the two directions of one aggregate, and a pair of functions for every version of every event.
func (g *generator) mapping(f *jen.File, a *aggregate) {
	g.encode(f, a)
	g.decode(f, a)
	for i := range a.events {
		g.pair(f, a, &a.events[i])
	}
}

// encode generates the function that takes every form an event of the aggregate can have.
func (g *generator) encode(f *jen.File, a *aggregate) {
	call := func(e *event, pointer *jen.Statement) *jen.Statement {
		return jen.Return(runtimeName("Encode").Call(
			g.local("encoder"), jen.Id(a.typeConst()), jen.Lit(e.Name), jen.Lit(e.Version), pointer))
	}
	doc(f, "%s returns the event as it is stored. It takes values and pointers.", a.encode())
	f.Func().Id(a.encode()).Params(
		g.local("encoder").Op("*").Add(runtimeName("Encoder")), g.local("event").Any(),
	).Params(runtimeName("Event"), jen.Error()).Block(
		jen.Switch(g.local("e").Op(":=").Add(g.local("event")).Assert(jen.Type())).BlockFunc(func(group *jen.Group) {
			for _, e := range a.events {
				group.Case(g.typeOf(e.Type)).Block(call(&e, jen.Op("&").Add(g.local("e"))))
				group.Case(jen.Op("*").Add(g.typeOf(e.Type))).Block(call(&e, g.local("e")))
			}
			if a.sealed() {
				group.Case(jen.Id(a.sum())).Block(jen.Return(jen.Id(a.encode()).Call(
					g.local("encoder"), g.local("e").Dot(g.localName("event")))))
			}
		}),
		jen.Return(runtimeName("Event").Values(), g.local("encoder").Dot("NotAnEvent").Call(g.local("event"))),
	)
}

// decode generates the function that reads every version of every event of the aggregate.
func (g *generator) decode(f *jen.File, a *aggregate) {
	none := jen.Nil()
	if a.sealed() {
		none = jen.Id(a.sum()).Values()
	}
	doc(f, "%s returns the event that is stored as e, upcast to the version that is current.", a.decode())
	f.Func().Id(a.decode()).Params(
		g.local("codec").Add(runtimeName("Codec")), g.local("e").Op("*").Add(runtimeName("PersistedEvent")),
	).Params(jen.Id(a.sum()), jen.Error()).Block(
		jen.If(g.local("e").Dot("AggregateType").Op("!=").Id(a.typeConst())).Block(
			jen.Return(none.Clone(), runtimeName("NewDecodeError").Call(g.local("e"), runtimeName("ErrUnknownEvent")))),
		jen.Switch(g.local("e").Dot("EventType")).BlockFunc(func(group *jen.Group) {
			for i := 0; i < len(a.events); {
				name := a.events[i].Name
				group.Case(jen.Lit(name)).Block(jen.Switch(g.local("e").Dot("EventVersion")).BlockFunc(func(group *jen.Group) {
					for ; i < len(a.events) && a.events[i].Name == name; i++ {
						group.Case(jen.Lit(a.events[i].Version)).Block(g.decodeVersion(a, &a.events[i], none)...)
					}
				}))
			}
		}),
		jen.Return(none.Clone(), runtimeName("NewDecodeError").Call(g.local("e"), runtimeName("ErrUnknownEvent"))),
	)
}

// decodeVersion returns the statements that decode one version and walk its upcasters up to the current one.
func (g *generator) decodeVersion(a *aggregate, e *event, none *jen.Statement) []jen.Code {
	decode := runtimeName("Decode").Types(g.typeOf(e.Type)).Call(g.local("codec"), g.local("e"))
	if e.Current() && !e.Pointer && !a.sealed() {
		return []jen.Code{jen.Return(decode)}
	}
	step := func(version int) *jen.Statement { return g.local("e" + strconv.Itoa(version)) }
	fail := func(err jen.Code) jen.Code {
		return jen.Return(none.Clone(), runtimeName("NewDecodeError").Call(g.local("e"), err))
	}
	code := []jen.Code{
		jen.List(step(e.Version), g.local("err")).Op(":=").Add(decode),
		g.ifErr(none.Clone(), g.local("err")),
	}
	last, pointer := e.Event, false
	for last.Upcast != nil {
		up := last.Upcast
		argument := step(last.Version)
		switch {
		case up.TakesPointer && !pointer:
			argument = jen.Op("&").Add(argument)
		case !up.TakesPointer && pointer:
			argument = jen.Op("*").Add(argument)
		}
		call := g.typeOf(up.Func).Call(argument)
		if up.ReturnsError {
			code = append(code,
				jen.List(step(up.To), g.local("err")).Op(":=").Add(call),
				jen.If(g.local("err").Op("!=").Nil()).Block(fail(g.local("err"))))
		} else {
			code = append(code, step(up.To).Op(":=").Add(call))
		}
		last, pointer = a.Event(last.Name, up.To), up.GivesPointer
		if pointer {
			code = append(code, jen.If(step(up.To).Op("==").Nil()).Block(
				fail(jen.Qual(errorsPath, "New").Call(jen.Lit(fmt.Sprintf("%s gave nil", up.Func.Name))))))
		}
	}
	result := step(last.Version)
	switch {
	case last.Pointer && !pointer:
		result = jen.Op("&").Add(result)
	case !last.Pointer && pointer:
		result = jen.Op("*").Add(result)
	}
	if a.sealed() {
		result = jen.Id(a.sum()).Values(result)
	}
	return append(code, jen.Return(result, jen.Nil()))
}

// pair generates the two functions of one version of one event.
func (g *generator) pair(f *jen.File, a *aggregate, e *event) {
	pointer := jen.Op("&").Add(g.local("e"))
	if e.Pointer {
		pointer = g.local("e")
	}
	doc(f, "%s returns e as version %d of %q in a stream of %s.", e.to(), e.Version, e.Name, a.Name)
	f.Func().Id(e.to()).Custom(lines,
		jen.List(g.local("aggregateType"), g.local("aggregateID")).String(),
		g.local("e").Add(g.eventType(e)),
		g.local("opts").Op("...").Add(runtimeName("Option")),
	).Params(runtimeName("Event"), jen.Error()).Block(
		g.local("encoder").Op(":=").Add(runtimeName("NewEncoder")).Call(
			runtimeName("NewSettings").Call(g.local("opts").Op("...")), g.local("aggregateType"), g.local("aggregateID")),
		jen.Return(runtimeName("Encode").Call(
			g.local("encoder"), jen.Id(a.typeConst()), jen.Lit(e.Name), jen.Lit(e.Version), pointer)),
	)

	doc(f, "%s returns the event that is stored as e, which must be version %d of %q in a stream of %s.", e.from(), e.Version, e.Name, a.Name)
	from := f.Func().Id(e.from()).Params(
		g.local("e").Add(runtimeName("PersistedEvent")), g.local("opts").Op("...").Add(runtimeName("Option")),
	).Params(g.eventType(e), jen.Error())
	decode := runtimeName("DecodeAs").Types(g.typeOf(e.Type)).Call(
		runtimeName("NewSettings").Call(g.local("opts").Op("...")), jen.Op("&").Add(g.local("e")),
		jen.Id(a.typeConst()), jen.Lit(e.Name), jen.Lit(e.Version))
	if e.Pointer {
		from.Block(
			jen.List(g.local("event"), g.local("err")).Op(":=").Add(decode),
			jen.Return(jen.Op("&").Add(g.local("event")), g.local("err")))
		return
	}
	from.Block(jen.Return(decode))
}
