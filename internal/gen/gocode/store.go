package gocode

import (
	"github.com/dave/jennifer/jen"
)

// sum generates the aggregate's type constant and the types of its events and streams.
func (g *generator) sum(f *jen.File, a *aggregate) {
	doc(f, "%s is the aggregate type under which the events of %s are stored.", a.typeConst(), a.Name)
	f.Const().Id(a.typeConst()).Op("=").Lit(a.Name)

	switch {
	case a.sealed():
		g.sealedSum(f, a)
	case a.declaresSum(g.output.Package):
		doc(f, "%s is any event of %s.", a.sum(), a.Name)
		f.Type().Id(a.sum()).Op("=").Add(g.typeOf(a.Sum.Type))
	}

	doc(f, "%s is the events of one %s, in version order, upcast to the versions that are current.", a.stream(), a.Name)
	f.Type().Id(a.stream()).Op("=").Add(runtimeName("TypedStream")).Types(jen.Id(a.sum()))
}

// sealedSum generates the sum type of an aggregate whose domain has no interface over its events.
func (g *generator) sealedSum(f *jen.File, a *aggregate) {
	doc(f, "%s is any event of %s; [%s] makes one. The zero value is no event and cannot be appended.", a.sum(), a.Name, a.sumOf())
	f.Type().Id(a.sum()).Struct(g.local("event").Any())

	doc(f, "Value returns the event itself, for a type switch.")
	f.Func().Params(g.local("e").Id(a.sum())).Id("Value").Params().Any().Block(
		jen.Return(g.local("e").Dot(g.localName("event"))))

	doc(f, "%s returns e as an event of %s. What is no event of it does not compile.", a.sumOf(), a.Name)
	f.Func().Id(a.sumOf()).Types(g.local("E").Add(g.union(a))).Params(g.local("e").Add(g.local("E"))).Id(a.sum()).Block(
		jen.Return(jen.Id(a.sum()).Values(g.local("e"))))
}

// union returns the constraint that the aggregate's events meet, one to a line where they are many.
func (g *generator) union(a *aggregate) *jen.Statement {
	var terms []jen.Code
	for _, e := range a.current() {
		terms = append(terms, g.eventType(&e))
	}
	if len(terms) <= 3 {
		return jen.Union(terms...)
	}
	union := jen.Add(terms[0])
	for _, term := range terms[1:] {
		union.Op("|").Line().Add(term)
	}
	return jen.Interface(union)
}

// receiver returns the receiver of the store's methods.
func (g *generator) receiver(a *aggregate) *jen.Statement {
	return g.local("s").Op("*").Id(a.store()).Types(g.local("Tx"))
}

// ctx, tx and id are the first parameters of the store's methods.
func (g *generator) ctx() *jen.Statement { return g.local("ctx").Qual(contextPath, "Context") }
func (g *generator) tx() *jen.Statement  { return g.local("tx").Add(g.local("Tx")) }
func (g *generator) id(a *aggregate) *jen.Statement {
	return g.local("id").Add(g.idType(a))
}

// store generates the typed store: its constructor, Append and Read.
func (g *generator) store(f *jen.File, a *aggregate) {
	doc(f, `%s appends and reads the streams of %s through a store of any kind. It is immutable and safe
for concurrent use. It never commits or rolls back: the transaction is the caller's.`, a.store(), a.Name)
	fields := []jen.Code{
		g.local("store").Add(runtimeName("Store")).Types(g.local("Tx")),
		g.local("settings").Add(runtimeName("Settings")),
	}
	if a.hasSnapshots() {
		fields = append(fields, g.local("snapshots").Add(mappingName("Snapshots")).Types(g.local("Tx"), g.typeOf(a.State.Type)))
	}
	takes := []jen.Code{g.local("store").Add(runtimeName("Store")).Types(g.local("Tx"))}
	about := "The options hold for every call."
	if a.HasPersonal() {
		fields = append(fields, g.local("personal").Add(mappingName("Personal")).Types(g.local("Tx")))
		takes = append(takes, g.keys())
		about = "Personal data is sealed and opened with the keys. " + about
	}
	f.Type().Id(a.store()).Types(g.local("Tx").Any()).Struct(fields...)

	doc(f, "%s returns a store of %s over store. %s", a.newStore(), a.Name, about)
	f.Func().Id(a.newStore()).Types(g.local("Tx").Any()).Params(
		append(takes, g.local("opts").Op("...").Add(runtimeName("Option")))...,
	).Op("*").Id(a.store()).Types(g.local("Tx")).Block(g.made(a)...)

	g.storeAppend(f, a)
	g.storeRead(f, a)
}

// made returns the statements that make a store.
func (g *generator) made(a *aggregate) []jen.Code {
	members := []jen.Code{
		g.local("store").Op(":").Add(g.local("store")),
		g.local("settings").Op(":").Add(discreet(a, mappingName("NewSettings").Call(g.local("opts").Op("...")))),
	}
	if a.HasPersonal() {
		members = append(members, g.local("personal").Op(":").Add(g.newPersonal()))
	}
	store := jen.Op("&").Id(a.store()).Types(g.local("Tx")).Values(members...)
	if !a.hasSnapshots() {
		return []jen.Code{jen.Return(store)}
	}
	return []jen.Code{
		g.local("s").Op(":=").Add(store),
		g.local("s").Dot(g.localName("snapshots")).Op("=").Add(mappingName("NewSnapshots")).Call(
			g.local("store"), g.local("s").Dot(g.localName("settings")), jen.Id(a.typeConst()), jen.Id(a.foldCode()), g.local("s").Dot("fold")).Add(g.sealing(a)),
		jen.Return(g.local("s")),
	}
}

func (g *generator) storeAppend(f *jen.File, a *aggregate) {
	doc(f, `Append appends events to the stream of id, which must be at the expected version. It takes one round
trip, however many events there are. If the stream is at another version, the error is a *runtime.ConflictError, nothing
is written, and the transaction is still usable.`)
	f.Func().Params(g.receiver(a)).Id("Append").Custom(lines,
		g.ctx(), g.tx(), g.id(a),
		g.local("expected").Add(runtimeName("ExpectedVersion")),
		g.local("events").Index().Id(a.sum()),
		g.local("opts").Op("...").Add(runtimeName("EventOption")),
	).Params(runtimeName("AppendResult"), jen.Error()).Block(g.appended(a, g.local("s").Dot("append").Call(
		g.local("ctx"), g.local("tx"), g.local("id"), g.local("expected"), g.local("events"),
		g.settingsOfCall(a)))...)

	doc(f, "append is Append with the settings of the call.")
	f.Func().Params(g.receiver(a)).Id("append").Custom(lines,
		g.ctx(), g.tx(), g.id(a),
		g.local("expected").Add(runtimeName("ExpectedVersion")),
		g.local("events").Index().Id(a.sum()),
		g.local("settings").Add(runtimeName("Settings")),
	).Params(appendedType(a), jen.Error()).Block(
		g.local("encoder").Op(":=").Add(mappingName("NewEncoder")).Call(
			g.local("settings"), jen.Id(a.typeConst()), g.idString(a)),
		jen.List(g.local("mapped"), g.local("err")).Op(":=").Add(mappingName("EncodeAll")).Call(
			g.local("encoder"), g.local("events"), jen.Id(a.encode())),
		g.ifErr(appendedType(a).Values(), g.local("err")),
		jen.Return(g.appendMapped(a)),
	)
}

// appendMapped returns the call that appends what was encoded.
func (g *generator) appendMapped(a *aggregate) *jen.Statement {
	store := g.local("s").Dot(g.localName("store"))
	if a.HasPersonal() {
		return g.local("s").Dot(g.localName("personal")).Dot("Append").Call(g.local("ctx"), g.local("tx"), store, g.local("expected"), g.local("mapped"))
	}
	return store.Dot("Append").Call(g.local("ctx"), g.local("tx"), g.local("expected"), g.local("mapped"))
}

// appendedType returns what the method append gives: the result, and the events in clear where they hold personal data.
func appendedType(a *aggregate) *jen.Statement {
	if a.HasPersonal() {
		return mappingName("Appended")
	}
	return runtimeName("AppendResult")
}

// appended returns the statements that give the result of the method append.
func (g *generator) appended(a *aggregate, call *jen.Statement) []jen.Code {
	if !a.HasPersonal() {
		return []jen.Code{jen.Return(call)}
	}
	return []jen.Code{
		jen.List(g.local("appended"), g.local("err")).Op(":=").Add(call),
		jen.Return(g.local("appended").Dot("AppendResult"), g.local("err")),
	}
}

// settingsOfCall returns the store's settings with the options of a call.
func (g *generator) settingsOfCall(a *aggregate) *jen.Statement {
	return discreet(a, mappingName("With").Call(g.local("s").Dot(g.localName("settings")), g.local("opts").Op("...")))
}

// discreet returns settings under which no error quotes personal data, if the aggregate has any.
func discreet(a *aggregate, settings *jen.Statement) *jen.Statement {
	if a.HasPersonal() {
		return mappingName("Discreet").Call(settings)
	}
	return settings
}

// sealing returns the call by which snapshots are sealed, if the aggregate has personal data.
func (g *generator) sealing(a *aggregate) *jen.Statement {
	if a.HasPersonal() {
		return jen.Dot("Sealing").Call(g.local("s").Dot(g.localName("personal")))
	}
	return jen.Null()
}

// readStream returns the call that reads the events of a stream, in clear.
func (g *generator) readStream(a *aggregate, opts jen.Code) *jen.Statement {
	call := mappingName("ReadStream")
	if a.HasPersonal() {
		call = g.local("s").Dot(g.localName("personal")).Dot("ReadStream")
	}
	return call.Call(g.local("ctx"), g.local("s").Dot(g.localName("store")), g.local("tx"), jen.Id(a.typeConst()), g.idString(a), opts)
}

func (g *generator) storeRead(f *jen.File, a *aggregate) {
	doc(f, `Read returns the stream of id, or the window of versions that the options select. A stream that does not
exist is empty, without an error. A stream that lacks events is a *runtime.IncompleteStreamError, and an event that
cannot be decoded is a *runtime.DecodeError.`)
	f.Func().Params(g.receiver(a)).Id("Read").Custom(lines,
		g.ctx(), g.tx(), g.id(a), g.local("opts").Op("...").Add(runtimeName("ReadOption")),
	).Params(jen.Id(a.stream()), jen.Error()).Block(
		jen.List(g.local("stream"), g.local("err")).Op(":=").Add(g.readStream(a, g.local("opts").Op("..."))),
		g.ifErr(jen.Id(a.stream()).Values(), g.local("err")),
		jen.Return(mappingName("DecodeStream").Call(g.local("stream"),
			jen.Func().Params(g.local("e").Op("*").Add(runtimeName("PersistedEvent"))).Params(jen.Id(a.sum()), jen.Error()).Block(
				jen.Return(jen.Id(a.decode()).Call(g.local("s").Dot(g.localName("settings")).Dot("Codec").Call(), g.local("e"))),
			))),
	)
}

// ifErr returns the results if err is not nil.
func (g *generator) ifErr(results ...jen.Code) *jen.Statement {
	return jen.If(g.local("err").Op("!=").Nil()).Block(jen.Return(results...))
}
