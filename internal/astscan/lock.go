package astscan

import (
	"go/token"
	"go/types"
	"slices"

	"github.com/eventmap/eventmap/internal/jsonshape"
)

// locks are the fields by which a type holds locks: the innermost that the user wrote.
type locks []jsonshape.Place

// locks returns those of an event or a state, which generated code copies.
func (p payloadReader) locks(obj *types.TypeName) locks {
	var found locks
	var within func(t types.Type, path string)
	within = func(t types.Type, path string) {
		st, isStruct := t.Underlying().(*types.Struct)
		for i := 0; isStruct && i < st.NumFields(); i++ {
			field := st.Field(i)
			at := path + "." + field.Name()
			switch {
			case !holdsLock(field.Type()):
			case p.declares(field.Type()):
				within(field.Type(), at)
			default:
				found = append(found, jsonshape.Place{Path: at, Pos: field.Pos()})
			}
		}
	}
	within(obj.Type(), obj.Name())
	return found
}

// declares reports whether the user wrote the fields of a type, for this type alone.
func (p payloadReader) declares(t types.Type) bool {
	switch t := types.Unalias(t).(type) {
	case *types.Struct:
		return true
	case *types.Named:
		return p.owns(t.Obj()) && t.TypeArgs().Len() == 0
	}
	return false
}

func (l locks) at(pos token.Pos) bool {
	return slices.ContainsFunc(l, func(place jsonshape.Place) bool { return place.Pos == pos })
}

// holdsLock reports whether a value of type t must not be copied, by the rule of go vet: it holds something that is
// locked by pointer.
func holdsLock(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Array:
		return holdsLock(u.Elem())
	case *types.Struct:
		if method(t, "Lock", true) != nil && method(t, "Unlock", true) != nil && method(t, "Lock", false) == nil {
			return true
		}
		for field := range u.Fields() {
			if holdsLock(field.Type()) {
				return true
			}
		}
	}
	return false
}
