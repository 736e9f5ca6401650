package astscan

import (
	"go/token"
	"go/types"
	"reflect"
)

// The methods by which a type takes its JSON form into its own hands. The interfaces are built here, for packages that
// are scanned need not import encoding/json.
var (
	marshalJSON   = marshaler{name: "MarshalJSON"}
	unmarshalJSON = marshaler{name: "UnmarshalJSON", takes: true}
	marshalText   = marshaler{name: "MarshalText"}
	unmarshalText = marshaler{name: "UnmarshalText", takes: true}
)

// A marshaler is a method func() ([]byte, error), or func([]byte) error.
type marshaler struct {
	name  string
	takes bool
}

// signature returns the method's signature.
func (m marshaler) signature() *types.Signature {
	data := types.NewVar(token.NoPos, nil, "", types.NewSlice(types.Typ[types.Byte]))
	err := types.NewVar(token.NoPos, nil, "", types.Universe.Lookup("error").Type())
	if m.takes {
		return types.NewSignatureType(nil, nil, nil, types.NewTuple(data), types.NewTuple(err), false)
	}
	return types.NewSignatureType(nil, nil, nil, nil, types.NewTuple(data, err), false)
}

// lookupMarshaler reports whether t, or *t if pointer is set, has the method, and by which embedded field of its struct
// it comes, if any.
func lookupMarshaler(t types.Type, m marshaler, pointer bool) (ok bool, through *types.Var) {
	obj, index, _ := types.LookupFieldOrMethod(t, pointer, nil, m.name)
	fn, isFunc := obj.(*types.Func)
	if !isFunc || !types.Identical(fn.Signature(), m.signature()) {
		return false, nil
	}
	if len(index) > 1 {
		if st, isStruct := t.Underlying().(*types.Struct); isStruct {
			through = st.Field(index[0])
		}
	}
	return true, through
}

// marshalsItself reports whether a type's methods, and not its fields, say what its JSON is. Methods that do only half
// of it are reported.
//
// Generated code encodes and decodes by pointer, so methods on the pointer count wherever the value has an address:
// everywhere but in a map.
func (c *payloadCheck) marshalsItself(t types.Type, at spot) bool {
	switch t.Underlying().(type) {
	case *types.Pointer, *types.Interface:
		return false
	}
	toJSON, toJSONBy := lookupMarshaler(t, marshalJSON, true)
	fromJSON, fromJSONBy := lookupMarshaler(t, unmarshalJSON, true)
	toText, toTextBy := lookupMarshaler(t, marshalText, true)
	fromText, fromTextBy := lookupMarshaler(t, unmarshalText, true)
	out, in := marshalJSON, unmarshalJSON
	switch {
	case toJSON && fromJSON:
	case toJSON:
		c.report(at, "%shas MarshalJSON but no UnmarshalJSON; add it, so that what is written can be read", c.which(t))
		return true
	case toText && fromJSON:
		out = marshalText
	case fromJSON:
		return c.embedsMarshaler(t, at, unmarshalJSON, fromJSONBy) // it reads what its fields write, and perhaps more
	case toText && fromText:
		out, in = marshalText, unmarshalText
	case toText:
		c.report(at, "%shas MarshalText but no UnmarshalText; add it, so that what is written can be read", c.which(t))
		return true
	case fromText && !isString(t):
		c.report(at, "%shas UnmarshalText but no MarshalText; add it: what is written without it cannot be read", c.which(t))
		return true
	default:
		return false
	}
	outBy, inBy := toJSONBy, fromJSONBy
	if out == marshalText {
		outBy = toTextBy
	}
	if in == unmarshalText {
		inBy = fromTextBy
	}
	if c.embedsMarshaler(t, at, out, outBy) || c.embedsMarshaler(t, at, in, inBy) {
		return true
	}
	if onValue, _ := lookupMarshaler(t, out, false); at.inMap && !onValue {
		at.again = false
		c.report(at, "is of type %s, whose %s is on the pointer and is not called for a map's value; put it on the value, or let the map hold pointers", c.shown(t), out.name)
	}
	return true
}

// which begins what is to be said of a type: of an event's own, it goes without saying which that is.
func (c *payloadCheck) which(t types.Type) string {
	if types.Identical(t, c.event.named) {
		return ""
	}
	return "is of type " + c.shown(t) + ", which "
}

// embedsMarshaler reports a struct that takes its JSON form from one embedded field and so loses the others, or, where it
// has no name, cannot be read: see indirect in encoding/json/decode.go.
func (c *payloadCheck) embedsMarshaler(t types.Type, at spot, m marshaler, through *types.Var) bool {
	if through == nil {
		return false
	}
	st := t.Underlying().(*types.Struct)
	for i := range st.NumFields() {
		field := st.Field(i)
		if field != through && field.Name() != "_" && reflect.StructTag(st.Tag(i)).Get("json") != "-" {
			c.report(c.enter(at, through), "is embedded, so that its %s is called for all of %s and the other fields are lost; give the field a name, or give %s methods of its own",
				m.name, c.shown(t), c.shown(t))
			return true
		}
	}
	if _, named := t.(*types.Named); !named {
		c.report(at, "is of a type without a name, for which encoding/json calls the embedded %s but not its counterpart; declare it as a type of its own, or use %s itself", m.name, through.Name())
		return true
	}
	at = c.enter(at, through)
	if isPointer(through.Type()) {
		c.report(at, "is embedded by pointer, and its %s is called for a nil as well, which panics; embed the value, or give the field a name", m.name)
		return true
	}
	_, deeper := lookupMarshaler(through.Type(), m, true)
	return c.embedsMarshaler(through.Type(), at, m, deeper)
}

// isString reports whether t is a kind of string.
func isString(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsString != 0
}
