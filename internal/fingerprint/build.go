package fingerprint

import (
	"go/ast"
	"go/build"
	"go/build/constraint"
	"go/types"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// checkBuilds refuses what another build of the same source may have otherwise: it would have the same fingerprint and come to
// another state.
func (w *walk) checkBuilds() {
	constrained := map[*ast.File]*declaration{} // with the first declaration in it that was reached
	for d := range w.reached {
		if first := constrained[d.file]; first == nil || d.node.Pos() < first.node.Pos() {
			constrained[d.file] = d
		}
	}
	for file, d := range constrained {
		if c := w.constraintOf(file); c != "" {
			w.refuse(d.node.Pos(), "%s is in a file that is not part of every build (%s), and another build may fold events otherwise; "+
				"move it to a file that is part of all of them", d.objects[0].Name(), c)
		}
	}
	for _, p := range w.source.Packages {
		for _, file := range p.Excluded {
			w.checkExcluded(p, file)
		}
	}
}

// constraintOf tells what keeps a file out of some builds, or nothing. That it needs a release of Go at least is no matter, for
// the release counts.
func (w *walk) constraintOf(file *ast.File) string {
	for _, group := range file.Comments {
		for _, comment := range group.List {
			if comment.Pos() > file.Package || !constraint.IsGoBuild(comment.Text) {
				continue
			}
			if expr, err := constraint.Parse(comment.Text); err == nil && !isOfReleases(expr) {
				return comment.Text
			}
		}
	}
	name := filepath.Base(w.source.Fset.File(file.Package).Name())
	if strings.HasSuffix(name, ".cgo1.go") || slices.ContainsFunc(file.Imports, func(spec *ast.ImportSpec) bool { return spec.Path.Value == `"C"` }) {
		return "it uses cgo"
	}
	if !strings.Contains(name, "_") {
		return ""
	}
	nowhere := build.Context{Compiler: "gc", OpenFile: func(string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("package p\n")), nil
	}}
	if everywhere, err := nowhere.MatchFile(".", name); err == nil && !everywhere {
		return "its name ends in a system or an architecture"
	}
	return ""
}

// isOfReleases reports whether a constraint asks for releases of Go and nothing else.
func isOfReleases(expr constraint.Expr) bool {
	all := true
	expr.Eval(func(tag string) bool {
		all = all && strings.HasPrefix(tag, "go1.")
		return true
	})
	expr.Eval(func(tag string) bool {
		all = all && strings.HasPrefix(tag, "go1.")
		return false
	})
	return all
}

// checkExcluded refuses a file which this build leaves out if it holds what the fold would reach.
func (w *walk) checkExcluded(p *Package, file *ast.File) {
	names := w.reachedNames(p)
	said := map[string]bool{}
	refuse := func(at ast.Node, name string) {
		if said[name] {
			return
		}
		said[name] = true
		w.refuse(at.Pos(), "%s is here in a file that this build leaves out, and a build with it may fold events otherwise; "+
			"move it to a file that is part of all of them, or give it another name", name)
	}
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			switch {
			case decl.Recv == nil && (names[decl.Name.Name] != nil || w.whole[p] && decl.Name.Name != "_"):
				refuse(decl, decl.Name.Name)
			case decl.Recv != nil && (w.dynamic[decl.Name.Name] || w.callAll && w.whole[p] || names[receiverName(decl)] != nil):
				refuse(decl, decl.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				for _, name := range specNames(spec) {
					if names[name.Name] != nil {
						refuse(name, name.Name)
					}
				}
			}
		}
	}
	w.checkExcludedUses(p, file, names, refuse)
}

// checkExcludedUses refuses a file that may change a variable which was reached.
func (w *walk) checkExcludedUses(p *Package, file *ast.File, names map[string]types.Object, refuse func(ast.Node, string)) {
	exported := map[string]bool{} // with the name of the package that the file imports
	for _, spec := range file.Imports {
		path := strings.Trim(spec.Path.Value, "`\"")
		for _, other := range w.source.Packages {
			if other.Types.Path() != path {
				continue
			}
			as := other.Types.Name()
			if spec.Name != nil {
				as = strings.TrimPrefix(spec.Name.Name, ".")
			}
			for name, object := range w.reachedNames(other) {
				if mayChange(object) {
					exported[as+"."+name] = true
				}
			}
		}
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.SelectorExpr:
			x, ok := node.X.(*ast.Ident)
			if ok && exported[x.Name+"."+node.Sel.Name] {
				refuse(node, node.Sel.Name)
			}
			if ok && names[x.Name] != nil && mayChange(names[x.Name]) {
				refuse(x, x.Name)
			}
			return !ok
		case *ast.Ident:
			if object := names[node.Name]; object != nil && mayChange(object) || exported["."+node.Name] {
				refuse(node, node.Name)
			}
		}
		return true
	})
}

// mayChange reports whether an object is a variable that code which mentions it is likely to change. Errors are returned.
func mayChange(object types.Object) bool {
	v, ok := object.(*types.Var)
	return ok && !types.Identical(v.Type(), types.Universe.Lookup("error").Type())
}

// reachedNames returns what was reached of a package, but for methods, by name.
func (w *walk) reachedNames(p *Package) map[string]types.Object {
	names := map[string]types.Object{}
	for _, d := range w.within[p] {
		if !w.reached[d] {
			continue
		}
		for _, object := range d.objects {
			if f, ok := object.(*types.Func); !ok || f.Signature().Recv() == nil {
				names[object.Name()] = object
			}
		}
	}
	maps.DeleteFunc(names, func(name string, _ types.Object) bool { return name == "_" || name == "init" })
	return names
}

func receiverName(decl *ast.FuncDecl) string {
	t := decl.Recv.List[0].Type
	for {
		switch of := t.(type) {
		case *ast.StarExpr:
			t = of.X
		case *ast.ParenExpr:
			t = of.X
		case *ast.IndexExpr:
			t = of.X
		case *ast.IndexListExpr:
			t = of.X
		case *ast.Ident:
			return of.Name
		default:
			return ""
		}
	}
}

func specNames(spec ast.Spec) []*ast.Ident {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		return []*ast.Ident{spec.Name}
	case *ast.ValueSpec:
		return spec.Names
	}
	return nil
}
