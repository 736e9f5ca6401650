package schemalock_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/internal/schemalock"
)

func object(fields ...model.Field) *model.Shape {
	return &model.Shape{Kind: model.ObjectShape, Fields: fields}
}

func TestDifferences(t *testing.T) {
	t.Parallel()
	text, number := &model.Shape{Kind: model.StringShape}, &model.Shape{Kind: model.IntShape, Bits: 32}
	wide := &model.Shape{Kind: model.IntShape, Bits: 64}
	list := func(of *model.Shape) *model.Shape {
		return &model.Shape{Kind: model.SliceShape, Nullable: true, Elem: of}
	}
	tree := &model.Shape{Kind: model.ObjectShape, Type: "example.com/x.Tree"}
	tree.Fields = []model.Field{{Name: "left", Shape: &model.Shape{Kind: model.RefShape, Type: tree.Type, Nullable: true}}}
	grown := &model.Shape{Kind: model.ObjectShape, Type: "example.com/x.Tree"}
	grown.Fields = append([]model.Field{{Name: "leaf", Shape: text}}, tree.Fields...)
	enumeration := &model.Shape{Kind: model.IntShape, Bits: 32, Constants: []model.Constant{{Name: "Open", Value: "0"}, {Name: "Shut", Value: "1"}}}

	tests := []struct {
		name     string
		old, now *model.Shape
		want     []schemalock.Difference
	}{
		{"none", object(model.Field{Name: "a", Go: "A", Shape: text}), object(model.Field{Name: "a", Go: "B", Doc: "d", Shape: text}), nil},
		{"fields", object(model.Field{Name: "a", Shape: text}), object(model.Field{Name: "b", Shape: text, Optional: true}), []schemalock.Difference{
			{Field: "a", Was: "a string"}, {Field: "b", Is: "a string, may be missing"},
		}},
		{"kinds", object(model.Field{Name: "a", Shape: number}), object(model.Field{Name: "a", Shape: wide, Optional: true}), []schemalock.Difference{
			{Field: "a", Was: "int32", Is: "int64, may be missing"},
		}},
		{"within lists", object(model.Field{Name: "a", Shape: list(object(model.Field{Name: "x", Shape: text}))}), object(model.Field{Name: "a", Shape: list(object(model.Field{Name: "x", Shape: number}))}),
			[]schemalock.Difference{{Field: "a[].x", Was: "a string", Is: "int32"}}},
		{"what a new field holds", object(), object(model.Field{Name: "a", Shape: list(object(model.Field{Name: "x", Shape: text}))}), []schemalock.Difference{
			{Field: "a", Is: "a list, may be null"}, {Field: "a[].x", Is: "a string"},
		}},
		{"within itself", object(model.Field{Name: "t", Shape: tree}), object(model.Field{Name: "t", Shape: grown}), []schemalock.Difference{{Field: "t.leaf", Is: "a string"}}},
		{"new within itself", object(), object(model.Field{Name: "t", Shape: tree}), []schemalock.Difference{
			{Field: "t", Is: "an object"}, {Field: "t.left", Is: "x.Tree again, may be null"},
		}},
		{"constants", object(model.Field{Name: "s", Shape: number}), object(model.Field{Name: "s", Shape: enumeration}), []schemalock.Difference{
			{Field: "s", Was: "int32", Is: "int32 of Open|Shut"},
		}},
		{"all", nil, text, []schemalock.Difference{{Is: "a string"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, schemalock.Differences(test.old, test.now)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
