package jsonshape

import (
	"cmp"
	"encoding/json"
	"go/constant"
	"go/token"
	"go/types"
	"slices"

	"github.com/eventmap/eventmap/internal/model"
)

// constantsOf returns the constants declared with a type in its package. time.Duration has none: its constants are units.
func (r *Reader) constantsOf(named *types.Named) []model.Constant {
	obj := named.Obj()
	if obj.Pkg() == nil || r.names(named).id == "time.Duration" {
		return nil
	}
	if constants, known := r.constants[obj]; known {
		return constants
	}
	var declared []*types.Const
	scope := obj.Pkg().Scope()
	for _, name := range scope.Names() {
		if c, ok := scope.Lookup(name).(*types.Const); ok && types.Identical(c.Type(), named) {
			declared = append(declared, c)
		}
	}
	slices.SortStableFunc(declared, func(x, y *types.Const) int { return r.byPosition(x.Pos(), y.Pos()) })
	var constants []model.Constant
	for _, c := range declared {
		if value := constantJSON(c.Val()); value != "" {
			constants = append(constants, model.Constant{Name: c.Name(), Value: value})
		}
	}
	r.constants[obj] = constants
	return constants
}

// byPosition orders declarations by where they are written.
func (r *Reader) byPosition(a, b token.Pos) int {
	x, y := r.source.Fset.PositionFor(a, false), r.source.Fset.PositionFor(b, false)
	return cmp.Or(cmp.Compare(x.Filename, y.Filename), cmp.Compare(x.Line, y.Line), cmp.Compare(x.Column, y.Column), cmp.Compare(a, b))
}

// constantJSON returns a constant as encoding/json writes it, or nothing for one whose form depends on its size.
func constantJSON(v constant.Value) string {
	switch v.Kind() {
	case constant.String:
		text, _ := json.Marshal(constant.StringVal(v)) // a string always marshals
		return string(text)
	case constant.Int, constant.Bool:
		return v.ExactString()
	}
	return ""
}
