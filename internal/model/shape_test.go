package model_test

import (
	"testing"

	"github.com/eventmap/eventmap/internal/model"
)

func TestShape_Find(t *testing.T) {
	t.Parallel()
	node := &model.Shape{Kind: model.ObjectShape, Type: "m.Node"}
	node.Fields = []model.Field{{Name: "next", Shape: &model.Shape{Kind: model.RefShape, Type: "m.Node", Nullable: true}}}
	root := &model.Shape{Kind: model.ObjectShape, Type: "m.Placed", Fields: []model.Field{
		{Name: "early", Shape: &model.Shape{Kind: model.RefShape, Type: "m.Node"}},
		{Name: "nodes", Shape: &model.Shape{Kind: model.MapShape, Key: &model.Shape{Kind: model.StringShape}, Elem: &model.Shape{Kind: model.SliceShape, Elem: node}}},
	}}
	if got := root.Find("m.Node"); got != node {
		t.Errorf("Find(m.Node) = %+v, want the object, not a reference to it", got)
	}
	if got := root.Find("m.Placed"); got != root {
		t.Errorf("Find(m.Placed) = %+v, want the root", got)
	}
	if got := root.Find("m.Other"); got != nil {
		t.Errorf("Find(m.Other) = %+v, want nil", got)
	}
}

func TestShape_Field(t *testing.T) {
	t.Parallel()
	s := &model.Shape{Kind: model.ObjectShape, Fields: []model.Field{{Name: "a"}, {Name: "b", Go: "B"}}}
	if got := s.Field("b"); got == nil || got.Go != "B" {
		t.Errorf("Field(b) = %+v", got)
	}
	if got := s.Field("B"); got != nil {
		t.Errorf("Field(B) = %+v, want nil: it is the name in JSON", got)
	}
}
