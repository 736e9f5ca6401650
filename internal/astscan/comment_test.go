package astscan

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/eventmap/eventmap/internal/model"
)

// scanPayload returns the shape of the only event of a package.
func scanPayload(t *testing.T, source string) *model.Shape {
	t.Helper()
	dir := writeModule(t, &txtar.Archive{Files: []txtar.File{{Name: "order/order.go", Data: []byte(source)}}})
	domain, err := Scan(t.Context(), Options{Dir: dir, Patterns: []string{"./order"}, Output: "gen"})
	if err != nil {
		t.Fatal(err)
	}
	return domain.Aggregates[0].Events[0].Payload
}

func TestScan_payloadCarriesWhatTheSourceSays(t *testing.T) {
	t.Parallel()
	got := scanPayload(t, `package order

type State string

const (
	Open   State = "open"
	Closed State = "closed"
)

// Money is an amount.
type Money[C any] struct {
	Cents    int64 // Cents are whole.
	Currency C
}

//eventmap:event
type Placed struct {
	// Customer is who pays. It is never empty.
	//
	//eventmap:index using=hash // for the shop
	Customer string `+"`json:\"customer\"`"+`
	Total    *Money[State] `+"`json:\"total,omitempty\"`"+`
}
`)
	at := func(line, col int) model.Position {
		return model.Position{File: "order/order.go", Line: line, Col: col}
	}
	name := func(name string) model.TypeName {
		return model.TypeName{Package: model.Package{Path: "example.com/m/order", Name: "order"}, Name: name}
	}
	want := &model.Shape{
		Kind: model.ObjectShape, Go: "order.Placed", Type: "example.com/m/order.Placed", Under: "struct", Name: name("Placed"),
		Fields: []model.Field{
			{
				Name: "customer", Go: "Customer", Promoted: true, Doc: "Customer is who pays.", Pos: at(21, 2),
				Index: &model.IndexMark{Args: "using=hash", Pos: at(20, 2)},
				Shape: &model.Shape{Kind: model.StringShape, Go: "string"},
			},
			{Name: "total", Go: "Total", Promoted: true, Optional: true, OmitEmpty: true, Pos: at(22, 2), Shape: &model.Shape{
				Kind: model.ObjectShape, Nullable: true, Pointers: 1, Under: "struct",
				Go: "*order.Money[order.State]", Type: "example.com/m/order.Money[example.com/m/order.State]",
				Fields: []model.Field{
					{
						Name: "Cents", Go: "Cents", Promoted: true, Doc: "Cents are whole.", Pos: at(22, 2),
						Shape: &model.Shape{Kind: model.IntShape, Bits: 64, Go: "int64"},
					},
					{Name: "Currency", Go: "Currency", Promoted: true, Pos: at(22, 2), Shape: &model.Shape{
						Kind: model.StringShape, Go: "order.State", Type: "example.com/m/order.State", Under: "string", Name: name("State"),
						Constants: []model.Constant{{Name: "Open", Value: `"open"`}, {Name: "Closed", Value: `"closed"`}},
					}},
				},
			}},
		},
	}
	want.Fingerprint = got.Fingerprint // package jsonshape tests it
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("payload (-want +got):\n%s", d)
	}
}

func TestScan_payloadRefersToTypesThatContainThemselves(t *testing.T) {
	t.Parallel()
	got := scanPayload(t, `package order

type Node struct {
	Next  *Node
	Other []*Pair
}

type Pair struct{ A, B *Node }

type Leaf struct{ N int8 }

//eventmap:event
type Placed struct {
	First  Node
	Second Node
	X, Y   Leaf
}
`)
	first := got.Field("First").Shape
	for _, tt := range []struct {
		shape *model.Shape
		want  model.ShapeKind
		typ   string
	}{
		{first, model.ObjectShape, "Node"},
		{first.Field("Next").Shape, model.RefShape, "Node"},
		{first.Field("Other").Shape.Elem, model.ObjectShape, "Pair"},
		{first.Field("Other").Shape.Elem.Field("B").Shape, model.RefShape, "Node"},
		{got.Field("Second").Shape, model.RefShape, "Node"},
		{got.Field("Y").Shape, model.ObjectShape, "Leaf"},
	} {
		if tt.shape.Kind != tt.want || tt.shape.Type != "example.com/m/order."+tt.typ {
			t.Errorf("%s of %s, want %s of %s", tt.shape.Kind, tt.shape.Type, tt.want, tt.typ)
		}
		if found := got.Find(tt.shape.Type); found == nil || found.Kind != model.ObjectShape {
			t.Errorf("Find(%s) = %+v, want the object", tt.shape.Type, found)
		}
	}
}
