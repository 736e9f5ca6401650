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
	"strings"

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
	var entry struct {
		Aggregate string          `json:"aggregate"`
		Type      *string         `json:"type"`
		Version   *int            `json:"version"`
		Payload   json.RawMessage `json:"payload"`
	}
	switch err := json.Unmarshal(text, &entry); {
	case err != nil:
		return "is no JSON object with type, version and payload: " + err.Error()
	case entry.Type == nil:
		return `has no member "type"`
	case entry.Payload == nil:
		return `has no member "payload"`
	}
	aggregate, event := find(d, entry.Aggregate, *entry.Type, entry.Version)
	if event == nil {
		name := *entry.Type
		if entry.Version != nil {
			name = fmt.Sprintf("%s.v%d", name, *entry.Version)
		}
		tally(tallies, name).Unknown = true
		tallies[name].Broken++
		return ""
	}
	t := tally(tallies, fmt.Sprintf("%s.%s.v%d", aggregate, event.Name, event.Version))
	c := comparison{root: event.Payload, faults: map[string]bool{}}
	c.value(event.Payload, unwrap(entry.Payload), "")
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
		tallies[name] = &Tally{Event: name, Faults: map[string]int{}, First: map[string]int{}}
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
func find(d *model.Domain, aggregate, name string, version *int) (string, *model.Event) {
	for i := range d.Aggregates {
		a := &d.Aggregates[i]
		if aggregate != "" && a.Name != aggregate {
			continue
		}
		if version != nil {
			if e := a.Event(name, *version); e != nil {
				return a.Name, e
			}
		} else if e := a.Latest(name); e != nil {
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
	c.faults[strings.TrimPrefix(path, ".")+" "+fmt.Sprintf(format, args...)] = true
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
	for name, member := range members {
		f := s.Field(name)
		if f == nil {
			i := slices.IndexFunc(s.Fields, func(f model.Field) bool { return strings.EqualFold(f.Name, name) })
			if i < 0 {
				c.fault(path+"."+name, "is in no field, and is lost")
				continue
			}
			f = &s.Fields[i]
		}
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
