package jsonshape

import "testing"

func TestParseTag(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]tag{
		"":                      {},
		"a":                     {name: "a", named: true},
		"-,":                    {name: "-", named: true},
		"a b.c:d/ü,omitempty":   {name: "a b.c:d/ü", named: true, omitEmpty: true},
		",omitzero,string":      {omitZero: true, quoted: true},
		",unknown,OMITEMPTY":    {},
		",x-omitempty, string,": {},
	} {
		if got, differs := parseTag(text); got != want || differs != "" {
			t.Errorf("%s: %+v, %q, want %+v", text, got, differs, want)
		}
	}
}

// What encoding/json of Go 1.26 and of Go 1.27 take differently is said to differ.
func TestParseTag_differsBetweenVersions(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`qu"ote`, `back\slash`, "it's", "'a'", "grave`", "€", "नमस्ते", "a\u00a0b", "\xff",
		",omitempty ", ",omitempty:x", ",omitzero;string", ",string x",
		",case:ignore", ",case:strict", ",embed", "a,format:unix", ",omitempty,format:'2006,01'",
	} {
		if _, differs := parseTag(text); differs == "" {
			t.Errorf("%s: no difference", text)
		}
	}
}
