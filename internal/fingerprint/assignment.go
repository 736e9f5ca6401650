package fingerprint

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// indexAssignments notes which variables of packages are changed by anything but their declarations.
func (w *walk) indexAssignments(p *Package) {
	for _, file := range p.Files {
		ast.Inspect(file, func(node ast.Node) bool {
			w.indexAssignment(p.Info, node)
			return true
		})
	}
}

// indexAssignment notes a variable of a package that is changed by anything but its declaration: assigned, counted up, its
// address taken, an element of it set.
func (w *walk) indexAssignment(info *types.Info, node ast.Node) {
	switch node := node.(type) {
	case *ast.AssignStmt:
		for _, left := range node.Lhs {
			w.assign(info, left)
		}
	case *ast.IncDecStmt:
		w.assign(info, node.X)
	case *ast.RangeStmt:
		if node.Tok == token.ASSIGN {
			w.assign(info, node.Key)
			w.assign(info, node.Value)
		}
	case *ast.UnaryExpr:
		if node.Op == token.AND {
			w.assign(info, node.X)
		}
	case *ast.CallExpr:
		if id, ok := ast.Unparen(node.Fun).(*ast.Ident); ok && len(node.Args) > 0 {
			if builtin, ok := info.Uses[id].(*types.Builtin); ok && slices.Contains([]string{"delete", "clear", "copy"}, builtin.Name()) {
				w.assign(info, node.Args[0])
			}
		}
		selector, ok := ast.Unparen(node.Fun).(*ast.SelectorExpr)
		if !ok {
			return
		}
		if selection := info.Selections[selector]; selection != nil && selection.Kind() == types.MethodVal && w.changesReceiver(selection.Obj().(*types.Func)) {
			w.assign(info, selector.X)
		}
	}
}

func (w *walk) assign(info *types.Info, target ast.Expr) {
	for target != nil {
		switch t := ast.Unparen(target).(type) {
		case *ast.Ident:
			if v, ok := info.Uses[t].(*types.Var); ok && w.isTracked(v) {
				w.noteAssigned(v, t.Pos())
			}
			return
		case *ast.SelectorExpr:
			if v, ok := info.Uses[t.Sel].(*types.Var); ok && !v.IsField() && w.isTracked(v) {
				w.noteAssigned(v, t.Pos())
				return
			}
			target = t.X
		case *ast.IndexExpr:
			target = t.X
		case *ast.SliceExpr:
			target = t.X
		case *ast.StarExpr:
			target = t.X
		default:
			return
		}
	}
}

// isTracked reports whether assignments to a variable are noted: to those of packages, or to the one receiver asked about.
func (w *walk) isTracked(v *types.Var) bool {
	if w.tracked != nil {
		return v == w.tracked
	}
	return v.Pkg() != nil && v.Parent() == v.Pkg().Scope()
}

func (w *walk) noteAssigned(v *types.Var, pos token.Pos) {
	if _, ok := w.assigned[v]; !ok {
		w.assigned[v] = pos
	}
}

// changesReceiver reports whether a method may change what it is called on. Of a method whose source was not read, that is
// assumed of all with a pointer receiver, but for those of types that do not change.
func (w *walk) changesReceiver(f *types.Func) bool {
	f = f.Origin()
	recv := f.Signature().Recv()
	if recv == nil {
		return false
	}
	pointer, ok := types.Unalias(recv.Type()).(*types.Pointer)
	if !ok {
		return false
	}
	d := w.declared[f]
	if d == nil {
		return !unchanging[types.TypeString(pointer.Elem(), nil)]
	}
	if changes, ok := w.changing[f]; ok {
		return changes
	}
	w.changing[f] = false // until the end of a recursion shows otherwise
	changes := w.bodyChanges(d, recv)
	w.changing[f] = changes
	return changes
}

// unchanging are types of the standard library that are used by pointer and do not change once they are made.
var unchanging = names("regexp.Regexp time.Location strings.Replacer encoding/base64.Encoding encoding/base32.Encoding")

// bodyChanges reports whether a method's body assigns anything that begins at its receiver, or hands its address on.
func (w *walk) bodyChanges(d *declaration, recv *types.Var) bool {
	decl := d.node.(*ast.FuncDecl)
	if decl.Body == nil {
		return true
	}
	changes := false
	inner := &walk{declared: w.declared, changing: w.changing, assigned: map[types.Object]token.Pos{}, tracked: recv}
	ast.Inspect(decl.Body, func(node ast.Node) bool {
		inner.indexAssignment(d.in.Info, node)
		changes = changes || len(inner.assigned) > 0
		return !changes
	})
	return changes
}
