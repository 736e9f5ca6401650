package fingerprint

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// assignments are the variables that anything but their declarations changes, and where: those of packages, or one receiver.
type assignments struct {
	declared map[types.Object]*declaration
	receiver *types.Var // the only variable that counts; nil: those of packages do
	found    map[types.Object]token.Pos
	changing map[*types.Func]bool // methods that change their receiver, as far as it was asked
}

// findAssignments returns the variables of packages that are changed by anything but their declarations.
func findAssignments(c *Code) map[types.Object]token.Pos {
	a := assignments{declared: c.declared, found: map[types.Object]token.Pos{}, changing: map[*types.Func]bool{}}
	for _, p := range c.source.Packages {
		for _, file := range p.Files {
			ast.Inspect(file, func(node ast.Node) bool {
				a.look(p.Info, node)
				return true
			})
		}
	}
	return a.found
}

// look notes a variable that a statement or an expression changes: it is assigned, counted up, its address taken, an element
// of it set.
func (a *assignments) look(info *types.Info, node ast.Node) {
	switch node := node.(type) {
	case *ast.AssignStmt:
		for _, left := range node.Lhs {
			a.assign(info, left)
		}
	case *ast.IncDecStmt:
		a.assign(info, node.X)
	case *ast.RangeStmt:
		if node.Tok == token.ASSIGN {
			a.assign(info, node.Key)
			a.assign(info, node.Value)
		}
	case *ast.UnaryExpr:
		if node.Op == token.AND {
			a.assign(info, node.X)
		}
	case *ast.CallExpr:
		if id, ok := ast.Unparen(node.Fun).(*ast.Ident); ok && len(node.Args) > 0 {
			if builtin, ok := info.Uses[id].(*types.Builtin); ok && slices.Contains([]string{"delete", "clear", "copy"}, builtin.Name()) {
				a.assign(info, node.Args[0])
			}
		}
		selector, ok := ast.Unparen(node.Fun).(*ast.SelectorExpr)
		if !ok {
			return
		}
		if selection := info.Selections[selector]; selection != nil && selection.Kind() == types.MethodVal && a.changesReceiver(selection.Obj().(*types.Func)) {
			a.assign(info, selector.X)
		}
	}
}

func (a *assignments) assign(info *types.Info, target ast.Expr) {
	for target != nil {
		switch t := ast.Unparen(target).(type) {
		case *ast.Ident:
			if v, ok := info.Uses[t].(*types.Var); ok && a.counts(v) {
				a.note(v, t.Pos())
			}
			return
		case *ast.SelectorExpr:
			if v, ok := info.Uses[t.Sel].(*types.Var); ok && !v.IsField() && a.counts(v) {
				a.note(v, t.Pos())
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

// counts reports whether a variable is one whose changes are asked for.
func (a *assignments) counts(v *types.Var) bool {
	if a.receiver != nil {
		return v == a.receiver
	}
	return v.Pkg() != nil && v.Parent() == v.Pkg().Scope()
}

func (a *assignments) note(v *types.Var, pos token.Pos) {
	if _, ok := a.found[v]; !ok {
		a.found[v] = pos
	}
}

// changesReceiver reports whether a method may change what it is called on. Of a method whose source was not read, that is
// assumed of all with a pointer receiver, but for those of types that do not change.
func (a *assignments) changesReceiver(f *types.Func) bool {
	f = f.Origin()
	recv := f.Signature().Recv()
	if recv == nil {
		return false
	}
	pointer, ok := types.Unalias(recv.Type()).(*types.Pointer)
	if !ok {
		return false
	}
	d := a.declared[f]
	if d == nil {
		return !unchanging[types.TypeString(pointer.Elem(), nil)]
	}
	if changes, ok := a.changing[f]; ok {
		return changes
	}
	a.changing[f] = false // until the end of a recursion shows otherwise
	changes := a.bodyChanges(d, recv)
	a.changing[f] = changes
	return changes
}

// unchanging are types of the standard library that are used by pointer and do not change once they are made.
var unchanging = names("regexp.Regexp time.Location strings.Replacer encoding/base64.Encoding encoding/base32.Encoding")

// bodyChanges reports whether a method's body assigns anything that begins at its receiver, or hands its address on.
func (a *assignments) bodyChanges(d *declaration, recv *types.Var) bool {
	decl := d.node.(*ast.FuncDecl)
	if decl.Body == nil {
		return true
	}
	changes := false
	inner := assignments{declared: a.declared, receiver: recv, found: map[types.Object]token.Pos{}, changing: a.changing}
	ast.Inspect(decl.Body, func(node ast.Node) bool {
		inner.look(d.in.Info, node)
		changes = changes || len(inner.found) > 0
		return !changes
	})
	return changes
}
