package schemalock

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/internal/model"
)

const (
	// Filename is what a lock is called, in the output folder.
	Filename = "eventmap.lock.json"

	// format is the number of the form that Encode writes. Decode refuses others.
	format = 1

	schemaURL = "https://raw.githubusercontent.com/eventmap/eventmap/main/docs/eventmap.lock.schema.json"
)

// Encode returns the lock as a file: one event a block, in their order, with one field a line, so that changes of
// different events lie apart. The same lock gives the same bytes.
func Encode(l *Lock) []byte {
	const enough = 1 << 10 // bytes for most events
	var w writer
	w.Grow(enough * len(l.Events))
	w.printf("{\n  \"$schema\": %s,\n  \"format\": %d,\n", quote(schemaURL), format)
	for i, s := range l.Streams {
		w.printf("%s\n    {\"aggregate\": %s, \"id\": %s}", []string{`  "streams": [`, ","}[min(i, 1)], quote(s.Aggregate), quote(s.ID))
	}
	if len(l.Streams) > 0 {
		w.printf("\n  ],\n")
	}
	for i, f := range l.Folds {
		w.printf("%s\n    {\"aggregate\": %s, \"fingerprint\": %s}", []string{`  "folds": [`, ","}[min(i, 1)], quote(f.Aggregate), quote(f.Fingerprint))
	}
	if len(l.Folds) > 0 {
		w.printf("\n  ],\n")
	}
	w.printf("  \"events\": [")
	for i := range l.Events {
		e := &l.Events[i]
		if i > 0 {
			w.printf(",")
		}
		w.printf("\n    {\n      \"aggregate\": %s,\n      \"event\": %s,\n      \"version\": %d,\n      \"type\": %s,\n",
			quote(e.Aggregate), quote(e.Name), e.Version, quote(e.Type))
		if e.Upcast != 0 {
			w.printf("      \"upcast\": %d,\n", e.Upcast)
		}
		if e.Forget != nil {
			w.write(`      "forget": {`, subject(e.Forget.Subject), "},\n")
		}
		w.write(`      "payload": {`)
		w.targets = targets(e.Payload)
		w.shape(e.Payload, "      ")
		w.write("}\n    }")
	}
	if len(l.Events) > 0 {
		w.printf("\n  ")
	}
	w.printf("]\n}\n")
	return w.Bytes()
}

// A writer writes shapes as JSON.
type writer struct {
	bytes.Buffer
	targets map[string]bool // types that the payload refers to
}

func (w *writer) printf(format string, args ...any) { fmt.Fprintf(&w.Buffer, format, args...) }

// write writes texts one after the other. There are too many of them for printf, which takes its time.
func (w *writer) write(texts ...string) {
	for _, text := range texts {
		w.WriteString(text)
	}
}

// shape writes the members of a shape's object.
func (w *writer) shape(s *model.Shape, indent string) {
	w.write(`"kind": `, quote(string(s.Kind)))
	if s.Bits != 0 {
		w.printf(`, "bits": %d`, s.Bits)
	}
	if s.Kind == model.ArrayShape {
		w.printf(`, "len": %d`, s.Len)
	}
	if s.Nullable {
		w.write(`, "nullable": true`)
	}
	if id := identity(s); id != "" || w.targets[s.Type] {
		w.write(`, "type": `, quote(s.Type))
	}
	if s.Guarded {
		w.write(`, "guarded": true`)
	}
	for i, c := range enumeration(s) {
		w.write([]string{`, "constants": {`, ", "}[min(i, 1)], quote(c.Name), ": ", c.Value)
	}
	if len(enumeration(s)) > 0 {
		w.write("}")
	}
	if s.Key != nil {
		w.write(`, "key": {`)
		w.shape(s.Key, indent)
		w.write("}")
	}
	if s.Elem != nil {
		w.write(`, "elem": {`)
		w.shape(s.Elem, indent)
		w.write("}")
	}
	if s.Kind != model.ObjectShape {
		return
	}
	w.write(`, "fields": [`)
	for i, f := range sortedFields(s) {
		if i > 0 {
			w.write(",")
		}
		w.write("\n", indent, `  {"name": `, quote(f.Name))
		if f.Go != f.Name {
			w.write(`, "go": `, quote(f.Go))
		}
		if f.Optional {
			w.write(`, "optional": true`)
		}
		if f.Nilable {
			w.write(`, "nilable": true`)
		}
		if f.Quoted {
			w.write(`, "quoted": true`)
		}
		if f.Personal != nil {
			w.personal(f.Personal)
		}
		w.write(", ")
		w.shape(f.Shape, indent+"  ")
		w.write("}")
	}
	if len(s.Fields) > 0 {
		w.write("\n", indent)
	}
	w.write("]")
}

// personal writes that a field is sealed, and by whose key.
func (w *writer) personal(p *model.Personal) {
	w.write(`, "personal": {`, subject(p.Subject))
	if p.HasClear {
		if p.Subject != "" {
			w.write(", ")
		}
		w.write(`"clear": true`)
	}
	w.write("}")
}

// subject returns the member that says which field names a subject, or nothing if the stream's ID does.
func subject(field string) string {
	if field == "" {
		return ""
	}
	return `"subject": ` + quote(field)
}

// identity returns the type that decides about the JSON of a shape, if one does.
func identity(s *model.Shape) string {
	if s.Kind == model.TextShape || s.Kind == model.OpaqueShape || s.Kind == model.RefShape || s.Guarded {
		return s.Type
	}
	return ""
}

// enumeration returns the names of the numbers that a shape is stored as, by name. A text says itself what it means.
func enumeration(s *model.Shape) []model.Constant {
	if s.Kind != model.IntShape && s.Kind != model.UintShape || len(s.Constants) < 2 {
		return nil
	}
	return slices.SortedFunc(slices.Values(s.Constants), func(a, b model.Constant) int { return strings.Compare(a.Name, b.Name) })
}

// targets returns the types that a payload refers to.
func targets(s *model.Shape) map[string]bool {
	found := map[string]bool{}
	for shape := range s.All() {
		if shape.Kind == model.RefShape {
			found[shape.Type] = true
		}
	}
	return found
}

// sortedFields returns the fields by name: their order means nothing to JSON.
func sortedFields(s *model.Shape) []*model.Field {
	fields := make([]*model.Field, len(s.Fields))
	for i := range s.Fields {
		fields[i] = &s.Fields[i]
	}
	slices.SortFunc(fields, func(a, b *model.Field) int { return strings.Compare(a.Name, b.Name) })
	return fields
}

// quote returns a text as a JSON string, with <, > and & as they are.
func quote(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
		return `"` + text + `"`
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string always encodes
	return strings.TrimSuffix(b.String(), "\n")
}
