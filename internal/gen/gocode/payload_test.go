package gocode

import (
	"encoding/json"
	"testing"

	"github.com/eventmap/eventmap/internal/model"
)

func object(fields ...model.Field) *model.Shape {
	return &model.Shape{Kind: model.ObjectShape, Type: "m.T", Fields: fields}
}

func TestSamplePayload(t *testing.T) {
	t.Parallel()
	str := &model.Shape{Kind: model.StringShape, Go: "string"}
	grade := &model.Shape{Kind: model.TextShape, Go: "m.Grade", Type: "m.Grade"}
	graded := &model.Shape{Kind: model.ObjectShape, Type: "m.Graded", Fields: []model.Field{{Name: "g", Go: "G", Shape: grade}, {Name: "s", Go: "S", Shape: str}}}
	for _, tt := range []struct {
		name  string
		shape *model.Shape
		want  string
	}{
		{"nothing", object(), `{}`},
		{"distinct", object(model.Field{Name: "a", Go: "A", Shape: str}, model.Field{Name: "b", Go: "B", Shape: str}), `{"a":"a-1","b":"b-2"}`},
		{"small numbers fit", object(model.Field{Name: "a", Go: "A", Shape: &model.Shape{Kind: model.UintShape, Bits: 8, Go: "uint8"}}), `{"a":2}`},
		{"large ones are large", object(model.Field{Name: "a", Go: "A", Shape: &model.Shape{Kind: model.IntShape, Bits: 64, Go: "*int64"}}), `{"a":9007199254740993}`},
		{"those of the machine are not", object(model.Field{Name: "a", Go: "A", Shape: &model.Shape{Kind: model.IntShape, Bits: 64, Go: "m.Count", Under: "int"}}), `{"a":2}`},
		{"quoted", object(model.Field{Name: "a", Go: "A", Quoted: true, Shape: str}), `{"a":"\"a-1\""}`},
		{"constant that is not zero", object(model.Field{Name: "a", Go: "A", Shape: &model.Shape{Kind: model.StringShape, Constants: []model.Constant{{Name: "None", Value: `""`}, {Name: "Open", Value: `"open"`}}}}), `{"a":"open"}`},
		{"what only its type knows is left out", object(model.Field{Name: "g", Go: "G", Shape: grade}), `{}`},
		{"within an object too", object(model.Field{Name: "o", Go: "O", Shape: graded}), `{"o":{"s":"s-1"}}`},
		{"but an element is whole or not there", object(model.Field{Name: "l", Go: "L", Shape: &model.Shape{Kind: model.SliceShape, Elem: graded}}, model.Field{Name: "m", Go: "M", Shape: &model.Shape{Kind: model.MapShape, Key: str, Elem: graded}}), `{}`},
		{"an element may lack what can be missing", object(model.Field{Name: "l", Go: "L", Shape: &model.Shape{Kind: model.ArrayShape, Len: 1, Elem: object(model.Field{Name: "g", Go: "G", Optional: true, Shape: grade})}}), `{"l":[{}]}`},
		{"guarded", object(model.Field{Name: "a", Go: "A", Shape: &model.Shape{Kind: model.StringShape, Guarded: true}}), `{}`},
		{"keys are strings", object(model.Field{Name: "m", Go: "M", Shape: &model.Shape{Kind: model.MapShape, Key: &model.Shape{Kind: model.IntShape, Bits: 8}, Elem: str}}), `{"m":{"2":"m-2"}}`},
		{"recursion ends", object(model.Field{Name: "t", Go: "T", Shape: &model.Shape{Kind: model.RefShape, Type: "m.T", Nullable: true}}), `{}`},
		{"well-known", object(model.Field{Name: "id", Go: "ID", Shape: &model.Shape{Kind: model.TextShape, Type: "github.com/google/uuid.UUID"}}), `{"id":"00000000-0000-4000-8000-000000000002"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got json.RawMessage
			if err := json.Unmarshal(samplePayload(tt.shape), &got); err != nil {
				t.Fatal(err)
			}
			compact, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			if string(compact) != tt.want {
				t.Errorf("got %s, want %s", compact, tt.want)
			}
		})
	}
}

func TestPayloadFile(t *testing.T) {
	t.Parallel()
	a := &aggregate{Aggregate: &model.Aggregate{Name: "user/account"}}
	e := &event{Event: &model.Event{Name: "a:b", Version: 2, Payload: object()}}
	if got, want := e.payloadFile(a), "testdata/payloads/user%2Faccount/a%3Ab.v2.json"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	e.Payload = &model.Shape{Kind: model.OpaqueShape}
	if got := e.payloadFile(a); got != "" {
		t.Errorf("got %s for an event that marshals itself", got)
	}
}
