package jsonshape

import (
	"go/types"
	"reflect"

	"github.com/eventmap/eventmap/internal/model"
)

// A method is one by which a type takes its JSON form into its own hands.
type method struct {
	name string
	is   func(*types.Signature) bool
}

// The interfaces are built here, for packages that are read need not import encoding/json.
var (
	marshalJSON   = method{"MarshalJSON", returning()}
	unmarshalJSON = method{"UnmarshalJSON", taking}
	marshalText   = method{"MarshalText", returning()}
	unmarshalText = method{"UnmarshalText", taking}
	isZero        = method{"IsZero", func(s *types.Signature) bool { return s.Params().Len() == 0 && gives(s, types.Typ[types.Bool]) }}

	// encoding/json calls these from Go 1.27 on.
	appendText        = method{"AppendText", returning(byteSlice)}
	marshalJSONTo     = method{"MarshalJSONTo", coding("Encoder")}
	unmarshalJSONFrom = method{"UnmarshalJSONFrom", coding("Decoder")}
)

var (
	byteSlice types.Type = types.NewSlice(types.Typ[types.Byte])
	errorType            = types.Universe.Lookup("error").Type()
)

// returning returns what func(params...) ([]byte, error) is told by.
func returning(params ...types.Type) func(*types.Signature) bool {
	return func(s *types.Signature) bool { return takes(s, params...) && gives(s, byteSlice, errorType) }
}

// taking reports whether s is func([]byte) error.
func taking(s *types.Signature) bool { return takes(s, byteSlice) && gives(s, errorType) }

// coding returns what func(*jsontext.Encoder) error is told by, or that of a decoder.
func coding(name string) func(*types.Signature) bool {
	return func(s *types.Signature) bool {
		return s.Params().Len() == 1 && types.TypeString(s.Params().At(0).Type(), nil) == "*encoding/json/jsontext."+name && gives(s, errorType)
	}
}

func takes(s *types.Signature, want ...types.Type) bool {
	return isTuple(s.Params(), want) && !s.Variadic()
}

func gives(s *types.Signature, want ...types.Type) bool { return isTuple(s.Results(), want) }

func isTuple(t *types.Tuple, want []types.Type) bool {
	if t.Len() != len(want) {
		return false
	}
	for i := range want {
		if !types.Identical(t.At(i).Type(), want[i]) {
			return false
		}
	}
	return true
}

// A lookedUp is what came of looking for a method.
type lookedUp struct {
	method
	ok      bool
	through *types.Var // the embedded field of the struct by which it comes, or nil
}

// lookup looks for a method of t, or of *t if pointer is set.
func lookup(t types.Type, m method, pointer bool) lookedUp {
	found := lookedUp{method: m}
	if hasNoMethods(t) {
		return found
	}
	obj, index, _ := types.LookupFieldOrMethod(t, pointer, nil, m.name)
	fn, isFunc := obj.(*types.Func)
	if !isFunc || !m.is(fn.Signature()) {
		return found
	}
	found.ok = true
	if st, isStruct := t.Underlying().(*types.Struct); isStruct && len(index) > 1 {
		found.through = st.Field(index[0])
	}
	return found
}

// hasNoMethods reports whether neither a type nor what it embeds, as deep as is common, declares any of the methods that are
// looked for. To look for each of them takes longer.
func hasNoMethods(t types.Type) bool { return declaresNone(t, 3) }

func declaresNone(t types.Type, deep int) bool {
	t = types.Unalias(t)
	if named, ok := t.(*types.Named); ok {
		for m := range named.Methods() {
			if isKnown(m.Name()) {
				return false
			}
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Basic, *types.Slice, *types.Array, *types.Map:
		return true
	case *types.Struct:
		for field := range u.Fields() {
			if field.Embedded() && (deep == 0 || !declaresNone(pointedTo(field.Type()), deep-1)) {
				return false
			}
		}
		return true
	}
	return false
}

// isKnown reports whether a method that is looked for is called so: one of those above, or that of json.Number.
func isKnown(name string) bool {
	switch name {
	case "MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText", "IsZero", "AppendText", "MarshalJSONTo", "UnmarshalJSONFrom", "Float64":
		return true
	}
	return false
}

// pointedTo returns the type that t points to, or t itself if it is no pointer.
func pointedTo(t types.Type) types.Type {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		return p.Elem()
	}
	return t
}

// marshals reports whether a type writes itself.
func marshals(t types.Type) bool {
	return lookup(t, marshalJSON, true).ok || lookup(t, marshalText, true).ok
}

// byMethods returns the shape that a type's methods give it, else that of its kind. Methods that do only half of it are
// losses.
//
// Generated code encodes and decodes by pointer, so methods on the pointer count wherever the value has an address:
// everywhere but in a map.
func (w *walk) byMethods(t types.Type, at spot) *model.Shape {
	switch w.names(t).id {
	case "time.Time":
		return &model.Shape{Kind: model.TimeShape}
	case "encoding/json.Number":
		return &model.Shape{Kind: model.NumberShape}
	case "encoding/json.RawMessage":
		return &model.Shape{Kind: model.RawShape, Nullable: true}
	}
	if hasNoMethods(t) {
		return w.byKind(t, at)
	}
	switch t.Underlying().(type) {
	case *types.Pointer, *types.Interface:
		return w.byKind(t, at)
	}
	out, in := lookup(t, marshalJSON, true), lookup(t, unmarshalJSON, true)
	kind := model.OpaqueShape
	if !out.ok {
		out, kind = lookup(t, marshalText, true), model.TextShape
	}
	if !in.ok {
		in = lookup(t, unmarshalText, true)
	}
	switch {
	case w.loseVersion(t, at), w.loseHalf(t, at, out, in), w.embedsMarshaler(t, at, out), w.embedsMarshaler(t, at, in):
		return &model.Shape{Kind: model.OpaqueShape, Go: w.names(t).goName}
	case !out.ok:
		s := w.byKind(t, at)
		s.Guarded = in.ok // it reads what its fields write, and perhaps more
		return s
	case at.inMap && !lookup(t, out.method, false).ok:
		w.lose(at, "is of type %s, whose %s is on the pointer and is not called for a map's value; put it on the value, or let the map hold pointers", w.shown(t), out.name)
	case out.through != nil && out.through == in.through && !isPointer(out.through.Type()):
		return w.shape(out.through.Type(), at) // the methods, and so the JSON, are those of what it embeds
	}
	_, slice := t.Underlying().(*types.Slice)
	_, isMap := t.Underlying().(*types.Map)
	return &model.Shape{Kind: kind, Nullable: slice || isMap}
}

// loseHalf reports whether the methods of a type only write or only read what others cannot, and adds that as a loss. To
// read alone is fine for JSON, which may be what the fields write, and for a string.
func (w *walk) loseHalf(t types.Type, at spot, out, in lookedUp) bool {
	switch {
	case out.name == "MarshalJSON" && in.name != "UnmarshalJSON":
		w.lose(at, "%shas MarshalJSON but no UnmarshalJSON; add it, so that what is written can be read", w.which(t))
	case out.ok && !in.ok:
		w.lose(at, "%shas MarshalText but no UnmarshalText; add it, so that what is written can be read", w.which(t))
	case !out.ok && in.ok && in.name == "UnmarshalText" && !isString(t):
		w.lose(at, "%shas UnmarshalText but no MarshalText; add it: what is written without it cannot be read", w.which(t))
	default:
		return false
	}
	return true
}

// loseVersion reports whether only some versions of encoding/json would call a method of a type, and adds that as a loss.
func (w *walk) loseVersion(t types.Type, at spot) bool {
	obj, index, _ := types.LookupFieldOrMethod(t, true, nil, "Float64")
	if fn, ok := obj.(*types.Func); ok && len(index) > 1 && fn.Pkg().Path() == "encoding/json" {
		w.lose(at, "%sembeds json.Number: encoding/json of Go 1.27 writes it instead of the whole struct, and that of Go 1.26 beside the other fields; give the field a name", w.which(t))
		return true
	}
	return w.loseMethod(t, at, marshalJSONTo, marshalJSON) || w.loseMethod(t, at, unmarshalJSONFrom, unmarshalJSON) ||
		!lookup(t, marshalJSON, true).ok && w.loseMethod(t, at, appendText, marshalText)
}

// loseMethod reports whether a type has a method that encoding/json calls since Go 1.27, in place of one that every version
// calls, and lacks that one or has it from elsewhere, and adds that as a loss.
func (w *walk) loseMethod(t types.Type, at spot, since, ever method) bool {
	newer, older := lookup(t, since, true), lookup(t, ever, true)
	switch {
	case !newer.ok, older.ok && newer.through == older.through:
		return false
	case !older.ok:
		w.lose(at, "%shas %s but no %s: encoding/json of Go 1.27 calls it and that of Go 1.26 does not, so they store different JSON; add %s",
			w.which(t), since.name, ever.name, ever.name)
	default:
		w.lose(at, "%shas %s and %s, one of them from what it embeds: encoding/json of Go 1.26 calls the one and that of Go 1.27 the other, so they store different JSON; declare both beside each other",
			w.which(t), ever.name, since.name)
	}
	return true
}

// embedsMarshaler reports a struct that takes its JSON form from one embedded field and so loses the others, or, where it
// has no name, cannot be read: see indirect in encoding/json/decode.go.
func (w *walk) embedsMarshaler(t types.Type, at spot, m lookedUp) bool {
	if m.through == nil {
		return false
	}
	st := t.Underlying().(*types.Struct)
	for i := range st.NumFields() {
		field := st.Field(i)
		if field != m.through && field.Name() != "_" && reflect.StructTag(st.Tag(i)).Get("json") != "-" {
			w.lose(w.enter(at, m.through), "is embedded, so that its %s is called for all of %s and the other fields are lost; give the field a name, or give %s methods of its own",
				m.name, w.shown(t), w.shown(t))
			return true
		}
	}
	if _, named := t.(*types.Named); !named {
		w.lose(at, "is of a type without a name, for which encoding/json calls the embedded %s but not its counterpart; declare it as a type of its own, or use %s itself", m.name, m.through.Name())
		return true
	}
	at = w.enter(at, m.through)
	if isPointer(m.through.Type()) {
		w.lose(at, "is embedded by pointer, and its %s is called for a nil as well, which panics; embed the value, or give the field a name", m.name)
		return true
	}
	return w.embedsMarshaler(m.through.Type(), at, lookup(m.through.Type(), m.method, true))
}
