package usage

import (
	"cmp"
	"go/ast"
	"go/doc"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/astutil"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/eventmap/eventmap/internal/goload"
	"github.com/eventmap/eventmap/internal/model"
)

// usage reads every function of the packages, but for what eventmap-gen wrote.
func (r *reader) usage() *model.Usage {
	var u model.Usage
	skipped := r.converters()
	for _, p := range r.Packages {
		if p.Path == r.store.pkg.Path() {
			continue
		}
		for _, f := range p.Syntax {
			if r.Generated(p, f) {
				continue
			}
			for _, decl := range f.Decls {
				s := scope{reader: r, pkg: p, file: f, decl: decl}
				if fn, ok := decl.(*ast.FuncDecl); ok {
					if skipped[p.Info.Defs[fn.Name]] {
						continue
					}
					s.name = functionName(p, fn)
					u.Emitters = append(u.Emitters, s.emitters(fn)...)
				} else {
					s.name = p.Name
				}
				u.Handlers = append(u.Handlers, s.handlers()...)
			}
		}
	}
	slices.SortStableFunc(u.Emitters, func(a, b model.Emitter) int {
		return cmp.Or(cmp.Compare(a.Aggregate, b.Aggregate), cmp.Compare(a.Func, b.Func), a.Pos.Compare(b.Pos))
	})
	slices.SortStableFunc(u.Handlers, func(a, b model.Handler) int {
		return cmp.Or(cmp.Compare(a.Aggregate, b.Aggregate), cmp.Compare(a.Consumer, b.Consumer), cmp.Compare(a.Func, b.Func), a.Pos.Compare(b.Pos))
	})
	return &u
}

// converters returns the upcasters of the domain: they return events and emit none.
func (r *reader) converters() map[types.Object]bool {
	names := map[model.TypeName]bool{}
	for _, a := range r.domain.Aggregates {
		for _, e := range a.Events {
			if e.Upcast != nil {
				names[e.Upcast.Func] = true
			}
		}
	}
	found := map[types.Object]bool{}
	for _, p := range r.Packages {
		for name := range names {
			if name.Package.Path == p.Path {
				found[p.Types.Scope().Lookup(name.Name)] = true
			}
		}
	}
	return found
}

// A scope is a declaration that is searched.
type scope struct {
	*reader
	pkg  *goload.Package
	file *ast.File
	decl ast.Decl
	name string // such as order.Order.Pay
}

// functionName returns the name of a function as a reader knows it, with its package.
func functionName(p *goload.Package, fn *ast.FuncDecl) string {
	name := p.Name + "."
	if fn.Recv != nil && len(fn.Recv.List) > 0 {
		receiver := ast.Unparen(fn.Recv.List[0].Type)
		if star, ok := receiver.(*ast.StarExpr); ok {
			receiver = star.X
		}
		switch index := receiver.(type) {
		case *ast.IndexExpr:
			receiver = index.X
		case *ast.IndexListExpr:
			receiver = index.X
		}
		if ident, ok := receiver.(*ast.Ident); ok {
			name += ident.Name + "."
		}
	}
	return name + fn.Name.Name
}

// callee returns what is called, or nil: a conversion, a value, a builtin.
func (s *scope) callee(call *ast.CallExpr) *types.Func {
	if f, ok := typeutil.Callee(s.pkg.Info, call).(*types.Func); ok {
		return f.Origin()
	}
	return nil
}

// isStores reports whether a function is one of the generated package.
func (s *scope) isStores(f *types.Func) bool { return f != nil && f.Pkg() == s.store.pkg }

// emitters returns what a function emits, by aggregate.
func (s *scope) emitters(fn *ast.FuncDecl) []model.Emitter {
	if fn.Body == nil {
		return nil
	}
	found := map[event]bool{}
	s.emit(fn.Body, s.results(fn.Type), handing{}, found)
	byAggregate := map[string][]string{}
	for e := range found {
		byAggregate[e.aggregate] = append(byAggregate[e.aggregate], e.name)
	}
	var emitters []model.Emitter
	for aggregate, events := range byAggregate {
		slices.Sort(events)
		emitters = append(emitters, model.Emitter{
			Aggregate: aggregate, Func: s.name, Doc: new(doc.Package).Synopsis(fn.Doc.Text()),
			Events: slices.Compact(events), Pos: s.Pos(fn.Name.Pos()),
		})
	}
	return emitters
}

// results returns the aggregates whose sum a function returns.
func (s *scope) results(fn *ast.FuncType) (aggregates []string) {
	if fn.Results == nil {
		return nil
	}
	for _, field := range fn.Results.List {
		aggregates = append(aggregates, s.store.sumsIn(s.pkg.Info.TypeOf(field.Type))...)
	}
	return aggregates
}

// A handing says whether what is made is handed to the generated store, and for which aggregate; empty: for any.
type handing struct {
	is bool
	to string
}

// handedTo returns what a call of a function of the generated package hands its arguments to.
func (s *scope) handedTo(f *types.Func, call *ast.CallExpr) handing {
	sig := f.Signature()
	if sig.Recv() != nil {
		if aggregate, ok := s.store.stores[declared(sig.Recv().Type())]; ok {
			return handing{is: true, to: aggregate}
		}
	}
	for result := range sig.Results().Variables() {
		if aggregates := s.store.sumsIn(result.Type()); len(aggregates) == 1 {
			return handing{is: true, to: aggregates[0]}
		}
	}
	for _, arg := range call.Args {
		if name := s.constant(arg); s.store.aggregates[name] {
			return handing{is: true, to: name}
		}
	}
	return handing{is: true}
}

// emit adds the events that are made below a node: of the aggregates that a function around it returns the sum of, or of
// those for which it is handed to the generated store.
func (s *scope) emit(node ast.Node, returned []string, handed handing, found map[event]bool) {
	ast.Inspect(node, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			s.emit(n.Body, append(slices.Clone(returned), s.results(n.Type)...), handing{}, found)
			return false
		case *ast.CallExpr:
			s.made(n, returned, handed, found)
			takes := handed
			if f := s.callee(n); s.isStores(f) && s.handlerParam(f) < 0 && !strings.HasPrefix(f.Name(), "From") && !strings.HasPrefix(f.Name(), "Fold") {
				takes = s.handedTo(f, n)
			}
			s.emit(n.Fun, returned, handed, found)
			for _, arg := range n.Args {
				if takes.is {
					s.made(arg, returned, takes, found) // whatever made it
				}
				s.emit(arg, returned, takes, found)
			}
			return false
		case *ast.CompositeLit:
			s.made(n, returned, handed, found)
		}
		return true
	})
}

// made adds the event that an expression makes, if it is one.
func (s *scope) made(expr ast.Expr, returned []string, handed handing, found map[event]bool) {
	t := s.pkg.Info.TypeOf(expr)
	if t == nil {
		return
	}
	for _, e := range s.store.eventsOf(t) {
		isHanded := handed.is && (handed.to == "" || handed.to == e.aggregate)
		if isHanded || slices.Contains(returned, e.aggregate) {
			found[e] = true
		}
	}
}

// enclosing returns the nodes around a position, innermost first.
func (s *scope) enclosing(n ast.Node) []ast.Node {
	path, _ := astutil.PathEnclosingInterval(s.file, n.Pos(), n.End())
	return path
}
