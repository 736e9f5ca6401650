package eventtest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// A Scenario tests what an aggregate decides, without a database: given what has happened, when it is asked, then these
// events follow. Generated code begins one for each aggregate that has a state:
//
//	shopstoretest.OrderScenario(t).
//		Given(order.Placed{Currency: "EUR"}).
//		When(func(o order.Order) ([]order.Event, error) { return o.Pay("card") }).
//		Then(order.Paid{Method: "card"})
//
// Everything goes the way it goes in production: events are encoded, decoded and upcast before they are folded, so a
// scenario also shows that they survive being stored. A Scenario is not changed by its methods: what two tests have in
// common can be kept in a variable.
type Scenario[State, Event any] struct {
	t             testing.TB
	aggregateType string
	to            func(aggregateType, aggregateID string, events []any, opts ...runtime.Option) ([]runtime.Event, error)
	from          func(events []runtime.PersistedEvent, opts ...runtime.Option) ([]Event, error)
	fold          func(state *State, event Event) error
	opts          []runtime.Option
	events        []Event // what has happened, as it is read
	snapshots     bool    // every state is compared with that from a snapshot

	said      []any // the same, as it was given
	keys      *privacy.Keys[NoTx]
	forgotten []string
	// bound returns an empty scenario with other keys; nil: the domain has no personal data.
	bound func(keys *privacy.Keys[NoTx]) Scenario[State, Event]
}

// NewScenario returns a scenario of an aggregate to which nothing has happened. Generated code calls it.
func NewScenario[State, Event any](
	t testing.TB,
	aggregateType string,
	to func(aggregateType, aggregateID string, events []any, opts ...runtime.Option) ([]runtime.Event, error),
	from func(events []runtime.PersistedEvent, opts ...runtime.Option) ([]Event, error),
	fold func(state *State, event Event) error,
	opts ...runtime.Option,
) Scenario[State, Event] {
	clock := NewClock(time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC))
	opts = append([]runtime.Option{runtime.WithClock(clock.Now), runtime.WithEventID(IDs("scenario"))}, opts...)
	return Scenario[State, Event]{t: t, aggregateType: aggregateType, to: to, from: from, fold: fold, opts: opts}
}

// FromSnapshots returns the scenario of a state that is kept in snapshots: each state that the scenario meets is also folded with
// a snapshot before each event, and the test ends where that is another one. Generated code calls it.
func (s Scenario[State, Event]) FromSnapshots() Scenario[State, Event] {
	s.snapshots = true
	return s
}

// Given says what has happened, after what was given before. It ends the test if an event cannot be stored and read, or
// is another one then, or cannot be folded.
func (s Scenario[State, Event]) Given(events ...Event) Scenario[State, Event] {
	s.t.Helper()
	return s.GivenStored(anys(events)...)
}

// GivenStored is Given for what is an event of the aggregate as stored, but none that programs meet: versions that are
// read as later ones, by their upcasters.
func (s Scenario[State, Event]) GivenStored(events ...any) Scenario[State, Event] {
	s.t.Helper()
	read, err := s.store(events)
	if err != nil {
		s.t.Fatalf("given: %v", err)
	}
	s.events, s.said = slices.Concat(s.events, read), slices.Concat(s.said, events)
	s.state()
	return s
}

// When asks the aggregate, as Execute does. What it is given it must not change, for Execute may ask again.
func (s Scenario[State, Event]) When(decide func(State) ([]Event, error)) Decision[State, Event] {
	s.t.Helper()
	given := s.state()
	d := Decision[State, Event]{scenario: s, judged: new(bool)}
	d.events, d.err = decide(given)
	if found := differences(s.state(), given); len(found) > 0 {
		s.t.Errorf("to decide changed the state that was given, which a second attempt would be given again:%s", indented(found))
	}
	at := caller()
	s.t.Cleanup(func() {
		if !*d.judged {
			s.t.Errorf("%s: the scenario ends with When, so it tests nothing: say what follows, by Then, ThenNothing or ThenError", at)
		}
	})
	return d
}

// ThenState fails the test unless what has happened comes to this state.
func (s Scenario[State, Event]) ThenState(want State) Scenario[State, Event] {
	s.t.Helper()
	if found := differences(want, s.state()); len(found) > 0 {
		s.t.Errorf("the state is not the one expected:%s\nafter:%s", indented(found), listed(s.events))
	}
	return s
}

// state folds what has happened.
func (s Scenario[State, Event]) state() State {
	s.t.Helper()
	var state State
	for i, e := range s.events {
		if err := s.fold(&state, e); err != nil {
			s.t.Fatalf("fold event %d, %s: %v", i+1, text(content(e)), err)
		}
	}
	if s.snapshots {
		stateRoundTrip(s.t, s.fold, s.events)
	}
	return state
}

// store returns the events as they are read after they were stored.
func (s Scenario[State, Event]) store(events []any) ([]Event, error) {
	persisted, err := s.persist(events)
	if err != nil {
		return nil, err
	}
	read, err := s.from(persisted, s.opts...)
	if err != nil {
		return nil, err
	}
	for i := range events {
		before, after := content(events[i]), content(read[i])
		if before.Type() != after.Type() {
			continue // an older version
		}
		if found := differences(before.Interface(), after.Interface()); len(found) > 0 {
			return nil, fmt.Errorf("event %d, %v, is another one once it is stored and read:%s", i+1, before.Type(), indented(found))
		}
	}
	return read, nil
}

// persist returns the events as they are stored.
func (s Scenario[State, Event]) persist(events []any) ([]runtime.PersistedEvent, error) {
	const stream = "scenario"
	stored, err := s.to(s.aggregateType, stream, events, s.opts...)
	if err != nil {
		return nil, err
	}
	persisted := make([]runtime.PersistedEvent, len(stored))
	for i, e := range stored {
		place := int64(len(s.events) + i + 1)
		persisted[i] = runtime.PersistedEvent{Event: e, GlobalPosition: place, AggregateVersion: place}
	}
	return persisted, nil
}

// A Decision is what followed when the aggregate was asked. It has to be judged by one of its methods.
type Decision[State, Event any] struct {
	scenario Scenario[State, Event]
	events   []Event
	err      error
	judged   *bool
}

// Then fails the test unless these events were decided on, in this order, and can be stored. The scenario it returns goes
// on from there: what was decided has happened.
func (d Decision[State, Event]) Then(want ...Event) Scenario[State, Event] {
	d.scenario.t.Helper()
	*d.judged = true
	t := d.scenario.t
	if d.err != nil {
		t.Errorf("the decision was refused: %v\nexpected:%s", d.err, listed(want))
		return d.scenario
	}
	if found := eventDifferences(anys(want), anys(d.events)); len(found) > 0 {
		t.Errorf("the decision is not the one expected:%s\nexpected:%s\ndecided:%s", indented(found), listed(want), listed(d.events))
		return d.scenario
	}
	read, err := d.scenario.store(anys(d.events))
	if err != nil {
		t.Errorf("the decision cannot be stored: %v", err)
		return d.scenario
	}
	next := d.scenario
	next.events, next.said = slices.Concat(next.events, read), slices.Concat(next.said, anys(d.events))
	next.state()
	return next
}

// ThenNothing fails the test unless nothing was decided on, without an error.
func (d Decision[State, Event]) ThenNothing() Scenario[State, Event] {
	d.scenario.t.Helper()
	return d.Then()
}

// ThenError fails the test unless the decision was refused with this error: errors.Is finds it, or one of its type that
// says the same in every field. The scenario it returns is as it was before.
func (d Decision[State, Event]) ThenError(want error) Scenario[State, Event] {
	d.scenario.t.Helper()
	*d.judged = true
	if d.refusedAtAll(fmt.Sprint(want)) && !matches(d.err, want) {
		detail := ""
		if twin := sameType(d.err, want); twin != nil {
			detail = indented(differences(want, twin))
		}
		d.scenario.t.Errorf("the decision was refused by another error than expected:%s\nexpected: %v\nrefused:  %v", detail, want, d.err)
	}
	return d.scenario
}

// ThenErrorText fails the test unless the decision was refused with an error whose text has part in it.
func (d Decision[State, Event]) ThenErrorText(part string) Scenario[State, Event] {
	d.scenario.t.Helper()
	*d.judged = true
	if d.refusedAtAll(fmt.Sprintf("%q", part)) && !strings.Contains(d.err.Error(), part) {
		d.scenario.t.Errorf("the decision was refused by another error than expected:\nexpected: %q\nrefused:  %v", part, d.err)
	}
	return d.scenario
}

// refusedAtAll fails the test if there is no error, and reports whether there is one.
func (d Decision[State, Event]) refusedAtAll(want string) bool {
	d.scenario.t.Helper()
	if d.err == nil {
		d.scenario.t.Errorf("the decision was not refused\nexpected: %s\ndecided:%s", want, listed(d.events))
	}
	return d.err != nil
}

// eventDifferences compares events by their places.
func eventDifferences(want, got []any) []string {
	var found []string
	for i := range max(len(want), len(got)) {
		place := fmt.Sprintf("event %d", i+1)
		switch {
		case i >= len(got):
			found = append(found, fmt.Sprintf("%s: want %s, got nothing", place, text(content(want[i]))))
		case i >= len(want):
			found = append(found, fmt.Sprintf("%s: want nothing, got %s", place, text(content(got[i]))))
		default:
			w, g := content(want[i]), content(got[i])
			if !w.IsValid() || !g.IsValid() || w.Type() != g.Type() {
				found = append(found, fmt.Sprintf("%s: want %s, got %s", place, text(w), text(g)))
				continue
			}
			for _, d := range differences(w.Interface(), g.Interface()) {
				found = append(found, fmt.Sprintf("%s, %v: %s", place, w.Type(), d))
			}
		}
	}
	return found
}

// content returns the event itself, which may be given by a pointer, or within a generated sum.
func content(e any) reflect.Value {
	v := reflect.ValueOf(e)
	if sum, ok := e.(interface{ Value() any }); ok && v.Kind() == reflect.Struct && v.NumField() == 1 && v.Field(0).Kind() == reflect.Interface {
		v = reflect.ValueOf(sum.Value())
	}
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	return v
}

func anys[E any](events []E) []any {
	values := make([]any, len(events))
	for i, e := range events {
		values[i] = e
	}
	return values
}

// listed returns the events, one a line with its place.
func listed[E any](events []E) string {
	if len(events) == 0 {
		return " nothing"
	}
	var b strings.Builder
	for i, e := range events {
		fmt.Fprintf(&b, "\n  %d  %s", i+1, text(content(e)))
	}
	return b.String()
}

// indented returns the lines, each on its own.
func indented(lines []string) string { return "\n  " + strings.Join(lines, "\n  ") }
