package adopt

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/eventmap/eventmap/internal/goload"
)

// A reader reads the code of one package.
type reader struct {
	*search
	pkg   *goload.Package
	info  *types.Info
	funcs map[*types.Func]*ast.FuncDecl // all functions and methods
	vars  map[*types.Var]ast.Expr       // variables of the package, with what they begin as

	function *ast.FuncDecl // that is being read, or nil
}

// read goes through all functions and variables.
func (r *reader) read() {
	for _, f := range r.pkg.Syntax {
		for _, decl := range f.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				r.function = decl
				r.readFunction(decl)
				r.function = nil
			case *ast.GenDecl:
				r.aggregateConstants(decl)
				ast.Inspect(decl, r.visit)
			}
		}
	}
}

// readFunction reads one function or method.
func (r *reader) readFunction(fn *ast.FuncDecl) {
	if fn.Body == nil {
		return
	}
	name := fn.Name.Name
	if receiver := r.receiver(fn); receiver != nil {
		r.namingMethod(receiver, fn)
		r.applier(receiver, fn)
		if name == "Register" || name == "RegisterEvents" {
			r.registration(receiver, fn)
		}
	}
	if fn.Recv == nil && fn.Type.Params.NumFields() == 2 && applies.MatchString(exported(name)) {
		if state := r.candidateOf(r.info.TypeOf(fn.Type.Params.List[0].Type)); state != nil {
			r.typeSwitches(state, fn)
		}
	}
	if name == "NewEvent" && fn.Recv != nil {
		for _, c := range r.made(fn.Body) {
			c.because("method NewEvent at %s makes it for a handler of events", r.at(fn.Pos()))
		}
	}
	if sig, ok := r.info.Defs[fn.Name].Type().(*types.Signature); ok {
		r.returns(sig, fn.Body)
	}
	ast.Inspect(fn.Body, r.visit)
}

// receiver returns the type that a method is of, or nil.
func (r *reader) receiver(fn *ast.FuncDecl) *candidate {
	if fn == nil || fn.Recv == nil || len(fn.Recv.List) != 1 {
		return nil
	}
	return r.candidateOf(r.info.TypeOf(fn.Recv.List[0].Type))
}

func exported(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

// visit reads what says, anywhere in the code, that a type is an event, or which stored name it has.
func (r *reader) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.CompositeLit:
		r.table(n)
		r.elements(n)
		r.envelopeLiteral(n)
	case *ast.CallExpr:
		r.call(n)
		r.arguments(n)
	case *ast.SwitchStmt:
		r.dispatch(n)
	case *ast.TypeSwitchStmt:
		r.typeSwitch(n)
	case *ast.TypeAssertExpr:
		if n.Type != nil && r.holdsEvent(n.X) {
			r.taken(n.Type)
		}
	case *ast.AssignStmt:
		if n.Tok == token.ASSIGN && len(n.Lhs) == len(n.Rhs) {
			for i := range n.Lhs {
				r.assign(n.Lhs[i], n.Rhs[i])
			}
		}
	case *ast.ValueSpec:
		if n.Type != nil {
			for _, value := range n.Values {
				r.convert(r.info.TypeOf(n.Type), value)
			}
		}
	case *ast.FuncLit:
		if sig, ok := r.info.TypeOf(n).(*types.Signature); ok {
			r.returns(sig, n.Body)
		}
	}
	return true
}

// candidateOf returns the candidate that t is or points to, or nil.
func (r *reader) candidateOf(t types.Type) *candidate {
	if named := pointee(t); named != nil {
		return r.types[named.Origin().Obj()]
	}
	return nil
}

// pointee returns the named type that t is or points to, or nil.
func pointee(t types.Type) *types.Named {
	if t == nil {
		return nil
	}
	t = types.Unalias(t)
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	named, _ := t.(*types.Named)
	return named
}

// made returns the candidates that are made within a node: T{}, &T{}, new(T), (*T)(nil), var v T, and type arguments.
func (r *reader) made(n ast.Node) []*candidate {
	var found []*candidate
	add := func(t types.Type) (known bool) {
		c := r.candidateOf(t)
		if c != nil && !contains(found, c) {
			found = append(found, c)
		}
		return c != nil
	}
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			return !add(r.info.TypeOf(n)) // what it is made of is no event of its own
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && id.Name == "new" && len(n.Args) == 1 {
				add(r.info.TypeOf(n.Args[0]))
			} else if t := r.info.Types[n.Fun]; t.IsType() && !isBasic(t.Type) {
				add(t.Type)
			}
		case *ast.ValueSpec:
			if n.Type != nil {
				add(r.info.TypeOf(n.Type))
			}
		case *ast.IndexExpr:
			if t := r.info.Types[n.Index]; t.IsType() {
				add(t.Type)
			}
		}
		return true
	})
	return found
}

func contains(all []*candidate, c *candidate) bool {
	for _, other := range all {
		if other == c {
			return true
		}
	}
	return false
}

// isBasic reports whether a type is a number, a string or a bool: a conversion to it makes no event.
func isBasic(t types.Type) bool {
	_, ok := t.Underlying().(*types.Basic)
	return ok
}

// callee returns the function or method that is called, or nil.
func (r *reader) callee(call *ast.CallExpr) *types.Func {
	if fn, ok := typeutil.Callee(r.info, call).(*types.Func); ok {
		return fn.Origin()
	}
	return nil
}

// object returns what an identifier or selector means, or nil.
func (r *reader) object(e ast.Expr) types.Object {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return r.info.Uses[e]
	case *ast.SelectorExpr:
		return r.info.Uses[e.Sel]
	}
	return nil
}
