package adopt

import (
	"go/ast"
	"go/types"
	"strings"
)

var (
	// registers are functions that say which type a stored name stands for.
	registers = compile(`(?i)regist|event|codec|append|raise|bind|next|mapp`)
	// registersEvent are functions that are given the types of events.
	registersEvent = compile(`(?i)^(must)?(regist|add).*event(type|factory|data|s)*$`)
	// records are functions that are given an event that has just happened.
	records = compile(`^(Raise|Record|Emit|Append|Track|Publish)(Domain)?(Event|Change|That)s?$`)
	// handles are functions that are given a name and what handles it.
	handles = compile(`(?i)^(subscribe|handle|listen|on|addhandler|when)`)
	// saysCommand is what the names of commands, timeouts and queries, and of functions for them, have in them.
	saysCommand = compile(`(?i)command|cmd|query|timeout|deadline`)
)

// call reads a call that is given a stored name and a value of its type, an event, or a handler of events.
func (r *reader) call(call *ast.CallExpr) {
	callee := types.ExprString(call.Fun)
	base := callee
	if i := strings.IndexByte(base, '['); i >= 0 {
		base = base[:i]
	}
	base = base[strings.LastIndexByte(base, '.')+1:]
	fn := r.callee(call)
	if r.isForeign(fn) {
		return
	}
	switch {
	case base == "New" && fn != nil && fn.Pkg() != nil && fn.Pkg().Name() == "aggregate" && len(call.Args) > 0:
		if text, ok := r.text(call.Args[0]); ok {
			r.aggregates.add(r.pkg.Types, "", text)
		}
	case base == "NewEventHandler" || base == "NewGroupEventHandler":
		r.handler(call, fn)
	case base == "Publish" && strings.Contains(strings.ToLower(callee), "event"):
		for _, arg := range call.Args {
			if c := r.candidateOf(r.info.TypeOf(arg)); c != nil {
				c.because("it is published at %s", r.at(call.Pos()))
			}
		}
	case handles.MatchString(base) || r.aboutCommands(callee):
	default:
		r.register(call, base, callee)
	}
}

// isForeign reports whether a function is of the standard library or of protocol buffers, whose registries hold anything.
func (r *reader) isForeign(fn *types.Func) bool {
	if fn == nil || fn.Pkg() == nil || r.byPackage[fn.Pkg()] != nil {
		return false
	}
	path := fn.Pkg().Path()
	return strings.Contains(path, "/protobuf") || r.IsStandard(path)
}

// aboutCommands reports whether a function, or the one that calls it, says that it is about commands.
func (r *reader) aboutCommands(callee string) bool {
	return saysCommand.MatchString(callee) || r.function != nil && saysCommand.MatchString(r.function.Name.Name)
}

// register reads a call that may be given a stored name, a type, or both.
func (r *reader) register(call *ast.CallExpr, base, callee string) {
	var names []ast.Expr
	var found []*candidate
	isBodiless := false
	for _, arg := range call.Args {
		switch t := r.info.TypeOf(arg); {
		case t == nil:
		case isString(t):
			names = append(names, arg)
		default:
			isBodiless = isBodiless || r.info.Types[arg].IsNil()
			found = append(found, r.made(arg)...)
		}
	}
	found = append(found, r.made(call.Fun)...)
	where := "the call of " + base + " at " + r.at(call.Pos())
	if len(names) == 1 && registers.MatchString(callee) && !saysCommand.MatchString(types.ExprString(names[0])) {
		text, known := r.text(names[0])
		switch {
		case known && len(found) == 1:
			r.named(text, found[0], where)
			return
		case known && len(found) == 0 && isBodiless && records.MatchString(base):
			r.names(text, names[0], storedName{where: where, bodiless: true})
			return
		case known && len(found) == 0:
			r.registerOther(call, text)
			return
		}
	}
	switch {
	case records.MatchString(base) && len(call.Args) > 0:
		for _, arg := range call.Args {
			if c := r.literal(arg); c != nil {
				c.because("it is recorded at %s", r.at(call.Pos()))
			}
		}
		if c := r.candidateOf(r.info.TypeOf(call.Args[len(call.Args)-1])); c != nil && len(call.Args) > 1 {
			c.because("it is recorded at %s", r.at(call.Pos()))
		}
	case registersEvent.MatchString(base):
		for _, c := range found {
			c.because("%s registers it", where)
		}
	}
}

// literal returns the candidate that an argument is made as, T{} or &T{}, or nil.
func (r *reader) literal(arg ast.Expr) *candidate {
	arg = ast.Unparen(arg)
	if ref, ok := arg.(*ast.UnaryExpr); ok {
		arg = ast.Unparen(ref.X)
	}
	if _, ok := arg.(*ast.CompositeLit); !ok {
		return nil
	}
	return r.candidateOf(r.info.TypeOf(arg))
}

// registerOther asks about a stored name that is registered for a type which no event can be.
func (r *reader) registerOther(call *ast.CallExpr, text string) {
	index, ok := ast.Unparen(call.Fun).(*ast.IndexExpr)
	if !ok || !r.info.Types[index.Index].IsType() {
		return
	}
	t := r.info.TypeOf(index.Index)
	if what := unread(t); what != "" {
		r.ask(call.Pos(), "the event %q is registered as %s, which %s; mark it //eventmap:event name=%s", text, types.TypeString(t, (*types.Package).Name), what, quoted(text))
		r.stored[text] = storedName{typed: true}
	}
}

// handler reads a call that is given a function which handles one type of event.
func (r *reader) handler(call *ast.CallExpr, fn *types.Func) {
	for _, arg := range call.Args {
		sig, ok := r.info.TypeOf(arg).(*types.Signature)
		if !ok {
			continue
		}
		for param := range sig.Params().Variables() {
			if c := r.candidateOf(param.Type()); c != nil {
				c.because("a handler of events takes it at %s", r.at(call.Pos()))
				if r.byMessage == "" && fn != nil && fn.Pkg() != nil && fn.Pkg().Name() == "cqrs" {
					r.byMessage = "FullyQualifiedStructName"
				}
			}
		}
	}
}

// table reads a map from stored names to types, the description of an aggregate, and how a library is told to name types.
func (r *reader) table(lit *ast.CompositeLit) {
	t := r.info.TypeOf(lit)
	if t == nil {
		return
	}
	m, isMap := t.Underlying().(*types.Map)
	for _, element := range lit.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if isMap {
			text, ok := r.text(pair.Key)
			if found := r.made(pair.Value); ok && isString(m.Key()) && len(found) == 1 && !saysCommand.MatchString(types.ExprString(pair.Key)) {
				r.named(text, found[0], "the table at "+r.at(pair.Pos()))
			}
			continue
		}
		id, ok := pair.Key.(*ast.Ident)
		switch {
		case !ok:
		case id.Name == "Name" && strings.Contains(types.TypeString(t, nil), "aggregate.Type"):
			if text, ok := r.text(pair.Value); ok {
				r.aggregates.add(r.pkg.Types, "", text)
			}
		case id.Name == "GenerateName" && strings.HasSuffix(types.TypeString(t, nil), "Marshaler"):
			if obj := r.object(pair.Value); obj != nil {
				r.byMessage = obj.Name()
			} else {
				r.byMessage = types.ExprString(pair.Value)
			}
		}
	}
}

// named takes a stored name of a type.
func (r *reader) named(text string, c *candidate, where string) {
	if _, known := c.names[text]; !known {
		c.names[text] = where
	}
	c.because("%s gives its stored name", where)
}
