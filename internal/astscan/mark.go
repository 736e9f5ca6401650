package astscan

import (
	"fmt"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// markPrefix begins every mark. A mark is a directive comment: no space after the slashes.
const markPrefix = "eventmap:"

// A mark is one directive comment of ours, such as
//
//	//eventmap:event name=order.placed version=2
type mark struct {
	verb       string // the name of one of verbs
	name       string
	version    int      // 0: not given
	aggregates []string // as they are written; several on an event that streams of each may hold
	id         string
	snapshots  bool   // of the state that the mark stands on
	subject    string // whose a personal field is, or whom an event forgets; empty: not said
	isSubject  bool   // the aggregate's streams are called by subjects
	erased     string // what an erased value reads as
	hasErased  bool
	pos        token.Pos
}

// String returns the mark's verb as it is written.
func (m mark) String() string { return "//" + markPrefix + m.verb }

// A verb is a kind of mark.
type verb struct {
	name  string
	keys  []string
	many  string   // the key that may be given several times; empty: none
	word  string   // the key that a word without one stands for; empty: such a word is an error
	flags []string // words that stand for themselves
}

var verbs = []verb{
	{name: "event", keys: []string{"name", "version", "aggregate"}, many: "aggregate"},
	{name: "events", keys: []string{"aggregate"}, word: "aggregate"},
	{name: "aggregate", keys: []string{"name", "id"}, word: "name", flags: []string{"snapshots", "subject"}},
	{name: "upcast"},
	{name: "ignore"},
	{name: "index"},
	{name: "opaque"},
	{name: "subject", keys: []string{"name"}, word: "name"},
	{name: "personal", keys: []string{"subject", "erased"}, word: "subject"},
	{name: "forget", keys: []string{"subject"}, word: "subject"},
}

// nameRule says what [validName] accepts.
const nameRule = "it must be 1 to 255 bytes of text without control characters, and neither begin nor end with a blank; write one that holds blanks in double quotes, as in name=\"order placed\""

// validName reports whether a name can be stored as it is. What identifiers come of it is for the generators to know.
func validName(name string) bool {
	return name != "" && len(name) <= 255 && utf8.ValidString(name) && strings.TrimSpace(name) == name && !strings.ContainsFunc(name, unicode.IsControl)
}

// isMark reports whether a comment, given with its slashes, is meant as a mark. If it is, body is what follows the
// prefix and form says what is wrong with how it is written, or is empty.
//
// A comment that merely speaks of a mark is none: after a space, only what would be a whole and proper mark counts.
func isMark(comment string) (body, form string, ok bool) {
	text, block := comment[2:], comment[1] == '*'
	if block {
		text = strings.TrimSuffix(text, "*/")
	}
	trimmed := strings.TrimLeft(text, " \t")
	if len(trimmed) < len(markPrefix) || !strings.EqualFold(trimmed[:len(markPrefix)], markPrefix) {
		return "", "", false
	}
	body = strings.TrimRight(trimmed[len(markPrefix):], " \t\r\n")
	switch {
	case block || len(trimmed) < len(text):
		if _, err := parseMark(body); err != nil {
			return "", "", false
		}
		if block {
			return body, fmt.Sprintf("a mark is a line comment: write it //%s%s", markPrefix, body), true
		}
		return body, fmt.Sprintf("a mark has no space after the slashes: write it //%s%s", markPrefix, body), true
	case !strings.HasPrefix(trimmed, markPrefix):
		return body, fmt.Sprintf("a mark is written in lower case: //%s%s", markPrefix, body), true
	}
	return body, "", true
}

// parseMark reads what follows the prefix of a mark. A second // begins a remark, which is left out.
func parseMark(body string) (mark, error) {
	words, err := splitMark(body)
	if err != nil {
		return mark{}, err
	}
	if len(words) == 0 || !strings.HasPrefix(body, words[0].text) {
		return mark{}, fmt.Errorf("//%s lacks its verb right after the colon; it is one of %s", markPrefix, knownVerbs())
	}
	m := mark{verb: words[0].text}
	i := slices.IndexFunc(verbs, func(v verb) bool { return v.name == m.verb })
	if i < 0 {
		return mark{}, fmt.Errorf("there is no mark %v; it is one of %s", m, knownVerbs())
	}
	known := verbs[i]
	if known.name == "index" {
		return m, nil // its arguments are read by the tool it is for
	}
	var seen []string
	for _, w := range words[1:] {
		word := w.text
		if slices.Contains(known.flags, word) {
			m.snapshots, m.isSubject = m.snapshots || word == "snapshots", m.isSubject || word == "subject"
			continue
		}
		key, value, hasKey := strings.Cut(word, "=")
		if hasKey = hasKey && !w.value; !hasKey && known.word != "" {
			key, value = known.word, word
		} else if !hasKey {
			return mark{}, fmt.Errorf("%v: %q is not key=value; %s%s", m, word, known.takes(), known.otherwise(word))
		}
		if !slices.Contains(known.keys, key) {
			return mark{}, fmt.Errorf("%v has no key %q; %s", m, key, known.takes())
		}
		if slices.Contains(seen, key) && key != known.many {
			return mark{}, fmt.Errorf("%v says its %s twice", m, key)
		}
		if key == known.many && !w.quoted && strings.Contains(value, ",") {
			return mark{}, fmt.Errorf("%v: %s=%s holds a comma; name several by %s, or put a name that holds one in double quotes", m, key, value, repeated(key, value))
		}
		seen = append(seen, key)
		if err := m.set(key, value); err != nil {
			return mark{}, fmt.Errorf("%v: %w", m, err)
		}
	}
	return m, nil
}

// repeated returns a mark's key once for each of the names that commas part.
func repeated(key, names string) string {
	var keys []string
	for name := range strings.SplitSeq(names, ",") {
		if name = strings.TrimSpace(name); name != "" {
			keys = append(keys, key+"="+name)
		}
	}
	return strings.Join(keys, " ")
}

// A word is a part of a mark between blanks.
type word struct {
	text   string
	quoted bool // a part of it stood in double quotes
	value  bool // all of it did: it has no key
}

// splitMark returns the words of a mark. A value in double quotes, as Go writes strings, is part of one word.
func splitMark(body string) (words []word, err error) {
	var w word
	within := false
	for rest := body; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		switch {
		case r == '"' && (!within && len(words) > 0 || strings.HasSuffix(w.text, "=")):
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return nil, fmt.Errorf("//%s%s: the double quote is not closed", markPrefix, body)
			}
			value, err := strconv.Unquote(quoted)
			if err != nil {
				return nil, fmt.Errorf("//%s%s: %s is no string as Go writes it", markPrefix, body, quoted)
			}
			w, size = word{text: w.text + value, quoted: true, value: !within}, len(quoted)
		case unicode.IsSpace(r):
			if within {
				words = append(words, w)
			}
			w, within, rest = word{}, false, rest[size:]
			continue
		case !within && strings.HasPrefix(rest, "//"+markPrefix):
			return nil, fmt.Errorf("//%s%s: two marks stand on one line; write each on a line of its own, above the field", markPrefix, body)
		case !within && len(words) > 0 && strings.HasPrefix(rest, "//"):
			return words, nil
		default:
			w.text += rest[:size]
		}
		within, rest = true, rest[size:]
	}
	if within {
		words = append(words, w)
	}
	return words, nil
}

// set gives one key its value.
func (m *mark) set(key, value string) error {
	switch key {
	case "version":
		n, err := strconv.ParseInt(value, 10, 32)
		if err != nil || n < 1 || strconv.FormatInt(n, 10) != value {
			return fmt.Errorf("version %q is not a whole number from 1", value)
		}
		m.version = int(n)
	case "id":
		if value == "" {
			return fmt.Errorf("id= names no type")
		}
		m.id = value
	case "erased":
		if !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
			return fmt.Errorf("erased %q is no text that can be stored", value)
		}
		m.erased, m.hasErased = value, true
	case "name", "aggregate", "subject":
		if !validName(value) {
			return fmt.Errorf("%s %q: %s", key, value, nameRule)
		}
		switch key {
		case "name":
			m.name = value
		case "aggregate":
			if slices.Contains(m.aggregates, value) {
				return fmt.Errorf("aggregate %q is named twice", value)
			}
			m.aggregates = append(m.aggregates, value)
		default:
			m.subject = value
		}
	}
	return nil
}

// knownVerbs lists the verbs for a message.
func knownVerbs() string {
	var names []string
	for _, v := range verbs {
		names = append(names, v.name)
	}
	return strings.Join(names, ", ")
}

// otherwise says what a word alone, which the verb does not take, may have been meant for.
func (v verb) otherwise(word string) string {
	if v.name != "event" {
		return ""
	}
	return fmt.Sprintf("; above the interface of an aggregate's events write //%sevents %s", markPrefix, word)
}

// takes says which keys the verb's marks have.
func (v verb) takes() string {
	if len(v.keys) == 0 {
		return "it takes nothing more"
	}
	takes := "it takes " + strings.Join(v.keys, "=, ") + "="
	if len(v.flags) > 0 {
		takes += ", and the words " + strings.Join(v.flags, " and ")
	}
	return takes
}
