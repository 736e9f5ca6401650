package jsonshape

import (
	"fmt"
	"go/types"
	"hash/fnv"
	"reflect"
	"strconv"
	"strings"

	"golang.org/x/tools/go/types/typeutil"
)

// fingerprint returns what generated code knows its type by: a hash of all that encoding/json takes from the declaration, of
// the types of fields too. Package runtime/plainjson computes the same of the type as it is when the program runs.
func fingerprint(t types.Type) string {
	var p print
	p.typ(t)
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(p.text.String()))
	return fmt.Sprintf("%016x", hash.Sum64())
}

// A print is the text that a fingerprint is the hash of.
type print struct {
	text strings.Builder
	seen typeutil.Map
}

// marked are the methods that a type's JSON may depend on, each with its mark.
var marked = []struct {
	mark   byte
	method method
}{{'J', marshalJSON}, {'T', marshalText}, {'j', unmarshalJSON}, {'t', unmarshalText}, {'z', isZero}}

func (p *print) typ(t types.Type) {
	t = types.Unalias(t)
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		p.text.WriteByte('*')
		p.typ(u.Elem())
		return
	case *types.Interface:
		p.text.WriteString("any")
		return
	}
	if !hasNoMethods(t) {
		for _, m := range marked {
			if lookup(t, m.method, true).ok {
				p.text.WriteByte(m.mark)
			}
		}
		if marshals(t) {
			return // what its methods do is their own affair
		}
	}
	if _, named := t.(*types.Named); named && p.seen.Set(t, true) != nil {
		p.text.WriteByte('@')
		return
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		p.text.WriteString(types.Typ[u.Kind()].Name())
	case *types.Slice:
		p.text.WriteString("[]")
		p.typ(u.Elem())
	case *types.Array:
		p.text.WriteString("[" + strconv.FormatInt(u.Len(), 10) + "]")
		p.typ(u.Elem())
	case *types.Map:
		p.text.WriteString("map ")
		p.typ(u.Key())
		p.text.WriteByte(' ')
		p.typ(u.Elem())
	case *types.Struct:
		p.fields(u)
	default:
		p.text.WriteString("any")
	}
}

func (p *print) fields(s *types.Struct) {
	p.text.WriteByte('{')
	for i := range s.NumFields() {
		f := s.Field(i)
		tag := reflect.StructTag(s.Tag(i)).Get("json")
		if tag == "-" || !f.Exported() && !f.Embedded() {
			continue
		}
		p.text.WriteString(f.Name())
		if f.Embedded() {
			p.text.WriteByte('^')
		}
		p.text.WriteString(strconv.Quote(tag))
		p.typ(f.Type())
		p.text.WriteByte(';')
	}
	p.text.WriteByte('}')
}
