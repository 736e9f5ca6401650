package model

import "iter"

// A Shape is the JSON that encoding/json writes for a Go type and reads back into it.
//
// It is a tree, but for types that contain themselves: such a type is spelled out once in a payload, and any further
// occurrence is a [RefShape] of the same Type, which [Shape.Find] leads back to it.
type Shape struct {
	Kind     ShapeKind
	Bits     int    // of IntShape, UintShape and FloatShape: 8, 16, 32 or 64. An int has 64
	Nullable bool   // null stands for a nil pointer, slice or map
	Pointers int    // how many pointers lead to the value
	Go       string // the type as the domain's source names it, such as order.Money or []string; "struct" where it has no name
	Type     string // what identifies a named type, such as example.com/shop/order.Money; empty: it has no name
	Under    string // the named type's underlying Go type, such as [16]uint8; "struct" for any struct
	// Name is how code refers to the type. It has none if it is predeclared, unnamed, generic or declared in a function.
	Name TypeName
	// Fingerprint is what the type is known by when the program runs, of a whole payload that is an ObjectShape.
	Fingerprint string
	// Guarded says that the type writes what its kind suggests but reads with a method of its own, which may refuse.
	Guarded bool
	// Constants are those that are declared with the type and beside it, in the order of their declaration: the names of an
	// enumeration. A type with methods for its JSON has none here.
	Constants []Constant
	// Values are constants and variables of a type with methods for its JSON that are declared beside it: values that the
	// methods should accept. Generated tests may name them.
	Values []TypeName
	Fields []Field // of ObjectShape, in the order they are written
	Key    *Shape  // of MapShape: StringShape, IntShape, UintShape or TextShape; its JSON is always a string
	Elem   *Shape  // of ArrayShape, SliceShape and MapShape
	Len    int     // of ArrayShape
}

// A Constant is a name for a value.
type Constant struct {
	Name  string
	Value string // as JSON
}

// A ShapeKind says which form of JSON a [Shape] is.
type ShapeKind string

// The kinds of shapes.
const (
	BoolShape   ShapeKind = "bool"
	IntShape    ShapeKind = "int"
	UintShape   ShapeKind = "uint"
	FloatShape  ShapeKind = "float"
	NumberShape ShapeKind = "number" // json.Number: any number, digit for digit
	StringShape ShapeKind = "string"
	BytesShape  ShapeKind = "bytes"  // []byte: a string of base64
	TimeShape   ShapeKind = "time"   // time.Time: a string as of RFC 3339
	RawShape    ShapeKind = "raw"    // json.RawMessage: any JSON
	TextShape   ShapeKind = "text"   // a string that the type's MarshalText makes
	OpaqueShape ShapeKind = "opaque" // whatever the type's MarshalJSON makes
	ObjectShape ShapeKind = "object" // a struct
	ArrayShape  ShapeKind = "array"  // of a fixed length
	SliceShape  ShapeKind = "slice"
	MapShape    ShapeKind = "map"
	RefShape    ShapeKind = "ref" // a shape of this payload that contains itself
)

// A Field is a member of an [ObjectShape].
type Field struct {
	Name string // in JSON
	Go   string // in Go; of a field that comes in by embedding, without what it is embedded by
	// Within are the embedded structs that the field lies in, the outermost first. Promoted says that code need not write
	// them: x.Go selects the field.
	Within   []Embedding
	Promoted bool
	// Optional says that the member is left out where the value is empty or zero, or where the pointer that it is
	// embedded by is nil. A tag that asks for it and has no effect, as omitempty on a struct, does not count.
	Optional  bool
	OmitEmpty bool // it is left out where the value is false, 0, nil or has no length
	OmitZero  bool // it is left out where the value is zero
	IsZero    bool // of OmitZero: the value's method IsZero tells what is zero
	Nilable   bool // it is left out where a pointer that it is embedded by is nil
	Quoted    bool // a number or bool within a string, or a string within a string: the tag's option string
	Doc       string
	Index     *IndexMark // or nil
	Subject   *Subject   // it names whom personal fields are about, or nil
	Personal  *Personal  // its value is sealed in the log, or nil
	Pos       Position   // of the field, or of the innermost one around it that the user wrote
	Shape     *Shape
}

// An Embedding is a field that is a struct and lends its own fields to the struct around it.
type Embedding struct {
	Go      string
	Pointer bool
}

// An IndexMark is the mark //eventmap:index on a field.
type IndexMark struct {
	Args string // what follows the verb
	Pos  Position
}

// A Subject is the mark //eventmap:subject on a field of an event.
type Subject struct {
	Name string // by which the marks of personal fields refer to it, or empty
	Pos  Position
}

// A Personal is the mark //eventmap:personal on a field of an event.
type Personal struct {
	// Subject is the JSON name of the field that says whom the value is about. Empty: the stream's ID does.
	Subject string
	// Erased is what a value reads as whose subject was forgotten. Nil: the zero value of its type.
	Erased *string
	// HasClear says that events that were stored before the mark was made hold the value in clear.
	HasClear bool
	Pos      Position
}

// Find returns the shape of the identified type within s that is no reference, or nil.
func (s *Shape) Find(typ string) *Shape {
	for found := range s.All() {
		if found.Type == typ && found.Kind != RefShape {
			return found
		}
	}
	return nil
}

// All returns s and the shapes that it is made of, the outer ones first. References are not followed.
func (s *Shape) All() iter.Seq[*Shape] {
	return func(yield func(*Shape) bool) { s.all(yield) }
}

func (s *Shape) all(yield func(*Shape) bool) bool {
	if s == nil {
		return true
	}
	if !yield(s) {
		return false
	}
	for i := range s.Fields {
		if !s.Fields[i].Shape.all(yield) {
			return false
		}
	}
	return s.Key.all(yield) && s.Elem.all(yield)
}

// Field returns the member of the given JSON name, or nil.
func (s *Shape) Field(name string) *Field {
	for i := range s.Fields {
		if s.Fields[i].Name == name {
			return &s.Fields[i]
		}
	}
	return nil
}
