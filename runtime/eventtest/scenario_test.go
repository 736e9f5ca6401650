package eventtest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/eventtest"
	"github.com/eventmap/eventmap/runtime/mapping"
)

// An account, as a user and eventmap-gen would write it.
type (
	opened    struct{ Owner string }
	openedOld struct{ Name string }
	deposited struct {
		Cents int
		At    time.Time
		note  string
	}
	account struct {
		owner   string
		cents   int
		entries []int
	}
	overdrawn struct{ Cents int }
)

var errClosed = errors.New("account is closed")

func (e overdrawn) Error() string { return fmt.Sprintf("account is overdrawn by %d", e.Cents) }

func encodeAccount(c *mapping.Encoder, event any) (runtime.Event, error) {
	switch e := event.(type) {
	case openedOld:
		return mapping.Encode(c, "Account", "Opened", 1, &e)
	case opened:
		return mapping.Encode(c, "Account", "Opened", 2, &e)
	case deposited:
		return mapping.Encode(c, "Account", "Deposited", 1, &e)
	case *deposited:
		return mapping.Encode(c, "Account", "Deposited", 1, e)
	}
	return runtime.Event{}, c.NotAnEvent(event)
}

func toStored(aggregateType, aggregateID string, events []any, opts ...runtime.Option) ([]runtime.Event, error) {
	return mapping.EncodeAll(mapping.NewEncoder(mapping.NewSettings(opts...), aggregateType, aggregateID), events, encodeAccount)
}

func fromStored(events []runtime.PersistedEvent, opts ...runtime.Option) (typed []any, err error) {
	for i := range events {
		var event any
		switch e := &events[i]; fmt.Sprint(e.EventType, e.EventVersion) {
		case "Opened1":
			old, decodeErr := mapping.Decode[openedOld](mapping.CodecOf(opts...), e)
			event, err = opened{Owner: old.Name}, decodeErr
		case "Opened2":
			event, err = mapping.Decode[opened](mapping.CodecOf(opts...), e)
		case "Deposited1":
			event, err = mapping.Decode[deposited](mapping.CodecOf(opts...), e)
		}
		if err != nil {
			return nil, err
		}
		typed = append(typed, event)
	}
	return typed, nil
}

func fold(a *account, event any) error {
	switch e := event.(type) {
	case opened:
		a.owner = e.Owner
	case deposited:
		if e.Cents == 13 {
			return errors.New("unlucky")
		}
		a.cents += e.Cents
		a.entries = append(a.entries, e.Cents)
	}
	return nil
}

func scenario(t testing.TB, opts ...runtime.Option) eventtest.Scenario[account, any] {
	return eventtest.NewScenario(t, "Account", toStored, fromStored, fold, opts...)
}

// deposit decides on one event for each amount.
func deposit(cents ...int) func(account) ([]any, error) {
	return func(a account) ([]any, error) {
		var events []any
		for _, c := range cents {
			if a.cents+c < 0 {
				return nil, fmt.Errorf("deposit: %w", overdrawn{-a.cents - c})
			}
			events = append(events, deposited{Cents: c})
		}
		return events, nil
	}
}

func refuse(err error) func(account) ([]any, error) {
	return func(account) ([]any, error) { return nil, err }
}

func TestScenario_passes(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 3600)
	s := scenario(t).GivenStored(openedOld{Name: "Ada"}).Given(deposited{Cents: 5})
	s.ThenState(account{owner: "Ada", cents: 5, entries: []int{5}})
	s.When(deposit(1, 2)).Then(deposited{Cents: 1}, &deposited{Cents: 2}).
		ThenState(account{owner: "Ada", cents: 8, entries: []int{5, 1, 2}}).
		When(deposit(-9)).ThenError(overdrawn{1}).
		When(deposit(-9)).ThenErrorText("overdrawn by 1").
		When(deposit()).ThenNothing().
		When(refuse(fmt.Errorf("x: %w", errClosed))).ThenError(errClosed)
	s.ThenState(account{owner: "Ada", cents: 5, entries: []int{5}}) // it was not changed
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s.When(func(account) ([]any, error) { return []any{deposited{At: noon}}, nil }).Then(deposited{At: noon.In(zone)})
}

func TestScenario_fails(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		run  func(t testing.TB)
		want string
	}{
		{"another event", func(t testing.TB) { scenario(t).When(deposit(1, 2)).Then(deposited{Cents: 1}, deposited{Cents: 3}) }, `
the decision is not the one expected:
  event 2, eventtest_test.deposited: Cents: want 3, got 2
expected:
  1  eventtest_test.deposited{Cents: 1}
  2  eventtest_test.deposited{Cents: 3}
decided:
  1  eventtest_test.deposited{Cents: 1}
  2  eventtest_test.deposited{Cents: 2}`},
		{"another type", func(t testing.TB) { scenario(t).When(deposit(1)).Then(opened{Owner: "Ada"}) },
			`event 1: want eventtest_test.opened{Owner: "Ada"}, got eventtest_test.deposited{Cents: 1}`},
		{"one too few", func(t testing.TB) { scenario(t).When(deposit()).Then(deposited{Cents: 1}) }, `
the decision is not the one expected:
  event 1: want eventtest_test.deposited{Cents: 1}, got nothing
expected:
  1  eventtest_test.deposited{Cents: 1}
decided: nothing`},
		{"something for nothing", func(t testing.TB) { scenario(t).When(deposit(1)).ThenNothing() },
			"event 1: want nothing, got eventtest_test.deposited{Cents: 1}"},
		{"refused", func(t testing.TB) { scenario(t).When(deposit(-1)).Then(deposited{Cents: -1}) },
			"the decision was refused: deposit: account is overdrawn by 1\nexpected:\n  1  eventtest_test.deposited{Cents: -1}"},
		{"not refused", func(t testing.TB) { scenario(t).When(deposit(1)).ThenError(errClosed) },
			"the decision was not refused\nexpected: account is closed\ndecided:\n  1  eventtest_test.deposited{Cents: 1}"},
		{"another refusal", func(t testing.TB) { scenario(t).When(deposit(-1)).ThenError(errClosed) },
			"expected: account is closed\nrefused:  deposit: account is overdrawn by 1"},
		{"a refusal that says something else", func(t testing.TB) { scenario(t).When(deposit(-1)).ThenError(overdrawn{2}) },
			"\n  Cents: want 2, got 1\n"},
		{"another text", func(t testing.TB) { scenario(t).When(deposit(-1)).ThenErrorText("closed") }, `expected: "closed"`},
		{"no text", func(t testing.TB) { scenario(t).When(deposit()).ThenErrorText("closed") }, "expected: \"closed\"\ndecided: nothing"},
		{"state", func(t testing.TB) {
			scenario(t).Given(deposited{Cents: 1}).ThenState(account{cents: 2, entries: []int{1}})
		}, `
the state is not the one expected:
  cents: want 2, got 1
after:
  1  eventtest_test.deposited{Cents: 1}`},
		{"given what is no event", func(t testing.TB) { scenario(t).GivenStored(opened{}, "x") }, `given: event 1: event is a string, which is no event of "Account"`},
		{"given what is not stored", func(t testing.TB) { scenario(t).Given(deposited{note: "x"}) },
			"given: event 1, eventtest_test.deposited, is another one once it is stored and read:\n  note: want \"x\", got \"\""},
		{"given what cannot be folded", func(t testing.TB) { scenario(t).Given(deposited{Cents: 13}) },
			"fold event 1, eventtest_test.deposited{Cents: 13}: unlucky"},
		{"decided what is not stored", func(t testing.TB) {
			e := deposited{note: "x"}
			scenario(t).When(func(account) ([]any, error) { return []any{e}, nil }).Then(e)
		}, "the decision cannot be stored: event 1, eventtest_test.deposited, is another one once it is stored and read:"},
		{"a changed state", func(t testing.TB) {
			scenario(t).Given(deposited{Cents: 1}).When(func(a account) ([]any, error) { a.entries[0] = 7; return nil, nil }).ThenNothing()
		}, "to decide changed the state that was given, which a second attempt would be given again:\n  entries[0]: want 1, got 7"},
		{"the codec", func(t testing.TB) { scenario(t, runtime.WithCodec(broken{})).Given(deposited{}) }, "given: event 0: encode Deposited v1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := failed(t, tt.run); !strings.Contains(got, strings.TrimPrefix(tt.want, "\n")) {
				t.Errorf("got:\n%s\nwant in it:\n%s", got, tt.want)
			}
		})
	}
}

type broken struct{ runtime.JSONCodec }

func (broken) Marshal(any) ([]byte, error) { return nil, errors.New("broken") }

// failed runs a test that has to fail and returns what it says.
func failed(t *testing.T, run func(t testing.TB)) string {
	t.Helper()
	f := failure{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		run(&f)
	}()
	<-done
	return f.said.String()
}

// A scenario without a Then could not fail.
func TestScenario_hasToBeJudged(t *testing.T) {
	t.Parallel()
	f := &failure{}
	t.Run("scenario", func(t *testing.T) {
		f.TB = t
		scenario(f).When(deposit(1))
	})
	if got := f.said.String(); !strings.Contains(got, "scenario_test.go:") || !strings.Contains(got, "say what follows, by Then, ThenNothing or ThenError") {
		t.Errorf("got %q", got)
	}
}

func TestScenario_metaIsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	var stored []string
	for range 2 {
		to := func(aggregateType, aggregateID string, events []any, opts ...runtime.Option) ([]runtime.Event, error) {
			encoded, err := toStored(aggregateType, aggregateID, events, opts...)
			text, _ := json.Marshal(encoded)
			stored = append(stored, string(text))
			return encoded, err
		}
		eventtest.NewScenario(t, "Account", to, fromStored, fold).Given(deposited{Cents: 1})
	}
	if stored[0] != stored[1] {
		t.Errorf("got %s, then %s", stored[0], stored[1])
	}
}
