package usage

import (
	"fmt"
	"go/constant"
	"go/types"
	"path/filepath"
	"strings"

	"github.com/eventmap/eventmap/internal/goload"
	"github.com/eventmap/eventmap/internal/model"
)

// A store is the package that eventmap-gen wrote, by what its names stand for.
type store struct {
	pkg        *types.Package
	aggregates map[string]bool
	events     map[*types.TypeName][]event  // what a type of the domain is stored as
	sums       map[*types.TypeName]string   // interfaces over events, and the generated type that stands for one: the aggregate
	stores     map[*types.TypeName]string   // the generated stores: the aggregate
	handlers   map[*types.TypeName]*handler // the generated interfaces
	funcs      map[*types.TypeName]*handler // the generated structs of functions
}

// An event is one that a type stands for.
type event struct{ aggregate, name string }

// A handler is a generated interface of handlers.
type handler struct {
	aggregate string
	methods   []method
}

// A method handles an event: one of a handler's, or, with the name less "On", a function of a struct of functions.
type method struct{ name, event string }

// findStore finds the package in its folder among those that were loaded.
func findStore(program *goload.Program, folder string, domain *model.Domain) (*store, error) {
	for _, p := range program.Packages {
		if resolved(p.Folder()) == resolved(program.Dir.Abs(folder)) {
			return newStore(p.Types, domain)
		}
	}
	return nil, fmt.Errorf("--store %s: there is no Go package in it", folder)
}

// resolved returns a path without symbolic links.
func resolved(path string) string {
	if link, err := filepath.EvalSymlinks(path); err == nil {
		return link
	}
	return path
}

func newStore(pkg *types.Package, domain *model.Domain) (*store, error) {
	s := &store{
		pkg: pkg, aggregates: map[string]bool{},
		events: map[*types.TypeName][]event{}, sums: map[*types.TypeName]string{}, stores: map[*types.TypeName]string{},
		handlers: map[*types.TypeName]*handler{}, funcs: map[*types.TypeName]*handler{},
	}
	imported := map[string]*types.Package{pkg.Path(): pkg}
	for _, p := range pkg.Imports() {
		imported[p.Path()] = p
	}
	find := func(name model.TypeName) *types.TypeName {
		if p := imported[name.Package.Path]; p != nil {
			obj, _ := p.Scope().Lookup(name.Name).(*types.TypeName)
			return origin(obj)
		}
		return nil
	}
	idents := s.identifiers()
	for _, a := range domain.Aggregates {
		ident, ok := idents[a.Name]
		if !ok {
			return nil, fmt.Errorf("package %s has nothing for the aggregate %s; generate it anew with eventmap-gen, or name another with --store", pkg.Path(), a.Name)
		}
		s.aggregates[a.Name] = true
		for _, e := range a.Events {
			if obj := find(e.Type); obj != nil {
				s.events[obj] = append(s.events[obj], event{a.Name, e.Name})
			}
		}
		if a.Sum != nil {
			if obj := find(a.Sum.Type); obj != nil {
				s.sums[obj] = a.Name
			}
		}
		if obj := s.typeName(ident + "Event"); obj != nil {
			s.sums[obj] = a.Name
		}
		if obj := s.typeName(ident + "Store"); obj != nil {
			s.stores[obj] = a.Name
		}
		if obj := s.typeName(ident + "Handler"); obj != nil {
			s.handlers[obj] = s.handlerOf(a.Name, obj)
			if funcs := s.typeName(ident + "HandlerFuncs"); funcs != nil {
				s.funcs[funcs] = s.handlers[obj]
			}
		}
	}
	return s, nil
}

// identifiers returns what generated names begin with, by the aggregate: OrderType is the constant "Order".
func (s *store) identifiers() map[string]string {
	idents := map[string]string{}
	for _, name := range s.pkg.Scope().Names() {
		c, ok := s.pkg.Scope().Lookup(name).(*types.Const)
		if ident, isType := strings.CutSuffix(name, "Type"); ok && isType && c.Val().Kind() == constant.String {
			idents[constant.StringVal(c.Val())] = ident
		}
	}
	return idents
}

// typeName returns a type of the package by its name, or nil.
func (s *store) typeName(name string) *types.TypeName {
	obj, _ := s.pkg.Scope().Lookup(name).(*types.TypeName)
	return origin(obj)
}

// origin returns the declaration of the type that a name stands for, through aliases.
func origin(obj *types.TypeName) *types.TypeName {
	if obj == nil {
		return nil
	}
	if named, ok := types.Unalias(obj.Type()).(*types.Named); ok {
		return named.Origin().Obj()
	}
	return obj
}

// handlerOf reads a generated interface: OnPaid(ctx, tx, e order.Paid, m) handles Paid.
func (s *store) handlerOf(aggregate string, obj *types.TypeName) *handler {
	h := &handler{aggregate: aggregate}
	iface, ok := obj.Type().Underlying().(*types.Interface)
	if !ok {
		return h
	}
	const place = 2 // of the event among the parameters
	for m := range iface.Methods() {
		if params := m.Signature().Params(); params.Len() > place {
			for _, e := range s.eventsOf(params.At(place).Type()) {
				if e.aggregate == aggregate {
					h.methods = append(h.methods, method{m.Name(), e.name})
				}
			}
		}
	}
	return h
}

// declared returns the declaration of a named type, or of what a pointer leads to.
func declared(t types.Type) *types.TypeName {
	if pointer, ok := types.Unalias(t).(*types.Pointer); ok {
		t = pointer.Elem()
	}
	if named, ok := types.Unalias(t).(*types.Named); ok {
		return named.Origin().Obj()
	}
	return nil
}

// eventsOf returns what a type, or what it points to, is stored as.
func (s *store) eventsOf(t types.Type) []event {
	if obj := declared(t); obj != nil {
		return s.events[obj]
	}
	return nil
}

// sumsIn returns the aggregates whose sum a result holds: the sum itself, or lists and the like of it.
func (s *store) sumsIn(t types.Type) []string {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		if aggregate, ok := s.sums[t.Origin().Obj()]; ok {
			return []string{aggregate}
		}
		var found []string
		for arg := range t.TypeArgs().Types() {
			found = append(found, s.sumsIn(arg)...)
		}
		switch t.Underlying().(type) {
		case *types.Slice, *types.Array, *types.Map:
			found = append(found, s.sumsIn(t.Underlying())...)
		}
		return found
	case *types.Slice:
		return s.sumsIn(t.Elem())
	case *types.Array:
		return s.sumsIn(t.Elem())
	case *types.Map:
		return s.sumsIn(t.Elem())
	}
	return nil
}
