package mapping_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/eventtest"
	"github.com/eventmap/eventmap/runtime/mapping"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// transferred are the events of a test: of two subjects in members, and one that the stream's ID names.
var transferred = mapping.PersonalEvents{
	{AggregateType: "Transfer", EventType: "Made", Version: 1}: {
		Members: []string{"from", "to", "name", "note", "old", "cents"},
		Fields: []mapping.PersonalField{
			{Member: "name", Field: "Name", Subject: "from", Erased: `"(removed)"`},
			{Member: "note", Field: "Note", Subject: "to"},
			{Member: "old", Field: "Old", HasClear: true},
		},
	},
}

func made(payload string) runtime.PersistedEvent {
	return runtime.PersistedEvent{
		Event: runtime.Event{
			AggregateType: "Transfer", AggregateID: "t1", EventType: "Made", EventVersion: 1,
			EventID: uuid.MustParse("018f0000-0000-7000-8000-000000000001"), Payload: []byte(payload),
		},
		GlobalPosition: 9, AggregateVersion: 3,
	}
}

// sealed returns the event with its payload sealed.
func sealed(t *testing.T, keys *privacy.Keys[eventtest.NoTx], payload string) runtime.PersistedEvent {
	t.Helper()
	e := made(payload)
	events := []runtime.Event{e.Event}
	if err := mapping.NewPersonal(keys, transferred).Seal(t.Context(), eventtest.NoTx{}, events); err != nil {
		t.Fatal(err)
	}
	e.Event = events[0]
	return e
}

func openOne(t *testing.T, keys *privacy.Keys[eventtest.NoTx], e runtime.PersistedEvent) (runtime.PersistedEvent, error) {
	t.Helper()
	err := mapping.NewPersonal(keys, transferred).OpenOne(t.Context(), eventtest.NoTx{}, &e)
	return e, err
}

const payload = `{"from":"a","to":7,"name":"Ada \"L\" \\","note":{"x":[1,{"y":"}"}]},"old":null,"cents":5}`

func TestPersonal_sealsAndOpens(t *testing.T) {
	t.Parallel()
	keys := eventtest.Keys()
	e := sealed(t, keys, payload)
	for _, clear := range []string{`Ada \"L`, `"y"`, ":null"} {
		if strings.Contains(string(e.Payload), clear) {
			t.Errorf("%s is in clear in %s", clear, e.Payload)
		}
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(e.Payload, &members); err != nil || string(members["cents"]) != "5" || !privacy.IsSealed(members["note"]) {
		t.Errorf("sealed: %s, %v", e.Payload, err)
	}
	got, err := openOne(t, keys, e)
	if err != nil || string(got.Payload) != payload || got.Erased != nil {
		t.Errorf("opened: %s, %v, %v", got.Payload, got.Erased, err)
	}
}

func TestPersonal_forgottenSubjects(t *testing.T) {
	t.Parallel()
	keys := eventtest.Keys()
	e := sealed(t, keys, payload)
	if err := keys.Forget(t.Context(), eventtest.NoTx{}, "a", "t1"); err != nil {
		t.Fatal(err)
	}
	got, err := openOne(t, keys, e)
	if want := `{"from":"a","to":7,"name":"(removed)","note":{"x":[1,{"y":"}"}]},"cents":5}`; err != nil || string(got.Payload) != want {
		t.Errorf("opened: %s, %v", got.Payload, err)
	}
	if diff := cmp.Diff([]string{"Name", "Old"}, got.Erased); diff != "" {
		t.Errorf("erased (-want +got):\n%s", diff)
	}
	again := made(payload).Event
	if err := mapping.NewPersonal(keys, transferred).Seal(t.Context(), eventtest.NoTx{}, []runtime.Event{again}); !errors.Is(err, privacy.ErrForgotten) {
		t.Errorf("sealed for a forgotten subject: %v", err)
	}
}

// Whoever can write to the log cannot have a value read that was not sealed where it stands.
func TestPersonal_attacks(t *testing.T) {
	t.Parallel()
	keys := eventtest.Keys()
	e := sealed(t, keys, payload)
	var members map[string]json.RawMessage
	if err := json.Unmarshal(e.Payload, &members); err != nil {
		t.Fatal(err)
	}
	name, note := string(members["name"]), string(members["note"])
	for attack, change := range map[string]func(e *runtime.PersistedEvent){
		"moved to another field":  func(e *runtime.PersistedEvent) { e.Payload = []byte(`{"name":` + note + `}`) },
		"moved to another event":  func(e *runtime.PersistedEvent) { e.EventID[0]++ },
		"moved to another stream": func(e *runtime.PersistedEvent) { e.AggregateID = "t2" },
		"truncated":               func(e *runtime.PersistedEvent) { e.Payload = []byte(`{"name":` + name[:len(name)-6] + `"}}`) },
		"in clear":                func(e *runtime.PersistedEvent) { e.Payload = []byte(`{"name":"Eve"}`) },
		"null":                    func(e *runtime.PersistedEvent) { e.Payload = []byte(`{"name":null}`) },
		"in other letters":        func(e *runtime.PersistedEvent) { e.Payload = []byte(`{"name":` + name + `,"NAME":"Eve"}`) },
		"escaped":                 func(e *runtime.PersistedEvent) { e.Payload = []byte(`{"n\u0061me":"Eve"}`) },
		"twice":                   func(e *runtime.PersistedEvent) { e.Payload = []byte(`{"name":` + name + `,"name":` + name + `}`) },
		"no object":               func(e *runtime.PersistedEvent) { e.Payload = []byte(`[` + string(e.Payload) + `]`) },
		"more after it":           func(e *runtime.PersistedEvent) { e.Payload = append(slices.Clone(e.Payload), `{"name":"Eve"}`...) },
	} {
		t.Run(attack, func(t *testing.T) {
			t.Parallel()
			attacked := e
			change(&attacked)
			got, err := openOne(t, keys, attacked)
			var decode *runtime.DecodeError
			if !errors.Is(err, privacy.ErrIntegrity) || !errors.As(err, &decode) || decode.GlobalPosition != 9 {
				t.Errorf("opened %s: err = %v", got.Payload, err)
			}
			if err != nil && strings.Contains(err.Error(), "Eve") {
				t.Errorf("the error quotes the value: %v", err)
			}
		})
	}
}

// Before a field had its mark it was stored in clear, which is read as well.
func TestPersonal_readsWhatWasInClear(t *testing.T) {
	t.Parallel()
	const clear = `{"old":"Ada"}`
	got, err := openOne(t, eventtest.Keys(), made(clear))
	if err != nil || string(got.Payload) != clear {
		t.Errorf("opened: %s, %v", got.Payload, err)
	}
	if concealed := transferred.Conceal(made(clear)); string(concealed.Payload) != "{}" || concealed.Erased[0] != "Old" {
		t.Errorf("concealed: %s, %v", concealed.Payload, concealed.Erased)
	}
	if concealed := transferred.Conceal(made(`["Ada"]`)); concealed.Payload != nil {
		t.Errorf("concealed: %s", concealed.Payload)
	}
}

// What a codec writes that the type has no member for could hold anything.
func TestPersonal_refusesWhatItCannotTell(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{`{"from":"a","to":1,"surname":"x"}`, `"Ada"`, ``, `{"from":"a"`, `{"from":"","to":1}`, `{"from":{},"to":1}`, `{"to":1}`} {
		e := made(payload).Event
		if err := mapping.NewPersonal(eventtest.Keys(), transferred).Seal(t.Context(), eventtest.NoTx{}, []runtime.Event{e}); err == nil {
			t.Errorf("%s: no error", payload)
		}
	}
	e := made(payload).Event
	if err := mapping.NewPersonal[eventtest.NoTx](nil, transferred).Seal(t.Context(), eventtest.NoTx{}, []runtime.Event{e}); err == nil {
		t.Error("without keys: no error")
	}
}

// Many events are opened in a few blocks of memory, not in one each.
func TestPersonal_opensWithFewAllocations(t *testing.T) {
	const many = 1000
	keys := eventtest.Keys()
	personal := mapping.NewPersonal(keys, transferred)
	events := make([]runtime.Event, many)
	for i := range events {
		events[i] = made(payload).Event
	}
	if err := personal.Seal(t.Context(), eventtest.NoTx{}, events); err != nil {
		t.Fatal(err)
	}
	stored, opened := make([]runtime.PersistedEvent, many), make([]runtime.PersistedEvent, many)
	for i := range events {
		stored[i].Event = events[i]
	}
	allocations := testing.AllocsPerRun(10, func() {
		copy(opened, stored)
		if _, err := personal.Open(t.Context(), eventtest.NoTx{}, opened); err != nil {
			t.Fatal(err)
		}
	})
	if allocations > many/5 {
		t.Errorf("%d events took %.0f allocations", many, allocations)
	}
	for i := range opened {
		if string(opened[i].Payload) != payload {
			t.Fatalf("event %d is %s", i, opened[i].Payload)
		}
		opened[i].Payload = append(opened[i].Payload, "overwritten"...) // does not reach the next one
	}
}

type contact struct {
	People  map[string]int `json:"people"`
	Dotted  map[string]int `json:"in.side"`
	Numbers map[int]string `json:"numbers"`
	Itself  itself         `json:"itself"`
	Named   map[named]int  `json:"named"`
	Text    named          `json:"text"`
	Born    time.Time      `json:"born"`
	Photo   []byte         `json:"photo"`
	Small   []int8         `json:"small"`
	Decimal json.Number    `json:"decimal"`
	embedded
}

type embedded struct {
	Deep map[string]*[1]int `json:"deep"`
}

// itself decodes itself, and returns the error of that.
type itself struct{ people map[string]int }

func (i *itself) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &i.people) }

// named refuses, with what it was given.
type named string

func (n *named) UnmarshalText(text []byte) error { return fmt.Errorf("no name: %s", text) }
func (n named) MarshalText() ([]byte, error)     { return nil, fmt.Errorf("no name: %s", string(n)) }

func TestDiscreet_quotesNoValue(t *testing.T) {
	t.Parallel()
	codec := mapping.DiscreetCodecOf()
	for data, member := range map[string]string{
		`{"people":{"ada@example.org":"x"}}`:   "people",
		`{"people":"ada@example.org"}`:         "people",
		`{"people":{"ada@example.org":1}ada@`:  "",
		`{"in.side":{"ada@example.org":"x"}}`:  "in.side",
		`{"numbers":{"ada@example.org":"x"}}`:  "numbers",
		`{"deep":{"ada@example.org":["ada"]}}`: "", // of Go 1.26 the name of the embedded struct
		`{"itself":{"ada@example.org":"x"}}`:   "", // of Go 1.26 its name, of Go 1.27 the key of the map
		`{"named":{"ada@example.org":1}}`:      "",
		`{"text":"ada@example.org"}`:           "",
		`{"born":"ada@example.org"}`:           "",
		`{"photo":"ada@example.org"}`:          "",
		`{"small":[1,424242]}`:                 "small",
		`{"decimal":"ada@example.org"}`:        "",
		`["ada@example.org"]`:                  "",
		`{"people":{"a":1e400}}`:               "people",
	} {
		err := codec.Unmarshal([]byte(data), new(contact))
		if err == nil || strings.Contains(err.Error(), "ada") || strings.Contains(err.Error(), "424242") || strings.Contains(err.Error(), "1e400") || !strings.Contains(err.Error(), member) {
			t.Errorf("%s: err = %v", data, err)
		}
	}
	var people map[string]int
	if err := codec.Unmarshal([]byte(`{"ada@example.org":"x"}`), &people); err == nil || strings.Contains(err.Error(), "ada") {
		t.Errorf("a map: err = %v", err)
	}
	if _, err := codec.Marshal(contact{Text: "ada@example.org"}); err == nil || strings.Contains(err.Error(), "ada") {
		t.Errorf("a text that cannot be encoded: err = %v", err)
	}
	if _, err := codec.Marshal(func() {}); err == nil {
		t.Error("a function was encoded")
	}
}

// FuzzPersonal opens payloads of any form: what it gives is what encoding/json sees in them, or an error.
func FuzzPersonal(f *testing.F) {
	for _, seed := range []string{payload, `{}`, `{"cents": 1 , "from":"\\"}`, `{"cents":[[],{}],"a":-1e5}`, `{"a":"\"","b":tru}`, `{"a":1,}`, ` { } `} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e := made(string(data))
		got, err := openOne(t, eventtest.Keys(), e)
		if !json.Valid(data) {
			return
		}
		var before, after map[string]any
		if json.Unmarshal(data, &before) != nil || before == nil {
			if err == nil {
				t.Fatalf("%q is no object, and was opened", data)
			}
			return
		}
		if err != nil {
			return
		}
		if err := json.Unmarshal(got.Payload, &after); err != nil {
			t.Fatalf("%q became %q: %v", data, got.Payload, err)
		}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Fatalf("%q became %q:\n%s", data, got.Payload, diff)
		}
	})
}
