package usage

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"path"
	"slices"

	"github.com/eventmap/eventmap/internal/model"
)

// handlers returns the handlers that calls within the declaration give to generated functions.
func (s *scope) handlers() (handlers []model.Handler) {
	ast.Inspect(s.decl, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		f := s.callee(call)
		if !s.isStores(f) {
			return true
		}
		at := s.handlerParam(f)
		if at < 0 || at >= len(call.Args) {
			return true
		}
		h := s.handler(s.store.handlers[declared(f.Signature().Params().At(at).Type())], call.Args[at])
		h.Func, h.Pos = s.name, s.Pos(call.Pos())
		h.Consumer = s.consumer(f, call)
		handlers = append(handlers, h)
		return true
	})
	return handlers
}

// handlerParam returns the index of the parameter that takes a handler, or -1.
func (s *scope) handlerParam(f *types.Func) int {
	i := 0
	for param := range f.Signature().Params().Variables() {
		if s.store.handlers[declared(param.Type())] != nil {
			return i
		}
		i++
	}
	return -1
}

// consumer returns the name of the consumer that a call makes or is within, if that is a constant.
func (s *scope) consumer(f *types.Func, call *ast.CallExpr) string {
	if f.Signature().Params().At(0).Name() == "name" {
		return s.constant(call.Args[0])
	}
	for _, n := range s.enclosing(call) {
		around, ok := n.(*ast.CallExpr)
		if !ok || around == call || len(around.Args) == 0 {
			continue
		}
		if made := s.callee(around); made != nil && made.Pkg() != nil && path.Base(made.Pkg().Path()) == "consumer" {
			return s.constant(around.Args[0])
		}
	}
	return ""
}

// constant returns the value of a constant string, or nothing.
func (s *scope) constant(expr ast.Expr) string {
	if value := s.pkg.Info.Types[expr].Value; value != nil && value.Kind() == constant.String {
		return constant.StringVal(value)
	}
	return ""
}

// handler says what a value handles.
func (s *scope) handler(of *handler, value ast.Expr) model.Handler {
	h := model.Handler{Aggregate: of.aggregate}
	value = s.plain(value)
	t := s.pkg.Info.TypeOf(value)
	if s.store.funcs[declared(t)] != nil {
		s.functions(&h, of, value)
		return h
	}
	for _, m := range of.methods {
		obj, _, _ := types.LookupFieldOrMethod(t, true, s.pkg.Types, m.name)
		f, ok := obj.(*types.Func)
		switch {
		case !ok, types.IsInterface(t):
			h.Unknown = append(h.Unknown, m.event)
		case f.Pkg() == s.store.pkg: // of a struct of functions that the type embeds
			h.Unknown = append(h.Unknown, m.event)
		default:
			h.Handles = append(h.Handles, m.event)
		}
	}
	sortEvents(&h)
	return h
}

// plain returns the value within conversions, parentheses and &.
func (s *scope) plain(value ast.Expr) ast.Expr {
	for {
		switch v := value.(type) {
		case *ast.ParenExpr:
			value = v.X
		case *ast.UnaryExpr:
			if v.Op != token.AND {
				return value
			}
			value = v.X
		case *ast.CallExpr:
			if !s.pkg.Info.Types[v.Fun].IsType() || len(v.Args) != 1 {
				return value
			}
			value = v.Args[0]
		default:
			return value
		}
	}
}

// functions says which functions of a struct of them are set.
func (s *scope) functions(h *model.Handler, of *handler, value ast.Expr) {
	set, known := s.setFunctions(value)
	for _, m := range of.methods {
		expr, isSet := set[m.name[len("On"):]]
		switch {
		case isSet && s.isFunction(expr):
			h.Handles = append(h.Handles, m.event)
		case isSet && s.pkg.Info.Types[expr].IsNil(), !isSet && known:
			h.Ignores = append(h.Ignores, m.event)
		default:
			h.Unknown = append(h.Unknown, m.event)
		}
	}
	sortEvents(h)
}

// setFunctions returns the functions that are set where the value is made: in a literal, or in that of the variable that
// it is, whose fields may be assigned later. known says that there are no others.
func (s *scope) setFunctions(value ast.Expr) (set map[string]ast.Expr, known bool) {
	set = map[string]ast.Expr{}
	switch v := value.(type) {
	case *ast.CompositeLit:
		for _, element := range v.Elts {
			pair, ok := element.(*ast.KeyValueExpr)
			if !ok {
				return set, false
			}
			if key, ok := pair.Key.(*ast.Ident); ok {
				set[key.Name] = pair.Value
			}
		}
		return set, true
	case *ast.Ident:
		return s.setOfVariable(s.pkg.Info.Uses[v])
	}
	return set, false
}

func (s *scope) setOfVariable(variable types.Object) (set map[string]ast.Expr, known bool) {
	set = map[string]ast.Expr{}
	made := 0
	make := func(value ast.Expr) {
		made++
		literal, ok := s.plain(value).(*ast.CompositeLit)
		if !ok {
			made++ // by something else
			return
		}
		set, known = s.setFunctions(literal)
	}
	isVariable := func(expr ast.Expr) bool {
		ident, ok := ast.Unparen(expr).(*ast.Ident)
		return ok && variable != nil && s.pkg.Info.ObjectOf(ident) == variable
	}
	assigned := map[string]ast.Expr{}
	for _, f := range s.pkg.Syntax {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for i, name := range n.Names {
					switch {
					case variable == nil || s.pkg.Info.Defs[name] != variable:
					case len(n.Values) == 0: // the zero value
						made, known = made+1, true
					case i < len(n.Values):
						make(n.Values[i])
					}
				}
			case *ast.AssignStmt:
				for i, left := range n.Lhs {
					if len(n.Lhs) != len(n.Rhs) {
						break
					}
					if isVariable(left) {
						make(n.Rhs[i])
					}
					if field, ok := left.(*ast.SelectorExpr); ok && isVariable(field.X) {
						assigned[field.Sel.Name] = n.Rhs[i]
					}
				}
			}
			return true
		})
	}
	if made != 1 {
		return map[string]ast.Expr{}, false
	}
	for name, value := range assigned {
		set[name] = value
	}
	return set, known
}

// isFunction reports whether an expression is a function that is there: a literal, or the name of one.
func (s *scope) isFunction(expr ast.Expr) bool {
	switch e := ast.Unparen(expr).(type) {
	case *ast.FuncLit:
		return true
	case *ast.Ident:
		_, ok := s.pkg.Info.Uses[e].(*types.Func)
		return ok
	case *ast.SelectorExpr:
		_, ok := s.pkg.Info.Uses[e.Sel].(*types.Func)
		return ok
	case *ast.IndexExpr:
		return s.isFunction(e.X)
	}
	return false
}

func sortEvents(h *model.Handler) {
	for _, events := range []*[]string{&h.Handles, &h.Ignores, &h.Unknown} {
		slices.Sort(*events)
		*events = slices.Compact(*events)
	}
}
