package jsonshape

import (
	"go/types"
	"slices"

	"github.com/eventmap/eventmap/internal/model"
)

// shape returns the shape of a type, by the rules of the functions newTypeEncoder in encoding/json/encode.go and
// literalStore in decode.go, and adds what is lost.
func (w *walk) shape(t types.Type, at spot) *model.Shape {
	t = types.Unalias(t)
	named, ok := t.(*types.Named)
	if !ok {
		return w.byMethods(t, at)
	}
	if w.spelled.has(t) {
		if at.inMap && w.inMap.add(t) {
			w.byMethods(t, at) // once more, for losses: what lies in a map has no address
		}
		w.refs++
		s := &model.Shape{Kind: model.RefShape}
		w.name(s, named)
		return s
	}
	if !slices.Contains(w.reading.Types, named.Obj()) {
		w.reading.Types = append(w.reading.Types, named.Obj())
	}
	refs, further := w.refs, len(w.spelled)
	w.spelled = append(w.spelled, t)
	s := w.byMethods(t, at)
	if w.refs == refs {
		w.spelled = w.spelled[:further] // it contains no reference, so it may well be spelled out again
	}
	if n := w.names(t); isPointer(t) {
		if s.Kind == model.RefShape && s.Type == n.id {
			return &model.Shape{Kind: model.OpaqueShape, Nullable: true, Go: n.goName} // type P *P holds nothing but null
		}
		s.Go = n.goName
		return s
	}
	w.name(s, named)
	if _, basic := t.Underlying().(*types.Basic); basic && s.Kind != model.OpaqueShape && s.Kind != model.TextShape {
		s.Constants = w.constantsOf(named)
	}
	return s
}

// byKind returns the shape of a type that has no methods for its JSON.
func (w *walk) byKind(t types.Type, at spot) *model.Shape {
	if named, ok := t.(*types.Named); ok {
		at = w.inside(named, at)
		at.decl = named.Obj()
		at.within, at.start = w.names(t).id, len(at.path)
	}
	name, elem := w.names(t).goName, at
	elem.path += "[]"
	switch u := t.Underlying().(type) {
	case *types.Basic:
		w.checkBasic(u, t, at)
		s := basicShape(u)
		s.Go = name
		return s
	case *types.Pointer:
		at.inMap = false
		s := w.shape(u.Elem(), at)
		s.Nullable, s.Go = true, "*"+s.Go
		s.Pointers++
		return s
	case *types.Slice:
		elem.inMap = false
		s := &model.Shape{Kind: model.SliceShape, Nullable: true, Go: name, Elem: w.shape(u.Elem(), elem)}
		if isBytes(u) {
			s.Kind, s.Elem = model.BytesShape, nil
		}
		return s
	case *types.Array:
		return &model.Shape{Kind: model.ArrayShape, Go: name, Len: int(u.Len()), Elem: w.shape(u.Elem(), elem)}
	case *types.Map:
		w.checkKey(u.Key(), at)
		elem.inMap = true
		return &model.Shape{Kind: model.MapShape, Nullable: true, Go: name, Key: w.key(u.Key()), Elem: w.shape(u.Elem(), elem)}
	case *types.Struct:
		return &model.Shape{Kind: model.ObjectShape, Go: name, Fields: w.members(t, at)}
	case *types.Interface:
		w.lose(at, "is of interface type %s: JSON does not say which type it held; use a concrete type, or json.RawMessage for what is decoded later", w.shown(t))
	default:
		w.loseOmittable(at, "is of type %s, which JSON cannot hold; remove it", w.shown(t))
	}
	return &model.Shape{Kind: model.OpaqueShape, Go: name}
}

// checkBasic finds basic types that JSON has no form for.
func (w *walk) checkBasic(b *types.Basic, t types.Type, at spot) {
	switch {
	case b.Kind() == types.Invalid:
		w.addLoss(Loss{Place: at.place(), Invalid: at.decl, Why: "is of a type that does not compile; build the package it comes from to see why"})
	case b.Info()&types.IsComplex != 0:
		w.lose(at, "is of type %s, which JSON cannot hold; use a struct of two floats, or a type with MarshalJSON and UnmarshalJSON", w.shown(t))
	case b.Kind() == types.UnsafePointer:
		w.loseOmittable(at, "is of type %s, which JSON cannot hold; remove it", w.shown(t))
	}
}

// checkKey finds keys of maps that do not become a JSON name and a key again.
func (w *walk) checkKey(key types.Type, at spot) {
	basic, _ := key.Underlying().(*types.Basic)
	marshals := lookup(key, marshalText, false).ok && !isPointer(key) // a key is read by a pointer to it, and one to a pointer has no methods
	unmarshals := lookup(key, unmarshalText, true).ok
	switch {
	case basic != nil && basic.Kind() == types.Invalid:
		if named, ok := types.Unalias(key).(*types.Named); ok {
			at.decl = named.Obj()
		}
		w.checkBasic(basic, key, at)
	case w.loseMethod(key, at, appendText, marshalText):
	case marshals && !unmarshals:
		w.lose(at, "has keys of type %s, which has MarshalText but no UnmarshalText on its pointer; add it", w.shown(key))
	case marshals, basic != nil && basic.Info()&(types.IsString|types.IsInteger) != 0:
	case types.IsInterface(key):
		w.lose(at, "has keys of interface type %s: JSON does not say which type they had; use string keys", w.shown(key))
	default:
		w.lose(at, "has keys of type %s; a map's key in JSON is a string: use a string, an integer, or a type with MarshalText on the value and UnmarshalText on its pointer", w.shown(key))
	}
}

// key returns the shape of a map's keys: a string kind is written as it is, whatever methods it has, and read by them.
// See resolveKeyName in encoding/json/encode.go and the method object in decode.go.
func (w *walk) key(t types.Type) *model.Shape {
	t = types.Unalias(t)
	basic, _ := t.Underlying().(*types.Basic)
	s := &model.Shape{Kind: model.TextShape}
	if basic != nil && (basic.Info()&types.IsString != 0 || !lookup(t, marshalText, false).ok) {
		s = basicShape(basic)
		s.Guarded = lookup(t, unmarshalText, true).ok
	}
	s.Go = w.names(t).goName
	if named, ok := t.(*types.Named); ok {
		w.name(s, named)
		if s.Kind != model.TextShape {
			s.Constants = w.constantsOf(named)
		}
	}
	return s
}

// basicShape returns the shape of a predeclared type.
func basicShape(t *types.Basic) *model.Shape {
	bits := 64
	switch t.Kind() {
	case types.Int8, types.Uint8:
		bits = 8
	case types.Int16, types.Uint16:
		bits = 16
	case types.Int32, types.Uint32, types.Float32:
		bits = 32
	}
	switch info := t.Info(); {
	case info&types.IsBoolean != 0:
		return &model.Shape{Kind: model.BoolShape}
	case info&types.IsString != 0:
		return &model.Shape{Kind: model.StringShape}
	case info&types.IsUnsigned != 0:
		return &model.Shape{Kind: model.UintShape, Bits: bits}
	case info&types.IsInteger != 0:
		return &model.Shape{Kind: model.IntShape, Bits: bits}
	case info&types.IsFloat != 0:
		return &model.Shape{Kind: model.FloatShape, Bits: bits}
	}
	return &model.Shape{Kind: model.OpaqueShape}
}

// isBytes reports whether a slice is written as base64; see newSliceEncoder in encoding/json/encode.go.
func isBytes(t *types.Slice) bool {
	elem, ok := t.Elem().Underlying().(*types.Basic)
	return ok && elem.Kind() == types.Uint8 && !lookup(t.Elem(), marshalJSON, true).ok && !lookup(t.Elem(), marshalText, true).ok
}
