package gocode

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/eventmap/eventmap/internal/gen"
	"github.com/eventmap/eventmap/internal/model"
)

// RenewSample has the sample payload of one version of an event written anew, among the files that were generated: nothing
// was ever stored in its former shape.
func RenewSample(files []gen.File, aggregate, event string, version int) {
	path := samplePath(aggregate, event, version)
	for i := range files {
		if files[i].Path == path {
			files[i].Renew = true
		}
	}
}

// samplePath returns where the sample payload of an event lies.
func samplePath(aggregate, event string, version int) string {
	return fmt.Sprintf("testdata/payloads/%s/%s.v%d.json", fileName(aggregate), fileName(event), version)
}

// payloadFile returns the path of the sample payload of an event, or nothing if there can be none: how its type writes
// and reads it is not for us to know.
func (e *event) payloadFile(a *aggregate) string {
	if e.Payload == nil || e.Payload.Kind != model.ObjectShape || e.Payload.Guarded {
		return ""
	}
	return samplePath(a.Name, e.Name, e.Version)
}

// fileName returns a stored name as a file system takes it.
func fileName(name string) string { return fileNameEscaper.Replace(name) }

var fileNameEscaper = strings.NewReplacer("/", "%2F", ":", "%3A", "\\", "%5C", `"`, "%22", "'", "%27", "*", "%2A", "<", "%3C", ">", "%3E", "?", "%3F", "`", "%60", "|", "%7C", ";", "%3B")

// payloads returns a sample of every event as it is stored on the day it is first generated. They are never written
// over: a later form of the event has to be able to read them.
func (g *generator) payloads() []gen.File {
	var files []gen.File
	for i := range g.aggregates {
		a := &g.aggregates[i]
		for j := range a.events {
			if path := a.events[j].payloadFile(a); path != "" {
				files = append(files, gen.File{Path: path, Content: samplePayload(a.events[j].Payload), Once: true})
			}
		}
	}
	return files
}

// samplePayload returns a payload of the given shape, with another value in every place. What only the type's own
// methods know is left out.
func samplePayload(shape *model.Shape) []byte {
	s := sampler{root: shape}
	compact, _ := s.value(shape, "value")
	var b bytes.Buffer
	_ = json.Indent(&b, []byte(compact), "", "  ") // it is valid
	b.WriteByte('\n')
	return b.Bytes()
}

// A sampler writes JSON for shapes. It counts, to make each value differ, and knows which types it is inside of.
type sampler struct {
	root   *model.Shape
	count  int
	inside []string
}

// A completeness says how much of a value is there.
type completeness int

const (
	none    completeness = iota // nothing can be said about it
	partial                     // an object lacks a member that the type would write
	whole
)

// value returns JSON of a shape, for a member or element of the given name.
func (s *sampler) value(shape *model.Shape, name string) (string, completeness) {
	if shape.Guarded {
		return "", none
	}
	if shape.Kind == model.RefShape {
		if slices.Contains(s.inside, shape.Type) {
			return "", none
		}
		return s.value(s.root.Find(shape.Type), name)
	}
	s.inside = append(s.inside, shape.Type)
	defer func() { s.inside = s.inside[:len(s.inside)-1] }()
	switch shape.Kind {
	case model.ObjectShape:
		return s.object(shape)
	case model.ArrayShape:
		const enough = 16 // an array may be written shorter than it is
		return s.list(shape, name, min(shape.Len, enough))
	case model.SliceShape:
		return s.list(shape, name, 2)
	case model.MapShape:
		return s.table(shape, name)
	case model.TextShape, model.OpaqueShape:
		return s.selfWritten(shape)
	}
	return s.scalar(shape, name), whole
}

// object returns the members that are known. A member that is not may be missing without a trace where it is optional,
// or null.
func (s *sampler) object(shape *model.Shape) (string, completeness) {
	state := whole
	var members []string
	for _, f := range shape.Fields {
		value, how := s.value(f.Shape, strings.ToLower(f.Name))
		if how == none && (f.Optional || f.Shape.Nullable) {
			continue
		}
		state = min(state, max(how, partial))
		if how == none {
			continue
		}
		if f.Quoted {
			value = quote(value)
		}
		members = append(members, quote(f.Name)+":"+value)
	}
	return "{" + strings.Join(members, ",") + "}", state
}

// list returns n elements, if they can be whole.
func (s *sampler) list(shape *model.Shape, name string, n int) (string, completeness) {
	elements := make([]string, n)
	for i := range elements {
		value, how := s.value(shape.Elem, name)
		if how != whole {
			return "", none
		}
		elements[i] = value
	}
	return "[" + strings.Join(elements, ",") + "]", whole
}

// table returns a map of one entry, if that can be whole.
func (s *sampler) table(shape *model.Shape, name string) (string, completeness) {
	key, known := s.value(shape.Key, name)
	value, how := s.value(shape.Elem, name)
	if known != whole || how != whole {
		return "", none
	}
	if !strings.HasPrefix(key, `"`) {
		key = quote(key)
	}
	return "{" + key + ":" + value + "}", whole
}

// wellKnown holds forms for types that write and read themselves, of everybody's packages. %d stands for a number.
var wellKnown = map[string]string{
	"github.com/google/uuid.UUID":   `"00000000-0000-4000-8000-%012d"`,
	"github.com/gofrs/uuid.UUID":    `"00000000-0000-4000-8000-%012d"`,
	"github.com/gofrs/uuid/v5.UUID": `"00000000-0000-4000-8000-%012d"`,
	"math/big.Int":                  "%d",
	"math/big.Float":                `"%d.5"`,
	"math/big.Rat":                  `"1/%d3"`,
	"net/netip.Addr":                `"10.0.0.%d"`,
	"net.IP":                        `"10.0.0.%d"`,
	"time.Time":                     `"2026-01-%02dT03:04:05Z"`,
}

// selfWritten returns a value of a type that writes itself, if that is well known.
func (s *sampler) selfWritten(shape *model.Shape) (string, completeness) {
	form, ok := wellKnown[shape.Type]
	if !ok {
		return "", none
	}
	s.count++
	return fmt.Sprintf(form, 1+s.count%28), whole
}

// scalar returns a constant of an enumeration, or a value that the count tells from others.
func (s *sampler) scalar(shape *model.Shape, name string) string {
	s.count++
	n := s.count
	if values := significant(shape.Constants); len(values) > 0 {
		return values[n%len(values)]
	}
	switch shape.Kind {
	case model.BoolShape:
		return "true"
	case model.IntShape, model.UintShape:
		return integer(shape, n)
	case model.FloatShape, model.NumberShape:
		return fmt.Sprintf("%d.5", n)
	case model.RawShape:
		return fmt.Sprintf(`{"raw":%d}`, n)
	case model.TimeShape:
		return quote(time.Date(2026, time.January, 2, 3, 4, 5, 1000*n, time.UTC).Format(time.RFC3339Nano))
	case model.BytesShape:
		return quote(base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s-%d", name, n)))
	}
	return quote(fmt.Sprintf("%s-%d", name, n))
}

// integer returns a number that fits on every machine. One of 64 bits is beyond what a float64 holds exactly.
func integer(shape *model.Shape, n int) string {
	machine := slices.Contains([]string{"int", "uint", "uintptr"}, cmp.Or(shape.Under, strings.TrimLeft(shape.Go, "*")))
	switch {
	case shape.Bits == 8:
		return strconv.Itoa(n%127 + 1)
	case shape.Bits == 64 && !machine:
		return strconv.FormatInt(1<<53+int64(n), 10)
	}
	return strconv.Itoa(n%32767 + 1)
}

// significant returns the values of the constants that are not zero: a zero would be left out where it is optional.
func significant(constants []model.Constant) (values []string) {
	for _, c := range constants {
		if !slices.Contains([]string{`""`, "0", "false"}, c.Value) && !slices.Contains(values, c.Value) {
			values = append(values, c.Value)
		}
	}
	return values
}

// quote returns a text as a JSON string.
func quote(text string) string {
	b, _ := json.Marshal(text) // a string always marshals
	return string(b)
}
