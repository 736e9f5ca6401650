package jsonshape

import (
	"fmt"
	"go/types"
	"hash/fnv"
	"reflect"
	"strconv"
	"strings"
)

// fingerprint returns what generated code knows its type by: a hash of all that encoding/json takes from the declaration, of
// the types of fields too. Package runtime/plainjson computes the same of the type as it is when the program runs.
func (r *Reader) fingerprint(t types.Type) string {
	p := print{Reader: r}
	p.typ(t)
	hash := fnv.New64a()
	_, _ = hash.Write(p.text)
	return fmt.Sprintf("%016x", hash.Sum64())
}

// A print is the text that a fingerprint is the hash of.
type print struct {
	*Reader
	text []byte
	seen typeSet
}

// marked are the methods that a type's JSON may depend on, each with its mark.
var marked = []struct {
	mark   byte
	method method
}{{'J', marshalJSON}, {'T', marshalText}, {'j', unmarshalJSON}, {'t', unmarshalText}, {'z', isZero}}

// marks returns the marks of the methods that a type has, also on its pointer.
func (r *Reader) marks(t types.Type) string {
	if known, ok := r.marked[t]; ok {
		return known
	}
	var marks []byte
	for _, m := range marked {
		if lookup(t, m.method, true).ok {
			marks = append(marks, m.mark)
		}
	}
	r.marked[t] = string(marks)
	return r.marked[t]
}

func (p *print) typ(t types.Type) {
	t = types.Unalias(t)
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		p.text = append(p.text, '*')
		p.typ(u.Elem())
		return
	case *types.Interface:
		p.text = append(p.text, "any"...)
		return
	}
	if !hasNoMethods(t) {
		marks := p.marks(t)
		p.text = append(p.text, marks...)
		if strings.ContainsAny(marks, "JT") {
			return // what its methods do is their own affair
		}
	}
	if _, named := t.(*types.Named); named && !p.seen.add(t) {
		p.text = append(p.text, '@')
		return
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		p.text = append(p.text, types.Typ[u.Kind()].Name()...)
	case *types.Slice:
		p.text = append(p.text, "[]"...)
		p.typ(u.Elem())
	case *types.Array:
		p.text = append(strconv.AppendInt(append(p.text, '['), u.Len(), 10), ']')
		p.typ(u.Elem())
	case *types.Map:
		p.text = append(p.text, "map "...)
		p.typ(u.Key())
		p.text = append(p.text, ' ')
		p.typ(u.Elem())
	case *types.Struct:
		p.fields(u)
	default:
		p.text = append(p.text, "any"...)
	}
}

func (p *print) fields(s *types.Struct) {
	p.text = append(p.text, '{')
	for i := range s.NumFields() {
		f := s.Field(i)
		tag := reflect.StructTag(s.Tag(i)).Get("json")
		if tag == "-" || !f.Exported() && !f.Embedded() {
			continue
		}
		p.text = append(p.text, f.Name()...)
		if f.Embedded() {
			p.text = append(p.text, '^')
		}
		p.text = strconv.AppendQuote(p.text, tag)
		p.typ(f.Type())
		p.text = append(p.text, ';')
	}
	p.text = append(p.text, '}')
}
