package astscan

import "go/types"

// usedAsFields returns the structs of the sources that another struct of theirs has as a field, each with one that
// does: directly, embedded, by pointer, in a slice, array or map, or as a type argument. By convention these are the
// values that events are made of. Functions, channels and interfaces that speak of a struct do not hold it, and what the
// output package holds of others' structs was written for events that are there.
func (s *scan) usedAsFields(decls *declarations) map[*types.TypeName]*typeDecl {
	used := map[*types.TypeName]*typeDecl{}
	for _, src := range decls.sources {
		for _, d := range src.types {
			st := d.structType()
			if st == nil || d.obj.IsAlias() {
				continue
			}
			w := fieldWalk{decls: decls, seen: map[types.Type]bool{}, found: func(obj *types.TypeName) {
				if obj == d.obj || src.Path == s.output.Path && obj.Pkg() != d.obj.Pkg() {
					return
				}
				if first := used[obj]; first == nil || s.ByPosition(d.obj.Pos(), first.obj.Pos()) < 0 {
					used[obj] = d
				}
			}}
			for field := range st.Fields() {
				w.walk(field.Type())
			}
		}
	}
	return used
}

// A fieldWalk goes through the type of a field, down to the structs of the sources.
type fieldWalk struct {
	decls *declarations
	seen  map[types.Type]bool
	found func(*types.TypeName)
}

func (w *fieldWalk) walk(t types.Type) {
	t = types.Unalias(t)
	if w.seen[t] {
		return
	}
	w.seen[t] = true
	switch t := t.(type) {
	case *types.Pointer:
		w.walk(t.Elem())
	case *types.Slice:
		w.walk(t.Elem())
	case *types.Array:
		w.walk(t.Elem())
	case *types.Map:
		w.walk(t.Key())
		w.walk(t.Elem())
	case *types.Struct:
		for field := range t.Fields() {
			w.walk(field.Type())
		}
	case *types.Named:
		for arg := range t.TypeArgs().Types() {
			w.walk(arg)
		}
		if w.decls.types[t.Obj()] == nil {
			return // another's type: what it holds is not used by a struct of ours
		}
		if _, ok := t.Underlying().(*types.Struct); ok {
			w.found(t.Obj())
		} else {
			w.walk(t.Underlying())
		}
	}
}
