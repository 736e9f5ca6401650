package fingerprint

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"
)

// A visitor looks at one declaration.
type visitor struct {
	*walk
	in *Package
}

func (v visitor) visit(node ast.Node) bool {
	switch node := node.(type) {
	case *ast.Ident:
		v.identifier(node)
	case *ast.SelectorExpr:
		v.selector(node)
	case *ast.CallExpr:
		v.call(node)
	case *ast.GoStmt:
		v.refuse(node.Pos(), "starts a goroutine, so what the events come to may differ from run to run")
	case *ast.SelectStmt:
		v.refuse(node.Pos(), "waits for channels, so what the events come to may differ from run to run")
	case *ast.SendStmt:
		v.refuse(node.Pos(), "sends to a channel; what the events come to must depend on the events only")
	case *ast.UnaryExpr:
		if node.Op == token.ARROW {
			v.refuse(node.Pos(), "receives from a channel; what the events come to must depend on the events only")
		}
	case *ast.RangeStmt:
		v.loop(node)
	}
	return true
}

func (v visitor) identifier(id *ast.Ident) {
	object := v.in.Info.Uses[id]
	if object == nil || object.Pkg() == nil {
		return
	}
	if _, ok := object.(*types.PkgName); ok {
		return
	}
	if f, ok := object.(*types.Func); ok || !isLocal(object) {
		if ok && isInterfaceMethod(f) {
			v.reachImplementations(f)
			return
		}
		if !v.wasRead(object.Pkg()) && !v.settled[id] {
			v.checkVarying(object, id.Pos())
		}
		v.reach(object)
	}
}

// selector adds the types on the way to a promoted field or method: they decide which one it is.
func (v visitor) selector(selector *ast.SelectorExpr) {
	selection := v.in.Info.Selections[selector]
	if selection == nil {
		return
	}
	v.reachType(selection.Recv())
	v.reachType(selection.Type())
}

// call adds what a dynamic call may run, and what code outside may call back.
func (v visitor) call(call *ast.CallExpr) {
	fun := ast.Unparen(call.Fun)
	switch tv := v.in.Info.Types[fun]; {
	case tv.IsType():
		v.conversion(call, tv.Type)
		return
	case tv.IsBuiltin():
		v.builtin(call, fun)
		return
	}
	switch callee := callee(v.in.Info, fun).(type) {
	case *types.Func:
		if callee.Pkg() != nil && !v.wasRead(callee.Pkg()) {
			v.noteSettled(callee, call)
			v.checkZone(callee, call)
			v.checkPrinted(callee, call)
			v.callOutside(callee)
			for _, arg := range call.Args {
				v.reachType(v.in.Info.TypeOf(arg))
			}
		}
	case *types.Var:
		if callee.IsField() || callee.Parent() == callee.Pkg().Scope() {
			v.reachPackageOf(callee)
			v.reachPackage(v.in)
		}
	}
}

// conversion refuses a number that is an address.
func (v visitor) conversion(call *ast.CallExpr, to types.Type) {
	from := v.in.Info.TypeOf(call.Args[0])
	if from != nil && isBasic(to, types.Uintptr) && isBasic(from, types.UnsafePointer) {
		v.refuse(call.Pos(), "takes an address as a number, which differs from run to run; what the events come to must depend on the events only")
	}
}

func isBasic(t types.Type, kind types.BasicKind) bool {
	basic, ok := t.Underlying().(*types.Basic)
	return ok && basic.Kind() == kind
}

// builtin warns of the capacity of a slice: a snapshot keeps none.
func (v visitor) builtin(call *ast.CallExpr, fun ast.Expr) {
	if id, ok := fun.(*ast.Ident); ok && id.Name == "cap" {
		if _, isSlice := coreType(v.in.Info.TypeOf(call.Args[0])).(*types.Slice); isSlice {
			v.warn(call.Pos(), "takes the capacity of a slice, which is another one in a state from a snapshot; use len")
		}
	}
}

// checkZone refuses to read the abbreviation of a time zone: which offset it means depends on the zone of the system.
func (v visitor) checkZone(callee *types.Func, call *ast.CallExpr) {
	if callee.FullName() != "time.Parse" || len(call.Args) == 0 {
		return
	}
	layout := v.in.Info.Types[call.Args[0]].Value
	if layout != nil && layout.Kind() == constant.String && strings.Contains(constant.StringVal(layout), "MST") {
		v.refuse(call.Pos(), "time.Parse reads the abbreviation of a time zone by the zone of the system; use time.ParseInLocation with time.UTC, or a numeric offset")
	}
}

// noteSettled notes what is ordered or placed by the call around it: iterators of maps that a call sorts, or puts into a map,
// and local times that become times in another zone.
func (v visitor) noteSettled(callee *types.Func, call *ast.CallExpr) {
	var operands []ast.Expr
	path := ""
	switch callee.FullName() {
	case "slices.Sorted", "slices.SortedFunc", "slices.SortedStableFunc", "maps.Collect", "maps.Insert":
		operands, path = call.Args, "maps"
	case "(time.Time).UTC", "(time.Time).In", "(time.Time).Unix", "(time.Time).UnixMilli", "(time.Time).UnixMicro", "(time.Time).UnixNano",
		"(time.Time).Equal", "(time.Time).Before", "(time.Time).After", "(time.Time).Compare", "(time.Time).Sub", "(time.Time).IsZero":
		if selector, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
			operands, path = []ast.Expr{selector.X}, "time"
		}
	}
	for _, operand := range operands {
		inner, ok := ast.Unparen(operand).(*ast.CallExpr)
		if !ok {
			continue
		}
		id, _ := ast.Unparen(inner.Fun).(*ast.Ident) // imported with a dot
		if selector, ok := ast.Unparen(inner.Fun).(*ast.SelectorExpr); ok {
			id = selector.Sel
		}
		if id != nil && v.in.Info.Uses[id] != nil && v.in.Info.Uses[id].Pkg() != nil && v.in.Info.Uses[id].Pkg().Path() == path && isArranged(v.in.Info.Uses[id]) {
			v.settled[id] = true
		}
	}
}

// callee is what an expression calls: a function, a variable, or nil for the result of an expression.
func callee(info *types.Info, fun ast.Expr) types.Object {
	switch fun := fun.(type) {
	case *ast.Ident:
		return info.Uses[fun]
	case *ast.SelectorExpr:
		return info.Uses[fun.Sel]
	case *ast.IndexExpr:
		return callee(info, ast.Unparen(fun.X))
	case *ast.IndexListExpr:
		return callee(info, ast.Unparen(fun.X))
	}
	return nil
}

func (v visitor) reachPackageOf(object types.Object) {
	if p, ok := v.packages[object.Pkg()]; ok {
		v.reachPackage(p)
		return
	}
	v.reach(object)
}

func (v visitor) loop(loop *ast.RangeStmt) {
	switch coreType(v.in.Info.TypeOf(loop.X)).(type) {
	case *types.Map:
		v.warn(loop.Pos(), "loops over a map, whose order differs from run to run; sort its keys if the order can matter")
	case *types.Chan:
		v.refuse(loop.Pos(), "receives from a channel; what the events come to must depend on the events only")
	}
}

// coreType returns the underlying type of t, of a type parameter that of the first type that it stands for.
func coreType(t types.Type) types.Type {
	if t == nil {
		return nil
	}
	constraint, ok := t.Underlying().(*types.Interface)
	if !ok {
		return t.Underlying()
	}
	for embedded := range constraint.EmbeddedTypes() {
		if union, ok := embedded.(*types.Union); ok && union.Len() > 0 {
			embedded = union.Term(0).Type()
		}
		if core := coreType(embedded); !types.IsInterface(core) {
			return core
		}
	}
	return constraint
}

// reachImplementations adds every method of an interface method's name.
func (w *walk) reachImplementations(method *types.Func) {
	w.called[method.Name()] = true
	w.dynamic[method.Name()] = true
	for _, m := range w.methods[method.Name()] {
		w.reach(m)
	}
}

func isInterfaceMethod(f *types.Func) bool {
	recv := f.Signature().Recv()
	return recv != nil && types.IsInterface(recv.Type())
}

// reachType adds the named types that a type is made of.
func (w *walk) reachType(t types.Type) {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		w.reach(t.Origin().Obj())
		for arg := range t.TypeArgs().Types() {
			w.reachType(arg)
		}
	case *types.Pointer:
		w.reachType(t.Elem())
	case *types.Slice:
		w.reachType(t.Elem())
	case *types.Array:
		w.reachType(t.Elem())
	case *types.Map:
		w.reachType(t.Key())
		w.reachType(t.Elem())
	}
}
