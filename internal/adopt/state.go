package adopt

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"
)

var (
	// applies are methods that apply any event to a state.
	applies = compile(`^(Transition|Apply(Event|Change)?|On(Event)?|When|Mutate|Evolve|Fold)$`)
	// appliesOne are methods that apply one event to a state.
	appliesOne = compile(`^([Oo]n|[Aa]pply|[Ww]hen)\p{Lu}`)
	// readModels are what types are called that are built from events beside the aggregate.
	readModels = compile(`(?i)(projection|projector|readmodel|view|handler|subscriber|listener|saga|process(manager)?)$`)
)

// isReadModel reports whether the name of a type says that it is no aggregate, though events are applied to it.
func isReadModel(c *candidate) bool { return readModels.MatchString(c.obj.Name()) }

// applier reads a method that applies an event to its receiver, or all of them.
func (r *reader) applier(state *candidate, fn *ast.FuncDecl) {
	name := fn.Name.Name
	if applies.MatchString(exported(name)) {
		r.typeSwitches(state, fn)
	}
	if !appliesOne.MatchString(name) || fn.Type.Params.NumFields() != 1 {
		return
	}
	c := r.candidateOf(r.info.TypeOf(fn.Type.Params.List[0].Type))
	if c != nil && c != state && strings.HasSuffix(name, c.obj.Name()) && roleOf(c.obj.Name()) == "" {
		state.apply(c, "method "+name+" at "+r.at(fn.Pos())+" applies it to "+state.String())
	}
}

// apply takes an event of a state. What a read model is built from is an event, too, but of another type's aggregate.
func (c *candidate) apply(event *candidate, why string) {
	if isReadModel(c) {
		event.because("%s", why)
		return
	}
	event.aggregates[c.obj] = why
	c.folds = true
}

// typeSwitches takes the types that a function tells apart for events of the state.
func (r *reader) typeSwitches(state *candidate, fn *ast.FuncDecl) {
	if fn.Body == nil {
		return
	}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		sw, ok := n.(*ast.TypeSwitchStmt)
		if !ok {
			return true
		}
		for _, clause := range sw.Body.List {
			for _, expr := range clause.(*ast.CaseClause).List {
				t := r.info.TypeOf(expr)
				if c := r.candidateOf(t); c != nil && c != state {
					state.apply(c, fn.Name.Name+" at "+r.at(expr.Pos())+" applies it to "+state.String())
				} else if what := unread(t); c == nil && what != "" {
					r.ask(expr.Pos(), "an event that is applied to %v is of type %s, which %s", state, types.TypeString(t, (*types.Package).Name), what)
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
				state.apply(c, "method "+fn.Name.Name+" of "+state.String()+" at "+r.at(call.Pos())+" registers it")
			}
		}
		return true
	})
}

// statesOf returns the states whose events a type is one of, by position. A part of an aggregate, to which some of the
// aggregate's events are applied as well, is left out.
func (s *search) statesOf(c *candidate) []*types.TypeName {
	var states []*types.TypeName
	for state := range c.aggregates {
		states = append(states, state)
	}
	slices.SortFunc(states, func(a, b *types.TypeName) int { return s.ByPosition(a.Pos(), b.Pos()) })
	all := slices.Clone(states)
	states = slices.DeleteFunc(states, func(part *types.TypeName) bool {
		return slices.ContainsFunc(all, func(whole *types.TypeName) bool { return whole != part && s.isPart(part, whole) })
	})
	if len(states) > 1 {
		own := slices.DeleteFunc(slices.Clone(states), func(state *types.TypeName) bool { return state.Pkg() != c.obj.Pkg() })
		if len(own) > 0 {
			return own
		}
	}
	return states
}

// isPart reports whether one state is a part of another: the other has it as a field, or has all of its events and more.
func (s *search) isPart(part, whole *types.TypeName) bool {
	if st := s.types[whole].structType(); st != nil {
		for field := range st.Fields() {
			if named := heldBy(field.Type()); named != nil && named.Obj() == part {
				return true
			}
		}
	}
	more := false
	for _, c := range s.order {
		_, ofPart := c.aggregates[part]
		_, ofWhole := c.aggregates[whole]
		if ofPart && !ofWhole {
			return false
		}
		more = more || ofWhole && !ofPart
	}
	return more
}
