package gocode

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/eventmap/eventmap/internal/gen"
	"github.com/eventmap/eventmap/internal/model"
)

// A plainCode is the file that writes and reads the events of an aggregate as plain JSON. It is written as text, and as gofmt
// would leave it: it is the longest of all files, of few forms, and to build, parse and print trees of it takes longer than
// to load the domain.
type plainCode struct {
	*generator
	aggregate *aggregate
	body      bytes.Buffer
	imports   map[string]bool
}

// plainCode returns the file of an aggregate. What it holds now stays if it is that.
func (g *generator) plainCode(a *aggregate, current []byte) gen.File {
	c := plainCode{generator: g, aggregate: a, imports: map[string]bool{}}
	c.body.Grow(len(current))
	for i := range a.events {
		if e := &a.events[i]; e.plain != nil {
			c.encode(e)
			c.decode(e)
		}
	}
	for _, t := range a.plain.list {
		c.write(t)
		c.read(t)
	}
	head, body := c.head(), c.body.Bytes()
	if after, ok := bytes.CutPrefix(current, head); ok && bytes.Equal(after, body) {
		return gen.File{Path: a.plainFile(), Content: current}
	}
	return gen.File{Path: a.plainFile(), Content: slices.Concat(head, body)}
}

// head returns the file up to its declarations.
func (c *plainCode) head() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n\npackage %s\n\nimport (\n", Header, c.output.Name)
	group := -1
	for _, path := range slices.SortedFunc(maps.Keys(c.imports), func(a, b string) int {
		return cmp.Or(cmp.Compare(importGroup(a), importGroup(b)), cmp.Compare(a, b))
	}) {
		if at := importGroup(path); at != group {
			if group >= 0 {
				b.WriteByte('\n')
			}
			group = at
		}
		name := c.qualifiers[path]
		if saysName(path, name) {
			fmt.Fprintf(&b, "\t%q\n", path)
		} else {
			fmt.Fprintf(&b, "\t%s %q\n", name, path)
		}
	}
	b.WriteString(")\n")
	return b.Bytes()
}

// line adds a line of code.
func (c *plainCode) line(format string, args ...any) {
	fmt.Fprintf(&c.body, format+"\n", args...)
}

// doc adds a doc comment, after an empty line.
func (c *plainCode) doc(format string, args ...any) {
	c.body.WriteByte('\n')
	for _, line := range wrap(fmt.Sprintf(format, args...)) {
		c.line("%s", line)
	}
}

// name returns a name of a package, as the file says it.
func (c *plainCode) name(path, name string) string {
	if path == c.output.Path {
		return name
	}
	c.imports[path] = true
	return c.qualifiers[path] + "." + name
}

func (c *plainCode) typ(t model.TypeName) string { return c.name(t.Package.Path, t.Name) }
func (c *plainCode) mapping(name string) string  { return c.name(mappingPath, name) }
func (c *plainCode) plain(name string) string    { return c.name(plainPath, name) }

// encode adds the function that encodes a version of an event.
func (c *plainCode) encode(e *event) {
	encoder, v, w := c.localName("encoder"), c.localName("v"), c.localName("w")
	stored, ok := c.localName("event"), c.localName("ok")
	typ, kind := c.typ(e.Type), c.aggregate.typeConst()
	c.doc("%s is %s as this code knows it.", e.plain.typ(), typ)
	c.line("var %s = %s[%s](%q)", e.plain.typ(), c.plain("TypeOf"), typ, e.Payload.Fingerprint)
	c.doc("%s returns v as it is stored. What is not plain JSON is left to the codec.", e.plain.encode())
	c.line("func %s(%s *%s, %s *%s) (%s, error) {", e.plain.encode(), encoder, c.mapping("Encoder"), v, typ, c.name(runtimePath, "Event"))
	c.line("\tif %s := %s(%s, %s, %s, %s); %[1]s != nil {", w, c.mapping("Writer"), encoder, kind, v, e.plain.typ())
	c.line("\t\t%s(%s, %s)", e.plain.write(), w, v)
	c.line("\t\tif %s, %s := %s.Written(%q, %d); %[2]s {", stored, ok, encoder, e.Name, e.Version)
	c.line("\t\t\treturn %s, nil", stored)
	c.line("\t\t}")
	c.line("\t}")
	c.line("\treturn %s(%s, %s, %q, %d, %s(%s))", c.mapping("Encode"), encoder, kind, e.Name, e.Version, c.mapping("Copy"), v)
	c.line("}")
}

// decode adds the function that decodes a version of an event.
func (c *plainCode) decode(e *event) {
	codec, stored, v, r, ok := c.localName("codec"), c.localName("e"), c.localName("v"), c.localName("r"), c.localName("ok")
	typ := c.typ(e.Type)
	c.doc("%s returns the payload of e. What is not plain JSON is left to the codec.", e.plain.decode())
	c.line("func %s(%s %s, %s *%s) (%s, error) {", e.plain.decode(), codec, c.name(runtimePath, "Codec"), stored, c.name(runtimePath, "PersistedEvent"), typ)
	c.line("\tif %s, %s := %s(%s, %s, %s); %[2]s {", r, ok, c.mapping("Reader"), codec, stored, e.plain.typ())
	c.line("\t\tvar %s %s", v, typ)
	c.line("\t\t%s(&%s, &%s)", e.plain.read(), r, v)
	c.line("\t\tif %s.End() {", r)
	c.line("\t\t\treturn %s, nil", v)
	c.line("\t\t}")
	c.line("\t}")
	c.line("\treturn %s[%s](%s, %s)", c.mapping("Decode"), typ, codec, stored)
	c.line("}")
}

// write adds the function that writes a type.
func (c *plainCode) write(t *plainType) {
	w, v := c.localName("w"), c.localName("v")
	c.doc("%s writes %s as plain JSON.", t.write(), c.typ(t.name))
	c.line("func %s(%s *%s, %s *%s) {", t.write(), w, c.plain("Writer"), v, c.typ(t.name))
	begun, certain := false, false // whether the brace is written, and a member certainly is
	for i := range t.shape.Fields {
		m := &t.shape.Fields[i]
		name := strconv.Quote(m.Name) + ":"
		if m.Optional && !begun {
			c.line("\t%s.Raw(`{`)", w)
			begun = true
		}
		start := w + ".Member(" + rawString(name) + ")"
		switch {
		case !begun:
			start = w + ".Raw(" + rawString("{"+name) + ")"
		case certain:
			start = w + ".Raw(" + rawString(","+name) + ")"
		}
		begun = true
		if !m.Optional {
			c.line("\t%s", start)
			c.line("\t%s", c.call(m, "write"))
			certain = true
			continue
		}
		c.line("\tif %s {", condition(m, c.selected(m)))
		c.line("\t\t%s", start)
		c.line("\t\t%s", c.call(m, "write"))
		c.line("\t}")
	}
	if begun {
		c.line("\t%s.Raw(`}`)", w)
	} else {
		c.line("\t%s.Raw(`{}`)", w)
	}
	c.line("}")
}

// read adds the function that reads a type.
func (c *plainCode) read(t *plainType) {
	r, v, name, seen := c.localName("r"), c.localName("v"), c.localName("name"), c.localName("seen")
	known := []string{name}
	for i := range t.shape.Fields {
		known = append(known, strconv.Quote(t.shape.Fields[i].Name))
	}
	skip := fmt.Sprintf("%s.Skip(%s)", r, strings.Join(known, ", "))
	c.doc("%s reads %s from plain JSON.", t.read(), c.typ(t.name))
	c.line("func %s(%s *%s, %s *%s) {", t.read(), r, c.plain("Reader"), v, c.typ(t.name))
	if len(t.shape.Fields) > 0 {
		c.line("\tvar %s uint64", seen)
	}
	c.line("\tfor %s := %s.FirstMember(); %[1]s != \"\"; %[1]s = %[2]s.NextMember() {", name, r)
	if len(t.shape.Fields) == 0 {
		c.line("\t\t%s", skip)
		c.line("\t}")
		c.line("}")
		return
	}
	c.line("\t\tswitch %s {", name)
	for i := range t.shape.Fields {
		m := &t.shape.Fields[i]
		c.line("\t\tcase %q:", m.Name)
		c.line("\t\t\t%s.Once(&%s, %d)", r, seen, i)
		c.line("\t\t\t%s", c.call(m, "read"))
	}
	c.line("\t\tdefault:")
	c.line("\t\t\t%s", skip)
	c.line("\t\t}")
	c.line("\t}")
	c.line("}")
}

// call returns the call that writes or reads a member.
func (c *plainCode) call(m *model.Field, verb string) string {
	coder := c.localName(verb[:1])
	s, address := m.Shape, "&"+c.selected(m)
	if f := c.function(called(s), verb); f != "" {
		switch {
		case s.Kind == model.SliceShape:
			return fmt.Sprintf("%s(%s, %s, %s)", c.plain(exported(verb)+"Slice"), coder, address, f)
		case s.Pointers > 0:
			return fmt.Sprintf("%s(%s, %s, %s)", c.plain(exported(verb)+"Pointer"), coder, address, f)
		}
		return fmt.Sprintf("%s(%s, %s)", f, coder, address)
	}
	if verb == "read" && isNilable(s) {
		return fmt.Sprintf("%s.ValueOrNull(%s)", coder, address)
	}
	return fmt.Sprintf("%s.Value(%s)", coder, address)
}

// function returns the function that writes or reads a value of the given shape, or "" if there is none.
func (c *plainCode) function(s *model.Shape, verb string) string {
	if s == nil || s.Guarded {
		return ""
	}
	switch s.Kind {
	case model.BoolShape, model.IntShape, model.UintShape, model.FloatShape, model.StringShape, model.TimeShape:
		return c.plain(exported(verb) + exported(string(s.Kind)))
	case model.ObjectShape:
		if t := c.aggregate.plain.known[s.Name]; t != nil {
			return verb + t.ident
		}
	}
	return ""
}

// selected returns the field of the variable v.
func (c *plainCode) selected(f *model.Field) string {
	path := []string{c.localName("v")}
	if !f.Promoted {
		for _, e := range f.Within {
			path = append(path, e.Go)
		}
	}
	return strings.Join(append(path, f.Go), ".")
}

// rawString returns a string literal, in backquotes if it can be.
func rawString(s string) string {
	if strings.Contains(s, "`") {
		return strconv.Quote(s)
	}
	return "`" + s + "`"
}
