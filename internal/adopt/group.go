package adopt

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/internal/astscan"
	"github.com/eventmap/eventmap/internal/goload"
)

// A group is the events of one aggregate.
type group struct {
	name   string
	state  *candidate // or nil
	why    string
	events []*candidate
}

// groupOf returns the aggregate of an event: the one whose state it is applied to, else its package's.
func (s *search) groupOf(c *candidate) group {
	states := s.statesOf(c)
	if len(states) > 1 {
		var names, keys []string
		for _, state := range states {
			name, _ := s.nameOf(s.types[state])
			names, keys = append(names, state.Name()), append(keys, "aggregate="+quoted(name))
		}
		s.ask(c.obj.Pos(), "%v is applied to several states, %s; it is marked for the first; say which has it in its streams with aggregate=NAME, or name each that has: //eventmap:event %s", c, strings.Join(names, " and "), strings.Join(slices.Compact(keys), " "))
	}
	if named := s.aggregates.types[c.obj]; named != "" {
		g := group{name: named, why: "it says that this is its aggregate"}
		if len(states) > 0 {
			g.state = s.types[states[0]]
		}
		return g
	}
	if len(states) > 0 {
		state := s.types[states[0]]
		name, why := s.nameOf(state)
		if why == "" {
			why = c.aggregates[states[0]]
		}
		return group{name: name, state: state, why: why}
	}
	if named, why := s.aggregates.of(c.pkg.Types, nil); named != "" {
		return group{name: named, why: why}
	}
	switch others := s.aggregatesOf(c.pkg); len(others) {
	case 0:
	case 1:
		return group{name: others[0], why: "the other events of package " + c.pkg.Name + " are of it"}
	default:
		s.ask(c.obj.Pos(), "%v is applied to no state, so nothing says which aggregate it is of; those of its package are %s: say it with aggregate=NAME", c, strings.Join(others, ", "))
	}
	return group{name: astscan.PackageAggregate(c.pkg), why: "by package " + c.pkg.Name}
}

// aggregatesOf returns the aggregates that the events of a package are applied to the states of.
func (s *search) aggregatesOf(pkg *goload.Package) []string {
	names := map[string]bool{}
	for _, c := range s.order {
		if c.pkg != pkg || !c.isEvent() {
			continue
		}
		for _, state := range s.statesOf(c) {
			name, _ := s.nameOf(s.types[state])
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// nameOf returns the name of a state's aggregate, and what says so if it is not the state's own name.
func (s *search) nameOf(state *candidate) (name, why string) {
	if name, why := s.aggregates.of(state.pkg.Types, state); name != "" {
		return name, why
	}
	if name := stateName(state); name != "" {
		return name, ""
	}
	return astscan.PackageAggregate(state.pkg), ""
}

// stateName returns the aggregate that the name of a state says.
func stateName(state *candidate) string {
	return strings.TrimSuffix(strings.TrimSuffix(state.obj.Name(), "Aggregate"), "State")
}

// aggregateNames are the names that the code gives the streams of its aggregates.
type aggregateNames struct {
	types    map[*types.TypeName]string           // by a method of a state or an event
	packages map[*types.Package]map[string]string // by a constant of a package: of which aggregate the constant speaks, and its value
}

// add takes the name that a package gives an aggregate; empty: that of the package.
func (n *aggregateNames) add(pkg *types.Package, of, name string) {
	if n.packages[pkg] == nil {
		n.packages[pkg] = map[string]string{}
	}
	n.packages[pkg][of] = name
}

// of returns the name that the streams of a state have, or those of a package if the state is nil, and what says so;
// nothing, if nothing does, or if it is not clear which of several it is.
func (n *aggregateNames) of(pkg *types.Package, state *candidate) (name, why string) {
	if state != nil {
		if name := n.types[state.obj]; name != "" {
			return name, state.String() + " says that this is its aggregate type"
		}
	}
	why = "package " + pkg.Name() + " says that this is its aggregate type"
	if state != nil {
		if name := n.packages[pkg][stateName(state)]; name != "" {
			return name, why
		}
	}
	names := slices.Compact(slices.Sorted(maps.Values(n.packages[pkg])))
	if len(names) != 1 {
		return "", ""
	}
	return names[0], why
}

// aggregateConstants reads the constants and variables that name aggregates.
func (r *reader) aggregateConstants(decl *ast.GenDecl) {
	if decl.Tok != token.CONST && decl.Tok != token.VAR {
		return
	}
	for _, spec := range decl.Specs {
		for _, id := range spec.(*ast.ValueSpec).Names {
			of, isAggregate := strings.CutSuffix(id.Name, "AggregateType")
			if !isAggregate {
				of, isAggregate = strings.CutSuffix(id.Name, "StreamName")
			}
			obj := r.info.Defs[id]
			if obj == nil || obj.Parent() != r.pkg.Types.Scope() {
				continue
			}
			if named, ok := types.Unalias(obj.Type()).(*types.Named); ok && named.Obj().Name() == "AggregateType" {
				isAggregate = true
			}
			if !isAggregate {
				continue
			}
			switch obj := obj.(type) {
			case *types.Const:
				if obj.Val().Kind() == constant.String {
					r.aggregates.add(r.pkg.Types, of, constant.StringVal(obj.Val()))
				}
			case *types.Var:
				if text, ok := r.text(r.vars[obj]); ok {
					r.aggregates.add(r.pkg.Types, of, text)
				}
			}
		}
	}
}
