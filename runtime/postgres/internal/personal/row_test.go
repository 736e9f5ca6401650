package personal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres/internal/personal/domain/transfer"
	store "github.com/eventmap/eventmap/runtime/postgres/internal/personal/personalstore"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// A change is what somebody does to the row of an event, by its members.
type change struct {
	set    string // further columns, in SQL
	change func(members map[string]string)
	whole  func(payload string) string // instead of change
	reads  bool                        // it changes nothing that is sealed, and is read as before
	fits   bool                        // it is authentic, and no value of the type
}

// text returns the text of a sealed value.
func text(sealed string) string {
	return strings.TrimSuffix(strings.TrimPrefix(sealed, `{"$sealed":"`), `"}`)
}

// sealedAs is a change of one member to a value that is made of the text of what is sealed there.
func sealedAs(form string) change {
	return change{change: func(m map[string]string) { m["name"] = strings.ReplaceAll(form, "TEXT", text(m["name"])) }}
}

func changes() map[string]change {
	with := func(letters func(text string) string) change {
		return change{change: func(m map[string]string) { m["name"] = `{"$sealed":"` + letters(text(m["name"])) + `"}` }}
	}
	as := func(form string) change {
		c := sealedAs(form)
		c.reads = true
		return c
	}
	swap := func(a, b string) change {
		return change{change: func(m map[string]string) { m[a], m[b] = m[b], m[a] }}
	}
	set := func(member, value string) change {
		return change{change: func(m map[string]string) { m[member] = value }}
	}
	return map[string]change{
		"two fields of one subject swapped":  swap("name", "nick"),
		"two fields of two subjects swapped": swap("name", "note"),
		"one field copied to another":        {change: func(m map[string]string) { m["nick"] = m["name"] }},
		"event type":                         {set: ", event_type = 'Corrected', event_version = 1", change: func(map[string]string) {}},
		"event version":                      {set: ", event_version = 1", change: func(m map[string]string) { m["full"] = m["name"] }},
		"event ID":                           {set: ", event_id = '00000000-0000-7000-8000-000000000001'", change: func(map[string]string) {}},
		"a further member":                   sealedAs(`{"$sealed":"TEXT","x":1}`),
		"a member before":                    sealedAs(`{"x":1,"$sealed":"TEXT"}`),
		"the member twice":                   sealedAs(`{"$sealed":"TEXT","$sealed":"TEXT"}`),
		"the name with escapes":              sealedAs(`{"\u0024sealed":"TEXT"}`),
		"the name in capitals":               sealedAs(`{"$SEALED":"TEXT"}`),
		"the name with a blank":              sealedAs(`{"$sealed ":"TEXT"}`),
		"spaces":                             as("{ \t\"$sealed\" :\n \"TEXT\" \r}"),
		"a number":                           sealedAs(`{"$sealed":7}`),
		"null":                               sealedAs(`{"$sealed":null}`),
		"an array":                           sealedAs(`{"$sealed":["TEXT"]}`),
		"in an array":                        sealedAs(`[{"$sealed":"TEXT"}]`),
		"within itself":                      sealedAs(`{"$sealed":{"$sealed":"TEXT"}}`),
		"the text alone":                     sealedAs(`"TEXT"`),
		"nothing in it":                      sealedAs(`{"$sealed":""}`),
		"no member":                          sealedAs(`{}`),
		"nothing but null":                   sealedAs(`null`),
		"in a text":                          sealedAs(`"{\"$sealed\":\"TEXT\"}"`),
		"in clear":                           sealedAs(`"Eve-SECRET"`),
		"truncated":                          with(func(s string) string { return s[:len(s)-8] }),
		"truncated to its head":              with(func(s string) string { return s[:24] }),
		"longer":                             with(func(s string) string { return "AAAA" + s }),
		"a bit of the tag":                   with(func(s string) string { return s[:len(s)-5] + flipped(s[len(s)-5]) + s[len(s)-4:] }),
		"a bit of the nonce":                 with(func(s string) string { return s[:26] + flipped(s[26]) + s[27:] }),
		"a bit of the key's ID":              with(func(s string) string { return s[:10] + flipped(s[10]) + s[11:] }),
		"base64 with line breaks":            with(func(s string) string { return s[:40] + `\n` + s[40:] }),
		"base64 with an escape":              with(func(s string) string { return fmt.Sprintf(`%s\u00%02x%s`, s[:40], s[40], s[41:]) }),
		"base64 with a blank":                with(func(s string) string { return s[:40] + " " + s[40:] }),
		"base64 without padding":             with(func(s string) string { return strings.TrimRight(s, "=") + "A" }),
		"base64 with more padding":           with(func(s string) string { return s + "====" }),
		"base64 of the alphabet for URLs":    with(func(s string) string { return "-_" + s[2:] }),
		"no base64":                          with(func(s string) string { return "Eve-SECRET" }),
		"format 0":                           with(func(s string) string { return "AA" + s[2:] }),
		"format 2":                           with(func(s string) string { return "Ag" + s[2:] }),
		"format 255":                         with(func(s string) string { return "/w" + s[2:] }),
		"sealed where clear is expected":     {change: func(m map[string]string) { m["cents"] = m["age"] }, fits: true},
		"a subject sealed":                   {change: func(m map[string]string) { m["from"] = m["name"] }, fits: true},
		"a map in clear that looks sealed":   {change: func(m map[string]string) { m["labels"] = m["name"] }, fits: true},
		"a subject that is another":          {change: func(m map[string]string) { m["from"] = `"eve"` }, reads: true},
		"another sealed member":              {change: func(m map[string]string) { m["unknown"] = m["name"] }, reads: true},
		"a member that folds":                set("NAME", `"Eve-SECRET"`),
		"a member with a long s":             set("an\u017fwers", `{"Eve-SECRET":1}`),
		"a member with escapes":              {whole: func(p string) string { return strings.Replace(p, `"name"`, `"n\u0061me"`, 1) }, reads: true},
		"a member twice":                     {whole: func(p string) string { return `{"name":"Eve-SECRET",` + p[1:] }},
		"a member twice at the end":          {whole: func(p string) string { return p[:len(p)-1] + `,"name":"Eve-SECRET"}` }},
		"a member twice with escapes":        {whole: func(p string) string { return `{"n\u0061me":"Eve-SECRET",` + p[1:] }},
		"no object":                          {whole: func(string) string { return `"Eve-SECRET"` }},
		"no JSON":                            {whole: func(string) string { return `Eve-SECRET` }},
		"nothing":                            {whole: func(string) string { return `` }},
		"half of it":                         {whole: func(p string) string { return p[:len(p)/2] }},
		"something behind it":                {whole: func(p string) string { return p + `{"name":"Eve-SECRET"}` }},
		"invalid UTF-8":                      {whole: func(p string) string { return strings.Replace(p, `"$sealed"`, "\"$seal\xffed\"", 1) }},
	}
}

// flipped returns another letter of base64.
func flipped(letter byte) string {
	if letter == 'A' {
		return "B"
	}
	return "A"
}

// A row that somebody changed where it stands is read as it was, or not at all: by no way of reading is there a panic, a value of
// another place, or the zero value. The error names the event, and, where one is at fault, the field.
func changedByHand[Tx any](t *testing.T, d *database[Tx]) {
	p := d.process()
	full := made("ada", 7)
	written := p.give(t, "t", full).Events[0]
	rewrite := func(set, payload string) {
		d.exec(t, "update events set payload = "+fmt.Sprintf(d.bytes, payload)+set+" where aggregate_id = 't'")
	}
	for name, c := range changes() {
		payload := string(written.Payload)
		if c.whole != nil {
			payload = c.whole(payload)
		} else {
			payload = changed(t, payload, c.change)
		}
		rewrite(c.set, payload)
		reads := map[string]func(tx Tx) (runtime.Meta, store.TransferEvent, error){
			"read": func(tx Tx) (m runtime.Meta, e store.TransferEvent, err error) {
				stream, err := p.transfers.Read(t.Context(), tx, "t")
				if err == nil {
					m, e = stream.Events[0].Meta, stream.Events[0].Event
				}
				return m, e, err
			},
			"load": func(tx Tx) (runtime.Meta, store.TransferEvent, error) {
				state, _, err := p.transfers.Load(t.Context(), tx, "t")
				e := full
				e.Name, e.Note = state.Name, state.Note
				return runtime.Meta{}, e, err
			},
			"export": func(tx Tx) (runtime.Meta, store.TransferEvent, error) {
				e := full
				for got, err := range p.keys.Export(t.Context(), tx, d.log, "ada", func(ctx context.Context, tx Tx, keys *privacy.Keys[Tx], e *runtime.PersistedEvent) (any, error) {
					return store.FromESEvent(ctx, tx, keys, *e)
				}) {
					if err != nil {
						return runtime.Meta{}, nil, err
					}
					if made, ok := got.Event.(transfer.Made); ok {
						e.Name = made.Name
					}
				}
				return runtime.Meta{}, e, nil
			},
		}
		for way, read := range reads {
			tx, _, rollback := d.begin(t)
			meta, event, err := read(tx)
			rollback()
			var decode *runtime.DecodeError
			switch {
			case c.reads && err == nil:
				if got := event.(transfer.Made); got.Name != full.Name || got.Note != full.Note || len(meta.Erased) > 0 {
					t.Errorf("%s: %s: %+v, erased %v", name, way, got, meta.Erased)
				}
			case way == "export" && err == nil: // what it does not know for the subject's it leaves out
			case c.fits && err == nil:
				if got := event.(transfer.Made); got.Name != full.Name || strings.Contains(fmt.Sprint(got.Labels), secret) {
					t.Errorf("%s: %s: %+v", name, way, got)
				}
			case err == nil || !errors.As(err, &decode) || decode.AggregateID != "t":
				t.Errorf("%s: %s: %+v, %v", name, way, event, err)
			case !c.fits && !errors.Is(err, privacy.ErrIntegrity):
				t.Errorf("%s: %s: %v, want ErrIntegrity", name, way, err)
			case strings.Contains(err.Error(), secret):
				t.Errorf("%s: %s: the error quotes the value: %v", name, way, err)
			}
		}
		d.exec(t, fmt.Sprintf("update events set event_type = 'Made', event_version = 2, event_id = '%s' where aggregate_id = 't'", written.EventID))
	}
	rewrite("", string(written.Payload))
	equal(t, "as it was", store.TransferEvent(full), p.read(t, "t").Events[0].Event)
}

// changed returns a payload with its members changed, in the order of their names.
func changed(t *testing.T, payload string, change func(members map[string]string)) string {
	t.Helper()
	var raw map[string]json.RawMessage
	check(t, json.Unmarshal([]byte(payload), &raw))
	members := map[string]string{}
	for name, value := range raw {
		members[name] = string(value)
	}
	change(members)
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(members)) {
		quoted, err := json.Marshal(name)
		check(t, err)
		fmt.Fprintf(&b, ",%s:%s", quoted, members[name])
	}
	return "{" + b.String()[1:] + "}"
}
