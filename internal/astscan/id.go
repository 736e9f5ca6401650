package astscan

import (
	"go/ast"
	"go/token"
	"go/types"
	"iter"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/internal/model"
)

// findID returns the type by which streams of the state's aggregate are named: the one its mark names, else that of its
// field ID, else string.
func (s *scan) findID(st *state) model.ID {
	if st.mark.id != "" {
		t := s.lookupType(st, st.mark.id)
		if t == nil {
			s.problem(st.mark.pos, "id=%s names no type that the file knows; write a type of package %s, a type of a package the file imports, or string", st.mark.id, st.decl.src.Name)
			return model.ID{}
		}
		return s.judgeID(st, t, st.mark.pos, "id="+st.mark.id)
	}
	obj, _, _ := types.LookupFieldOrMethod(st.named, true, st.decl.src.Types, "ID")
	if field, ok := obj.(*types.Var); ok {
		at := field.Pos()
		if s.Package(field.Pkg().Path()) == nil {
			at = st.decl.obj.Pos()
		}
		return s.judgeID(st, field.Type(), at, "the field ID of "+st.decl.String())
	}
	return model.ID{}
}

// lookupType finds a type by the name that the state's file gives it.
func (s *scan) lookupType(st *state, name string) types.Type {
	scope := st.decl.src.Types.Scope()
	qualifier, base, qualified := strings.Cut(name, ".")
	if qualified {
		imported := s.imported(st.decl, qualifier)
		if imported == nil || !token.IsExported(base) {
			return nil
		}
		scope, name = imported.Scope(), base
	}
	obj := scope.Lookup(name)
	if obj == nil && !qualified {
		if imported := s.dotImported(st.decl, name); imported != nil {
			obj = imported
		} else {
			obj = types.Universe.Lookup(name)
		}
	}
	if obj, ok := obj.(*types.TypeName); ok {
		return obj.Type()
	}
	return nil
}

// imported returns the package that the file of d knows by a name.
func (s *scan) imported(d *typeDecl, name string) *types.Package {
	for pkg, as := range s.fileImports(d) {
		if as == name {
			return pkg
		}
	}
	return nil
}

// dotImported returns what the file of d knows by a name of another package that it imports with a dot, or nil.
func (s *scan) dotImported(d *typeDecl, name string) types.Object {
	for pkg, as := range s.fileImports(d) {
		if obj := pkg.Scope().Lookup(name); as == "." && obj != nil && obj.Exported() {
			return obj
		}
	}
	return nil
}

// fileImports returns the packages that the file of d imports, each with the name it has there.
func (s *scan) fileImports(d *typeDecl) iter.Seq2[*types.Package, string] {
	return func(yield func(*types.Package, string) bool) {
		i := slices.IndexFunc(d.src.Syntax, func(f *ast.File) bool { return f.FileStart <= d.spec.Pos() && d.spec.Pos() < f.FileEnd })
		for _, spec := range d.src.Syntax[i].Imports {
			for _, pkg := range d.src.Types.Imports() {
				name := pkg.Name()
				if spec.Name != nil {
					name = spec.Name.Name
				}
				if pkg.Path() == strings.Trim(spec.Path.Value, "`\"") && !yield(pkg, name) {
					return
				}
			}
		}
	}
}

// judgeID says how a value of type t becomes the string that is stored.
func (s *scan) judgeID(st *state, t types.Type, at token.Pos, what string) model.ID {
	shown := types.TypeString(t, qualifier(st.decl.src.Types))
	form, ok := idForm(t)
	if !ok {
		if what == "id="+shown {
			shown = types.TypeString(t.Underlying(), qualifier(st.decl.src.Types))
		}
		s.problem(at, "%s is %s, which is neither a string nor has a method String() string on the value; give it one, or name another type for the IDs of streams by %v id=..., for instance id=string", what, shown, *st.mark)
		return model.ID{}
	}
	if types.Identical(t, types.Typ[types.String]) {
		return model.ID{}
	}
	obj := typeName(t)
	switch {
	case obj == nil:
		s.problem(at, "%s is %s, which has no name of its own; declare one, such as type %sID = %s, and name it by %v id=%sID", what, shown, st.group.name, shown, *st.mark, st.group.name)
		return model.ID{}
	case !obj.Exported() && obj.Pkg() != nil && !s.mayName(obj.Pkg().Path()):
		s.problem(at, "%s is %s, which is not exported, so the generated code cannot name it; export it", what, shown)
		return model.ID{}
	case obj.Parent() != obj.Pkg().Scope():
		s.problem(at, "%s is %s, which is declared within a function; declare it at package level", what, shown)
		return model.ID{}
	case s.options.Output != "" && !mayImport(s.output.Path, obj.Pkg().Path()):
		s.problem(at, "%s is %s, of package %s, which %s may not import; move it, or declare another name for it in a package that it may", what, shown, obj.Pkg().Path(), s.output.Path)
		return model.ID{}
	}
	id := model.ID{Form: form, Type: model.TypeName{
		Package: model.Package{Path: obj.Pkg().Path(), Name: obj.Pkg().Name()},
		Name:    obj.Name(),
	}}
	if form == model.StringerID {
		id.Stringer = types.TypeString(types.Unalias(t), nil)
		id.Parser = s.findParser(t, obj)
		id.Unmarshals = id.Parser == model.TypeName{} && method(t, "UnmarshalText", true) != nil
	}
	return id
}

// findParser returns the function that makes an ID of its string: ParseOrderID, OrderIDFromString or Parse, beside the type,
// as func(string) (OrderID, error); or nothing, if there is none that the generated code can call.
func (s *scan) findParser(t types.Type, obj *types.TypeName) model.TypeName {
	for _, name := range []string{"Parse" + obj.Name(), obj.Name() + "FromString", "Parse"} {
		fn, ok := obj.Pkg().Scope().Lookup(name).(*types.Func)
		if !ok || fn.Signature().TypeParams().Len() > 0 {
			continue
		}
		params, results := fn.Signature().Params(), fn.Signature().Results()
		if params.Len() == 1 && !fn.Signature().Variadic() && types.Identical(params.At(0).Type(), types.Typ[types.String]) &&
			results.Len() == 2 && types.Identical(results.At(0).Type(), t) && isError(results.At(1).Type()) {
			return model.TypeName{Package: model.Package{Path: fn.Pkg().Path(), Name: fn.Pkg().Name()}, Name: name}
		}
	}
	return model.TypeName{}
}

// idForm says how a value of type t becomes a string.
func idForm(t types.Type) (model.IDForm, bool) {
	if types.Identical(t, types.Typ[types.String]) {
		return model.StringID, true
	}
	if basic, ok := t.Underlying().(*types.Basic); ok && basic.Info()&types.IsString != 0 {
		return model.StringKind, true
	}
	sig := method(t, "String", false)
	if sig != nil && sig.Params().Len() == 0 && sig.Results().Len() == 1 && types.Identical(sig.Results().At(0).Type(), types.Typ[types.String]) {
		return model.StringerID, true
	}
	return 0, false
}

// typeName returns the name of a type that is written without type arguments, or nil.
func typeName(t types.Type) *types.TypeName {
	switch t := t.(type) {
	case *types.Alias:
		if t.TypeArgs().Len() == 0 {
			return t.Obj()
		}
	case *types.Named:
		if t.TypeArgs().Len() == 0 {
			return t.Obj()
		}
	}
	return nil
}

// method returns the signature of the named exported method of t, or nil. Those of *T count if pointer is set.
func method(t types.Type, name string, pointer bool) *types.Signature {
	obj, _, _ := types.LookupFieldOrMethod(t, pointer, nil, name)
	if fn, ok := obj.(*types.Func); ok {
		return fn.Signature()
	}
	return nil
}
