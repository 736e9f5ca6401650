package gocode

import (
	"github.com/dave/jennifer/jen"

	"github.com/eventmap/eventmap/internal/model"
)

// state generates what needs the type that events fold into: Load, Execute and the fold.
func (g *generator) state(f *jen.File, a *aggregate) {
	state := g.typeOf(a.State.Type)

	doc(f, `Load folds the stream of id into its state and returns that with the stream's version: the zero state and 0
for a stream that does not exist. With runtime.ToVersion they are those of an earlier version. A stream that lacks
events is a *runtime.IncompleteStreamError.`)
	f.Func().Params(g.receiver(a)).Id("Load").Custom(lines,
		g.ctx(), g.tx(), g.id(a), g.local("opts").Op("...").Add(runtimeName("LoadOption")),
	).Params(state.Clone(), jen.Int64(), jen.Error()).Block(g.load(a, state)...)
	g.execute(f, a, state)
	g.at(f, a, state)
	if !a.HasPersonal() || !a.hasSnapshots() {
		g.advance(f, a, state)
	} else {
		g.foldStored(f, a, state)
	}
	if a.hasSnapshots() {
		doc(f, "%s stands for all code that the fold runs. Snapshots made by other code are not read.", a.foldCode())
		f.Const().Id(a.foldCode()).Op("=").Lit(a.State.Snapshots.Fingerprint)
	}
	g.foldEvent(f, a, state)
}

// load returns the statements of Load.
func (g *generator) load(a *aggregate, state *jen.Statement) []jen.Code {
	if a.hasSnapshots() {
		return []jen.Code{
			jen.List(g.local("loaded"), g.local("err")).Op(":=").Add(g.local("s")).Dot(g.localName("snapshots")).Dot("Load").Call(
				g.local("ctx"), g.local("tx"), g.idString(a), g.local("opts").Op("...")),
			jen.Return(g.local("loaded").Dot("State"), g.local("loaded").Dot("Version"), g.local("err")),
		}
	}
	return []jen.Code{
		jen.Var().Add(g.local("state")).Add(state.Clone()),
		jen.List(g.local("version"), g.local("err")).Op(":=").Add(g.local("s")).Dot("advance").Call(
			g.local("ctx"), g.local("tx"), g.local("id"), jen.Op("&").Add(g.local("state")), jen.Lit(0), g.local("opts").Op("...")),
		jen.Return(g.local("state"), g.local("version"), g.local("err")),
	}
}

func (g *generator) execute(f *jen.File, a *aggregate, state *jen.Statement) {
	doc(f, `Execute loads the state of id, lets decide return the events that follow from it, and appends those if the stream
is still at the version that was loaded. It returns the state and the version afterwards. If decide returns no events,
nothing is appended. If another append was quicker, Execute reads only what is new and decides again, as many times as
runtime.WithMaxAttempts allows; then it returns the *runtime.ConflictError. With runtime.IfVersion it decides at that
version only. An error of decide is returned as it is. decide must not change what its argument points to.`)
	execution := func(values ...jen.Code) *jen.Statement {
		return runtimeName("Execution").Types(state.Clone()).Values(values...)
	}
	field := func(name string, value jen.Code) *jen.Statement { return jen.Id(name).Op(":").Add(value) }
	at, saved := g.held(a)
	load := jen.List(at.state(), at.version(), g.local("err")).Op(":=").Add(g.local("s")).Dot("Load").Call(
		g.local("ctx"), g.local("tx"), g.local("id"))
	if a.hasSnapshots() {
		load = jen.List(g.local("loaded"), g.local("err")).Op(":=").Add(g.local("s")).Dot(g.localName("snapshots")).Dot("Load").Call(
			g.local("ctx"), g.local("tx"), g.idString(a))
	}
	f.Func().Params(g.receiver(a)).Id("Execute").Custom(lines,
		g.ctx(), g.tx(), g.id(a),
		g.local("decide").Func().Params(state.Clone()).Params(jen.Index().Id(a.sum()), jen.Error()),
		g.local("opts").Op("...").Add(runtimeName("ExecuteOption")),
	).Params(runtimeName("Execution").Types(state.Clone()), jen.Error()).Block(
		g.local("settings").Op(":=").Add(g.settingsOfCall(a)),
		load,
		g.ifErr(execution(), g.local("err")),
		jen.For(g.local("attempt").Op(":=").Lit(1), jen.Empty(), g.local("attempt").Op("++")).Block(
			jen.If(g.local("err").Op(":=").Add(mappingName("CheckVersion")).Call(
				g.local("settings"), jen.Id(a.typeConst()), g.idString(a), at.version()),
				g.local("err").Op("!=").Nil()).Block(jen.Return(execution(), g.local("err"))),
			jen.List(g.local("events"), g.local("err")).Op(":=").Add(g.local("decide")).Call(at.state()),
			g.ifErr(execution(), g.local("err")),
			jen.If(jen.Len(g.local("events")).Op("==").Lit(0)).Block(jen.Return(
				execution(field("State", at.state()), field("Version", at.version())), jen.Nil())),
			jen.List(g.local("result"), g.local("err")).Op(":=").Add(g.local("s")).Dot("append").Call(
				g.local("ctx"), g.local("tx"), g.local("id"), runtimeName("Exact").Call(at.version()),
				g.local("events"), g.local("settings")),
			jen.If(g.local("err").Op("==").Nil()).Block(
				jen.If(g.local("err").Op(":=").Add(g.local("s")).Dot("fold").Call(
					jen.Op("&").Add(at.state()), at.events()), g.local("err").Op("!=").Nil()).Block(
					jen.Return(execution(), g.local("err"))),
				saved,
				jen.Return(execution(
					field("AppendResult", at.result()), field("State", at.state()),
					field("Version", g.local("result").Dot("ToVersion").Call())), jen.Nil()),
			),
			jen.Var().Add(g.local("conflict")).Op("*").Add(runtimeName("ConflictError")),
			jen.If(jen.Op("!").Qual(errorsPath, "As").Call(g.local("err"), jen.Op("&").Add(g.local("conflict"))).
				Op("||").Add(g.local("attempt")).Op(">=").Add(g.local("settings")).Dot("MaxAttempts").Call()).Block(
				jen.Return(execution(), g.local("err"))),
			jen.If(g.again(a, at), g.local("err").Op("!=").Nil()).Block(
				jen.Return(execution(), g.local("err"))),
		),
	)
}

// at generates what Decide2 is given.
func (g *generator) at(f *jen.File, a *aggregate, state *jen.Statement) {
	made := mappingName("NewAggregate").Types(jen.Id(a.sum())).Call(
		g.local("s").Dot(g.localName("store")), g.local("s").Dot(g.localName("settings")), jen.Id(a.typeConst()), g.idString(a),
		jen.Id(a.encode()), g.local("s").Dot("fold"))
	if a.hasSnapshots() {
		made.Dot("WithSnapshots").Call(g.local("s").Dot(g.localName("snapshots")))
	}
	if a.HasPersonal() {
		made.Dot("WithPersonal").Call(g.local("s").Dot(g.localName("personal")))
	}
	doc(f, "At returns the %s of id, for Decide2.", a.Name)
	f.Func().Params(g.receiver(a)).Id("At").Params(g.id(a)).Add(
		mappingName("Aggregate").Types(g.local("Tx"), state.Clone(), jen.Id(a.sum()))).Block(jen.Return(made))
}

// A held says what holds a state and its version while Execute runs: variables, or what was loaded from a snapshot.
type held struct{ state, version, result, events func() *jen.Statement }

// held returns what holds the state, and the statements that save it after an append, if it is kept.
func (g *generator) held(a *aggregate) (at held, saved jen.Code) {
	at = held{
		state:   func() *jen.Statement { return g.local("state") },
		version: func() *jen.Statement { return g.local("version") },
		result:  func() *jen.Statement { return g.local("result") },
		events:  func() *jen.Statement { return g.local("result").Dot("Events") },
	}
	keys := jen.Null()
	if a.HasPersonal() {
		at.result = func() *jen.Statement { return g.local("result").Dot("AppendResult") }
		at.events = func() *jen.Statement { return g.local("result").Dot("Opened") }
		keys = g.local("loaded").Dot("KeyIDs").Op("=").Append(g.local("loaded").Dot("KeyIDs"), g.local("result").Dot("KeyIDs").Op("...")).Line()
	}
	if !a.hasSnapshots() {
		return at, jen.Null()
	}
	at.state = func() *jen.Statement { return g.local("loaded").Dot("State") }
	at.version = func() *jen.Statement { return g.local("loaded").Dot("Version") }
	return at, keys.Add(g.local("loaded").Dot("Appended").Call(at.result()).Line().
		Add(g.local("s")).Dot(g.localName("snapshots")).Dot("Save").Call(g.local("ctx"), g.local("tx"), g.idString(a), g.local("loaded")))
}

// again returns the assignment that brings the state up to date after a conflict. Where a snapshot is sealed, all keys of what
// goes into it have to be known, so the state is loaded anew.
func (g *generator) again(a *aggregate, at held) *jen.Statement {
	if a.HasPersonal() && a.hasSnapshots() {
		return jen.List(g.local("loaded"), g.local("err")).Op("=").Add(g.local("s")).Dot(g.localName("snapshots")).Dot("Load").Call(
			g.local("ctx"), g.local("tx"), g.idString(a))
	}
	return jen.List(at.version(), g.local("err")).Op("=").Add(g.local("s")).Dot("advance").Call(
		g.local("ctx"), g.local("tx"), g.local("id"), jen.Op("&").Add(at.state()), at.version())
}

func (g *generator) advance(f *jen.File, a *aggregate, state *jen.Statement) {
	doc(f, "advance folds the events after version into state and returns the version it then stands at.")
	f.Func().Params(g.receiver(a)).Id("advance").Custom(lines,
		g.ctx(), g.tx(), g.id(a), g.local("state").Op("*").Add(state.Clone()), g.local("version").Int64(),
		g.local("opts").Op("...").Add(runtimeName("LoadOption")),
	).Params(jen.Int64(), jen.Error()).Block(
		jen.List(g.local("stream"), g.local("err")).Op(":=").Add(g.readStream(a,
			mappingName("After").Call(g.local("version"), g.local("opts").Op("...")).Op("..."))),
		g.ifErr(jen.Lit(0), g.local("err")),
		jen.If(g.local("err").Op(":=").Add(g.local("s")).Dot("fold").Call(g.local("state"), g.local("stream").Dot("Events")),
			g.local("err").Op("!=").Nil()).Block(jen.Return(jen.Lit(0), g.local("err"))),
		jen.Return(g.local("version").Op("+").Int64().Parens(g.local("stream").Dot("Len").Call()), jen.Nil()),
	)
	g.foldStored(f, a, state)
}

// foldStored generates the method that folds stored events.
func (g *generator) foldStored(f *jen.File, a *aggregate, state *jen.Statement) {
	doc(f, "fold applies stored events to state, upcast to the versions that are current.")
	f.Func().Params(g.receiver(a)).Id("fold").Params(
		g.local("state").Op("*").Add(state.Clone()), g.local("events").Index().Add(runtimeName("PersistedEvent")),
	).Error().Block(
		jen.For(g.local("i").Op(":=").Range().Add(g.local("events"))).Block(
			g.local("e").Op(":=").Op("&").Add(g.local("events")).Index(g.local("i")),
			jen.List(g.local("event"), g.local("err")).Op(":=").Id(a.decode()).Call(
				g.local("s").Dot(g.localName("settings")).Dot("Codec").Call(), g.local("e")),
			g.ifErr(g.local("err")),
			jen.If(g.local("err").Op(":=").Id(a.fold()).Call(g.local("state"), g.local("event")), g.local("err").Op("!=").Nil()).Block(
				jen.Return(jen.Qual(fmtPath, "Errorf").Call(
					jen.Lit("fold %s %q, version %d: %w"), g.local("e").Dot("AggregateType"), g.local("e").Dot("AggregateID"),
					g.local("e").Dot("AggregateVersion"), g.local("err")))),
		),
		jen.Return(jen.Nil()),
	)
}

// foldEvent generates the function that hands one event to the state's own methods.
func (g *generator) foldEvent(f *jen.File, a *aggregate, state *jen.Statement) {
	doc(f, "%s applies one event to state, as Load does with each in turn.", a.fold())
	fold := f.Func().Id(a.fold()).Params(g.local("state").Op("*").Add(state.Clone()), g.local("event").Id(a.sum())).Error()
	if sum := a.State.Appliers[0]; sum.Event == "" {
		fold.Block(g.apply(sum, g.local("event"))...)
		return
	}
	value := g.local("event")
	if a.sealed() {
		value.Dot(g.localName("event"))
	}
	var cases []jen.Code
	for _, e := range a.current() {
		for _, applier := range a.State.Appliers {
			if applier.Event != e.Name || applier.Version != e.Version {
				continue
			}
			argument := g.local("e")
			switch {
			case applier.TakesPointer && !e.Pointer:
				argument = jen.Op("&").Add(argument)
			case !applier.TakesPointer && e.Pointer:
				argument = jen.Op("*").Add(argument)
			}
			cases = append(cases, jen.Case(g.eventType(&e)).Block(g.apply(applier, argument)...))
		}
	}
	fold.Block(
		jen.Switch(g.local("e").Op(":=").Add(value.Clone()).Assert(jen.Type())).Block(cases...),
		jen.Return(jen.Qual(fmtPath, "Errorf").Call(jen.Lit("%w: %T"), runtimeName("ErrUnknownEvent"), value.Clone())),
	)
}

// apply returns the statements that call the applier and end the fold.
func (g *generator) apply(applier model.Applier, argument *jen.Statement) []jen.Code {
	call := g.local("state").Dot(applier.Method).Call(argument)
	if applier.Result == model.Mutates {
		if applier.ReturnsError {
			return []jen.Code{jen.Return(call)}
		}
		return []jen.Code{call, jen.Return(jen.Nil())}
	}
	next := jen.Op("*").Add(g.local("state"))
	result := g.local("next")
	if applier.Result == model.GivesStatePtr {
		result = jen.Op("*").Add(result)
	}
	if applier.ReturnsError {
		return []jen.Code{
			jen.List(g.local("next"), g.local("err")).Op(":=").Add(call),
			jen.If(g.local("err").Op("==").Nil()).Block(next.Op("=").Add(result)),
			jen.Return(g.local("err")),
		}
	}
	if applier.Result == model.GivesStatePtr {
		call = jen.Op("*").Add(call)
	}
	return []jen.Code{next.Op("=").Add(call), jen.Return(jen.Nil())}
}
