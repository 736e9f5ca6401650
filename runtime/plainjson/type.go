package plainjson

import (
	"encoding"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// A Type is a Go type that code was generated for. It is safe for concurrent use.
type Type struct{ isSame func() bool }

// TypeOf returns the type T, which has the given fingerprint when code is generated.
func TypeOf[T any](fingerprint string) *Type {
	return &Type{isSame: sync.OnceValue(func() bool { return fingerprintOf(reflect.TypeFor[T]()) == fingerprint })}
}

// IsSame reports whether the type still is what it was when code was generated for it. Where it has changed since, as by a
// field that was added, the code would write and read too little, and encoding/json has to do it.
func (t *Type) IsSame() bool { return t.isSame() }

// fingerprintOf returns a hash of all that encoding/json takes from the declaration of a type. Package internal/jsonshape
// computes the same from source code.
func fingerprintOf(t reflect.Type) string {
	p := print{seen: make(map[reflect.Type]bool)}
	p.typ(t)
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(p.text.String()))
	return fmt.Sprintf("%016x", hash.Sum64())
}

// A print is the text that a fingerprint is the hash of.
type print struct {
	text strings.Builder
	seen map[reflect.Type]bool
}

// marked are the methods that a type's JSON may depend on, each with its mark. The first two write.
var marked = []struct {
	mark   byte
	method reflect.Type
}{
	{'J', reflect.TypeFor[json.Marshaler]()},
	{'T', reflect.TypeFor[encoding.TextMarshaler]()},
	{'j', reflect.TypeFor[json.Unmarshaler]()},
	{'t', reflect.TypeFor[encoding.TextUnmarshaler]()},
	{'z', reflect.TypeFor[interface{ IsZero() bool }]()},
}

func (p *print) typ(t reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer:
		p.text.WriteByte('*')
		p.typ(t.Elem())
		return
	case reflect.Interface:
		p.text.WriteString("any")
		return
	}
	marshals := false
	for i, m := range marked {
		if reflect.PointerTo(t).Implements(m.method) {
			p.text.WriteByte(m.mark)
			marshals = marshals || i < 2
		}
	}
	if marshals {
		return // what its methods do is their own affair
	}
	if t.PkgPath() != "" {
		if p.seen[t] {
			p.text.WriteByte('@')
			return
		}
		p.seen[t] = true
	}
	switch t.Kind() {
	case reflect.Slice:
		p.text.WriteString("[]")
		p.typ(t.Elem())
	case reflect.Array:
		p.text.WriteString("[" + strconv.Itoa(t.Len()) + "]")
		p.typ(t.Elem())
	case reflect.Map:
		p.text.WriteString("map ")
		p.typ(t.Key())
		p.text.WriteByte(' ')
		p.typ(t.Elem())
	case reflect.Struct:
		p.fields(t)
	case reflect.Func, reflect.Chan:
		p.text.WriteString("any")
	default:
		p.text.WriteString(t.Kind().String())
	}
}

func (p *print) fields(t reflect.Type) {
	p.text.WriteByte('{')
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("json")
		if tag == "-" || !f.IsExported() && !f.Anonymous {
			continue
		}
		p.text.WriteString(f.Name)
		if f.Anonymous {
			p.text.WriteByte('^')
		}
		p.text.WriteString(strconv.Quote(tag))
		p.typ(f.Type)
		p.text.WriteByte(';')
	}
	p.text.WriteByte('}')
}
