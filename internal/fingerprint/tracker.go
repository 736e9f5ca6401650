package fingerprint

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// A tracker climbs from the uses of a value to what is done with it, and notes that in a flow.
type tracker struct {
	*changes
	flow *flow
}

// followCall follows what a function returns from a use of the function. One that is not called is out of sight.
func (t tracker) followCall(at *place) {
	for up := at.in; up != nil; at, up = up, up.in {
		switch node := up.node.(type) {
		case *ast.ParenExpr, *ast.IndexExpr, *ast.IndexListExpr, *ast.SelectorExpr:
		case *ast.CallExpr:
			if node.Fun == at.node {
				t.follow(up)
				return
			}
			t.hand(at)
			return
		default:
			t.hand(at)
			return
		}
	}
}

// follow climbs from an expression that has the value, or leads to it.
func (t tracker) follow(at *place) {
	through := false   // what is looked at lies behind a pointer, a map or a slice of the value
	addressed := false // what is looked at is the address of the variable or of a part
	for {
		up := at.in
		switch node := up.node.(type) {
		case *ast.ParenExpr, *ast.TypeAssertExpr, *ast.SliceExpr:
			if s, ok := node.(*ast.SliceExpr); ok && s.X != at.node {
				return // a bound
			}
		case *ast.StarExpr:
			through = true
		case *ast.SelectorExpr:
			selection := at.of.Info.Selections[node]
			switch {
			case node.Sel == at.node: // the name of a package stands before it
			case selection == nil:
				return
			case selection.Kind() != types.FieldVal:
				t.method(at, selection)
				return
			default:
				through = through || selection.Indirect()
			}
		case *ast.IndexExpr:
			if node.Index == at.node {
				t.handIfRefers(at)
				return
			}
			if _, ok := at.of.Info.TypeOf(node.X).Underlying().(*types.Array); !ok {
				through = true
			}
		case *ast.UnaryExpr:
			if node.Op != token.AND {
				return
			}
			addressed = true
		case *ast.KeyValueExpr, *ast.CompositeLit:
			if e, ok := at.node.(ast.Expr); ok && at.of.Info.TypeOf(e) != nil && !t.refers(at.of.Info.TypeOf(e)) {
				return
			}
		case *ast.CallExpr:
			if !t.call(at, node) {
				return
			}
		case *ast.IncDecStmt:
			t.change(at, through)
			return
		case *ast.AssignStmt:
			if slices.ContainsFunc(node.Lhs, func(e ast.Expr) bool { return e == at.node }) {
				t.change(at, through)
				return
			}
			t.assign(at, node.Lhs, slices.IndexFunc(node.Rhs, func(e ast.Expr) bool { return e == at.node }), len(node.Rhs))
			return
		case *ast.ValueSpec:
			var names []ast.Expr
			for _, name := range node.Names {
				names = append(names, name)
			}
			t.assign(at, names, slices.IndexFunc(node.Values, func(e ast.Expr) bool { return e == at.node }), len(node.Values))
			return
		case *ast.RangeStmt:
			switch at.node {
			case node.Key, node.Value:
				t.change(at, through)
			case node.X:
				t.into(at, node.Key)
				t.into(at, node.Value)
			}
			return
		case *ast.ReturnStmt:
			if f := at.function(); addressed && f != nil && f.Exported() {
				t.hand(at) // callers whose source was not read take it to set it
				return
			}
			t.result(at)
			return
		case *ast.SendStmt:
			if node.Value == at.node {
				t.handIfRefers(at)
			}
			return
		case ast.Expr:
			if _, ok := node.(*ast.BinaryExpr); !ok {
				t.handIfRefers(at)
			}
			return
		default:
			return // a statement that looks at the value
		}
		at = up
	}
}

// assign notes the variables that one of several values is assigned to.
func (t tracker) assign(at *place, targets []ast.Expr, i, values int) {
	if !t.refers(at.of.Info.TypeOf(at.node.(ast.Expr))) {
		return
	}
	if values == len(targets) {
		targets = targets[i : i+1]
	}
	for _, target := range targets {
		t.into(at, target)
	}
}

// into notes that a target takes the value, or a part of it.
func (t tracker) into(at *place, target ast.Expr) {
	if target == nil {
		return
	}
	info := at.of.Info
	id, ok := ast.Unparen(target).(*ast.Ident)
	if !ok {
		if t.refers(info.TypeOf(target)) {
			t.hand(at)
		}
		return
	}
	if id.Name == "_" {
		return
	}
	object := info.ObjectOf(id)
	v, ok := object.(*types.Var)
	if !ok {
		t.hand(at) // the variable of a type switch, which is another one in each case
		return
	}
	if !t.refers(v.Type()) {
		return
	}
	t.flow.to = append(t.flow.to, v)
	if v.Kind() == types.ResultVar {
		t.result(at)
	}
}

// result notes that the function around a place returns the value.
func (t tracker) result(at *place) {
	if e, ok := at.node.(ast.Expr); ok && !t.refers(at.of.Info.TypeOf(e)) {
		return
	}
	if f := at.function(); f != nil {
		t.flow.to = append(t.flow.to, f)
		return
	}
	t.hand(at)
}

// call notes what a call does with an argument. It reports whether what the call returns is to be followed too.
func (t tracker) call(at *place, call *ast.CallExpr) bool {
	info := at.of.Info
	if call.Fun == at.node {
		return false // the value is a function
	}
	of := info.TypeOf(at.node.(ast.Expr))
	if !t.refers(of) {
		return false
	}
	fun := ast.Unparen(call.Fun)
	i := slices.IndexFunc(call.Args, func(e ast.Expr) bool { return e == at.node })
	if info.Types[fun].IsType() {
		return true
	}
	if info.Types[fun].IsBuiltin() {
		return t.builtin(at, callee(info, fun).Name(), i, call.Ellipsis.IsValid())
	}
	f, ok := callee(info, fun).(*types.Func)
	if s, isSelector := fun.(*ast.SelectorExpr); ok && isSelector && info.Selections[s] != nil && info.Selections[s].Kind() == types.MethodExpr {
		ok = false
	}
	switch {
	case !ok || f.Pkg() == nil:
		t.hand(at)
	case isInterfaceMethod(f):
		t.dynamicParameter(at, f, i)
	case t.declared[f.Origin()] != nil:
		t.parameter(at, f.Origin(), i)
	case f.Pkg().Path() == "math/big" && f.Signature().Recv() != nil && !changingNumbers[f.Name()]:
	case !reading[f.Pkg().Path()][f.Name()] || !t.source.Standard(f.Pkg().Path()):
		t.hand(at)
	case f.Pkg().Path() == "slices" || f.Pkg().Path() == "maps":
		return t.elements(at, call, i)
	}
	return false
}

// builtin notes what a function of the language does with an argument.
func (t tracker) builtin(at *place, name string, i int, spread bool) bool {
	switch name {
	case "append":
		if i == 0 {
			t.change(at, true)
			return false
		}
		return !spread || t.elementsRefer(at.of.Info.TypeOf(at.node.(ast.Expr)))
	case "copy":
		if i == 0 {
			t.change(at, true)
		} else if t.elementsRefer(at.of.Info.TypeOf(at.node.(ast.Expr))) {
			t.hand(at)
		}
		return false
	case "clear", "delete":
		t.change(at, true)
		return false
	}
	return name == "new" || name == "min" || name == "max"
}

// elements follows what a function of slices or maps gives or returns of the elements.
func (t tracker) elements(at *place, call *ast.CallExpr, i int) bool {
	info := at.of.Info
	if !t.elementsRefer(info.TypeOf(at.node.(ast.Expr))) {
		return false
	}
	for j, arg := range call.Args {
		if _, ok := info.TypeOf(arg).Underlying().(*types.Signature); !ok || j == i {
			continue
		}
		literal, ok := ast.Unparen(arg).(*ast.FuncLit)
		if !ok {
			t.hand(at)
			return false
		}
		for _, field := range literal.Type.Params.List {
			for _, name := range field.Names {
				t.into(at, name)
			}
		}
	}
	if _, iterator := info.TypeOf(call).Underlying().(*types.Signature); iterator {
		up := at.in.in
		if loop, ok := up.node.(*ast.RangeStmt); ok {
			t.into(at, loop.Key)
			t.into(at, loop.Value)
			return false
		}
		t.hand(at)
		return false
	}
	return true
}

// parameter notes that a function takes the value as an argument.
func (t tracker) parameter(at *place, f *types.Func, i int) {
	d, ok := t.declared[f].node.(*ast.FuncDecl)
	if !ok || d.Body == nil {
		t.hand(at)
		return
	}
	params := f.Signature().Params()
	if _, ok := at.of.Info.TypeOf(at.node.(ast.Expr)).(*types.Tuple); ok {
		for v := range params.Variables() {
			t.flow.to = append(t.flow.to, v)
		}
		return
	}
	t.flow.to = append(t.flow.to, params.At(min(i, params.Len()-1)))
}

// dynamicParameter notes that every method which a call through an interface may run takes the value as an argument.
func (t tracker) dynamicParameter(at *place, f *types.Func, i int) {
	methods := t.implementations(f)
	if len(methods) == 0 || !t.wasRead(f.Pkg()) {
		t.hand(at)
	}
	for _, m := range methods {
		t.parameter(at, m, i)
	}
}

// method notes what a method does with the value, which is its receiver.
func (t tracker) method(at *place, selection *types.Selection) {
	f := selection.Obj().(*types.Func).Origin()
	if isInterfaceMethod(f) {
		for _, m := range t.implementations(f) {
			t.receiver(m)
		}
		return
	}
	if t.declared[f] != nil {
		t.receiver(f)
		return
	}
	recv := types.Unalias(f.Signature().Recv().Type())
	pointer, isPointer := recv.(*types.Pointer)
	switch {
	case isPointer:
		name := types.TypeString(pointer.Elem(), nil)
		if unchanging[name] || readingMethods[name][f.Name()] {
			return
		}
	case !t.refers(recv) || readingMethods[""][f.Name()]:
		return
	}
	t.change(at, true)
}

func (t tracker) receiver(f *types.Func) {
	recv := f.Signature().Recv()
	if d := t.declared[f].node.(*ast.FuncDecl); d.Body == nil {
		t.flow.changed = &change{pos: d.Pos(), handed: true}
		return
	}
	if _, pointer := types.Unalias(recv.Type()).(*types.Pointer); pointer || t.refers(recv.Type()) {
		t.flow.to = append(t.flow.to, recv)
	}
}

// implementations returns the methods that a call of an interface's method may run. Of generic types, all count.
func (t tracker) implementations(f *types.Func) []*types.Func {
	i, ok := f.Signature().Recv().Type().Underlying().(*types.Interface)
	return slices.DeleteFunc(slices.Clone(t.methods[f.Name()]), func(m *types.Func) bool {
		recv := types.Unalias(m.Signature().Recv().Type())
		if pointer, ok := recv.(*types.Pointer); ok {
			recv = types.Unalias(pointer.Elem())
		}
		named, isNamed := recv.(*types.Named)
		return ok && isNamed && named.TypeParams().Len() == 0 && !types.Implements(types.NewPointer(recv), i)
	})
}

// change notes that a place changes the variable, or what lies behind it.
func (t tracker) change(at *place, through bool) {
	found := &change{pos: at.node.Pos()}
	if through && t.flow.changed == nil {
		t.flow.changed = found
	}
	if !through && t.flow.set == nil {
		t.flow.set = found
	}
}

func (t tracker) handIfRefers(at *place) {
	if t.refers(at.of.Info.TypeOf(at.node.(ast.Expr))) {
		t.hand(at)
	}
}

// hand notes that the value goes where nobody can tell what becomes of it.
func (t tracker) hand(at *place) {
	if t.flow.changed == nil {
		t.flow.changed = &change{pos: at.node.Pos(), handed: true}
	}
}
