package gocode

import (
	"github.com/dave/jennifer/jen"

	"github.com/eventmap/eventmap/internal/model"
)

// handler generates the exhaustive handler, its partial form, the dispatch and the consumer.
func (g *generator) handler(f *jen.File, a *aggregate) {
	tx, current := g.local("Tx"), a.current()
	signatures := make([]*jen.Statement, len(current))
	for i := range current {
		signatures[i] = jen.Params(g.ctx(), g.tx(), g.local("e").Add(g.eventType(&current[i])), g.local("m").Add(runtimeName("Meta"))).Error()
	}

	doc(f, `%s handles every event of %s. Adding an event to the domain adds a method here, so
handlers that lack it stop compiling; [%s] handles some events and says so.`, a.handler(), a.Name, a.handlerFuncs())
	f.Type().Id(a.handler()).Types(tx.Clone().Any()).InterfaceFunc(func(group *jen.Group) {
		for i, e := range current {
			if e.Doc != "" {
				group.Comment("// " + e.Doc)
			}
			group.Id(e.on()).Add(signatures[i])
		}
	})

	doc(f, "%s implements [%s] and ignores the events whose function is nil.", a.handlerFuncs(), a.handler())
	f.Type().Id(a.handlerFuncs()).Types(tx.Clone().Any()).StructFunc(func(group *jen.Group) {
		for i, e := range current {
			group.Id(e.handled).Func().Add(signatures[i])
		}
	})
	for i, e := range current {
		doc(f, "%s calls f.%s, if it is set.", e.on(), e.handled)
		f.Func().Params(g.local("f").Id(a.handlerFuncs()).Types(tx.Clone())).Id(e.on()).Add(signatures[i]).Block(
			jen.If(g.local("f").Dot(e.handled).Op("==").Nil()).Block(jen.Return(jen.Nil())),
			jen.Return(g.local("f").Dot(e.handled).Call(g.local("ctx"), g.local("tx"), g.local("e"), g.local("m"))),
		)
	}

	g.handle(f, a)
	if a.hasIDOf() {
		g.idOf(f, a)
	}

	g.consumer(f, a)
	g.batchConsumer(f, a)
	g.forgetter(f, a)
}

// consumer generates the consumer of one event at a time.
func (g *generator) consumer(f *jen.File, a *aggregate) {
	takes := []jen.Code{g.local("name").String()}
	handled := []jen.Code{g.local("ctx"), g.local("tx")}
	if a.HasPersonal() {
		takes, handled = append(takes, g.keys()), append(handled, g.local("keys"))
	}
	made := jen.Qual(consumerPath, "Scoped").Call(
		g.local("name"), jen.Index().String().Values(jen.Id(a.typeConst())),
		jen.Func().Params(g.ctx(), g.tx(), g.local("e").Add(runtimeName("PersistedEvent"))).Error().Block(
			jen.Return(jen.Id(a.handle()).Call(append(handled, g.local("e"), g.local("h"), g.local("opts").Op("..."))...)),
		),
	)
	if a.HasPersonal() {
		made = jen.Qual(consumerPath, "Prepared").Call(made, g.newPersonal().Dot("Prepare"))
	}
	doc(f, "%s returns a consumer that hands every event of %s to h. name identifies its checkpoint and must not change.", a.newConsumer(), a.Name)
	f.Func().Id(a.newConsumer()).Types(g.local("Tx").Any()).Add(params(append(takes,
		g.local("h").Id(a.handler()).Types(g.local("Tx")),
		g.local("opts").Op("...").Add(runtimeName("Option")))...,
	)).Qual(consumerPath, "ScopedConsumer").Types(g.local("Tx")).Block(jen.Return(made))
}

// batchConsumer generates the consumer of many events at a time.
func (g *generator) batchConsumer(f *jen.File, a *aggregate) {
	doc(f, `%s returns a consumer that gives many events of %s at a time to handle, decoded and upcast, in the order of
the log; see [consumer.BatchConsumer]. The name identifies its checkpoint and must not change.`, a.newBatchConsumer(), a.Name)
	takes := []jen.Code{g.local("name").String()}
	if a.HasPersonal() {
		takes = append(takes, g.keys())
	}
	types := jen.Index().String().Values(jen.Id(a.typeConst()))
	made := jen.Qual(consumerPath, "TypedBatch").Call(
		g.local("name"), types.Clone(),
		jen.Func().Params(g.local("e").Op("*").Add(runtimeName("PersistedEvent"))).Params(jen.Id(a.sum()), jen.Error()).Block(
			jen.Return(jen.Id(a.decode()).Call(g.local("codec"), g.local("e"))),
		),
		g.local("handle"),
	)
	if a.HasPersonal() {
		made = jen.Qual(consumerPath, "OpenedBatch").Call(made, types.Clone(),
			jen.Func().Params(g.ctx(), g.tx(), g.local("events").Index().Add(runtimeName("PersistedEvent"))).Error().Block(
				jen.List(jen.Id("_"), g.local("err")).Op(":=").Add(g.newPersonal()).Dot("Open").Call(g.local("ctx"), g.local("tx"), g.local("events")),
				jen.Return(g.local("err")),
			))
	}
	f.Func().Id(a.newBatchConsumer()).Types(g.local("Tx").Any()).Custom(lines, append(takes,
		g.local("handle").Func().Params(
			g.ctx(), g.tx(), g.local("events").Index().Add(runtimeName("Recorded")).Types(jen.Id(a.sum())),
		).Error(),
		g.local("opts").Op("...").Add(runtimeName("Option")))...,
	).Qual(consumerPath, "BatchConsumer").Types(g.local("Tx")).Block(
		g.local("codec").Op(":=").Add(codecOf(a.HasPersonal())).Call(g.local("opts").Op("...")),
		jen.Return(made),
	)
}

// hasIDOf reports whether the ID of a stream can be had from its string.
func (a *aggregate) hasIDOf() bool {
	return a.ID.Form == model.StringKind || a.ID.Form == model.StringerID && (a.ID.Unmarshals || a.ID.Parser != model.TypeName{})
}

// idOf generates the function that gives handlers the ID of an event's stream.
func (g *generator) idOf(f *jen.File, a *aggregate) {
	stored := g.local("m").Dot("AggregateID")
	fn := f.Func
	takes := jen.Params(g.local("m").Add(runtimeName("Meta")))
	if a.ID.Form == model.StringKind {
		doc(f, "%s returns the ID of the %s that an event is of, for handlers.", a.idOf(), a.Name)
		fn().Id(a.idOf()).Add(takes).Add(g.idType(a)).Block(jen.Return(g.idType(a).Parens(stored)))
		return
	}
	doc(f, "%s returns the ID of the %s that an event is of, for handlers. It fails if what is stored is no ID.", a.idOf(), a.Name)
	results := jen.Params(g.idType(a), jen.Error())
	if a.ID.Parser.Name != "" {
		fn().Id(a.idOf()).Add(takes).Add(results).Block(jen.Return(g.typeOf(a.ID.Parser).Call(stored)))
		return
	}
	fn().Id(a.idOf()).Add(takes).Add(results).Block(
		jen.Var().Add(g.local("id")).Add(g.idType(a)),
		g.local("err").Op(":=").Add(g.local("id")).Dot("UnmarshalText").Call(jen.Index().Byte().Parens(stored)),
		jen.Return(g.local("id"), g.local("err")),
	)
}

// handle generates the dispatch of one stored event.
func (g *generator) handle(f *jen.File, a *aggregate) {
	value := g.local("event")
	if a.sealed() {
		value.Dot(g.localName("event"))
	}
	doc(f, `%s decodes e, upcasts it to the version that is current, and hands it to h. An event of another aggregate
is a *runtime.DecodeError, as is one that cannot be decoded.`, a.handle())
	takes, opened := []jen.Code{g.ctx(), g.tx()}, jen.Null()
	if a.HasPersonal() {
		takes = append(takes, g.keys())
		opened = jen.If(g.local("err").Op(":=").Add(g.newPersonal()).Dot("OpenOne").Call(
			g.local("ctx"), g.local("tx"), jen.Op("&").Add(g.local("e"))), g.local("err").Op("!=").Nil()).Block(jen.Return(g.local("err")))
	}
	f.Func().Id(a.handle()).Types(g.local("Tx").Any()).Custom(lines, append(takes,
		g.local("e").Add(runtimeName("PersistedEvent")),
		g.local("h").Id(a.handler()).Types(g.local("Tx")),
		g.local("opts").Op("...").Add(runtimeName("Option")))...,
	).Error().Block(
		opened,
		jen.List(g.local("event"), g.local("err")).Op(":=").Id(a.decode()).Call(
			codecOf(a.HasPersonal()).Call(g.local("opts").Op("...")), jen.Op("&").Add(g.local("e"))),
		g.ifErr(g.local("err")),
		jen.Switch(g.local("event").Op(":=").Add(value).Assert(jen.Type())).BlockFunc(func(group *jen.Group) {
			for _, e := range a.current() {
				group.Case(g.eventType(&e)).Block(jen.Return(g.local("h").Dot(e.on()).Call(
					g.local("ctx"), g.local("tx"), g.local("event"), g.local("e").Dot("Meta").Call())))
			}
		}),
		jen.Return(mappingName("NewDecodeError").Call(jen.Op("&").Add(g.local("e")), runtimeName("ErrUnknownEvent"))),
	)
}
