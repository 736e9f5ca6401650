package adopt

import (
	"go/ast"
	"go/types"
	"strings"
)

// markFields marks fields whose JSON is of no type that is known beforehand, and asks about those that would be lost.
func (s *search) markFields(c *candidate, expr ast.Expr, seen map[*candidate]bool) {
	st, ok := expr.(*ast.StructType)
	if !ok {
		return
	}
	for _, field := range st.Fields.List {
		if isMarked(field.Doc) || isMarked(field.Comment) || field.Tag != nil && strings.Contains(field.Tag.Value, `json:"-"`) {
			continue
		}
		t := c.pkg.Info.TypeOf(field.Type)
		if t == nil {
			continue
		}
		if holdsAny(t) {
			name := "an embedded field"
			if len(field.Names) > 0 {
				name = field.Names[0].Name
			}
			s.add(Mark{
				Pos: s.Pos(field.Pos()), Text: "//eventmap:opaque", Subject: c.String() + "." + name,
				Reason: "it is of type " + types.TypeString(t, (*types.Package).Name) + ", of which nothing is known beforehand", source: s.Source(c.pkg, c.file), file: c.file, node: field})
			continue
		}
		for _, name := range field.Names {
			if !name.IsExported() && name.Name != "_" {
				s.ask(name.Pos(), "%v.%s is not exported, so encoding/json does not store it; export it, or tag it `json:\"-\"` if it need not be stored", c, name.Name)
			}
		}
		if inner := s.inner(t); inner != nil && !seen[inner] && !inner.generated {
			seen[inner] = true
			s.markFields(inner, inner.spec.Type, seen)
		}
	}
}

// inner returns the struct of the sources that a field holds, or nil.
func (s *search) inner(t types.Type) *candidate {
	if named := heldBy(t); named != nil {
		return s.types[named.Origin().Obj()]
	}
	return nil
}

// holdsAny reports whether a type holds values of any type.
func holdsAny(t types.Type) bool {
	if m, _, _ := types.LookupFieldOrMethod(t, true, nil, "MarshalJSON"); m != nil {
		return false
	}
	switch u := t.Underlying().(type) {
	case *types.Interface:
		return true
	case *types.Pointer:
		return holdsAny(u.Elem())
	case *types.Slice:
		return holdsAny(u.Elem())
	case *types.Array:
		return holdsAny(u.Elem())
	case *types.Map:
		return holdsAny(u.Elem())
	}
	return false
}
