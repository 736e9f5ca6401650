package astscan

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
)

func TestIsMark_tellsMarksFromProse(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		comment string
		body    string
		wrong   bool // in form
		mark    bool
	}{
		{comment: "//eventmap:event", body: "event", mark: true},
		{comment: "//eventmap:event name=x\r", body: "event name=x", mark: true},
		{comment: "//eventmap:", mark: true},
		{comment: "//eventmap:nonsense here", body: "nonsense here", mark: true},
		{comment: "// eventmap:event", body: "event", wrong: true, mark: true},
		{comment: "//\teventmap:events Order", body: "events Order", wrong: true, mark: true},
		{comment: "//Eventmap:event", body: "event", wrong: true, mark: true},
		{comment: "/*eventmap:event*/", body: "event", wrong: true, mark: true},
		{comment: "/* eventmap:event\n */", body: "event", wrong: true, mark: true},
		{comment: "// eventmap:event marks a struct"},
		{comment: "// eventmap:nothing"},
		{comment: "// an eventmap:event"},
		{comment: "//eventmapper:event"},
		{comment: "//"},
		{comment: "/**/"},
		{comment: "// eventmap"},
	} {
		body, form, ok := isMark(test.comment)
		if body != test.body || (form != "") != test.wrong || ok != test.mark {
			t.Errorf("isMark(%q) = %q, %q, %v", test.comment, body, form, ok)
		}
	}
}

func TestValidName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"Order": true, "order.placed": true, "shop:order/placed-2_a": true, "größe": true, "2nd": true, "a b": true, ".a": true, "a'b": true, "a\"": true, "!": true,
		"": false, "a\x00": false, "a\nb": false, " a": false, "a\t": false, "\xff": false, "\u0085a": false,
		strings.Repeat("a", 255): true, strings.Repeat("a", 256): false,
	} {
		if got := validName(name); got != want {
			t.Errorf("validName(%q) = %v", name, got)
		}
	}
}

// FuzzParseMark checks that whatever is accepted is one mark, with values that can be stored, and is accepted again in
// the form in which the marks are documented.
func FuzzParseMark(f *testing.F) {
	for _, seed := range []string{
		"event", "event name=order.placed version=2 aggregate=Order", "events Order", "aggregate name=Order id=ID",
		"aggregate Order id=a.B", "upcast", "ignore // why", "index gin (x)", "event version=01", "event name=", "events A B",
		"event\tversion=7", "evnt", "", " event", "event =x", "event name=a=b",
		`event name="order placed" version=2 // why`, `event name="a\"b // c"`, `event name="a`, `event aggregate="a" name="\x01"`,
		"subject from", `personal from erased="(removed)"`, "personal", `personal erased=""`, "forget", "forget from", "aggregate id=ID subject snapshots",
		`personal erased="\x00"`, "personal a b", "event aggregate=Cart aggregate=Order", `event aggregate="a,b"`, "event aggregate=a,b",
		`events "purchase order"`, `aggregate "a=b" id=ID`, `personal "x`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		m, err := parseMark(body)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "//eventmap:") && !strings.HasPrefix(err.Error(), "there is no mark //eventmap:") {
				t.Errorf("the error does not name the mark: %v", err)
			}
			return
		}
		for _, name := range append(m.aggregates, m.name) {
			if name != "" && !validName(name) {
				t.Errorf("%q: accepted name %q", body, name)
			}
		}
		if m.version < 0 {
			t.Errorf("%q: accepted %+v", body, m)
		}
		if m.verb == "index" {
			return
		}
		if again, err := parseMark(m.source()); err != nil || !reflect.DeepEqual(again, m) {
			t.Errorf("%q reads as %+v; written as %q it reads as %+v, %v", body, m, m.source(), again, err)
		}
	})
}

// source writes a mark as it is documented.
func (m mark) source() string {
	text := m.verb
	for _, arg := range []struct{ key, value string }{{"name", m.name}, {"id", m.id}, {"subject", m.subject}} {
		if arg.value != "" {
			text += " " + arg.key + "=" + strconv.Quote(arg.value)
		}
	}
	for _, name := range m.aggregates {
		text += " aggregate=" + strconv.Quote(name)
	}
	if m.version != 0 {
		text += " version=" + strconv.Itoa(m.version)
	}
	if m.hasErased {
		text += " erased=" + strconv.Quote(m.erased)
	}
	if m.snapshots {
		text += " snapshots"
	}
	if m.isSubject {
		text += " subject"
	}
	return text
}
