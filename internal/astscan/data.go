package astscan

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// notData says why a struct is not taken by convention, which takes data only; or nothing, if it is data.
func (f eventFinder) notData(d *typeDecl) string {
	named, ok := d.typ().(*types.Named)
	if !ok {
		return ""
	}
	if method(named, "Error", true) != nil {
		return "it is an error: it has a method Error"
	}
	if word, is := roleOf(d.obj.Name()); is {
		return "its name ends in " + word
	}
	if why := f.behaves(d, named); why != "" {
		return why
	}
	if role := f.code().roles[d.obj]; role != "" {
		return role
	}
	st := d.structType()
	if st.NumFields() > 0 && !hasExportedField(st) {
		return "none of its fields is exported"
	}
	seen := map[types.Type]bool{}
	for field := range st.Fields() {
		if why := f.holdsNoData(field.Type(), seen); why != "" {
			return "its field " + field.Name() + " " + why
		}
	}
	return ""
}

// roles are what a struct is if its name ends in one of these words.
var roles = []string{
	"Aggregate", "Client", "Cmd", "Command", "Config", "Controller", "DTO", "Dto", "Handler", "Input", "Manager", "Middleware", "Opts", "Options", "Output",
	"Params", "Projection", "Projector", "Provider", "Query", "Repo", "Repository", "Request", "Response", "Server", "Service", "Settings", "Store",
}

// roleOf returns the word at the end of a name that says what the type is. A name that is the word alone says too little.
func roleOf(name string) (word string, ok bool) {
	for _, role := range roles {
		if before, found := strings.CutSuffix(name, role); found && before != "" {
			return role, true
		}
	}
	return "", false
}

// behaves says which method of a struct does what no data does: it changes its receiver, takes a context, or, of an empty
// struct, takes anything.
func (f eventFinder) behaves(d *typeDecl, named *types.Named) string {
	for m := range named.Methods() {
		sig := m.Signature()
		for param := range sig.Params().Variables() {
			if types.TypeString(param.Type(), nil) == "context.Context" {
				return "its method " + m.Name() + " takes a context"
			}
		}
		switch {
		case f.code().mutators[m.Pos()] && !isUnmarshaler(m.Name()):
			return "its method " + m.Name() + " changes it"
		case d.structType().NumFields() == 0 && sig.Params().Len() > 0:
			return "it has no fields, and its method " + m.Name() + " takes arguments"
		case sig.Params().Len() == 1 && sig.Results().Len() > 0 && types.Identical(sig.Results().At(0).Type(), named) && m.Exported() && f.decls.isOwnStruct(sig.Params().At(0).Type()):
			return "its method " + m.Name() + " returns it as changed"
		}
	}
	return ""
}

// isOwnStruct reports whether t is a struct that the sources declare, or points to one.
func (decls *declarations) isOwnStruct(t types.Type) bool {
	named := namedOf(t)
	return named != nil && decls.types[named.Obj()] != nil && decls.types[named.Obj()].structType() != nil
}

// isUnmarshaler reports whether a method of that name is one that fills in what was read.
func isUnmarshaler(name string) bool {
	return strings.HasPrefix(name, "Unmarshal") || name == "Scan" || name == "GobDecode"
}

// holdsNoData says why values of a type are not data, or nothing.
func (f eventFinder) holdsNoData(t types.Type, seen map[types.Type]bool) string {
	t = types.Unalias(t)
	if seen[t] {
		return ""
	}
	seen[t] = true
	named, _ := t.(*types.Named)
	switch u := t.Underlying().(type) {
	case *types.Signature:
		return "is a function"
	case *types.Chan:
		return "is a channel"
	case *types.Interface:
		if !u.Empty() && u.IsMethodSet() {
			return "is of type " + types.TypeString(t, (*types.Package).Name) + ", an interface with methods"
		}
	case *types.Pointer:
		return f.holdsNoData(u.Elem(), seen)
	case *types.Slice:
		return f.holdsNoData(u.Elem(), seen)
	case *types.Array:
		return f.holdsNoData(u.Elem(), seen)
	case *types.Map:
		return f.holdsNoData(u.Elem(), seen)
	case *types.Struct:
		switch {
		case method(t, "MarshalJSON", true) != nil || method(t, "MarshalText", true) != nil:
			return ""
		case holdsLock(t):
			return "holds a lock"
		case named != nil && f.decls.types[named.Obj()] == nil && u.NumFields() > 0 && !hasExportedField(u):
			return "is of type " + types.TypeString(t, (*types.Package).Name) + ", which holds no data that others can read"
		case named != nil && f.decls.types[named.Obj()] == nil:
			return ""
		}
		for field := range u.Fields() {
			if why := f.holdsNoData(field.Type(), seen); why != "" {
				return why
			}
		}
	}
	return ""
}

func hasExportedField(st *types.Struct) bool {
	for field := range st.Fields() {
		if field.Exported() || field.Embedded() {
			return true
		}
	}
	return false
}

// code is what the functions of the sources do with their structs.
type code struct {
	roles    map[*types.TypeName]string // structs that functions take as something else than events, and as what
	mutators map[token.Pos]bool         // names of the methods that change their receivers
}

// readCode finds methods that change their receiver, and parameters whose names say that a struct is a command, a query or a
// configuration.
func readCode(decls *declarations) code {
	c := code{roles: map[*types.TypeName]string{}, mutators: map[token.Pos]bool{}}
	for _, src := range decls.sources {
		for _, f := range src.Syntax {
			for _, decl := range f.Decls {
				fn, ok := decl.(*ast.FuncDecl)
				if !ok {
					continue
				}
				if changesReceiver(fn) {
					c.mutators[fn.Name.Pos()] = true
				}
				c.readParameters(decls, src, fn)
			}
		}
	}
	return c
}

// readParameters takes note of the structs that a function takes as something else than an event.
func (c code) readParameters(decls *declarations, src *source, fn *ast.FuncDecl) {
	for _, field := range fn.Type.Params.List {
		for _, name := range field.Names {
			what := parameterRoles[strings.ToLower(name.Name)]
			if what == "" {
				continue
			}
			obj := decls.namedBy(src, field.Type)
			if obj != nil && c.roles[obj] == "" {
				c.roles[obj] = "function " + fn.Name.Name + " takes it as " + what
			}
		}
	}
}

var parameterRoles = map[string]string{
	"cmd": "a command", "command": "a command", "q": "a query", "query": "a query", "req": "a request", "request": "a request",
	"cfg": "a configuration", "conf": "a configuration", "config": "a configuration", "opts": "options", "options": "options", "settings": "settings",
}

// namedBy returns the type of the sources that an expression names, or points to, or nil.
func (decls *declarations) namedBy(src *source, expr ast.Expr) *types.TypeName {
	if star, ok := expr.(*ast.StarExpr); ok {
		expr = star.X
	}
	scope, name := src.Types.Scope(), ""
	switch expr := expr.(type) {
	case *ast.Ident:
		name = expr.Name
	case *ast.SelectorExpr:
		qualifier, ok := expr.X.(*ast.Ident)
		if !ok {
			return nil
		}
		scope, name = nil, expr.Sel.Name
		for _, imported := range src.Types.Imports() {
			if imported.Name() == qualifier.Name {
				scope = imported.Scope()
			}
		}
	}
	if scope == nil || name == "" {
		return nil
	}
	obj, _ := scope.Lookup(name).(*types.TypeName)
	if obj == nil || decls.types[obj] == nil {
		return nil
	}
	return obj
}

// changesReceiver reports whether a method assigns to what its receiver points to.
func changesReceiver(fn *ast.FuncDecl) bool {
	if fn.Recv == nil || fn.Body == nil || len(fn.Recv.List) == 0 || len(fn.Recv.List[0].Names) == 0 {
		return false
	}
	if _, pointer := fn.Recv.List[0].Type.(*ast.StarExpr); !pointer {
		return false
	}
	receiver := fn.Recv.List[0].Names[0].Name
	changes := false
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				changes = changes || n.Tok != token.DEFINE && rootOf(left) == receiver
			}
		case *ast.IncDecStmt:
			changes = changes || rootOf(n.X) == receiver
		}
		return !changes
	})
	return changes
}

// rootOf returns the variable that an assigned expression is a part of; a variable by itself is no part.
func rootOf(expr ast.Expr) string {
	part := false
	for {
		switch e := expr.(type) {
		case *ast.SelectorExpr:
			expr, part = e.X, true
		case *ast.IndexExpr:
			expr, part = e.X, true
		case *ast.StarExpr:
			expr, part = e.X, true
		case *ast.ParenExpr:
			expr = e.X
		case *ast.Ident:
			if part {
				return e.Name
			}
			return ""
		default:
			return ""
		}
	}
}
