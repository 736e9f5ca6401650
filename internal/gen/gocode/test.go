package gocode

import (
	"fmt"

	"github.com/dave/jennifer/jen"
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
		for _, e := range a.events {
			group.Add(run(fmt.Sprintf("%s.v%d", e.Name, e.Version), jen.Qual(eventtestPath, "RoundTrip").Call(
				g.local("t"), jen.Id(a.typeConst()), jen.Id(e.to()), jen.Id(e.from()))))
		}
	})

	g.testPayloads(f, a, run)
	if len(a.current()) == len(a.events) {
		return f
	}
	doc(f, "Every old version that has an upcaster is read as the version that is current.")
	f.Func().Id(a.upcasts()).Params(t()).BlockFunc(func(group *jen.Group) {
		for _, e := range a.events {
			if e.Current() {
				continue
			}
			last := e.Event
			for last.Upcast != nil {
				last = a.Event(last.Name, last.Upcast.To)
			}
			group.Add(run(fmt.Sprintf("%s.v%d", e.Name, e.Version), jen.Qual(eventtestPath, "Upcast").Types(g.eventType(&event{Event: last})).Call(
				g.local("t"), jen.Id(a.typeConst()), jen.Id(e.to()), jen.Id("FromESEvent"))))
		}
	})
	return f
}

// testPayloads generates the test that reads the committed payloads.
func (g *generator) testPayloads(f *jen.File, a *aggregate, run func(string, *jen.Statement) *jen.Statement) {
	var runs []jen.Code
	for i := range a.events {
		e := &a.events[i]
		if path := e.payloadFile(a); path != "" {
			runs = append(runs, run(fmt.Sprintf("%s.v%d", e.Name, e.Version), jen.Qual(eventtestPath, "Payload").Call(
				g.local("t"), jen.Lit(path), jen.Id(a.typeConst()), jen.Id(e.to()), jen.Id(e.from()))))
		}
	}
	if len(runs) == 0 {
		return
	}
	doc(f, "Every event can be read as it was stored when its sample below testdata was written, and nothing of it is lost.")
	f.Func().Id(a.payloads()).Params(g.local("t").Op("*").Qual(testingPath, "T")).Block(runs...)
}
