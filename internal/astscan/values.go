package astscan

import (
	"go/types"
	"slices"

	"github.com/eventmap/eventmap/internal/model"
)

// maxValues is how many values of one type are named. A test wants two that differ, and a zero may be among them.
const maxValues = 3

// valuesOf names values of a type whose methods for its JSON may refuse others: the first constants and variables that
// are declared beside it and that the output package can refer to.
func (p payloadReader) valuesOf(named *types.Named) (values []model.TypeName) {
	pkg := named.Obj().Pkg()
	if named.TypeArgs() != nil || !p.owns(named.Obj()) || pkg.Name() == "main" || !mayImport(p.output.Path, pkg.Path()) {
		return nil
	}
	var declared []types.Object
	for _, name := range pkg.Scope().Names() {
		switch obj := pkg.Scope().Lookup(name).(type) {
		case *types.Const, *types.Var:
			if types.Identical(obj.Type(), named) && (obj.Exported() || pkg.Path() == p.output.Path) {
				declared = append(declared, obj)
			}
		}
	}
	slices.SortStableFunc(declared, func(x, y types.Object) int { return p.ByPosition(x.Pos(), y.Pos()) })
	for _, obj := range declared[:min(len(declared), maxValues)] {
		values = append(values, model.TypeName{Package: model.Package{Path: pkg.Path(), Name: pkg.Name()}, Name: obj.Name()})
	}
	return values
}
