package adopt

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/model"
)

// TestCheckPayloads_lines says of one line each what is wrong with it, in terms of JSON and not of Go, and nothing that a
// terminal would take for more than text.
func TestCheckPayloads_lines(t *testing.T) {
	t.Parallel()
	owner := &model.Shape{Kind: model.StringShape}
	payload := &model.Shape{Kind: model.ObjectShape, Fields: []model.Field{
		{Name: "owner", Shape: owner},
		{Name: "more", Shape: &model.Shape{Kind: model.MapShape, Nullable: true, Key: owner, Elem: owner}},
	}}
	domain := &model.Domain{Aggregates: []model.Aggregate{{Name: "Account", Events: []model.Event{
		{Name: "opened", Version: 1, Payload: payload},
	}}}}
	for line, want := range map[string]string{
		`{"type":"opened","payload":{"owner":"Ada"}}`:                         "Account.opened.v1 1 0 0",
		`{"type":"opened","version":"1","payload":{"owner":"Ada"}}`:           "Account.opened.v1 1 0 0",
		`{"type":"opened","version":null,"aggregate":null,"payload":{}}`:      "Account.opened.v1 1 0 0",
		`{"type":"opened","payload":"{\"owner\":\"Ada\",\"owner\":\"Bob\"}"}`: "Account.opened.v1 0 1 0: owner is there more than once, and one of the values is lost",
		`{"type":"opened","payload":{"owner":"Ada","Owner":"Bob"}}`:           "Account.opened.v1 0 1 0: owner is read into the same field as Owner, and one of the values is lost",
		`{"type":"opened","payload":{"more":{"a":"1","b":"2","a":"3"}}}`:      "Account.opened.v1 0 1 0: more.a is there more than once, and one of the values is lost",
		`{"type":"opened","payload":{"\u001b[31m":1}}`:                        `Account.opened.v1 0 1 0: "\x1b[31m" is in no field, and is lost`,
		`{"type":"\u001b[31mgone\u202e","payload":{}}`:                        `"\x1b[31mgone\u202e" is unknown`,
		`{"type":"gone","version":2,"payload":{}}`:                            "gone.v2 is unknown",
		`{"type":"opened","version":"one","payload":{}}`:                      `bad: has text for "version", which has to be a whole number from 1`,
		`{"type":"opened","version":1.5,"payload":{}}`:                        `bad: has the number 1.5 for "version", which has to be a whole number from 1`,
		`{"type":"opened","version":true,"payload":{}}`:                       `bad: has a bool for "version", which has to be a whole number from 1`,
		`{"type":7,"payload":{}}`:                                             `bad: has the number 7 for "type", which has to be text`,
		`{"type":null,"payload":{}}`:                                          `bad: has null for "type", which has to be text`,
		`{"type":"opened","aggregate":[],"payload":{}}`:                       `bad: has an array for "aggregate", which has to be text`,
		`{"type":"opened"}`:                                                   `bad: has no member "payload"`,
		`{"payload":{}}`:                                                      `bad: has no member "type"`,
		`{"type":"opened","type":"closed","payload":{}}`:                      `bad: has the member "type" more than once`,
		`["opened",{}]`:                     "bad: is an array, and no object with the members type, payload and, if the log has them, version and aggregate",
		`"opened"`:                          "bad: is text, and no object with the members type, payload and, if the log has them, version and aggregate",
		`null`:                              "bad: is null, and no object with the members type, payload and, if the log has them, version and aggregate",
		`opened`:                            "bad: is no JSON: invalid character 'o' looking for beginning of value, after byte 1",
		`{"type":"opened","payload":{}} {}`: "bad: is no JSON: invalid character '{' after top-level value, after byte 32",
		"   ":                               "",
		"":                                  "",
		"\ufeff" + `{"type":"opened","payload":{"owner":"Ada","more":{"b":"two"}}}`: "Account.opened.v1 1 0 0",
	} {
		tallies, bad, err := CheckPayloads(domain, strings.NewReader(line+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, b := range bad {
			got = append(got, "bad: "+b.Why)
		}
		for _, tally := range tallies {
			if tally.Unknown {
				got = append(got, tally.Event+" is unknown")
				continue
			}
			text := fmt.Sprint(tally.Event, " ", tally.Whole, " ", tally.Lossy, " ", tally.Broken)
			for _, fault := range slices.Sorted(maps.Keys(tally.Faults)) {
				text += ": " + fault
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(want, strings.Join(got, "; ")); diff != "" {
			t.Errorf("%s: want -, got +:\n%s", line, diff)
		}
	}
}
