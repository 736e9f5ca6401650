package gocode

import (
	"strconv"

	"github.com/dave/jennifer/jen"
)

// mapping generates the two directions of one aggregate, and the pairs unless only tests need them.
func (g *generator) mapping(f *jen.File, a *aggregate) {
	g.encode(f, a)
	g.decode(f, a)
	if g.mappers {
		g.pairs(f, a)
	}
}

// pairs generates two functions for every version of every event.
func (g *generator) pairs(f *jen.File, a *aggregate) {
	for i := range a.events {
		g.pair(f, a, &a.events[i])
	}
}

// encode generates the function that takes every form an event of the aggregate can have.
func (g *generator) encode(f *jen.File, a *aggregate) {
	call := func(e *event, pointer *jen.Statement) *jen.Statement { return jen.Return(g.encodeCall(a, e, pointer)) }
	doc(f, "%s returns the event as it is stored. It takes values and pointers.", a.encode())
	f.Func().Id(a.encode()).Params(
		g.local("encoder").Op("*").Add(mappingName("Encoder")), g.local("event").Any(),
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

// encodeCall returns the call that encodes the event that pointer is.
func (g *generator) encodeCall(a *aggregate, e *event, pointer *jen.Statement) *jen.Statement {
	args := []jen.Code{g.local("encoder"), jen.Id(a.typeConst()), jen.Lit(e.Name), jen.Lit(e.Version), pointer}
	if e.plain == nil {
		return mappingName("Encode").Call(args...)
	}
	return jen.Id(e.plain.encode()).Call(g.local("encoder"), pointer)
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
			jen.Return(none.Clone(), mappingName("NewDecodeError").Call(g.local("e"), runtimeName("ErrUnknownEvent")))),
		jen.Switch(g.local("e").Dot("EventType")).BlockFunc(func(group *jen.Group) {
			for i := 0; i < len(a.events); {
				versions := a.versions(i)
				group.Case(jen.Lit(versions[0].Name)).Block(g.decodeVersions(a, versions, none))
				i += len(versions)
			}
		}),
		jen.Return(none.Clone(), mappingName("NewDecodeError").Call(g.local("e"), runtimeName("ErrUnknownEvent"))),
	)
}

// decodeVersions returns the statement that decodes an event of the given versions, if it is of one of them.
func (g *generator) decodeVersions(a *aggregate, versions []event, none *jen.Statement) *jen.Statement {
	version := g.local("e").Dot("EventVersion")
	if len(versions) == 1 {
		return jen.If(version.Op("==").Lit(versions[0].Version)).Block(g.decodeVersion(a, &versions[0], none)...)
	}
	return jen.Switch(version).BlockFunc(func(group *jen.Group) {
		for i := range versions {
			group.Case(jen.Lit(versions[i].Version)).Block(g.decodeVersion(a, &versions[i], none)...)
		}
	})
}

// decodeVersion returns the statements that decode one version and walk its upcasters up to the current one.
func (g *generator) decodeVersion(a *aggregate, e *event, none *jen.Statement) []jen.Code {
	decode := mappingName("Decode").Types(g.typeOf(e.Type)).Call(g.local("codec"), g.local("e"))
	if e.plain != nil {
		decode = jen.Id(e.plain.decode()).Call(g.local("codec"), g.local("e"))
	}
	if e.Current() && !e.Pointer && !a.sealed() {
		return []jen.Code{jen.Return(decode)}
	}
	step := func(version int) *jen.Statement { return g.local("e" + strconv.Itoa(version)) }
	fail := func(err jen.Code) jen.Code {
		return jen.Return(none.Clone(), mappingName("NewDecodeError").Call(g.local("e"), err))
	}
	code := []jen.Code{
		jen.List(step(e.Version), g.local("err")).Op(":=").Add(decode),
		g.ifErr(none.Clone(), g.local("err")),
	}
	last, pointer := e.Event, false
	value, named := step(e.Version), true // named: value is a variable, of which an address can be taken
	bind := func() {
		if !named {
			code = append(code, step(last.Version).Op(":=").Add(value))
			value, named = step(last.Version), true
		}
	}
	as := func(wantPointer bool) *jen.Statement {
		switch {
		case wantPointer && !pointer:
			bind()
			return jen.Op("&").Add(value)
		case !wantPointer && pointer:
			return jen.Op("*").Add(value)
		}
		return value
	}
	for last.Upcast != nil {
		up := last.Upcast
		value = g.typeOf(up.Func).Call(as(up.TakesPointer))
		last, pointer, named = a.Event(last.Name, up.To), up.GivesPointer, false
		if up.ReturnsError {
			code = append(code,
				jen.List(step(up.To), g.local("err")).Op(":=").Add(value),
				jen.If(g.local("err").Op("!=").Nil()).Block(fail(g.local("err"))))
			value, named = step(up.To), true
		}
		if pointer {
			bind()
			code = append(code, jen.If(step(up.To).Op("==").Nil()).Block(
				fail(jen.Qual(errorsPath, "New").Call(jen.Lit(up.Func.Name+" gave nil")))))
		}
	}
	result := as(last.Pointer)
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
	keyed, types := g.keyed(e.isPersonal())
	doc(f, "%s returns e as version %d of %q in the stream of aggregateID; aggregateType is [%s].", e.to(), e.Version, e.Name, a.typeConst())
	f.Func().Id(e.to()).Types(types...).Custom(lines, append(keyed,
		jen.List(g.local("aggregateType"), g.local("aggregateID")).String(),
		g.local("e").Add(g.eventType(e)),
		g.local("opts").Op("...").Add(runtimeName("Option")))...,
	).Params(runtimeName("Event"), jen.Error()).Block(g.encoded(a, e, pointer)...)

	doc(f, "%s returns the event that is stored as e: version %d of %q in a stream of %s. Anything else is a *runtime.DecodeError.", e.from(), e.Version, e.Name, a.Name)
	keyed, types = g.keyed(e.isPersonal())
	from := f.Func().Id(e.from()).Types(types...).Add(params(append(keyed,
		g.local("e").Add(runtimeName("PersistedEvent")), g.local("opts").Op("...").Add(runtimeName("Option")))...,
	)).Params(g.eventType(e), jen.Error())
	from.Block(g.decoded(a, e)...)
}

// encoded returns the statements of a function that encodes an event.
func (g *generator) encoded(a *aggregate, e *event, pointer *jen.Statement) []jen.Code {
	settings := mappingName("NewSettings").Call(g.local("opts").Op("..."))
	if e.isPersonal() {
		settings = mappingName("Discreet").Call(settings)
	}
	encoder := g.local("encoder").Op(":=").Add(mappingName("NewEncoder")).Call(settings, g.local("aggregateType"), g.local("aggregateID"))
	if !e.isPersonal() {
		return []jen.Code{encoder, jen.Return(g.encodeCall(a, e, pointer))}
	}
	return []jen.Code{
		encoder,
		jen.List(g.local("mapped"), g.local("err")).Op(":=").Add(g.encodeCall(a, e, pointer)),
		jen.Return(g.newPersonal().Dot("SealOne").Call(g.local("ctx"), g.local("tx"), g.local("mapped"), g.local("err"))),
	}
}

// decoded returns the statements of a function that decodes one version of an event.
func (g *generator) decoded(a *aggregate, e *event) []jen.Code {
	none := g.typeOf(e.Type).Values()
	if e.Pointer {
		none = jen.Nil()
	}
	var code []jen.Code
	if e.isPersonal() {
		code = append(code, jen.If(g.local("err").Op(":=").Add(g.newPersonal()).Dot("OpenOne").Call(
			g.local("ctx"), g.local("tx"), jen.Op("&").Add(g.local("e"))), g.local("err").Op("!=").Nil()).Block(jen.Return(none, g.local("err"))))
	}
	args := []jen.Code{
		codecOf(e.isPersonal()).Call(g.local("opts").Op("...")), jen.Op("&").Add(g.local("e")),
		jen.Id(a.typeConst()), jen.Lit(e.Name), jen.Lit(e.Version),
	}
	decode := mappingName("DecodeAs").Types(g.typeOf(e.Type)).Call(args...)
	if e.plain != nil {
		decode = mappingName("DecodeAsBy").Call(append(args, jen.Id(e.plain.decode()))...)
	}
	if e.Pointer {
		return append(code,
			jen.List(g.local("event"), g.local("err")).Op(":=").Add(decode),
			jen.Return(jen.Op("&").Add(g.local("event")), g.local("err")))
	}
	return append(code, jen.Return(decode))
}
