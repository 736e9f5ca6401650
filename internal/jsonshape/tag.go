package jsonshape

import (
	"fmt"
	"strings"
	"unicode"
)

// A tag is what encoding/json takes from the json part of a field's tag.
type tag struct {
	name      string // empty: the field's own
	named     bool
	omitEmpty bool
	omitZero  bool
	quoted    bool // the option string
}

// parseTag reads a tag. Since Go 1.27, encoding/json takes more names and more options from it than before: where that
// makes a difference, differs says which, and what to do about it.
func parseTag(text string) (t tag, differs string) {
	name, rest, _ := strings.Cut(text, ",")
	switch {
	case isPlainName(name):
		t.name, t.named = name, true
	case name != "":
		differs = fmt.Sprintf("has %q in its tag, of which encoding/json of Go 1.26 and of Go 1.27 take different names; leave the name out, as Go 1.26 does, or use letters, digits and _ only", name)
	}
	for option := range strings.SplitSeq(rest, ",") {
		switch word := firstWord(option); {
		case option == "omitempty":
			t.omitEmpty = true
		case option == "omitzero":
			t.omitZero = true
		case option == "string":
			t.quoted = true
		case word == "case", word == "embed", word == "format":
			differs = fmt.Sprintf("has the option %s in its tag, which encoding/json of Go 1.27 knows and that of Go 1.26 does not, so they store different JSON; remove it", word)
		case word == "omitempty", word == "omitzero", word == "string":
			differs = fmt.Sprintf("has the option %q in its tag, which encoding/json of Go 1.27 takes as %s and that of Go 1.26 leaves out of account; write %s", option, word, word)
		}
	}
	return t, differs
}

// isPlainName reports whether every version of encoding/json takes the name from a tag.
func isPlainName(name string) bool {
	for _, r := range name {
		if !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", r) && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return false
		}
	}
	return name != ""
}

// firstWord returns the letters and digits that an option begins with: all that Go 1.27 takes of it.
func firstWord(option string) string {
	return option[:len(option)-len(strings.TrimLeftFunc(option, func(r rune) bool {
		return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r)
	}))]
}
