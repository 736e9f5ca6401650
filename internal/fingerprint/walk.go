package fingerprint

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"go/version"
	"maps"
	"slices"
	"strings"
)

// A walk collects what roots reach.
type walk struct {
	*Code
	queue    []*declaration
	reached  map[*declaration]bool
	whole    map[*Package]bool
	types    map[*types.TypeName]bool // reached, and their source was read
	called   map[string]bool          // names of methods that code outside may call
	dynamic  map[string]bool          // names of methods that are called through interfaces
	settled  map[*ast.Ident]bool      // what differs in order or zone only, where that does not matter
	callAll  bool                     // code outside may call any method
	outside  map[string]bool          // paths of packages whose identity counts
	refusals []Finding
	warnings []Finding
}

func newWalk(c *Code) *walk {
	return &walk{
		Code:    c,
		reached: map[*declaration]bool{},
		whole:   map[*Package]bool{},
		types:   map[*types.TypeName]bool{},
		called:  maps.Clone(calledByConvention),
		outside: map[string]bool{},
		dynamic: map[string]bool{},
		settled: map[*ast.Ident]bool{},
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
	for _, d := range w.within[p] {
		for _, object := range d.objects {
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
			w.checkChanged(v)
		}
	}
	w.checkLinked(d)
	v := visitor{w, d.in}
	if f, ok := d.node.(*ast.FuncDecl); ok && f.Body == nil {
		w.reachPackage(d.in) // written in assembly, or linked by name
	}
	ast.Inspect(d.node, v.visit)
}

// checkChanged refuses a package's variable that something changes while the program runs.
func (w *walk) checkChanged(v *types.Var) {
	change := w.changes().of(v)
	switch {
	case change == nil:
	case change.handed:
		w.refuse(change.pos, "%s is handed on here to code that may change it, and what the events come to depends on it; "+
			"make it a constant, or a function that returns a new one", v.Name())
	default:
		w.refuse(change.pos, "%s is changed here, and what the events come to depends on it; make it a constant, or a function", v.Name())
	}
}

// checkLinked refuses a variable, and a function without a body, that a directive of the compiler gives to other code: what that
// is, and who changes it, is not seen.
func (w *walk) checkLinked(d *declaration) {
	if f, ok := d.node.(*ast.FuncDecl); ok && f.Body != nil {
		return
	}
	for _, group := range d.file.Comments {
		for _, comment := range group.List {
			if !strings.HasPrefix(comment.Text, "//go:linkname") {
				continue // as nearly all comments are
			}
			fields := strings.Fields(comment.Text)
			if len(fields) < 2 || fields[0] != "//go:linkname" {
				continue
			}
			for _, object := range d.objects {
				if object.Name() == fields[1] {
					w.refuse(comment.Pos(), "%s is linked by its name to code that is not seen here, and what the events come to depends on it; "+
						"write that code in Go", object.Name())
				}
			}
		}
	}
}

func (w *walk) refuse(pos token.Pos, format string, args ...any) {
	w.refusals = append(w.refusals, Finding{w.source.Fset.Position(pos), fmt.Sprintf(format, args...)})
}

func (w *walk) warn(pos token.Pos, format string, args ...any) {
	w.warnings = append(w.warnings, Finding{w.source.Fset.Position(pos), fmt.Sprintf(format, args...)})
}

// entries are the texts of all that was reached, in an order that depends on nothing else.
func (w *walk) entries() ([][]byte, error) {
	entries := make([][]byte, 0, len(w.reached)+len(w.outside))
	for d := range w.reached {
		entries = append(entries, d.text())
	}
	for path := range w.outside {
		identity, err := w.source.Identity(path)
		if err != nil {
			return nil, fmt.Errorf("package %s: %w", path, err)
		}
		entries = append(entries, []byte(path+" "+identity))
	}
	slices.SortFunc(entries, bytes.Compare)
	return entries, nil
}

// describe returns the text that stands for a declaration.
func (d *declaration) describe() []byte {
	const enough = 10 // bytes of text for one of the source
	var b bytes.Buffer
	b.Grow(enough * int(d.node.End()-d.node.Pos()))
	for i, object := range d.objects {
		if i > 0 {
			b.WriteByte(' ')
		}
		writeName(&b, object)
	}
	b.WriteString(" " + d.implicit + d.language() + " ")
	writeDeclaration(&b, d.node, d.in.Info)
	return b.Bytes()
}

// language names the version of the language that the declaration is written in, where that decides what its code does: loops
// before go1.22 share their variables between iterations.
func (d *declaration) language() string {
	if release := d.in.Info.FileVersions[d.file]; release != "" && version.Compare(release, "go1.22") < 0 {
		return " before go1.22"
	}
	return ""
}

func (w *walk) reachedFiles() []string {
	files := map[string]bool{}
	for d := range w.reached {
		files[w.source.Fset.File(d.node.Pos()).Name()] = true // to be read: line directives lead elsewhere
		for _, other := range d.in.Others {
			files[other] = true
		}
	}
	return slices.Sorted(maps.Keys(files))
}
