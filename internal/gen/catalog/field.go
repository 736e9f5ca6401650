package catalog

import (
	"fmt"

	"github.com/eventmap/eventmap/internal/model"
)

// A field is a line of the table of what an event holds.
type field struct {
	Name    string
	Depth   int // 0 for the event's own
	Type    string
	Go      string // the Go type, where it says more
	Missing bool
	Null    bool
	Doc     string
	Index   bool
	Values  string // of an enumeration

	Personal string // what names the subject whose data it is; empty: it is not personal
	Erased   string // what an erased value reads as, if that is not zero
	Subject  bool
}

// fieldsOf lists the fields of a payload, each object's after it.
func fieldsOf(shape *model.Shape) (fields []field) {
	if shape == nil {
		return nil
	}
	return appendFields(nil, shape, 0)
}

func appendFields(fields []field, shape *model.Shape, depth int) []field {
	for i := range shape.Fields {
		f := &shape.Fields[i]
		line := field{
			Name: f.Name, Depth: depth, Type: typeName(f.Shape), Missing: f.Optional, Null: f.Shape.Nullable, Doc: f.Doc, Index: f.Index != nil,
		}
		if f.Personal != nil {
			line.Personal = whose(f.Personal.Subject)
			if f.Personal.Erased != nil {
				line.Erased = *f.Personal.Erased
			}
		}
		line.Subject = f.Subject != nil
		if f.Quoted {
			line.Type += " in a string"
		}
		inner := f.Shape
		for inner.Elem != nil {
			inner = inner.Elem
		}
		if inner.Type != "" && inner.Kind != model.TimeShape {
			line.Go = inner.Go
		}
		if len(inner.Constants) > 0 {
			line.Values = constants(inner)
		}
		fields = append(fields, line)
		fields = appendFields(fields, inner, depth+1)
	}
	return fields
}

// typeName returns what JSON a shape is, for a reader.
func typeName(s *model.Shape) string {
	switch s.Kind {
	case model.IntShape, model.UintShape:
		if s.Bits == 64 && s.Kind == model.IntShape {
			return "integer"
		}
		return fmt.Sprintf("%s%d", s.Kind, s.Bits)
	case model.FloatShape, model.NumberShape:
		return "number"
	case model.BytesShape:
		return "bytes, base64"
	case model.TimeShape:
		return "time"
	case model.RawShape:
		return "any JSON"
	case model.TextShape:
		return "text"
	case model.OpaqueShape:
		return "JSON of its own"
	case model.ArrayShape:
		return fmt.Sprintf("%d × %s", s.Len, typeName(s.Elem))
	case model.SliceShape:
		return "list of " + typeName(s.Elem)
	case model.MapShape:
		return "map to " + typeName(s.Elem)
	case model.RefShape:
		return "object, as above"
	}
	return string(s.Kind)
}
