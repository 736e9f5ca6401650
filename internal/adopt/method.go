package adopt

import (
	"cmp"
	"go/ast"
	"go/constant"
	"go/types"
	"strings"
)

var (
	// namesEvent are methods that return the name an event is stored under, and nothing else does.
	namesEvent = compile(`^(Get)?Event(Type|Name)$`)
	// namesMessage are methods that return the name of an event, or of a command, or of anything else.
	namesMessage = compile(`^(Get)?(Type|Name|TypeName|MessageName|MessageType)$`)
	// versionsEvent are methods that return the version of an event's payload.
	versionsEvent = compile(`^(Get)?(Event|Schema)Version$`)
	// namesAggregate are methods that return the name of an aggregate's streams.
	namesAggregate = compile(`^(Get)?(Aggregate|Stream)(Type|Name)$`)
)

// namingMethod reads a method that says what its type is stored as.
func (r *reader) namingMethod(c *candidate, fn *ast.FuncDecl) {
	if fn.Type.Params.NumFields() != 0 || fn.Type.Results.NumFields() != 1 {
		return
	}
	name, where := fn.Name.Name, "method "+fn.Name.Name+" at "+r.at(fn.Pos())
	result := returned(fn)
	if versionsEvent.MatchString(name) && result != nil {
		if v := r.info.Types[result].Value; v != nil && v.Kind() == constant.Int {
			if n, ok := constant.Int64Val(v); ok && n > 0 {
				c.versions[int(n)] = where
			}
		}
	}
	if t := r.info.TypeOf(fn.Type.Results.List[0].Type); t == nil || !isString(t) {
		return
	}
	text, known := r.text(result)
	switch {
	case namesEvent.MatchString(name) && returnsField(fn):
		c.because("%s names it", where)
		c.many = where
	case namesEvent.MatchString(name):
		c.because("%s names it", where)
		c.selfNamed = true
		if known {
			c.names[text] = where
		} else {
			c.computed = where
		}
	case namesMessage.MatchString(name) && known:
		c.weak[text] = where
	case namesMessage.MatchString(name):
		c.computed = where
	case namesAggregate.MatchString(name) && known:
		r.aggregates.types[c.obj] = text
	}
}

// promotedName returns the method by which a type that it embeds names an event, if that is not a constant, or nothing.
func (s *search) promotedName(c *candidate) string {
	for m := range types.NewMethodSet(types.NewPointer(c.obj.Type())).Methods() {
		fn, ok := m.Obj().(*types.Func)
		if !ok || !namesEvent.MatchString(fn.Name()) || len(m.Index()) < 2 {
			continue
		}
		named := pointee(fn.Signature().Recv().Type())
		if named == nil || s.types[named.Origin().Obj()] == nil {
			return "method " + fn.Name() + " of a type that it embeds"
		}
		if base := s.types[named.Origin().Obj()]; base.many != "" || base.computed != "" {
			return cmp.Or(base.many, base.computed)
		}
	}
	return ""
}

// returnsField reports whether a method returns a field of its receiver, or else nothing: its values have types of their own.
func returnsField(fn *ast.FuncDecl) bool {
	if len(fn.Recv.List[0].Names) != 1 || fn.Body == nil {
		return false
	}
	receiver := fn.Recv.List[0].Names[0].Name
	returns, others := false, false
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		ret, ok := n.(*ast.ReturnStmt)
		if !ok || len(ret.Results) != 1 {
			return true
		}
		result := ast.Unparen(ret.Results[0])
		if call, ok := result.(*ast.CallExpr); ok && len(call.Args) == 1 { // string(e.eventType)
			result = ast.Unparen(call.Args[0])
		}
		switch result := result.(type) {
		case *ast.SelectorExpr:
			x, ok := result.X.(*ast.Ident)
			isField := ok && x.Name == receiver
			returns, others = returns || isField, others || !isField
		case *ast.BasicLit:
			others = others || result.Value != `""`
		default:
			others = true
		}
		return true
	})
	return returns && !others
}

// notEvent says why a type is none in spite of what speaks for it, or nothing.
func (s *search) notEvent(c *candidate) string {
	if c.folds {
		return "events are applied to it"
	}
	if c.command != "" && len(c.aggregates) == 0 && !c.selfNamed {
		return "it is used as a command or query at " + c.command
	}
	if payload := envelope(c.structType()); payload != "" && len(c.names) == 0 {
		return "it is an envelope, whose field " + payload + " holds the payload of any event"
	}
	if c.many != "" && len(c.names) == 0 && len(c.aggregates) == 0 {
		return c.many + " returns a field, so that it stands for events of many types"
	}
	if c.spec.TypeParams != nil && len(c.names) == 0 && len(c.aggregates) == 0 {
		return "it is generic, so that it is made for any payload"
	}
	for m := range types.NewMethodSet(types.NewPointer(c.obj.Type())).Methods() {
		fn, ok := m.Obj().(*types.Func)
		if !ok {
			continue
		}
		if fn.Name() == "Error" && fn.Signature().Params().Len() == 0 {
			return "it is an error"
		}
		for param := range fn.Signature().Params().Variables() {
			if types.TypeString(param.Type(), nil) == "context.Context" {
				return "its method " + fn.Name() + " takes a context, as a handler's does"
			}
		}
	}
	if role := roleOf(c.obj.Name()); role != "" && len(c.aggregates) == 0 && !c.selfNamed {
		return "its name ends in " + role
	}
	return ""
}

// roleOf returns the word at the end of a name that says that its type is something else than an event, or nothing.
func roleOf(name string) string {
	for _, role := range []string{"Command", "Cmd", "Query", "Request", "Response", "State", "Aggregate", "Snapshot", "Envelope", "Handler", "Options", "Config", "Metadata"} {
		if strings.HasSuffix(name, role) {
			return role
		}
	}
	return ""
}
