package jsonshape

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/jsonshape/testdata/shapes"
)

// TestFields_areWhatEncodingJSONWrites compares the fields found for each shape with the names that encoding/json writes
// for a value of it.
func TestFields_areWhatEncodingJSONWrites(t *testing.T) {
	t.Parallel()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "testdata/shapes/shapes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	pkg, err := new(types.Config).Check("shapes", fset, []*ast.File{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := pkg.Scope().Lookup("All").Type().Underlying().(*types.Struct)
	var value shapes.All
	for i := range all.NumFields() {
		name := all.Field(i).Name()
		t.Run(name, func(t *testing.T) {
			decl := all.Field(i).Type().(*types.Named).Obj()
			var got []string
			for _, f := range NewReader(Source{Fset: fset}).Read(decl).Shape.Fields {
				got = append(got, f.Name)
			}
			slices.Sort(got)
			field := reflect.ValueOf(&value).Elem().Field(i)
			fill(field, 3)
			text, err := json.Marshal(field.Addr().Interface())
			if err != nil {
				t.Fatal(err)
			}
			var written map[string]any
			if err := json.Unmarshal(text, &written); err != nil {
				t.Fatal(err)
			}
			want := slices.Sorted(maps.Keys(written))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("encoding/json writes -, found +:\n%s\n%s", diff, text)
			}
		})
	}
}

// fill gives pointers something to point to and numbers a value, so that nothing is left out of the JSON.
func fill(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Pointer:
		if depth > 0 && v.CanSet() {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), depth-1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), depth)
		}
	case reflect.Int:
		if v.CanSet() {
			v.SetInt(1)
		}
	case reflect.String:
		if v.CanSet() {
			v.SetString("x")
		}
	}
}
