package adopt

import (
	"go/ast"
	"go/constant"
	"go/types"
	"regexp"
	"strings"
)

var (
	// namesEvent are methods that return the name an event is stored under, and nothing else does.
	namesEvent = regexp.MustCompile(`^(Get)?Event(Type|Name)$`)
	// namesMessage are methods that return the name of an event, or of a command, or of anything else.
	namesMessage = regexp.MustCompile(`^(Get)?(Type|Name|TypeName|MessageName|MessageType)$`)
	// versionsEvent are methods that return the version of an event's payload.
	versionsEvent = regexp.MustCompile(`^(Get)?(Event|Schema)Version$`)
	// namesAggregate are methods that return the name of an aggregate's streams.
	namesAggregate = regexp.MustCompile(`^(Get)?(Aggregate|Stream)(Type|Name)$`)
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
