package adopt

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"regexp"
	"strings"

	"github.com/eventmap/eventmap/internal/goload"
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
	// registers are functions that say which type a stored name stands for.
	registers = regexp.MustCompile(`(?i)regist|event|codec|append|raise|record|bind|next|mapp`)
	// applies are methods that apply any event to a state.
	applies = regexp.MustCompile(`^(Transition|Apply(Event|Change)?|On(Event)?|When|Mutate|Evolve|Fold)$`)
	// appliesOne are methods that apply one event to a state.
	appliesOne = regexp.MustCompile(`^([Oo]n|[Aa]pply|[Ww]hen)\p{Lu}`)
	// dispatches are what a value that holds a stored name is called.
	dispatches = regexp.MustCompile(`(?i)type|name|kind|topic|reason`)
)

// readCode goes through all functions and variables.
func (s *search) readCode() {
	for _, pkg := range s.Packages {
		if pkg.Info == nil {
			continue
		}
		r := reader{search: s, pkg: pkg, info: pkg.Info}
		for _, f := range pkg.Syntax {
			for _, decl := range f.Decls {
				switch decl := decl.(type) {
				case *ast.FuncDecl:
					r.function(decl)
				case *ast.GenDecl:
					r.constants(decl)
					ast.Inspect(decl, r.visit)
				}
			}
		}
	}
}

// A reader reads the code of one package.
type reader struct {
	*search
	pkg  *goload.Package
	info *types.Info
}

// text returns the value of an expression that is a constant string, of whatever string type.
func (r *reader) text(e ast.Expr) (string, bool) {
	if call, ok := e.(*ast.CallExpr); ok && len(call.Args) == 1 && r.info.Types[call.Fun].IsType() {
		e = call.Args[0]
	}
	v := r.info.Types[e].Value
	if v == nil || v.Kind() != constant.String {
		return "", false
	}
	return constant.StringVal(v), true
}

// candidateOf returns the candidate that t is or points to, or nil.
func (r *reader) candidateOf(t types.Type) *candidate {
	if t == nil {
		return nil
	}
	t = types.Unalias(t)
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	if named, ok := t.(*types.Named); ok {
		return r.types[named.Obj()]
	}
	return nil
}

// made returns the candidates that are made within a node: T{}, &T{}, new(T), (*T)(nil), var v T, and type arguments.
func (r *reader) made(n ast.Node) []*candidate {
	var found []*candidate
	add := func(c *candidate) {
		if c != nil {
			for _, other := range found {
				if other == c {
					return
				}
			}
			found = append(found, c)
		}
	}
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			if c := r.candidateOf(r.info.TypeOf(n)); c != nil {
				add(c)
				return false // what it is made of is no event of its own
			}
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && id.Name == "new" && len(n.Args) == 1 {
				add(r.candidateOf(r.info.TypeOf(n.Args[0])))
			} else if r.info.Types[n.Fun].IsType() {
				add(r.candidateOf(r.info.TypeOf(n.Fun)))
			}
		case *ast.ValueSpec:
			if n.Type != nil {
				add(r.candidateOf(r.info.TypeOf(n.Type)))
			}
		case *ast.IndexExpr:
			if r.info.Types[n.Index].IsType() {
				add(r.candidateOf(r.info.TypeOf(n.Index)))
			}
		}
		return true
	})
	return found
}

// function reads one function or method.
func (r *reader) function(fn *ast.FuncDecl) {
	if fn.Body == nil {
		return
	}
	var receiver *candidate
	if fn.Recv != nil && len(fn.Recv.List) == 1 {
		receiver = r.candidateOf(r.info.TypeOf(fn.Recv.List[0].Type))
	}
	name := fn.Name.Name
	if receiver != nil {
		r.constantMethod(receiver, fn)
		r.applier(receiver, fn)
		if name == "Register" || name == "RegisterEvents" {
			r.registration(receiver, fn)
		}
	}
	if fn.Recv == nil && fn.Type.Params.NumFields() == 2 && (applies.MatchString(name) || applies.MatchString(strings.ToUpper(name[:1])+name[1:])) {
		if state := r.candidateOf(r.info.TypeOf(fn.Type.Params.List[0].Type)); state != nil {
			r.typeSwitches(state, fn)
		}
	}
	if name == "NewEvent" && fn.Recv != nil {
		for _, c := range r.made(fn.Body) {
			c.strong = append(c.strong, "method NewEvent at "+r.at(fn.Pos())+" makes it for a handler of events")
		}
	}
	ast.Inspect(fn.Body, r.visit)
}

// constantMethod reads a method that returns a constant.
func (r *reader) constantMethod(c *candidate, fn *ast.FuncDecl) {
	if fn.Type.Params.NumFields() != 0 || fn.Type.Results.NumFields() != 1 || len(fn.Body.List) != 1 {
		return
	}
	ret, ok := fn.Body.List[0].(*ast.ReturnStmt)
	if !ok || len(ret.Results) != 1 {
		return
	}
	name, where := fn.Name.Name, "method "+fn.Name.Name+" at "+r.at(fn.Pos())
	text, isText := r.text(ret.Results[0])
	switch {
	case isText && namesEvent.MatchString(name):
		c.names[text] = where
		c.strong = append(c.strong, where+" names it")
	case isText && namesMessage.MatchString(name):
		c.weak[text] = where
	case isText && namesAggregate.MatchString(name):
		r.aggNames[c.obj] = text
	case versionsEvent.MatchString(name):
		if v := r.info.Types[ret.Results[0]].Value; v != nil && v.Kind() == constant.Int {
			if n, ok := constant.Int64Val(v); ok && n > 0 {
				c.versions[int(n)] = where
			}
		}
	}
}

// applier reads a method that applies an event to its receiver, or all of them.
func (r *reader) applier(state *candidate, fn *ast.FuncDecl) {
	name := fn.Name.Name
	exported := strings.ToUpper(name[:1]) + name[1:]
	if applies.MatchString(exported) {
		r.typeSwitches(state, fn)
	}
	if appliesOne.MatchString(name) && fn.Type.Params.NumFields() == 1 {
		if c := r.candidateOf(r.info.TypeOf(fn.Type.Params.List[0].Type)); c != nil && c != state && strings.HasSuffix(name, c.obj.Name()) {
			c.aggregates[state.obj] = "method " + name + " at " + r.at(fn.Pos()) + " applies it to " + state.String()
		}
	}
}

// typeSwitches takes the types that a function tells apart for events of the state.
func (r *reader) typeSwitches(state *candidate, fn *ast.FuncDecl) {
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		sw, ok := n.(*ast.TypeSwitchStmt)
		if !ok {
			return true
		}
		for _, clause := range sw.Body.List {
			for _, expr := range clause.(*ast.CaseClause).List {
				if c := r.candidateOf(r.info.TypeOf(expr)); c != nil && c != state {
					c.aggregates[state.obj] = fn.Name.Name + " at " + r.at(expr.Pos()) + " applies it to " + state.String()
				}
			}
		}
		return true
	})
}

// registration reads a method that hands events of its receiver to a function that registers them.
func (r *reader) registration(state *candidate, fn *ast.FuncDecl) {
	params := map[types.Object]bool{}
	for _, field := range fn.Type.Params.List {
		for _, name := range field.Names {
			params[r.info.Defs[name]] = true
		}
	}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		id, ok := call.Fun.(*ast.Ident)
		if !ok || !params[r.info.Uses[id]] {
			return true
		}
		for _, arg := range call.Args {
			for _, c := range r.made(arg) {
				c.aggregates[state.obj] = "method " + fn.Name.Name + " of " + state.String() + " at " + r.at(call.Pos()) + " registers it"
			}
		}
		return true
	})
}

// visit reads what says, anywhere in the code, which stored name a type has.
func (r *reader) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.CompositeLit:
		r.table(n)
	case *ast.CallExpr:
		r.call(n)
	case *ast.SwitchStmt:
		if n.Tag != nil && dispatches.MatchString(types.ExprString(n.Tag)) {
			r.dispatch(n)
		}
	}
	return true
}

// table reads a map from stored names to types, and the description of an aggregate.
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
		if isMap && isString(m.Key()) {
			if text, ok := r.text(pair.Key); ok {
				r.named(text, r.made(pair.Value), "the table at "+r.at(pair.Pos()))
			}
		}
		if id, ok := pair.Key.(*ast.Ident); ok && !isMap && id.Name == "Name" && strings.Contains(types.TypeString(t, nil), "aggregate.Type") {
			if text, ok := r.text(pair.Value); ok {
				r.pkgNames[r.pkg] = text
			}
		}
	}
}

func isString(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsString != 0
}

// call reads a call that is given a stored name and a value of its type, or a handler of events.
func (r *reader) call(call *ast.CallExpr) {
	callee := types.ExprString(call.Fun)
	base := callee
	if i := strings.IndexByte(base, '['); i >= 0 {
		base = base[:i]
	}
	base = base[strings.LastIndexByte(base, '.')+1:]
	if r.isOf(call.Fun, "aggregate") && base == "New" && len(call.Args) > 0 {
		if text, ok := r.text(call.Args[0]); ok {
			r.pkgNames[r.pkg] = text
		}
	}
	if strings.HasPrefix(callee, "fmt.") || strings.HasPrefix(callee, "log.") || strings.HasPrefix(callee, "slog.") || strings.HasPrefix(callee, "errors.") {
		return
	}
	if base == "NewEventHandler" || base == "NewGroupEventHandler" {
		r.handler(call)
		return
	}
	if base == "Publish" && strings.Contains(strings.ToLower(callee), "event") {
		for _, arg := range call.Args {
			for _, c := range r.made(arg) {
				c.strong = append(c.strong, "it is published at "+r.at(call.Pos()))
			}
		}
		return
	}
	if !registers.MatchString(callee) {
		return
	}
	var texts []string
	var found []*candidate
	for _, arg := range call.Args {
		if text, ok := r.text(arg); ok {
			texts = append(texts, text)
		} else {
			found = append(found, r.made(arg)...)
		}
	}
	found = append(found, r.made(call.Fun)...)
	if len(texts) == 1 && len(found) == 1 {
		r.named(texts[0], found, "the call of "+base+" at "+r.at(call.Pos()))
	}
}

// isOf reports whether a function is of a package whose path ends in a name.
func (r *reader) isOf(fun ast.Expr, name string) bool {
	if index, ok := fun.(*ast.IndexExpr); ok {
		fun = index.X
	}
	sel, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	obj := r.info.Uses[sel.Sel]
	return obj != nil && obj.Pkg() != nil && strings.HasSuffix("/"+obj.Pkg().Path(), "/"+name)
}

// handler reads a call that is given a function which handles one type of event.
func (r *reader) handler(call *ast.CallExpr) {
	for _, arg := range call.Args {
		sig, ok := r.info.TypeOf(arg).(*types.Signature)
		if !ok {
			continue
		}
		for param := range sig.Params().Variables() {
			if c := r.candidateOf(param.Type()); c != nil {
				c.strong = append(c.strong, "a handler of events takes it at "+r.at(call.Pos()))
				if r.byMessage == "" && r.isOf(call.Fun, "cqrs") {
					r.byMessage = "FullyQualifiedStructName"
				}
			}
		}
	}
}

// dispatch reads a switch over stored names that makes a value for each.
func (r *reader) dispatch(sw *ast.SwitchStmt) {
	for _, clause := range sw.Body.List {
		clause := clause.(*ast.CaseClause)
		if len(clause.List) != 1 {
			continue
		}
		text, ok := r.text(clause.List[0])
		if !ok {
			continue
		}
		var found []*candidate
		for _, stmt := range clause.Body {
			found = append(found, r.made(stmt)...)
		}
		if len(found) == 1 {
			r.named(text, found, "the case at "+r.at(clause.Pos()))
		}
	}
}

// named takes a stored name of a type.
func (r *reader) named(text string, found []*candidate, where string) {
	if len(found) != 1 || isCommand(found[0].obj.Name()) {
		return
	}
	c := found[0]
	if _, known := c.names[text]; !known {
		c.names[text] = where
	}
	c.strong = append(c.strong, where+" gives its stored name")
}

// isCommand reports whether a name says that its type is something else than an event.
func isCommand(name string) bool {
	for _, suffix := range []string{"Command", "Cmd", "Query", "Request", "Response", "State", "Aggregate"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}

// constants reads constants that name aggregates and messages.
func (r *reader) constants(decl *ast.GenDecl) {
	if decl.Tok != token.CONST {
		return
	}
	for _, spec := range decl.Specs {
		for _, id := range spec.(*ast.ValueSpec).Names {
			obj, ok := r.info.Defs[id].(*types.Const)
			if !ok || obj.Val().Kind() != constant.String {
				continue
			}
			if named, ok := types.Unalias(obj.Type()).(*types.Named); (ok && named.Obj().Name() == "AggregateType") || strings.HasSuffix(id.Name, "AggregateType") {
				r.pkgNames[r.pkg] = constant.StringVal(obj.Val())
			}
		}
	}
}
