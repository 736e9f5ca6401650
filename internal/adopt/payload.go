package adopt

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/eventmap/eventmap/internal/model"
)

// A Tally is what became of the payloads of one type and version in a dump.
type Tally struct {
	Event   string         // such as Order.Placed.v1, or the stored type of one that is not known
	Unknown bool           // no event has that type and version
	Whole   int            // how many decode with nothing lost
	Lossy   int            // how many decode and lose something
	Broken  int            // how many do not decode
	Faults  map[string]int // what is lost or wrong, and in how many
	First   map[string]int // the line of the first of them
}

// A BadLine is a line of a dump that cannot be read.
type BadLine struct {
	Line int
	Why  string
}

// longest is how long a line of a dump may be.
const longest = 64 << 20

// CheckPayloads reads a dump, a JSON object on each line with the members type, payload and, if there is one, version and
// aggregate, and compares every payload with the event of that type. Lines that cannot be read are returned; the rest goes
// on. The error is that of reading.
func CheckPayloads(d *model.Domain, dump io.Reader) ([]Tally, []BadLine, error) {
	tallies := map[string]*Tally{}
	var bad []BadLine
	reader := bufio.NewReaderSize(dump, 1<<16)
	for line := 1; ; line++ {
		text, err := reader.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, nil, err
		}
		if line == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		if len(text) > longest {
			bad = append(bad, BadLine{line, "is longer than 64 MB"})
		} else if len(bytes.TrimSpace(text)) > 0 {
			if why := checkLine(d, text, line, tallies); why != "" {
				bad = append(bad, BadLine{line, why})
			}
		}
		if err != nil {
			break
		}
	}
	var all []Tally
	for _, key := range slices.Sorted(maps.Keys(tallies)) {
		all = append(all, *tallies[key])
	}
	return all, bad, nil
}

// checkLine checks one line, or says why it cannot be read.
func checkLine(d *model.Domain, text []byte, line int, tallies map[string]*Tally) (why string) {
	entry, why := readEntry(text)
	if why != "" {
		return why
	}
	aggregate, event := find(d, entry)
	if event == nil {
		name := entry.name
		if entry.version != nil {
			name = fmt.Sprintf("%s.v%d", name, *entry.version)
		}
		tally(tallies, name).Unknown = true
		tallies[name].Broken++
		return ""
	}
	t := tally(tallies, fmt.Sprintf("%s.%s.v%d", aggregate, event.Name, event.Version))
	c := comparison{root: event.Payload, faults: map[string]bool{}}
	payload := unwrap(entry.payload)
	c.value(event.Payload, payload, "")
	c.repeated(payload)
	switch {
	case c.broken:
		t.Broken++
	case len(c.faults) > 0:
		t.Lossy++
	default:
		t.Whole++
	}
	for fault := range c.faults {
		if t.Faults[fault]++; t.First[fault] == 0 {
			t.First[fault] = line
		}
	}
	return ""
}

func tally(tallies map[string]*Tally, name string) *Tally {
	if tallies[name] == nil {
		tallies[name] = &Tally{Event: printable(name), Faults: map[string]int{}, First: map[string]int{}}
	}
	return tallies[name]
}

// unwrap returns a payload that stands in a JSON string, as dumps of text columns have it, as itself.
func unwrap(payload json.RawMessage) json.RawMessage {
	var text string
	if json.Unmarshal(payload, &text) == nil && json.Valid([]byte(text)) && strings.HasPrefix(strings.TrimSpace(text), "{") {
		return json.RawMessage(text)
	}
	return payload
}

// find returns the event of a stored type: of the version, or, where the dump has none, the only or latest one.
func find(d *model.Domain, of entry) (string, *model.Event) {
	for i := range d.Aggregates {
		a := &d.Aggregates[i]
		if of.aggregate != "" && a.Name != of.aggregate {
			continue
		}
		if of.version != nil {
			if e := a.Event(of.name, *of.version); e != nil {
				return a.Name, e
			}
		} else if e := a.Latest(of.name); e != nil {
			return a.Name, e
		}
	}
	return "", nil
}

// A comparison holds what is wrong with one payload.
type comparison struct {
	root   *model.Shape
	faults map[string]bool
	broken bool
}

func (c *comparison) fail(path, format string, args ...any) {
	c.broken = true
	c.fault(path, format, args...)
}

func (c *comparison) fault(path, format string, args ...any) {
	if path == "" {
		path = "the payload"
	}
	c.faults[printable(strings.TrimPrefix(path, "."))+" "+fmt.Sprintf(format, args...)] = true
}

// repeatedFault is what is said of a member that is there twice.
const repeatedFault = " is there more than once, and one of the values is lost"

// repeated finds members that an object has twice: encoding/json and jsonb keep one of the values.
func (c *comparison) repeated(payload json.RawMessage) {
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber()
	c.repeatedWithin(decoder, "")
}

func (c *comparison) repeatedWithin(decoder *json.Decoder, path string) {
	token, err := decoder.Token()
	if err != nil {
		return
	}
	switch token {
	case json.Delim('{'):
		seen := map[string]bool{}
		for decoder.More() {
			key, err := decoder.Token()
			if err != nil {
				return
			}
			name, _ := key.(string)
			if seen[name] {
				c.fault(path+"."+name, "%s", strings.TrimSpace(repeatedFault))
			}
			seen[name] = true
			c.repeatedWithin(decoder, path+"."+name)
		}
	case json.Delim('['):
		for decoder.More() {
			c.repeatedWithin(decoder, path+"[]")
		}
	default:
		return
	}
	_, _ = decoder.Token() // the end of it
}

// printable returns text that is safe on a terminal: what is not printable is escaped as Go does.
func printable(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsPrint(r) }) || !utf8.ValidString(text) {
		return strconv.Quote(text)
	}
	return text
}

// value compares a value with its shape, as encoding/json would read it.
func (c *comparison) value(s *model.Shape, text json.RawMessage, path string) {
	text = bytes.TrimSpace(text)
	if s == nil || s.Guarded || len(text) == 0 {
		return
	}
	if s.Kind == model.RefShape {
		s = c.root.Find(s.Type)
		if s == nil {
			return
		}
	}
	if string(text) == "null" {
		if !s.Nullable && s.Kind != model.RawShape && s.Kind != model.OpaqueShape {
			c.fault(path, "is null, and reads as its zero value")
		}
		return
	}
	switch s.Kind {
	case model.ObjectShape:
		c.object(s, text, path)
	case model.ArrayShape, model.SliceShape:
		var elements []json.RawMessage
		if json.Unmarshal(text, &elements) != nil {
			c.fail(path, "is no array")
			return
		}
		if s.Kind == model.ArrayShape && len(elements) > s.Len {
			c.fault(path, "has more elements than the array holds")
		}
		for _, element := range elements {
			c.value(s.Elem, element, path+"[]")
		}
	case model.MapShape:
		var members map[string]json.RawMessage
		if json.Unmarshal(text, &members) != nil {
			c.fail(path, "is no object")
			return
		}
		for _, member := range members {
			c.value(s.Elem, member, path+"[]")
		}
	default:
		c.scalar(s, text, path)
	}
}

// object compares the members of an object: names match whatever their case.
func (c *comparison) object(s *model.Shape, text json.RawMessage, path string) {
	var members map[string]json.RawMessage
	if json.Unmarshal(text, &members) != nil {
		c.fail(path, "is no object")
		return
	}
	taken := map[string]string{} // by field, the member that it reads
	for _, name := range slices.Sorted(maps.Keys(members)) {
		member, f := members[name], s.Field(name)
		if f == nil {
			i := slices.IndexFunc(s.Fields, func(f model.Field) bool { return strings.EqualFold(f.Name, name) })
			if i < 0 {
				c.fault(path+"."+name, "is in no field, and is lost")
				continue
			}
			f = &s.Fields[i]
		}
		if other, twice := taken[f.Name]; twice {
			c.fault(path+"."+name, "is read into the same field as %s, and one of the values is lost", printable(other))
		}
		taken[f.Name] = name
		if f.Quoted {
			var inner string
			if json.Unmarshal(member, &inner) != nil {
				c.fail(path+"."+name, "is not quoted")
				continue
			}
			member = json.RawMessage(inner)
		}
		c.value(f.Shape, member, path+"."+name)
	}
}

// scalar compares a value that is neither object nor array.
func (c *comparison) scalar(s *model.Shape, text json.RawMessage, path string) {
	first := text[0]
	isNumber := first == '-' || first >= '0' && first <= '9'
	switch s.Kind {
	case model.BoolShape:
		if first != 't' && first != 'f' {
			c.fail(path, "is no bool")
		}
	case model.IntShape, model.UintShape:
		switch {
		case !isNumber:
			c.fail(path, "is no number")
		case !fits(s, string(text)):
			c.fail(path, "is no %s of %d bits", strings.ToLower(string(s.Kind)), s.Bits)
		}
	case model.FloatShape, model.NumberShape:
		if !isNumber {
			c.fail(path, "is no number")
		}
	case model.StringShape, model.BytesShape, model.TimeShape, model.TextShape:
		if first != '"' {
			c.fail(path, "is no string")
			return
		}
		c.text(s, text, path)
	}
}
