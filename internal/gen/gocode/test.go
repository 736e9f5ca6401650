package gocode

import (
	"fmt"
	"slices"

	"github.com/dave/jennifer/jen"

	"github.com/eventmap/eventmap/internal/model"
)

// test returns the tests of one aggregate's mapping.
func (g *generator) test(a *aggregate) *jen.File {
	f := g.newFile()
	t := func() *jen.Statement { return g.local("t").Op("*").Qual(testingPath, "T") }
	run := func(name string, call *jen.Statement) *jen.Statement {
		return g.local("t").Dot("Run").Call(jen.Lit(name), jen.Func().Params(t()).Block(call))
	}

	doc(f, "Every version of every event, with all its fields set, is the same after it was stored and read.")
	f.Func().Id(a.roundTrips()).Params(t()).BlockFunc(func(group *jen.Group) {
		if a.HasPersonal() {
			group.Add(g.local("keys")).Op(":=").Qual(eventtestPath, "Keys").Call()
		}
		for _, e := range a.events {
			group.Add(run(fmt.Sprintf("%s.v%d", e.Name, e.Version), jen.Qual(eventtestPath, "RoundTrip").Call(
				g.sampled(&e, g.local("t"), jen.Id(a.typeConst()), g.tested(&e, "Sealing", e.to()), g.tested(&e, "Opening", e.from()))...)))
		}
	})

	g.testPayloads(f, a, run)
	g.testSnapshots(f, a, run)
	if len(a.current()) < len(a.events) {
		g.testUpcasts(f, a, run)
	}
	if !g.mappers {
		g.pairs(f, a)
	}
	return f
}

// testUpcasts generates the test that old versions are read as current ones.
func (g *generator) testUpcasts(f *jen.File, a *aggregate, run func(string, *jen.Statement) *jen.Statement) {
	t := func() *jen.Statement { return g.local("t").Op("*").Qual(testingPath, "T") }
	doc(f, "Every old version that has an upcaster is read as the version that is current.")
	f.Func().Id(a.upcasts()).Params(t()).BlockFunc(func(group *jen.Group) {
		read := jen.Id("FromESEvent")
		if g.personal {
			group.Add(g.local("keys")).Op(":=").Qual(eventtestPath, "Keys").Call()
			read = g.keyedTest("Opening", "FromESEvent")
		}
		for _, e := range a.events {
			if e.Current() {
				continue
			}
			last := e.Event
			for last.Upcast != nil {
				last = a.Event(last.Name, last.Upcast.To)
			}
			group.Add(run(fmt.Sprintf("%s.v%d", e.Name, e.Version), jen.Qual(eventtestPath, "Upcast").Types(g.eventType(&event{Event: last})).Call(
				g.sampled(&e, g.local("t"), jen.Id(a.typeConst()), g.tested(&e, "Sealing", e.to()), read.Clone())...)))
		}
	})
}

// noTx returns the transaction of tests.
func noTx() *jen.Statement { return jen.Qual(eventtestPath, "NoTx") }

// tested returns a generated function as tests take it: with keys, if it seals or opens the event.
func (g *generator) tested(e *event, adapter, function string) *jen.Statement {
	if !e.isPersonal() {
		return jen.Id(function)
	}
	return g.keyedTest(adapter, function)
}

// keyedTest returns a generated function that takes keys as tests take it.
func (g *generator) keyedTest(adapter, function string) *jen.Statement {
	return jen.Qual(eventtestPath, adapter).Call(g.local("t"), g.local("keys"), jen.Id(function).Types(noTx()))
}

// clearly returns the functions that map an event out and back without sealing it.
func (g *generator) clearly(a *aggregate, e *event) []jen.Code {
	if !e.isPersonal() {
		return []jen.Code{jen.Id(e.to()), jen.Id(e.from())}
	}
	clear := *e.Event
	payload := *e.Payload
	payload.Fields = slices.Clone(payload.Fields)
	for i := range payload.Fields {
		payload.Fields[i].Personal = nil
	}
	clear.Payload = &payload
	plain := *e
	plain.Event = &clear
	pointer := jen.Op("&").Add(g.local("e"))
	if e.Pointer {
		pointer = g.local("e")
	}
	opts := g.local("opts").Op("...").Add(runtimeName("Option"))
	return []jen.Code{
		jen.Line().Func().Params(jen.List(g.local("aggregateType"), g.local("aggregateID")).String(), g.local("e").Add(g.eventType(e)), opts).
			Params(runtimeName("Event"), jen.Error()).Block(g.encoded(a, &plain, pointer)...),
		jen.Line().Func().Params(g.local("e").Add(runtimeName("PersistedEvent")), opts.Clone()).
			Params(g.eventType(e), jen.Error()).Block(g.decoded(a, &plain)...),
	}
}

// sampled returns the arguments of a function that makes a sample of the event: after the given ones, values of the types
// that may not accept just any.
func (g *generator) sampled(e *event, args ...jen.Code) []jen.Code {
	for _, value := range values(e.Payload) {
		args = append(args, g.typeOf(value))
	}
	return args
}

// values returns the values that are named anywhere in a shape, each once.
func values(s *model.Shape) []model.TypeName {
	if s == nil {
		return nil
	}
	all := slices.Concat(s.Values, values(s.Key), values(s.Elem))
	for _, f := range s.Fields {
		all = append(all, values(f.Shape)...)
	}
	var once []model.TypeName
	for _, value := range all {
		if !slices.Contains(once, value) {
			once = append(once, value)
		}
	}
	return once
}

// testSnapshots generates the test that a state is the same from a snapshot, and that the fingerprint is up to date.
func (g *generator) testSnapshots(f *jen.File, a *aggregate, run func(string, *jen.Statement) *jen.Statement) {
	if !a.hasSnapshots() {
		return
	}
	var samples []jen.Code
	for _, e := range a.current() {
		sample := jen.Qual(eventtestPath, "Sample").Types(g.eventType(&e)).Call(g.sampled(&e)...)
		if a.sealed() {
			sample = jen.Id(a.sumOf()).Call(sample)
		}
		samples = append(samples, jen.Line().Add(sample))
	}
	files := jen.Dict{}
	for _, file := range a.State.Snapshots.Files {
		files[jen.Lit(file.Path)] = jen.Lit(file.Sum)
	}
	doc(f, "A state from a snapshot is the one that the events come to, and %s stands for the code that is here.", a.foldCode())
	f.Func().Id(a.snapshotTest()).Params(g.local("t").Op("*").Qual(testingPath, "T")).Block(
		run("state", jen.Qual(eventtestPath, "StateRoundTrip").Call(
			g.local("t"), jen.Id(a.fold()), jen.Index().Id(a.sum()).Values(append(samples, jen.Line())...))),
		run("code", jen.Qual(eventtestPath, "FoldFiles").Call(
			g.local("t"), jen.Map(jen.String()).String().Values(files))),
	)
}

// testPayloads generates the test that reads the committed payloads.
func (g *generator) testPayloads(f *jen.File, a *aggregate, run func(string, *jen.Statement) *jen.Statement) {
	var runs []jen.Code
	for i := range a.events {
		e := &a.events[i]
		if path := e.payloadFile(a); path != "" {
			runs = append(runs, run(fmt.Sprintf("%s.v%d", e.Name, e.Version), jen.Qual(eventtestPath, "Payload").Call(
				g.sampled(e, append([]jen.Code{g.local("t"), jen.Lit(path), jen.Id(a.typeConst())}, g.clearly(a, e)...)...)...)))
		}
	}
	if len(runs) == 0 {
		return
	}
	doc(f, "Every event can be read as it was stored when its sample below testdata was written, and nothing of it is lost.")
	f.Func().Id(a.payloads()).Params(g.local("t").Op("*").Qual(testingPath, "T")).Block(runs...)
}
