package gocode

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/eventmap/eventmap/internal/model"
)

// The names of everything that is generated follow from one rule, with no counters, so that what is added to a domain
// never renames what was there:
//
//	aggregate A    AType AEvent AEventOf AStream AStore NewAStore FoldA AHandler AHandlerFuncs HandleA NewAConsumer AIDOf,
//	               NewAForgetter, unexported encodeAEvent decodeAEvent foldACode, and AScenario in the package beside it for tests
//	event E of A   in handlers OnE and the field E for the highest version, OnEVn and EVn for any lower one that no
//	               upcaster turns into a higher
//	version n      ToAEVn and FromAEVn, or ToEVn and FromEVn where E begins with the word A, unexported where only tests
//	               have them; unexported writeAEVn and readAEVn
//	type T in E    unexported writeAT and readAT, unless something has that name
//
// A and E are the names as stored, made exported identifiers: their runs of letters and digits with the first letter of
// each raised; E is the name of the event's type where that makes no exported identifier. Why adding an event renames nothing: every name above is a function of A alone, or of A, E, n and whether
// a higher version of the same E exists. Two different inputs can give one name ("a.b" and "AB", or event OrderPlaced
// beside event Placed in Order); then generation stops and names both.

// aggregate is a [model.Aggregate] with the identifiers of what is generated for it.
type aggregate struct {
	*model.Aggregate
	ident  string // Order
	events []event
	plain  *plainTypes // what is written and read as plain JSON, or nil
}

// event is a [model.Event] with its identifiers.
type event struct {
	*model.Event
	qualified string // OrderPlacedV1
	handled   string // Placed, or PlacedV1 for a version that is not the highest
	exported  bool   // the two functions that map it
	plain     *plainType
}

func (a *aggregate) typeConst() string        { return a.ident + "Type" }
func (a *aggregate) sum() string              { return a.ident + "Event" }
func (a *aggregate) sumOf() string            { return a.ident + "EventOf" }
func (a *aggregate) stream() string           { return a.ident + "Stream" }
func (a *aggregate) store() string            { return a.ident + "Store" }
func (a *aggregate) newStore() string         { return "New" + a.ident + "Store" }
func (a *aggregate) handler() string          { return a.ident + "Handler" }
func (a *aggregate) handlerFuncs() string     { return a.ident + "HandlerFuncs" }
func (a *aggregate) handle() string           { return "Handle" + a.ident }
func (a *aggregate) idOf() string             { return a.ident + "IDOf" }
func (a *aggregate) newConsumer() string      { return "New" + a.ident + "Consumer" }
func (a *aggregate) newBatchConsumer() string { return "New" + a.ident + "BatchConsumer" }
func (a *aggregate) newForgetter() string     { return "New" + a.ident + "Forgetter" }
func (a *aggregate) encode() string           { return "encode" + a.ident + "Event" }
func (a *aggregate) decode() string           { return "decode" + a.ident + "Event" }
func (a *aggregate) fold() string             { return "Fold" + a.ident }
func (a *aggregate) foldCode() string         { return "fold" + a.ident + "Code" }
func (a *aggregate) scenario() string         { return a.ident + "Scenario" }
func (a *aggregate) roundTrips() string       { return "Test" + a.ident + "Events_roundTrip" }
func (a *aggregate) upcasts() string          { return "Test" + a.ident + "Events_upcast" }
func (a *aggregate) payloads() string         { return "Test" + a.ident + "Events_payloads" }
func (a *aggregate) snapshotTest() string     { return "Test" + a.ident + "Snapshots" }
func (a *aggregate) file() string             { return snake(a.ident) + "_events.gen.go" }
func (a *aggregate) plainFile() string        { return snake(a.ident) + "_json.gen.go" }
func (a *aggregate) testFile() string         { return snake(a.ident) + "_events.gen_test.go" }

func (e *event) on() string { return "On" + e.handled }

func (e *event) to() string {
	if e.exported {
		return "To" + e.qualified
	}
	return "to" + e.qualified
}

func (e *event) from() string {
	if e.exported {
		return "From" + e.qualified
	}
	return "from" + e.qualified
}

// versions returns the versions of the event that begins at index i.
func (a *aggregate) versions(i int) []event {
	end := i + 1
	for end < len(a.events) && a.events[end].Name == a.events[i].Name {
		end++
	}
	return a.events[i:end]
}

// current returns the versions that user code meets, in order.
func (a *aggregate) current() []event {
	var current []event
	for _, e := range a.events {
		if e.Current() {
			current = append(current, e)
		}
	}
	return current
}

// hasSnapshots reports whether states of the aggregate are kept.
func (a *aggregate) hasSnapshots() bool { return a.State != nil && a.State.Snapshots != nil }

// sealed reports whether the sum is generated because the domain has none.
func (a *aggregate) sealed() bool { return a.Sum == nil }

// name gives every aggregate and event of the domain its identifiers, or says which cannot have them. declared is every
// name that the output package declares. mappers says whether the functions for one version of one event are exported.
func name(d *model.Domain, mappers bool) (aggregates []aggregate, declared map[string]bool, problems model.Problems) {
	aggregates = make([]aggregate, len(d.Aggregates))
	for i := range d.Aggregates {
		a := aggregate{Aggregate: &d.Aggregates[i], ident: exported(d.Aggregates[i].Name)}
		if !isExported(a.ident) {
			problems = append(problems, model.Problem{Pos: a.Pos, Message: fmt.Sprintf(
				"aggregate %q makes no exported Go identifier; name it by a mark with a name that begins with an upper-case letter", a.Name)})
		}
		for j := range a.Events {
			e := &a.Events[j]
			ident := exported(e.Name)
			if !isExported(ident) {
				ident = exported(e.Type.Name)
			}
			if !isExported(ident) {
				problems = append(problems, model.Problem{Pos: e.Pos, Message: fmt.Sprintf(
					"event %q makes no exported Go identifier; give it another with //eventmap:event name=...", e.Name)})
			}
			version := "V" + strconv.Itoa(e.Version)
			named := event{Event: e, qualified: qualified(a.ident, ident) + version, handled: ident, exported: mappers}
			if a.Latest(e.Name).Version != e.Version {
				named.handled += version
			}
			a.events = append(a.events, named)
		}
		aggregates[i] = a
	}
	declared, collisions := declare(d, aggregates)
	return aggregates, declared, append(problems, collisions...)
}

// builtins are the names by which generated code means what Go declares.
var builtins = []string{"any", "byte", "error", "int64", "len", "make", "nil", "string"}

// declare returns every name that the output package declares, and a problem for each that would be declared twice, or
// that hides a predeclared one.
func declare(d *model.Domain, aggregates []aggregate) (map[string]bool, model.Problems) {
	scope := newScope()
	for declared, pos := range d.Output.Declared {
		scope.declare(declared, pos, handWritten)
		if slices.Contains(builtins, declared) {
			scope.problems = append(scope.problems, model.Problem{Pos: pos, Message: fmt.Sprintf(
				"%s is declared here, and generated code means Go's own by that name; rename it, or choose another output folder", declared)})
		}
	}
	files := newScope()
	files.clashes = scope.clashes // of two aggregates that clash in both, one is enough to say
	common := []string{"EventTypeOf", "ToESEvents", "FromESEvents", "FromESEvent", "decodeEvent", "Describe"}
	if slices.ContainsFunc(aggregates, func(a aggregate) bool { return a.State != nil }) {
		common = append(common, "Decide2")
	}
	for _, name := range common {
		scope.declare(name, model.Position{}, "every generated package")
	}
	if d.HasPersonal() {
		scope.declare(personalEvents, model.Position{}, "every generated package with personal data")
	}
	for _, a := range aggregates {
		what := fmt.Sprintf("aggregate %q", a.Name)
		for _, ident := range a.declared(d.Output.Package) {
			scope.declare(ident, a.Pos, what)
		}
		files.declare(a.file(), a.Pos, what)
		handler := newScope()
		for _, e := range a.events {
			what := fmt.Sprintf("event %q version %d of %s", e.Name, e.Version, a.Name)
			if scope.declare(e.to(), e.Pos, what) {
				scope.declare(e.from(), e.Pos, what)
			}
			if e.Current() {
				handler.declare(e.on(), e.Pos, what)
				handler.declare(e.handled, e.Pos, what)
			}
		}
		scope.problems = append(scope.problems, handler.problems...)
	}
	declared := map[string]bool{}
	for name := range scope.origins {
		declared[name] = true
	}
	return declared, append(scope.problems, files.problems...)
}

// declared returns the package-level names generated for the aggregate, but those of its events.
func (a *aggregate) declared(output model.Package) []string {
	names := []string{
		a.typeConst(), a.stream(), a.store(), a.newStore(), a.handler(), a.handlerFuncs(), a.handle(), a.newConsumer(), a.newBatchConsumer(),
		a.encode(), a.decode(), a.roundTrips(), a.upcasts(), a.payloads(),
	}
	if a.sealed() {
		names = append(names, a.sumOf())
	}
	if a.declaresSum(output) {
		names = append(names, a.sum())
	}
	if a.hasIDOf() {
		names = append(names, a.idOf())
	}
	if a.State != nil {
		names = append(names, a.fold())
	}
	if a.forgets() {
		names = append(names, a.newForgetter())
	}
	if a.hasSnapshots() {
		names = append(names, a.foldCode(), a.snapshotTest())
	}
	return names
}

// declaresSum reports whether a type for the sum is generated: not where the domain's own already has that name in the
// same package.
func (a *aggregate) declaresSum(output model.Package) bool {
	return a.sealed() || a.Sum.Type != model.TypeName{Package: output, Name: a.sum()}
}

// A scope is a set of names that must differ.
type scope struct {
	origins  map[string]origin
	clashes  map[[2]string]bool // what wants a name that something else has
	problems model.Problems
}

type origin struct {
	pos  model.Position
	what string
}

func newScope() *scope {
	return &scope{origins: map[string]origin{}, clashes: map[[2]string]bool{}}
}

// handWritten is the origin of what the output package declares already.
const handWritten = "the output package by hand"

// declare adds a name, or a problem if it is there already, and reports whether it added it. Two things that clash in many
// names are one problem.
func (s *scope) declare(name string, pos model.Position, what string) bool {
	first, taken := s.origins[name]
	switch {
	case !taken:
		s.origins[name] = origin{pos, what}
		return true
	case first.what == handWritten:
		s.problems = append(s.problems, model.Problem{Pos: first.pos, Message: fmt.Sprintf(
			"%s is declared here, and is generated too, for %s; rename it, or choose another output folder", name, what)})
	case first.what != what && !s.clashes[[2]string{what, first.what}]:
		s.clashes[[2]string{what, first.what}] = true
		at := ""
		if first.pos.IsValid() {
			at = " (" + first.pos.String() + ")"
		}
		s.problems = append(s.problems, model.Problem{Pos: pos, Message: fmt.Sprintf(
			"%s needs the name %s, and so does %s%s; give one another name with name= on its mark", what, name, first.what, at)})
	}
	return false
}
