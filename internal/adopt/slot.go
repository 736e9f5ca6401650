package adopt

import (
	"go/ast"
	"go/types"
)

var (
	// eventInterfaces are what interfaces are called whose values are events.
	eventInterfaces = compile(`(^|[a-z])Event(s|Data|Payload)?$`)
	// commandInterfaces are what interfaces are called whose values are commands or queries.
	commandInterfaces = compile(`(^|[a-z])(Command|Cmd|Query)$`)
)

// interfaceName returns the name of an interface, or nothing if the type is none or has no name.
func interfaceName(t types.Type) string {
	if t == nil || !types.IsInterface(t) {
		return ""
	}
	if alias, ok := t.(*types.Alias); ok {
		return alias.Obj().Name()
	}
	if named, ok := t.(*types.Named); ok {
		return named.Obj().Name()
	}
	return ""
}

// holdsEvent reports whether an expression is what holds an event of any type: a value of an interface for events, or the
// payload of an envelope, such as event.Data or event.Data().
func (r *reader) holdsEvent(e ast.Expr) bool {
	t := r.info.TypeOf(e)
	if t == nil || !types.IsInterface(t) {
		return false
	}
	if eventInterfaces.MatchString(interfaceName(t)) {
		return true
	}
	e = ast.Unparen(e)
	if call, ok := e.(*ast.CallExpr); ok && len(call.Args) == 0 {
		e = ast.Unparen(call.Fun)
	}
	sel, ok := e.(*ast.SelectorExpr)
	return ok && envelopeFields.MatchString(sel.Sel.Name) && isEnvelope(r.info.TypeOf(sel.X))
}

// taken takes a type that code expects where an event is.
func (r *reader) taken(e ast.Expr) {
	t := r.info.TypeOf(e)
	if c := r.candidateOf(t); c != nil {
		c.because("it is taken out of an event at %s", r.at(e.Pos()))
		return
	}
	if what := unread(t); what != "" {
		r.ask(e.Pos(), "what is taken out of an event here is of type %s, which %s", types.TypeString(t, (*types.Package).Name), what)
	}
}

// typeSwitch takes the types that a switch tells apart where an event is.
func (r *reader) typeSwitch(sw *ast.TypeSwitchStmt) {
	var assert *ast.TypeAssertExpr
	switch n := sw.Assign.(type) {
	case *ast.ExprStmt:
		assert, _ = n.X.(*ast.TypeAssertExpr)
	case *ast.AssignStmt:
		assert, _ = n.Rhs[0].(*ast.TypeAssertExpr)
	}
	if assert == nil || !r.holdsEvent(assert.X) {
		return
	}
	for _, clause := range sw.Body.List {
		for _, expr := range clause.(*ast.CaseClause).List {
			r.taken(expr)
		}
	}
}

// unread says why a type that code treats as an event is no candidate, or nothing for an interface and the like.
func unread(t types.Type) string {
	if t == nil || types.IsInterface(t) {
		return ""
	}
	switch u := types.Unalias(t).(type) {
	case *types.Basic:
		if u.Kind() == types.UntypedNil || u.Kind() == types.Invalid {
			return ""
		}
	case *types.TypeParam:
		return ""
	case *types.Named, *types.Pointer:
		named := pointee(t)
		switch {
		case named == nil:
		case named.Obj().Parent() != nil && named.Obj().Pkg() != nil && named.Obj().Parent() != named.Obj().Pkg().Scope():
			return "is declared within a function, so generated code cannot name it; declare it in the package"
		default:
			return "is of a package that is not read; add that to the patterns if it is yours, or else declare a struct of your own with the same JSON"
		}
	}
	return "is no type that a mark can stand on; declare type NAME struct { Value " + types.TypeString(t, (*types.Package).Name) + " }, with MarshalJSON and UnmarshalJSON that keep its JSON"
}

// assign reads an assignment: to the payload of an envelope, or to a variable for events.
func (r *reader) assign(to, value ast.Expr) {
	if r.holdsEvent(to) {
		if c := r.candidateOf(r.info.TypeOf(value)); c != nil {
			c.because("it is put into an event at %s", r.at(value.Pos()))
		}
		return
	}
	r.convert(r.info.TypeOf(to), value)
}

// convert takes the type of a value that is used as an event, or as a command.
func (r *reader) convert(to types.Type, value ast.Expr) {
	name := interfaceName(to)
	if name == "" {
		return
	}
	isEvent := eventInterfaces.MatchString(name)
	if !isEvent && !commandInterfaces.MatchString(name) {
		return
	}
	c := r.candidateOf(r.info.TypeOf(value))
	switch {
	case c == nil:
	case isEvent:
		c.because("it is used as %s at %s", types.TypeString(to, (*types.Package).Name), r.at(value.Pos()))
	case c.command == "":
		c.command = r.at(value.Pos())
	}
}

// arguments reads what a call is given for its parameters.
func (r *reader) arguments(call *ast.CallExpr) {
	sig, ok := r.info.TypeOf(call.Fun).(*types.Signature)
	if !ok {
		return
	}
	for i, arg := range call.Args {
		last := sig.Params().Len() - 1
		switch {
		case last < 0:
			return
		case sig.Variadic() && i >= last && !call.Ellipsis.IsValid():
			if slice, ok := sig.Params().At(last).Type().(*types.Slice); ok {
				r.convert(slice.Elem(), arg)
			}
		case i <= last:
			r.convert(sig.Params().At(i).Type(), arg)
		}
	}
}

// elements reads what a composite literal is made of.
func (r *reader) elements(lit *ast.CompositeLit) {
	t := r.info.TypeOf(lit)
	if t == nil {
		return
	}
	switch u := t.Underlying().(type) {
	case *types.Slice:
		r.elementsOf(lit, u.Elem())
	case *types.Array:
		r.elementsOf(lit, u.Elem())
	case *types.Map:
		r.elementsOf(lit, u.Elem())
	case *types.Struct:
		for _, element := range lit.Elts {
			pair, ok := element.(*ast.KeyValueExpr)
			if !ok {
				continue
			}
			key, ok := pair.Key.(*ast.Ident)
			if !ok || r.info.Uses[key] == nil {
				continue
			}
			field := r.info.Uses[key].Type()
			if c := r.candidateOf(r.info.TypeOf(pair.Value)); c != nil && types.IsInterface(field) && envelopeFields.MatchString(key.Name) && isEnvelope(t) {
				c.because("it is put into an event at %s", r.at(pair.Pos()))
			} else {
				r.convert(field, pair.Value)
			}
		}
	}
}

func (r *reader) elementsOf(lit *ast.CompositeLit, elem types.Type) {
	for _, element := range lit.Elts {
		if pair, ok := element.(*ast.KeyValueExpr); ok {
			element = pair.Value
		}
		r.convert(elem, element)
	}
}

// returns reads what a function returns, leaving out the functions within it.
func (r *reader) returns(sig *types.Signature, body *ast.BlockStmt) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			for i, result := range n.Results {
				if len(n.Results) == sig.Results().Len() {
					r.convert(sig.Results().At(i).Type(), result)
				}
			}
		}
		return true
	})
}
