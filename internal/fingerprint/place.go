package fingerprint

import (
	"go/ast"
	"go/types"
)

// A place is a node of a file's syntax, with the place that it stands in.
type place struct {
	node ast.Node
	in   *place // nil for the file
	of   *Package
}

// eachUse calls a function for every identifier that stands for something declared elsewhere.
func eachUse(p *Package, file *ast.File, found func(types.Object, *place)) {
	var at *place
	ast.Inspect(file, func(node ast.Node) bool {
		if node == nil {
			at = at.in
			return true
		}
		at = &place{node, at, p}
		if id, ok := node.(*ast.Ident); ok {
			if object := p.Info.Uses[id]; object != nil {
				found(object, at)
			}
		}
		return true
	})
}

// function returns the function declaration that a place is in, or nil within a function literal or outside of functions.
func (p *place) function() *types.Func {
	for ; p != nil; p = p.in {
		switch node := p.node.(type) {
		case *ast.FuncLit:
			return nil
		case *ast.FuncDecl:
			f, _ := p.of.Info.Defs[node.Name].(*types.Func)
			return f
		}
	}
	return nil
}
