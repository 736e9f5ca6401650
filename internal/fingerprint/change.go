package fingerprint

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"sync"
)

// changes tells which variables of packages something changes after their declaration. It follows what a variable refers to
// from each of its uses into other variables, parameters, receivers and results, and so finds who changes it behind another
// name. What it cannot follow counts as a change.
type changes struct {
	*Code
	uses    map[types.Object][]*place // of variables, functions and methods
	dynamic map[string][]*place       // of the methods of interfaces, by name

	mu    sync.Mutex
	flows map[types.Object]*flow // as far as they were asked for
}

// A change is a place that changes a variable, or hands it on to where nobody can tell.
type change struct {
	pos    token.Pos
	handed bool
}

// A flow is what becomes of the value of a variable, or of what a function returns.
type flow struct {
	set     *change        // a new value is assigned to the variable itself
	changed *change        // what the value refers to is changed
	to      []types.Object // what holds the value, or a part of it, after that
}

func newChanges(c *Code) *changes {
	changes := &changes{Code: c, uses: map[types.Object][]*place{}, dynamic: map[string][]*place{}, flows: map[types.Object]*flow{}}
	for _, p := range c.source.Packages {
		for _, file := range p.Files {
			eachUse(p, file, changes.index)
		}
	}
	return changes
}

// index notes the use of a variable, a function or a method.
func (c *changes) index(object types.Object, at *place) {
	switch o := object.(type) {
	case *types.Var:
		if !o.IsField() {
			c.uses[o] = append(c.uses[o], at)
		}
	case *types.Func:
		if isInterfaceMethod(o) {
			c.dynamic[o.Name()] = append(c.dynamic[o.Name()], at)
		}
		c.uses[o.Origin()] = append(c.uses[o.Origin()], at)
	}
}

// of returns a change of a package's variable, or nil if there is none. Every variable that may hold the value is looked at
// once, so code that calls itself in circles ends, and nothing is concluded from a part of the circle.
func (c *changes) of(v *types.Var) *change {
	c.mu.Lock()
	defer c.mu.Unlock()
	if set := c.flow(v).set; set != nil {
		return set
	}
	queue, seen := []types.Object{v}, map[types.Object]bool{v: true}
	for len(queue) > 0 {
		f := c.flow(queue[0])
		queue = queue[1:]
		if f.changed != nil {
			return f.changed
		}
		for _, next := range f.to {
			if !seen[next] {
				seen[next] = true
				queue = append(queue, next)
			}
		}
	}
	return nil
}

// flow returns what becomes of a variable's value, or of a function's results.
func (c *changes) flow(object types.Object) *flow {
	if f, ok := c.flows[object]; ok {
		return f
	}
	f := &flow{}
	c.flows[object] = f
	t := tracker{changes: c, flow: f}
	if function, ok := object.(*types.Func); ok {
		places := c.uses[function]
		if function.Signature().Recv() != nil {
			places = slices.Concat(places, c.dynamic[function.Name()])
		}
		for _, at := range places {
			t.followCall(at)
		}
		return f
	}
	for _, at := range c.uses[object] {
		t.follow(at)
	}
	if c.isConstantInside(object) {
		f.changed, f.to = nil, nil
	}
	return f
}

// isConstantInside reports whether a package's variable is of an interface type, and the value that it is declared with refers to
// nothing that could change.
func (c *changes) isConstantInside(object types.Object) bool {
	d := c.declared[object]
	if d == nil || !types.IsInterface(object.Type()) {
		return false
	}
	spec := d.node.(*ast.ValueSpec)
	i := slices.IndexFunc(spec.Names, func(name *ast.Ident) bool { return d.in.Info.Defs[name] == object })
	if i < 0 || len(spec.Values) != len(spec.Names) {
		return false
	}
	value := d.in.Info.TypeOf(spec.Values[i])
	return value != nil && !types.IsInterface(value) && !c.refers(value)
}

// refers reports whether values of a type lead to something that another holder of the value could change. Functions are
// not changed, nor are errors and what types of packages that were not read keep to themselves.
func (c *changes) refers(t types.Type) bool { return c.refersWithin(t, map[types.Type]bool{}) }

func (c *changes) refersWithin(t types.Type, seen map[types.Type]bool) bool {
	t = types.Unalias(t)
	if t == nil || seen[t] {
		return t == nil
	}
	seen[t] = true
	if named, ok := t.(*types.Named); ok {
		if t == types.Universe.Lookup("error").Type() || unchanging[types.TypeString(named.Origin(), nil)] {
			return false
		}
		if s, ok := named.Underlying().(*types.Struct); ok && !c.wasRead(named.Obj().Pkg()) {
			for f := range s.Fields() {
				if f.Exported() && c.refersWithin(f.Type(), seen) {
					return true
				}
			}
			return false
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Kind() == types.UnsafePointer
	case *types.Signature, *types.Chan:
		return false
	case *types.Pointer:
		named, ok := types.Unalias(u.Elem()).(*types.Named)
		return !ok || !unchanging[types.TypeString(named.Origin(), nil)]
	case *types.Array:
		return c.refersWithin(u.Elem(), seen)
	case *types.Struct:
		for f := range u.Fields() {
			if c.refersWithin(f.Type(), seen) {
				return true
			}
		}
		return false
	case *types.Tuple:
		for v := range u.Variables() {
			if c.refersWithin(v.Type(), seen) {
				return true
			}
		}
		return false
	}
	return true // a map, a slice, an interface, a type parameter
}

// elementsRefer reports whether what a slice, a map or an array holds refers to something that could change.
func (c *changes) elementsRefer(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Slice:
		return c.refers(u.Elem())
	case *types.Array:
		return c.refers(u.Elem())
	case *types.Map:
		return c.refers(u.Key()) || c.refers(u.Elem())
	}
	return true
}

func (c *Code) wasRead(p *types.Package) bool {
	_, ok := c.packages[p]
	return ok
}
