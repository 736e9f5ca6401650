package console

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"unicode/utf8"
)

// What of a payload is shown at most: bytes that are read, members and elements, how deep they may lie, and the characters
// of one text in it.
const (
	payloadBytes   = 128 << 10 // on the page of an event
	payloadExcerpt = 4 << 10   // in the list of a stream
	maxNodes       = 3000
	maxDepth       = 40
	maxText        = 4000
	maxBinary      = 1 << 10
)

// A content is a payload or metadata as it is shown: text, whatever it was.
type content struct {
	HTML template.HTML
	Note string // why it is not all, or not what was expected
}

// show returns bytes as they are shown. whole is the length of the whole of which they are the beginning; personal are the
// names of members that are never shown.
func show(b []byte, whole int64, personal []string) content {
	cut := int64(len(b)) < whole
	c, isJSON := showJSON(b, cut, personal)
	switch {
	case len(b) == 0:
		return content{Note: "empty"}
	case isJSON:
		if cut {
			c.Note = fmt.Sprintf("the first %s of %s", size(int64(len(b))), size(whole))
		}
		return c
	case len(personal) > 0:
		return content{Note: "not JSON, and hidden: it has personal members"}
	}
	if cut {
		c.Note = fmt.Sprintf("not JSON; the first %s of %s", size(int64(len(b))), size(whole))
	} else {
		c.Note = "not JSON; " + size(whole)
	}
	if cut { // perhaps within a character
		for n := 0; n < utf8.UTFMax && len(b) > 0 && !utf8.Valid(b); n++ {
			b = b[:len(b)-1]
		}
	}
	if utf8.Valid(b) && !bytes.ContainsRune(b, 0) {
		c.HTML = template.HTML(template.HTMLEscapeString(visible(string(b))))
		return c
	}
	c.HTML = template.HTML(template.HTMLEscapeString(hex.Dump(b[:min(len(b), maxBinary)])))
	return c
}

// showJSON returns a JSON value, indented and marked up, and whether the bytes are one.
func showJSON(b []byte, cut bool, personal []string) (content, bool) {
	if !cut && !json.Valid(b) || !bytes.ContainsAny(firstByte(b), `{["-0123456789tfn`) {
		return content{}, false
	}
	p := &jsonPrinter{decoder: json.NewDecoder(bytes.NewReader(b)), personal: personal}
	p.decoder.UseNumber()
	err := p.value(0)
	switch {
	case errors.Is(err, errEnough):
		p.note("… and more")
	case err != nil && cut:
		p.note("… cut here")
	case err != nil:
		return content{}, false
	}
	return content{HTML: template.HTML(p.out.String())}, true
}

func firstByte(b []byte) []byte {
	b = bytes.TrimLeft(b, " \t\r\n")
	return b[:min(len(b), 1)]
}

// errEnough: more was found than is shown.
var errEnough = errors.New("enough")

// A jsonPrinter writes a JSON value as HTML. It reads token by token, so that a value that was cut is shown as far as it
// goes, and none is held in memory.
type jsonPrinter struct {
	decoder  *json.Decoder
	personal []string
	out      strings.Builder
	nodes    int
	ahead    json.Token // read, and not taken yet; nil: none
}

// next takes the next token.
func (p *jsonPrinter) next() (json.Token, error) {
	if t := p.ahead; t != nil {
		p.ahead = nil
		return t, nil
	}
	return p.decoder.Token()
}

// more reports whether there is something left in the object or array.
func (p *jsonPrinter) more() bool { return p.ahead != nil || p.decoder.More() }

// value writes the next value.
func (p *jsonPrinter) value(depth int) error {
	t, err := p.next()
	if err != nil {
		return err
	}
	if p.nodes++; p.nodes > maxNodes {
		return errEnough
	}
	switch t := t.(type) {
	case json.Delim:
		switch {
		case depth >= maxDepth:
			p.note("… too deep to show")
			return p.skip(1)
		case t == '[':
			return p.members(depth, '[', ']', func() error { return p.value(depth + 1) })
		}
		if sealed, err := p.sealed(); sealed || err != nil {
			return err
		}
		return p.members(depth, '{', '}', func() error { return p.member(depth) })
	case string:
		p.span("s", quoted(t))
	case json.Number:
		p.span("n", t.String())
	case bool:
		p.span("b", fmt.Sprint(t))
	case nil:
		p.span("b", "null")
	}
	return nil
}

// members writes what stands between two brackets, of which the first is read, each on a line of its own.
func (p *jsonPrinter) members(depth int, from, to rune, member func() error) error {
	p.out.WriteRune(from)
	empty := true
	for ; p.more(); empty = false {
		if !empty {
			p.out.WriteByte(',')
		}
		p.newLine(depth + 1)
		if err := member(); err != nil {
			return err
		}
	}
	if _, err := p.next(); err != nil {
		return err
	}
	if !empty {
		p.newLine(depth)
	}
	p.out.WriteRune(to)
	return nil
}

// member writes a member of an object.
func (p *jsonPrinter) member(depth int) error {
	t, err := p.next()
	if err != nil {
		return err
	}
	name, _ := t.(string)
	p.span("k", quoted(name))
	p.out.WriteString(": ")
	if depth == 0 && p.isPersonal(name) {
		return p.hide()
	}
	return p.value(depth + 1)
}

func (p *jsonPrinter) newLine(depth int) {
	p.out.WriteByte('\n')
	for range depth {
		p.out.WriteString("  ")
	}
}

// sealed writes that an object, of which the bracket is read, is a sealed value, if it is one: {"$sealed": text}.
func (p *jsonPrinter) sealed() (bool, error) {
	if !p.decoder.More() {
		return false, nil
	}
	name, err := p.decoder.Token()
	if err != nil {
		return false, err
	}
	if name != "$sealed" {
		p.ahead = name
		return false, nil
	}
	p.out.WriteString(`<span class="sealed">sealed</span>`)
	return true, p.skip(1)
}

// hide passes over a personal value, and says so.
func (p *jsonPrinter) hide() error {
	t, err := p.next()
	if err != nil {
		return err
	}
	if t == json.Delim('{') {
		if sealed, err := p.sealed(); sealed || err != nil {
			return err
		}
	}
	p.out.WriteString(`<span class="sealed">personal, hidden</span>`)
	if t == json.Delim('{') || t == json.Delim('[') {
		return p.skip(1)
	}
	return nil
}

func (p *jsonPrinter) isPersonal(name string) bool {
	return slices.ContainsFunc(p.personal, func(s string) bool { return strings.EqualFold(s, name) })
}

// skip passes over the rest of a value that lies so many brackets deep.
func (p *jsonPrinter) skip(open int) error {
	for open > 0 {
		t, err := p.next()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			open++
		case json.Delim('}'), json.Delim(']'):
			open--
		}
	}
	return nil
}

func (p *jsonPrinter) span(class, text string) {
	p.out.WriteString(`<span class="` + class + `">` + template.HTMLEscapeString(text) + `</span>`)
}

func (p *jsonPrinter) note(text string) { p.span("more", text) }

// quoted returns a text of JSON in quotes, clipped.
func quoted(s string) string {
	more := ""
	if len(s) > maxText {
		more = fmt.Sprintf("… %s more", size(int64(len(s)-maxText)))
		s = strings.ToValidUTF8(s[:maxText], "")
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a text can be encoded
	text := strings.TrimSuffix(b.String(), "\n")
	return visible(strings.TrimSuffix(text, `"`) + more + `"`)
}
