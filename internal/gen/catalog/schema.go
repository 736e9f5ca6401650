package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/internal/model"
)

// dialect is the JSON Schema that files of schemas are written in.
const dialect = "https://json-schema.org/draft/2020-12/schema"

// schemaFile returns the schema of what is stored of a version of an event.
func schemaFile(aggregate string, e *model.Event) ([]byte, error) {
	s := newSchemas("#/$defs/", "#")
	body := s.payload(e.Payload)
	title := fmt.Sprintf("%s %s, version %d", aggregate, e.Name, e.Version)
	root := object{{"$schema", dialect}, {"$comment", generated}, {"title", title}}
	if e.Doc != "" {
		root = root.with("description", e.Doc)
	}
	root = append(root, body...)
	if len(s.defs) > 0 {
		root = root.with("$defs", s.definitions())
	}
	return document(root)
}

// schemas turns shapes into schemas. Objects of named types are definitions, so that one may contain itself.
type schemas struct {
	place string // where definitions are, such as #/$defs/
	root  string // the reference to the payload itself
	names map[string]string
	defs  map[string]any
	top   string // the type of the payload
	shape *model.Shape
}

func newSchemas(place, root string) *schemas {
	return &schemas{place: place, root: root, names: map[string]string{}, defs: map[string]any{}}
}

// payload returns the schema of a payload. Its definitions are in defs afterwards.
func (s *schemas) payload(shape *model.Shape) object {
	if shape == nil {
		return object{{"$comment", "what it holds is not known"}}
	}
	s.shape, s.top = shape, shape.Type
	return s.body(shape)
}

func (s *schemas) definitions() object {
	var defs object
	for _, name := range slices.Sorted(maps.Keys(s.defs)) {
		defs = defs.with(name, s.defs[name])
	}
	return defs
}

// value returns the schema of what lies somewhere in a payload.
func (s *schemas) value(shape *model.Shape) object {
	if shape.Kind != model.RefShape && (shape.Kind != model.ObjectShape || shape.Type == "") {
		return s.nullable(shape, s.body(shape))
	}
	if shape.Type == s.top {
		return s.nullable(shape, object{{"$ref", s.root}})
	}
	name, known := s.names[shape.Type]
	if !known {
		name = s.define(shape)
	}
	return s.nullable(shape, object{{"$ref", s.place + name}})
}

// define adds the definition of a named type and returns its name.
func (s *schemas) define(shape *model.Shape) string {
	spelled := shape
	if shape.Kind == model.RefShape {
		spelled = s.shape.Find(shape.Type)
	}
	base := key(shape.Type[strings.LastIndexByte(shape.Type, '/')+1:])
	name := base
	for i := 2; s.defs[name] != nil; i++ {
		name = fmt.Sprintf("%s.%d", base, i)
	}
	s.names[shape.Type] = name
	s.defs[name] = object{} // its place, while it is made
	s.defs[name] = s.body(spelled)
	return name
}

// nullable adds null to a schema where it may be stored.
func (s *schemas) nullable(shape *model.Shape, schema object) object {
	if !shape.Nullable {
		return schema
	}
	for i, m := range schema {
		if kind, ok := m.value.(string); ok && m.name == "type" {
			schema = slices.Clone(schema)
			schema[i].value = []string{kind, "null"}
			return schema
		}
	}
	if len(schema) > 0 && schema[0].name == "$ref" {
		return object{{"anyOf", []object{schema, {{"type", "null"}}}}}
	}
	return schema // anything, null included
}

// body returns the schema of a shape, but for null.
func (s *schemas) body(shape *model.Shape) object {
	var schema object
	switch shape.Kind {
	case model.BoolShape:
		schema = object{{"type", "boolean"}}
	case model.IntShape, model.UintShape:
		schema = integer(shape)
	case model.FloatShape, model.NumberShape:
		schema = object{{"type", "number"}}
	case model.StringShape:
		schema = object{{"type", "string"}}
	case model.BytesShape:
		schema = object{{"type", "string"}, {"contentEncoding", "base64"}}
	case model.TimeShape:
		schema = object{{"type", "string"}, {"format", "date-time"}}
	case model.TextShape:
		schema = object{{"type", "string"}, {"$comment", "written by " + shape.Go}}
		if shape.Type == "github.com/google/uuid.UUID" {
			schema = object{{"type", "string"}, {"format", "uuid"}}
		}
	case model.RawShape:
		return object{{"$comment", "any JSON"}}
	case model.ObjectShape:
		return s.object(shape)
	case model.ArrayShape:
		return object{{"type", "array"}, {"items", s.value(shape.Elem)}, {"minItems", shape.Len}, {"maxItems", shape.Len}}
	case model.SliceShape:
		return object{{"type", "array"}, {"items", s.value(shape.Elem)}}
	case model.MapShape:
		schema = object{{"type", "object"}, {"additionalProperties", s.value(shape.Elem)}}
		if k := shape.Key.Kind; k == model.IntShape || k == model.UintShape {
			schema = schema.with("propertyNames", object{{"pattern", `^-?[0-9]+$`}})
		}
		return schema
	default:
		return object{{"$comment", "whatever " + shape.Go + " writes"}}
	}
	if len(shape.Constants) > 0 {
		schema = schema.with("$comment", "may be others: "+constants(shape))
	}
	return schema
}

// integer returns the schema of an integer. The bounds of 64 bits are none: they cannot be told from other numbers by
// who reads numbers as float64.
func integer(shape *model.Shape) object {
	schema := object{{"type", "integer"}}
	switch {
	case shape.Kind == model.UintShape && shape.Bits < 64:
		return append(schema, member{"minimum", 0}, member{"maximum", uint64(1)<<shape.Bits - 1})
	case shape.Kind == model.UintShape:
		return append(schema, member{"minimum", 0})
	case shape.Bits < 64:
		return append(schema, member{"minimum", -(int64(1) << (shape.Bits - 1))}, member{"maximum", int64(1)<<(shape.Bits-1) - 1})
	}
	return schema
}

// constants lists the names of an enumeration.
func constants(shape *model.Shape) string {
	var list []string
	for _, c := range shape.Constants {
		list = append(list, c.Value+" is "+c.Name)
	}
	return strings.Join(list, ", ")
}

// object returns the schema of a struct: what is always written is required, and what else is there is left alone.
func (s *schemas) object(shape *model.Shape) object {
	schema := object{{"type", "object"}}
	var properties object
	required := []string{}
	for i := range shape.Fields {
		f := &shape.Fields[i]
		properties = properties.with(f.Name, s.field(f))
		if !f.Optional {
			required = append(required, f.Name)
		}
	}
	if len(properties) > 0 {
		schema = schema.with("properties", properties)
	}
	if len(required) > 0 {
		schema = schema.with("required", required)
	}
	return schema
}

// field returns the schema of a member.
func (s *schemas) field(f *model.Field) object {
	schema := s.stored(f)
	if f.Doc != "" {
		if schema[0].name == "$ref" { // beside a reference, older dialects see nothing
			schema = object{{"allOf", []object{schema}}}
		}
		schema = append(object{{"description", f.Doc}}, schema...)
	}
	return schema
}

// stored returns the schema of the value of a member: of a personal one, that of a sealed value.
func (s *schemas) stored(f *model.Field) object {
	if f.Personal != nil && !f.Personal.HasClear {
		return sealed(f.Personal)
	}
	schema := s.value(f.Shape)
	if f.Quoted {
		schema = s.nullable(f.Shape, quoted(f.Shape))
	}
	if f.Personal != nil {
		schema = object{{"anyOf", []object{sealed(f.Personal), schema}}}
	}
	return schema
}

// inString are patterns of values within strings.
var inString = map[model.ShapeKind]string{
	model.BoolShape:   `^(true|false)$`,
	model.IntShape:    `^-?[0-9]+$`,
	model.UintShape:   `^[0-9]+$`,
	model.FloatShape:  `^-?[0-9]+([.][0-9]+)?([eE][-+]?[0-9]+)?$`,
	model.StringShape: `^".*"$`,
}

// quoted returns the schema of a value within a string: the option string of a tag.
func quoted(shape *model.Shape) object {
	pattern := inString[shape.Kind]
	if pattern == "" {
		return object{{"type", "string"}}
	}
	return object{{"type", "string"}, {"pattern", pattern}}
}
