package gocode

import (
	"slices"
	"strings"

	"github.com/eventmap/eventmap/internal/model"
)

// maxMembers is how many members of an object the bits of a uint64 tell apart.
const maxMembers = 64

// A plainType is a struct that generated code writes and reads as plain JSON.
type plainType struct {
	name  model.TypeName
	ident string // OrderPlacedV1 for an event, OrderLine for another type of Order
	shape *model.Shape
}

func (p *plainType) write() string  { return "write" + p.ident }
func (p *plainType) read() string   { return "read" + p.ident }
func (p *plainType) encode() string { return "encode" + p.ident } // of an event
func (p *plainType) decode() string { return "decode" + p.ident }
func (p *plainType) typ() string    { return "plain" + p.ident }
func (p *plainType) names() []string {
	return []string{p.write(), p.read(), p.encode(), p.decode(), p.typ()}
}

// plainTypes are the types of one aggregate that code is generated for: the events first, in their order, then the types
// that they are made of, as they come.
type plainTypes struct {
	output model.Package
	taken  map[string]bool // what the output package declares
	list   []*plainType
	known  map[model.TypeName]*plainType
}

// plain finds the types of every aggregate, and gives them names that the output package does not have yet.
func (g *generator) plain() {
	taken := make(map[string]bool, len(g.declared))
	for name := range g.declared {
		taken[name] = true
	}
	for _, builtin := range []string{"uint64"} {
		if taken[builtin] {
			return // the output package means something else by it
		}
	}
	for i := range g.aggregates {
		a := &g.aggregates[i]
		p := &plainTypes{output: g.output.Package, taken: taken, known: map[model.TypeName]*plainType{}}
		for j := range a.events {
			e := &a.events[j]
			if e.Payload != nil && !e.Payload.Nullable {
				e.plain = p.add(e.Type, e.qualified, e.Payload)
			}
		}
		for j := 0; j < len(p.list); j++ { //nolint:intrange // the list grows
			for _, m := range p.list[j].shape.Fields {
				if s := called(m.Shape); s != nil && s.Kind == model.ObjectShape {
					p.add(s.Name, a.ident+exported(s.Name.Name), s)
				}
			}
		}
		a.plain = p
	}
}

// add adds a type, if it can be written as plain JSON and nothing else has its name.
func (p *plainTypes) add(name model.TypeName, ident string, s *model.Shape) *plainType {
	if known := p.known[name]; known != nil {
		return known
	}
	t := &plainType{name: name, ident: ident, shape: s}
	isTaken := func(name string) bool { return p.taken[name] }
	if !p.isWithinReach(name) || !isPlainObject(s) || slices.ContainsFunc(t.names(), isTaken) {
		return nil
	}
	for _, name := range t.names() {
		p.taken[name] = true
	}
	p.known[name] = t
	p.list = append(p.list, t)
	return t
}

// isWithinReach reports whether the output package may name a type.
func (p *plainTypes) isWithinReach(t model.TypeName) bool {
	if t.Package == p.output {
		return t.Name != ""
	}
	if !isExported(t.Name) || t.Package.Name == "main" {
		return false
	}
	if i := strings.LastIndex("/"+t.Package.Path+"/", "/internal/"); i >= 0 {
		parent := strings.TrimSuffix(("/" + t.Package.Path)[:i], "/")
		return strings.HasPrefix("/"+p.output.Path+"/", parent+"/")
	}
	return true
}

// isPlainObject reports whether all members of a struct can be told in generated code.
func isPlainObject(s *model.Shape) bool {
	if s.Kind != model.ObjectShape || s.Guarded || len(s.Fields) > maxMembers {
		return false
	}
	for _, f := range s.Fields {
		if !isPlainName(f.Name) || f.Quoted || f.Nilable || !f.Promoted && !isSelectable(f) {
			return false
		}
		if f.Optional && condition(&f, "v") == "" {
			return false
		}
	}
	return true
}

// isPlainName reports whether a name is in JSON as it is, and differs from names of ASCII only as these do from each other.
func isPlainName(name string) bool {
	for _, c := range []byte(name) {
		if c < ' ' || c >= 0x7f || strings.IndexByte(`"\<>&`, c) >= 0 {
			return false
		}
	}
	return name != ""
}

// isSelectable reports whether code can select a field by the names of the structs that it lies in.
func isSelectable(f model.Field) bool {
	return !slices.ContainsFunc(f.Within, func(e model.Embedding) bool { return !isExported(e.Go) })
}

// condition returns when a member of the value v is written that is left out where it is empty or zero, or "" if that cannot be
// told.
func condition(f *model.Field, v string) string {
	s := f.Shape
	switch {
	case f.IsZero && s.Pointers == 0 && (s.Kind == model.TimeShape || s.Kind == model.ObjectShape):
		return "!" + v + ".IsZero()"
	case f.IsZero:
		return ""
	case s.Pointers > 0:
		return v + " != nil"
	}
	switch s.Kind {
	case model.BoolShape:
		return v
	case model.IntShape, model.UintShape, model.FloatShape:
		return v + " != 0"
	case model.StringShape, model.NumberShape:
		return v + ` != ""`
	case model.SliceShape, model.MapShape, model.BytesShape, model.RawShape:
		if f.OmitEmpty {
			return "len(" + v + ") != 0"
		}
		return v + " != nil"
	}
	return ""
}

// called returns the part of a shape that has a function of its own: the shape itself, what a pointer leads to, or the element
// of a slice. It returns nil for what is none of these.
func called(s *model.Shape) *model.Shape {
	switch {
	case s.Kind == model.SliceShape && s.Pointers == 0 && !s.Guarded && s.Elem.Pointers == 0:
		return s.Elem
	case s.Kind == model.SliceShape || s.Pointers > 1 || s.Pointers == 1 && !strings.HasPrefix(s.Go, "*"):
		return nil
	}
	return s
}

// isNilable reports whether null stands for the zero value of the type, and nothing else does what null does.
func isNilable(s *model.Shape) bool {
	switch s.Kind {
	case model.SliceShape, model.MapShape, model.BytesShape:
		return !s.Guarded
	}
	return s.Pointers > 0
}

// objects returns the named structs that a payload is made of.
func objects(s *model.Shape) []model.TypeName {
	if s == nil {
		return nil
	}
	var names []model.TypeName
	if s.Kind == model.ObjectShape && s.Name.Name != "" {
		names = append(names, s.Name)
	}
	for i := range s.Fields {
		names = append(names, objects(s.Fields[i].Shape)...)
	}
	return append(names, objects(s.Elem)...)
}
