package astscan

import (
	"go/constant"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/eventmap/eventmap/internal/model"
)

// shapePayloads gives every event the shape of its JSON. What JSON cannot hold was reported before.
func (s *scan) shapePayloads() {
	b := newShapeBuilder(s)
	for _, e := range s.events {
		e.model.Payload = b.payload(e.named, spot{pos: e.decl.obj.Pos()})
	}
}

// A shapeBuilder finds out the JSON of types, by the rules of the functions newTypeEncoder in encoding/json/encode.go
// and literalStore in decode.go.
type shapeBuilder struct {
	payloadCheck
	spelled   typeutil.Map // the types of this payload whose shapes begin further up, or that contain a reference
	refs      int          // references made in this payload
	remarks   map[*source]map[token.Pos]remark
	constants map[*types.TypeName][]model.Constant
}

func newShapeBuilder(s *scan) *shapeBuilder {
	return &shapeBuilder{
		payloadCheck: payloadCheck{scan: s, lost: map[string]bool{}, silent: true},
		remarks:      map[*source]map[token.Pos]remark{},
		constants:    map[*types.TypeName][]model.Constant{},
	}
}

// payload returns the shape of an event.
func (b *shapeBuilder) payload(t types.Type, at spot) *model.Shape {
	b.spelled = typeutil.Map{}
	return b.shape(t, at)
}

// shape returns the shape of a type at a place.
func (b *shapeBuilder) shape(t types.Type, at spot) *model.Shape {
	t = types.Unalias(t)
	named, _ := t.(*types.Named)
	if named == nil {
		return b.byMethods(t, at)
	}
	if b.spelled.At(t) != nil {
		b.refs++
		return &model.Shape{Kind: model.RefShape, Go: b.goName(t), Type: typeID(t), Under: underName(t)}
	}
	b.spelled.Set(t, true)
	refs := b.refs
	at.foreign = b.isForeign(named)
	s := b.byMethods(t, at)
	if b.refs == refs {
		b.spelled.Delete(t) // it contains no reference, so it may well be spelled out again
	}
	if isPointer(t) {
		if s.Kind == model.RefShape && s.Type == typeID(t) {
			return &model.Shape{Kind: model.OpaqueShape, Nullable: true, Go: b.goName(t)} // type P *P holds nothing but null
		}
		s.Go = b.goName(t)
		return s
	}
	s.Go, s.Type, s.Under = b.goName(t), typeID(t), underName(t)
	if _, basic := t.Underlying().(*types.Basic); basic && s.Kind != model.OpaqueShape && s.Kind != model.TextShape {
		s.Constants = b.constantsOf(named)
	}
	b.addValues(s, named)
	return s
}

// byMethods returns the shape that a type's methods give it, else that of its kind. Methods on the pointer count where
// the value has an address; see [payloadCheck.marshalsItself].
func (b *shapeBuilder) byMethods(t types.Type, at spot) *model.Shape {
	switch id := typeID(t); id {
	case "time.Time":
		return &model.Shape{Kind: model.TimeShape}
	case "encoding/json.Number":
		return &model.Shape{Kind: model.NumberShape}
	case "encoding/json.RawMessage", "encoding/json/jsontext.Value":
		return &model.Shape{Kind: model.RawShape, Nullable: true}
	}
	switch t.Underlying().(type) {
	case *types.Pointer, *types.Interface:
		return b.byKind(t, at)
	}
	toJSON, toJSONBy := lookupMarshaler(t, marshalJSON, !at.inMap)
	toText, toTextBy := lookupMarshaler(t, marshalText, !at.inMap)
	fromJSON, fromJSONBy := lookupMarshaler(t, unmarshalJSON, true)
	fromText, fromTextBy := lookupMarshaler(t, unmarshalText, true)
	by, from := toJSONBy, fromJSONBy
	kind := model.OpaqueShape
	if !toJSON {
		by, kind = toTextBy, model.TextShape
	}
	if !fromJSON {
		from = fromTextBy
	}
	switch {
	case !toJSON && !toText:
		s := b.byKind(t, at)
		s.Guarded = fromJSON || fromText
		return s
	case by != nil && by == from && !isPointer(by.Type()):
		return b.shape(by.Type(), at) // the methods, and so the JSON, are those of what it embeds
	}
	_, slice := t.Underlying().(*types.Slice)
	_, isMap := t.Underlying().(*types.Map)
	return &model.Shape{Kind: kind, Nullable: slice || isMap}
}

// byKind returns the shape of a type that has no methods for its JSON.
func (b *shapeBuilder) byKind(t types.Type, at spot) *model.Shape {
	name := b.goName(t)
	switch u := t.Underlying().(type) {
	case *types.Basic:
		s := basicShape(u)
		s.Go = name
		return s
	case *types.Pointer:
		at.inMap = false
		s := b.shape(u.Elem(), at)
		s.Nullable, s.Go = true, "*"+s.Go
		return s
	case *types.Slice:
		at.inMap = false
		if isBytes(u) {
			return &model.Shape{Kind: model.BytesShape, Nullable: true, Go: name}
		}
		return &model.Shape{Kind: model.SliceShape, Nullable: true, Go: name, Elem: b.shape(u.Elem(), at)}
	case *types.Array:
		return &model.Shape{Kind: model.ArrayShape, Go: name, Len: int(u.Len()), Elem: b.shape(u.Elem(), at)}
	case *types.Map:
		at.inMap = true
		return &model.Shape{Kind: model.MapShape, Nullable: true, Go: name, Key: b.key(u.Key()), Elem: b.shape(u.Elem(), at)}
	case *types.Struct:
		return &model.Shape{Kind: model.ObjectShape, Go: name, Fields: b.members(t, at)}
	}
	return &model.Shape{Kind: model.OpaqueShape, Go: name}
}

// key returns the shape of a map's keys: a string kind is written as it is, whatever methods it has, and read by them.
// See resolveKeyName in encoding/json/encode.go and the method object in decode.go.
func (b *shapeBuilder) key(t types.Type) *model.Shape {
	t = types.Unalias(t)
	basic, _ := t.Underlying().(*types.Basic)
	toText, _ := lookupMarshaler(t, marshalText, false)
	fromText, _ := lookupMarshaler(t, unmarshalText, true)
	s := &model.Shape{Kind: model.TextShape}
	if basic != nil && (basic.Info()&types.IsString != 0 || !toText) {
		s = basicShape(basic)
		s.Guarded = fromText
	}
	s.Go = b.goName(t)
	if named, ok := t.(*types.Named); ok {
		s.Type, s.Under = typeID(t), underName(t)
		if s.Kind != model.TextShape {
			s.Constants = b.constantsOf(named)
		}
		b.addValues(s, named)
	}
	return s
}

// members returns the fields of a struct.
func (b *shapeBuilder) members(t types.Type, at spot) []model.Field {
	var fields []model.Field
	for _, f := range b.fields(t, at) {
		typ := types.Unalias(f.v.Type())
		s := b.shape(typ, f.at)
		remark := b.remark(f.v)
		fields = append(fields, model.Field{
			Name:     f.name,
			Go:       f.v.Name(),
			Optional: f.pointer || f.has("omitzero") || f.has("omitempty") && canBeEmpty(typ),
			Nilable:  f.pointer,
			Quoted:   f.has("string") && isQuotable(typ) && s.Kind != model.TextShape && s.Kind != model.OpaqueShape,
			Doc:      remark.doc,
			Index:    remark.index,
			Pos:      b.pos(f.at.pos),
			Shape:    s,
		})
	}
	return fields
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
	json, _ := lookupMarshaler(t.Elem(), marshalJSON, true)
	text, _ := lookupMarshaler(t.Elem(), marshalText, true)
	return ok && elem.Kind() == types.Uint8 && !json && !text
}

// canBeEmpty reports whether the option omitempty has an effect on a type; see isEmptyValue in encoding/json/encode.go.
func canBeEmpty(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Struct:
		return false
	case *types.Array:
		return u.Len() == 0
	}
	return true
}

// isQuotable reports whether the option string has an effect on a type.
func isQuotable(t types.Type) bool {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	basic, ok := t.Underlying().(*types.Basic)
	return ok && basic.Info()&(types.IsBoolean|types.IsNumeric|types.IsString) != 0
}

func isPointer(t types.Type) bool {
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}

// goName returns a type as the domain's source names it.
func (b *shapeBuilder) goName(t types.Type) string {
	if _, ok := t.(*types.Struct); ok {
		return "struct"
	}
	return types.TypeString(t, (*types.Package).Name)
}

// typeID returns what identifies a named type: its path and name and, of an instantiated one, its type arguments.
func typeID(t types.Type) string {
	if _, ok := t.(*types.Named); !ok {
		return ""
	}
	return types.TypeString(t, nil)
}

// underName returns the underlying type of a named one.
func underName(t types.Type) string {
	if _, ok := t.Underlying().(*types.Struct); ok {
		return "struct"
	}
	return types.TypeString(t.Underlying(), (*types.Package).Name)
}

// constantsOf returns the constants declared with a type in its package. time.Duration has none: its constants are units.
func (b *shapeBuilder) constantsOf(named *types.Named) []model.Constant {
	obj := named.Obj()
	if obj.Pkg() == nil || typeID(named) == "time.Duration" {
		return nil
	}
	if constants, known := b.constants[obj]; known {
		return constants
	}
	var declared []*types.Const
	scope := obj.Pkg().Scope()
	for _, name := range scope.Names() {
		if c, ok := scope.Lookup(name).(*types.Const); ok && types.Identical(c.Type(), named) {
			declared = append(declared, c)
		}
	}
	slices.SortStableFunc(declared, func(x, y *types.Const) int { return b.byPosition(x.Pos(), y.Pos()) })
	var constants []model.Constant
	for _, c := range declared {
		if value := constantJSON(c.Val()); value != "" {
			constants = append(constants, model.Constant{Name: c.Name(), Value: value})
		}
	}
	b.constants[obj] = constants
	return constants
}

// constantJSON returns a constant as encoding/json writes it, or nothing for one whose form depends on its size.
func constantJSON(v constant.Value) string {
	switch v.Kind() {
	case constant.String:
		return jsonString(constant.StringVal(v))
	case constant.Int, constant.Bool:
		return v.ExactString()
	}
	return ""
}
