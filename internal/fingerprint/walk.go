package fingerprint

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
)

// A declaration is one that source declares at the level of a package: a function, a method, a type, or the constants and
// variables of one line.
type declaration struct {
	node ast.Node
	in   *Package
	// implicit is what an iota or a repeated expression of a constant depends on: its place in the group and the text that
	// is repeated.
	implicit string
	objects  []types.Object
}

// A walk collects what roots reach.
type walk struct {
	source   Source
	packages map[*types.Package]*Package
	declared map[types.Object]*declaration
	methods  map[string][]*types.Func   // by name, of every type whose source was read
	assigned map[types.Object]token.Pos // variables that more than their declaration changes, and where
	tracked  *types.Var                 // the only variable whose assignments are noted, if not nil
	changing map[*types.Func]bool       // methods that change their receiver
	queue    []*declaration
	reached  map[*declaration]bool
	whole    map[*Package]bool
	types    map[*types.TypeName]bool // reached, and their source was read
	called   map[string]bool          // names of methods that code outside may call
	callAll  bool                     // code outside may call any method
	outside  map[string]bool          // paths of packages whose identity counts
	refusals []Finding
	warnings []Finding
}

func newWalk(source Source) *walk {
	w := &walk{
		source:   source,
		packages: map[*types.Package]*Package{},
		declared: map[types.Object]*declaration{},
		methods:  map[string][]*types.Func{},
		assigned: map[types.Object]token.Pos{},
		changing: map[*types.Func]bool{},
		reached:  map[*declaration]bool{},
		whole:    map[*Package]bool{},
		types:    map[*types.TypeName]bool{},
		called:   maps.Clone(calledByConvention),
		outside:  map[string]bool{},
	}
	for _, p := range source.Packages {
		w.packages[p.Types] = p
		w.indexDeclarations(p)
	}
	for _, p := range source.Packages {
		w.indexAssignments(p)
	}
	return w
}

// indexDeclarations notes what a package declares.
func (w *walk) indexDeclarations(p *Package) {
	for _, file := range p.Files {
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				object, _ := p.Info.Defs[decl.Name].(*types.Func)
				if object == nil {
					continue
				}
				w.declare(&declaration{node: decl, in: p, objects: []types.Object{object}})
				if object.Signature().Recv() != nil {
					w.methods[object.Name()] = append(w.methods[object.Name()], object)
				}
			case *ast.GenDecl:
				w.indexGroup(p, decl)
			}
		}
	}
}

func (w *walk) declare(d *declaration) {
	for _, object := range d.objects {
		w.declared[object] = d
	}
}

func (w *walk) indexGroup(p *Package, group *ast.GenDecl) {
	repeated := ""
	for i, spec := range group.Specs {
		d := &declaration{node: spec, in: p}
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			d.objects = []types.Object{p.Info.Defs[spec.Name]}
		case *ast.ValueSpec:
			for _, name := range spec.Names {
				d.objects = append(d.objects, p.Info.Defs[name])
			}
			if group.Tok == token.CONST {
				if len(spec.Values) > 0 {
					repeated = declarationText(spec, p.Info)
				}
				d.implicit = fmt.Sprintf("%d %s", i, repeated)
			}
		default:
			continue
		}
		d.objects = slices.DeleteFunc(d.objects, func(o types.Object) bool { return o == nil })
		w.declare(d)
	}
}

// reach adds an object's declaration, if its source was read, or its package.
func (w *walk) reach(object types.Object) {
	if object == nil || object.Pkg() == nil {
		return
	}
	switch o := object.(type) {
	case *types.Func:
		object = o.Origin()
	case *types.Var:
		object = o.Origin()
	}
	if _, ok := w.packages[object.Pkg()]; !ok {
		w.reachOutside(object)
		return
	}
	d := w.declared[object]
	if d == nil || w.reached[d] {
		return
	}
	w.reached[d] = true
	w.queue = append(w.queue, d)
	if d.in.NonGo {
		w.outside[d.in.Types.Path()] = true
		w.reachPackage(d.in)
	}
	if name, ok := object.(*types.TypeName); ok {
		w.types[name] = true
	}
}

// reachPackage adds every declaration of a package.
func (w *walk) reachPackage(p *Package) {
	if w.whole[p] {
		return
	}
	w.whole[p] = true
	for object, d := range w.declared {
		if d.in == p {
			w.reach(object)
		}
	}
}

// run visits what was reached until nothing new is. Methods that code outside may call are added last, for they depend on
// the types and on the calls that were reached.
func (w *walk) run() {
	for {
		for len(w.queue) > 0 {
			d := w.queue[len(w.queue)-1]
			w.queue = w.queue[:len(w.queue)-1]
			w.visit(d)
		}
		for name := range w.types {
			w.reachMethods(name)
		}
		if len(w.queue) == 0 {
			return
		}
	}
}

// reachMethods adds the methods of a reached type that code outside may call.
func (w *walk) reachMethods(name *types.TypeName) {
	named, ok := types.Unalias(name.Type()).(*types.Named)
	if !ok {
		return
	}
	for m := range named.Methods() {
		if w.callAll || w.called[m.Name()] {
			w.reach(m)
		}
	}
}

func (w *walk) visit(d *declaration) {
	for _, object := range d.objects {
		if v, ok := object.(*types.Var); ok {
			if pos, ok := w.assigned[v]; ok {
				w.refuse(pos, "%s is changed here, and what the events come to depends on it; make it a constant, or a function", v.Name())
			}
		}
	}
	v := visitor{w, d.in}
	if f, ok := d.node.(*ast.FuncDecl); ok && f.Body == nil {
		w.reachPackage(d.in) // written in assembly, or linked by name
	}
	ast.Inspect(d.node, v.visit)
}

func (w *walk) refuse(pos token.Pos, format string, args ...any) {
	w.refusals = append(w.refusals, Finding{w.source.Fset.Position(pos), fmt.Sprintf(format, args...)})
}

func (w *walk) warn(pos token.Pos, format string, args ...any) {
	w.warnings = append(w.warnings, Finding{w.source.Fset.Position(pos), fmt.Sprintf(format, args...)})
}

// entries are the texts of all that was reached, in an order that depends on nothing else.
func (w *walk) entries() ([]string, error) {
	var entries []string
	for d := range w.reached {
		names := make([]string, 0, len(d.objects))
		for _, object := range d.objects {
			names = append(names, nameOf(object))
		}
		entries = append(entries, strings.Join(names, " ")+" "+d.implicit+" "+declarationText(d.node, d.in.Info))
	}
	for path := range w.outside {
		identity, err := w.source.Identity(path)
		if err != nil {
			return nil, fmt.Errorf("package %s: %w", path, err)
		}
		entries = append(entries, path+" "+identity)
	}
	slices.Sort(entries)
	return entries, nil
}

func (w *walk) reachedFiles() []string {
	files := map[string]bool{}
	for d := range w.reached {
		files[w.source.Fset.Position(d.node.Pos()).Filename] = true
	}
	return slices.Sorted(maps.Keys(files))
}
