package adopt

import (
	"go/ast"
	"go/constant"
	"go/types"
)

// depth is how many variables and methods are followed to find the value of a text.
const depth = 4

// text returns the value of an expression that names a type: a constant, a variable of a package that begins as one, a
// method that returns one, or what fmt and reflect call a type.
func (r *reader) text(e ast.Expr) (string, bool) { return r.textWithin(e, depth) }

func (r *reader) textWithin(e ast.Expr, depth int) (string, bool) {
	if e == nil || depth == 0 {
		return "", false
	}
	if v := r.info.Types[e].Value; v != nil {
		if v.Kind() != constant.String {
			return "", false
		}
		return constant.StringVal(v), true
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident, *ast.SelectorExpr:
		v, ok := r.object(e).(*types.Var)
		if !ok || v.Pkg() == nil || r.byPackage[v.Pkg()] == nil {
			return "", false
		}
		declared := r.byPackage[v.Pkg()]
		return declared.textWithin(declared.vars[v], depth-1)
	case *ast.CallExpr:
		if r.info.Types[e.Fun].IsType() && len(e.Args) == 1 {
			return r.textWithin(e.Args[0], depth)
		}
		return r.textOfCall(e, depth-1)
	}
	return "", false
}

func (r *reader) textOfCall(call *ast.CallExpr, depth int) (string, bool) {
	fn := r.callee(call)
	switch {
	case fn == nil || fn.Pkg() == nil:
		return "", false
	case fn.FullName() == "fmt.Sprintf" && len(call.Args) == 2:
		if format, ok := r.textWithin(call.Args[0], depth); ok && format == "%T" {
			return typeText(r.info.TypeOf(call.Args[1]))
		}
	case fn.Pkg().Path() == "reflect" && len(call.Args) == 0:
		return r.textOfReflect(call, fn.Name())
	case r.byPackage[fn.Pkg()] != nil && len(call.Args) == 0:
		declared := r.byPackage[fn.Pkg()]
		if decl := declared.funcs[fn]; decl != nil {
			return declared.textWithin(returned(decl), depth)
		}
	}
	return "", false
}

// textOfReflect returns what reflect.TypeOf(v).Name() or String() say, or those of Elem.
func (r *reader) textOfReflect(call *ast.CallExpr, method string) (string, bool) {
	receiver := func(call *ast.CallExpr) *ast.CallExpr {
		if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
			of, _ := ast.Unparen(sel.X).(*ast.CallExpr)
			return of
		}
		return nil
	}
	of := receiver(call)
	isElem := false
	if of != nil {
		if fn := r.callee(of); fn != nil && fn.Name() == "Elem" {
			isElem, of = true, receiver(of)
		}
	}
	if of == nil || len(of.Args) != 1 {
		return "", false
	}
	if fn := r.callee(of); fn == nil || fn.FullName() != "reflect.TypeOf" {
		return "", false
	}
	t := r.info.TypeOf(of.Args[0])
	p, isPointer := types.Unalias(t).(*types.Pointer)
	if isElem != isPointer && (isElem || method == "Name") {
		return "", false
	}
	if isElem {
		t = p.Elem()
	}
	named := pointee(t)
	switch {
	case named == nil:
		return "", false
	case method == "Name":
		return named.Obj().Name(), !types.IsInterface(t)
	case method == "String":
		return typeText(t)
	}
	return "", false
}

// typeText returns what fmt calls a value of a type, if that is known: an interface may hold a value of any.
func typeText(t types.Type) (string, bool) {
	if t == nil || types.IsInterface(t) || pointee(t) == nil {
		return "", false
	}
	return types.TypeString(t, (*types.Package).Name), true
}

// returned returns what a function returns whose body is a single return, or nil.
func returned(fn *ast.FuncDecl) ast.Expr {
	if fn.Body == nil || len(fn.Body.List) != 1 {
		return nil
	}
	ret, ok := fn.Body.List[0].(*ast.ReturnStmt)
	if !ok || len(ret.Results) != 1 {
		return nil
	}
	return ret.Results[0]
}
