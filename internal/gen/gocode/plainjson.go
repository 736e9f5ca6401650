package gocode

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dave/jennifer/jen"

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
		if f.Optional && condition(&f, jen.Null()) == nil {
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

// selected returns the field of the variable v.
func (g *generator) selected(f *model.Field) *jen.Statement {
	v := g.local("v")
	if !f.Promoted {
		for _, e := range f.Within {
			v = v.Dot(e.Go)
		}
	}
	return v.Dot(f.Go)
}

// condition returns when a member is written that is left out where it is empty or zero, or nil if that cannot be told.
func condition(f *model.Field, v *jen.Statement) *jen.Statement {
	s := f.Shape
	length := jen.Len(v.Clone()).Op("!=").Lit(0)
	switch {
	case f.IsZero && s.Pointers == 0 && (s.Kind == model.TimeShape || s.Kind == model.ObjectShape):
		return jen.Op("!").Add(v.Clone()).Dot("IsZero").Call()
	case f.IsZero:
		return nil
	case s.Pointers > 0:
		return v.Clone().Op("!=").Nil()
	}
	switch s.Kind {
	case model.BoolShape:
		return v.Clone()
	case model.IntShape, model.UintShape, model.FloatShape:
		return v.Clone().Op("!=").Lit(0)
	case model.StringShape, model.NumberShape:
		return v.Clone().Op("!=").Lit("")
	case model.SliceShape, model.MapShape, model.BytesShape, model.RawShape:
		if f.OmitEmpty {
			return length
		}
		return v.Clone().Op("!=").Nil()
	}
	return nil
}

// plainFile returns the file that writes and reads the events of an aggregate as plain JSON.
func (g *generator) plainFile(a *aggregate) *jen.File {
	f := g.newFile()
	for i := range a.events {
		if e := &a.events[i]; e.plain != nil {
			g.encodePlain(f, a, e)
			g.decodePlain(f, e)
		}
	}
	for _, t := range a.plain.list {
		g.writePlain(f, a, t)
		g.readPlain(f, a, t)
	}
	return f
}

// encodePlain generates the function that encodes a version of an event.
func (g *generator) encodePlain(f *jen.File, a *aggregate, e *event) {
	encoder, v, w := g.local("encoder"), g.local("v"), g.local("w")
	doc(f, "%s is %s as this code knows it.", e.plain.typ(), g.shown(e.Type))
	f.Var().Id(e.plain.typ()).Op("=").Add(plainName("TypeOf")).Types(g.typeOf(e.Type)).Call(jen.Lit(e.Payload.Fingerprint))
	doc(f, "%s returns v as it is stored. What is not plain JSON is left to the codec.", e.plain.encode())
	f.Func().Id(e.plain.encode()).Params(
		encoder.Clone().Op("*").Add(mappingName("Encoder")), v.Clone().Op("*").Add(g.typeOf(e.Type)),
	).Params(runtimeName("Event"), jen.Error()).Block(
		jen.If(
			w.Clone().Op(":=").Add(mappingName("Writer")).Call(encoder.Clone(), jen.Id(a.typeConst()), v.Clone(), jen.Id(e.plain.typ())),
			w.Clone().Op("!=").Nil(),
		).Block(
			jen.Id(e.plain.write()).Call(w.Clone(), v.Clone()),
			jen.If(
				jen.List(g.local("event"), g.local("ok")).Op(":=").Add(encoder.Clone()).Dot("Written").Call(jen.Lit(e.Name), jen.Lit(e.Version)),
				g.local("ok"),
			).Block(jen.Return(g.local("event"), jen.Nil())),
		),
		jen.Return(mappingName("Encode").Call(
			encoder.Clone(), jen.Id(a.typeConst()), jen.Lit(e.Name), jen.Lit(e.Version), mappingName("Copy").Call(v.Clone()))),
	)
}

// decodePlain generates the function that decodes a version of an event.
func (g *generator) decodePlain(f *jen.File, e *event) {
	codec, stored, v, r := g.local("codec"), g.local("e"), g.local("v"), g.local("r")
	doc(f, "%s returns the payload of e. What is not plain JSON is left to the codec.", e.plain.decode())
	f.Func().Id(e.plain.decode()).Params(
		codec.Clone().Add(runtimeName("Codec")), stored.Clone().Op("*").Add(runtimeName("PersistedEvent")),
	).Params(g.typeOf(e.Type), jen.Error()).Block(
		jen.If(
			jen.List(r.Clone(), g.local("ok")).Op(":=").Add(mappingName("Reader")).Call(codec.Clone(), stored.Clone(), jen.Id(e.plain.typ())),
			g.local("ok"),
		).Block(
			jen.Var().Add(v.Clone()).Add(g.typeOf(e.Type)),
			jen.Id(e.plain.read()).Call(jen.Op("&").Add(r.Clone()), jen.Op("&").Add(v.Clone())),
			jen.If(r.Clone().Dot("End").Call()).Block(jen.Return(v.Clone(), jen.Nil())),
		),
		jen.Return(mappingName("Decode").Types(g.typeOf(e.Type)).Call(codec.Clone(), stored.Clone())),
	)
}

// writePlain generates the function that writes a type.
func (g *generator) writePlain(f *jen.File, a *aggregate, t *plainType) {
	doc(f, "%s writes %s as plain JSON.", t.write(), g.shown(t.name))
	f.Func().Id(t.write()).Params(
		g.local("w").Op("*").Add(plainName("Writer")), g.local("v").Op("*").Add(g.typeOf(t.name)),
	).BlockFunc(func(group *jen.Group) {
		raw := func(text string) *jen.Statement { return g.local("w").Dot("Raw").Call(rawString(text)) }
		begun, certain := false, false // whether the brace is written, and a member certainly is
		for i := range t.shape.Fields {
			m := &t.shape.Fields[i]
			name := strconv.Quote(m.Name) + ":"
			if m.Optional && !begun {
				group.Add(raw("{"))
				begun = true
			}
			start := g.local("w").Dot("Member").Call(rawString(name))
			switch {
			case !begun:
				start = raw("{" + name)
			case certain:
				start = raw("," + name)
			}
			begun = true
			if m.Optional {
				group.If(condition(m, g.selected(m))).Block(start, g.plainCall(a, m, "write"))
				continue
			}
			group.Add(start)
			group.Add(g.plainCall(a, m, "write"))
			certain = true
		}
		if !begun {
			group.Add(raw("{}"))
			return
		}
		group.Add(raw("}"))
	})
}

// readPlain generates the function that reads a type.
func (g *generator) readPlain(f *jen.File, a *aggregate, t *plainType) {
	doc(f, "%s reads %s from plain JSON.", t.read(), g.shown(t.name))
	name := g.local("name")
	f.Func().Id(t.read()).Params(
		g.local("r").Op("*").Add(plainName("Reader")), g.local("v").Op("*").Add(g.typeOf(t.name)),
	).BlockFunc(func(group *jen.Group) {
		loop := jen.For(
			name.Clone().Op(":=").Add(g.local("r")).Dot("FirstMember").Call(),
			name.Clone().Op("!=").Lit(""),
			name.Clone().Op("=").Add(g.local("r")).Dot("NextMember").Call(),
		)
		skip := []jen.Code{name.Clone()}
		for i := range t.shape.Fields {
			skip = append(skip, jen.Lit(t.shape.Fields[i].Name))
		}
		if len(t.shape.Fields) == 0 {
			group.Add(loop.Block(g.local("r").Dot("Skip").Call(skip...)))
			return
		}
		group.Var().Add(g.local("seen")).Uint64()
		group.Add(loop.Block(jen.Switch(name.Clone()).BlockFunc(func(cases *jen.Group) {
			for i := range t.shape.Fields {
				m := &t.shape.Fields[i]
				cases.Case(jen.Lit(m.Name)).Block(
					g.local("r").Dot("Once").Call(jen.Op("&").Add(g.local("seen")), jen.Lit(i)),
					g.plainCall(a, m, "read"),
				)
			}
			cases.Default().Block(g.local("r").Dot("Skip").Call(skip...))
		})))
	})
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

// plainCall returns the call that writes or reads a member.
func (g *generator) plainCall(a *aggregate, m *model.Field, verb string) *jen.Statement {
	coder := g.local(map[string]string{"write": "w", "read": "r"}[verb])
	s, address := m.Shape, jen.Op("&").Add(g.selected(m))
	if f := g.plainFunc(a, called(s), verb); f != nil {
		switch {
		case s.Kind == model.SliceShape:
			return plainName(exported(verb)+"Slice").Call(coder, address, f)
		case s.Pointers > 0:
			return plainName(exported(verb)+"Pointer").Call(coder, address, f)
		}
		return f.Call(coder, address)
	}
	if verb == "read" && isNilable(s) {
		return coder.Dot("ValueOrNull").Call(address)
	}
	return coder.Dot("Value").Call(address)
}

// isNilable reports whether null stands for the zero value of the type, and nothing else does what null does.
func isNilable(s *model.Shape) bool {
	switch s.Kind {
	case model.SliceShape, model.MapShape, model.BytesShape:
		return !s.Guarded
	}
	return s.Pointers > 0
}

// plainFunc returns the function that writes or reads a value of the given shape, or nil if there is none.
func (g *generator) plainFunc(a *aggregate, s *model.Shape, verb string) *jen.Statement {
	if s == nil || s.Guarded {
		return nil
	}
	switch s.Kind {
	case model.BoolShape, model.IntShape, model.UintShape, model.FloatShape, model.StringShape, model.TimeShape:
		return plainName(exported(verb) + exported(string(s.Kind)))
	case model.ObjectShape:
		if t := a.plain.known[s.Name]; t != nil {
			return jen.Id(verb + t.ident)
		}
	}
	return nil
}

// shown returns a type as comments name it.
func (g *generator) shown(t model.TypeName) string {
	if t.Package == g.output.Package {
		return t.Name
	}
	return fmt.Sprintf("%s.%s", g.qualifiers[t.Package.Path], t.Name)
}

// rawString returns a string literal in backquotes.
func rawString(s string) *jen.Statement {
	if strings.Contains(s, "`") {
		return jen.Lit(s)
	}
	return jen.Op("`" + s + "`")
}

// plainName returns a name of package runtime/plainjson.
func plainName(name string) *jen.Statement { return jen.Qual(plainPath, name) }

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
