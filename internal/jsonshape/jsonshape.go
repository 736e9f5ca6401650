// Package jsonshape says what encoding/json makes of Go types: the JSON that it writes for a type and reads back into it,
// and what is lost on the way.
//
// It knows go/types and no syntax, no packages and no output. What it says holds for encoding/json of Go 1.26 and of Go
// 1.27, whose engines differ: where they would store a value differently, that is a [Loss] too.
package jsonshape

import (
	"fmt"
	"go/token"
	"go/types"
	"slices"

	"github.com/eventmap/eventmap/internal/model"
)

// A Source is what is known about the source code of types. Its functions may be nil.
type Source struct {
	Fset *token.FileSet
	// Owns reports whether the user can change the declaration of a type or of a field. A loss is reported at the innermost
	// field around it that the user owns.
	Owns func(types.Object) bool
	// Member completes a member of an object by what the source says about its field. at is the field, or the innermost one
	// around it that the user owns.
	Member func(m *model.Field, field *types.Var, at token.Pos)
	// Opaque reports whether a field's JSON is nobody's business: it is stored as it is, and what of it is lost is not told. Of
	// an embedded struct, this goes for its fields, which are written with those around it.
	Opaque func(field *types.Var) bool
	// Values returns values of a type whose methods may refuse others.
	Values func(*types.Named) []model.TypeName
}

// A Reader reads types of one source.
type Reader struct {
	source    Source
	named     map[types.Type]*names
	constants map[*types.TypeName][]model.Constant
	marked    map[types.Type]string // what marks has found out
}

// NewReader returns a reader. It must not be used by several goroutines at a time.
func NewReader(s Source) *Reader {
	if s.Owns == nil {
		s.Owns = func(types.Object) bool { return false }
	}
	if s.Member == nil {
		s.Member = func(*model.Field, *types.Var, token.Pos) {}
	}
	if s.Opaque == nil {
		s.Opaque = func(*types.Var) bool { return false }
	}
	if s.Values == nil {
		s.Values = func(*types.Named) []model.TypeName { return nil }
	}
	return &Reader{source: s, named: map[types.Type]*names{}, constants: map[*types.TypeName][]model.Constant{}, marked: map[types.Type]string{}}
}

// A Reading is what encoding/json makes of a type.
type Reading struct {
	// Shape is the JSON of the type. Where there are losses, it says nothing about the parts that are lost.
	Shape *model.Shape
	// Losses are the parts of a value that would not come back as they went out.
	Losses []Loss
	// Omitted are the fields that are not stored because their tags say so.
	Omitted []Omission
	// Types are the named types that the type is made of, itself included.
	Types []*types.TypeName
}

// A Place is a part of a type.
type Place struct {
	Path string    // such as Placed.Items[].Price
	Pos  token.Pos // of the innermost field on the way that the user owns, or of the type
	// Within identifies the innermost named type around the place, and Rest is what of the path leads on from there. Places
	// that agree in both are one declaration, met on several ways.
	Within, Rest string
}

// A Loss is a part of a type that would not come back from JSON as it went out.
type Loss struct {
	Place
	Why string // what is wrong, and what to do about it, without a subject: "is of type chan int, which ..."
	// Omittable says that a tag `json:"-"` is a remedy too, where the part need not be stored.
	Omittable bool
	// Invalid is the declared type around a part that does not compile, or nil.
	Invalid *types.TypeName
}

// An Omission is a field whose tag keeps it out of JSON.
type Omission struct {
	Place
	Type types.Type
}

// Read returns what encoding/json makes of a declared type. Places begin with its name.
func (r *Reader) Read(decl *types.TypeName) Reading {
	w := walk{Reader: r, decl: decl}
	w.reading.Shape = w.shape(decl.Type(), spot{path: decl.Name(), pos: decl.Pos()})
	if w.reading.Shape.Kind == model.ObjectShape {
		w.reading.Shape.Fingerprint = r.fingerprint(decl.Type())
	}
	return w.reading
}

// A walk goes through one type as encoding/json does.
type walk struct {
	*Reader
	decl    *types.TypeName
	reading Reading

	spelled  typeSet // named types whose shapes begin further up, or that contain a reference
	inMap    typeSet // those of them that a map holds
	refs     int     // references made so far
	reported map[Loss]bool
	hidden   map[string]bool // paths of types of others with a field that is not exported
}

// A spot is where a walk is.
type spot struct {
	path    string
	pos     token.Pos
	inMap   bool            // it is a map's value, which has no address
	muted   bool            // it is opaque: losses are not told
	foreign bool            // the fields from here on are no place to report a loss at: pos stays
	fixed   bool            // the user cannot change the fields from here on
	owned   string          // the path of the innermost field that the user owns
	decl    *types.TypeName // the innermost named type around it, or nil
	within  string          // what identifies that type
	start   int             // where in path it begins
}

// place returns the spot for others.
func (at spot) place() Place {
	return Place{Path: at.path, Pos: at.pos, Within: at.within, Rest: at.path[at.start:]}
}

// enter returns the spot of a field.
func (w *walk) enter(within spot, field *types.Var) spot {
	at := within
	at.path += "." + field.Name()
	at.muted = at.muted || w.source.Opaque(field)
	if !at.foreign && w.source.Owns(field) {
		at.pos, at.owned = field.Pos(), at.path
	}
	return at
}

// inside returns the spot of the fields of a type. Those of a generic type are no place to report a loss at: they stand for
// fields of many types.
func (w *walk) inside(t types.Type, at spot) spot {
	named, ok := t.(*types.Named)
	at.fixed = ok && !w.source.Owns(named.Obj())
	at.foreign = at.fixed || ok && named.TypeArgs().Len() > 0
	return at
}

// lose adds a loss, once for each declaration.
func (w *walk) lose(at spot, format string, args ...any) {
	if !at.muted {
		w.addLoss(Loss{Place: at.place(), Why: fmt.Sprintf(format, args...)})
	}
}

// loseOmittable adds the loss of a part that the user may want to leave out of JSON.
func (w *walk) loseOmittable(at spot, format string, args ...any) {
	if !at.muted {
		w.addLoss(Loss{Place: at.place(), Why: fmt.Sprintf(format, args...), Omittable: true})
	}
}

func (w *walk) addLoss(l Loss) {
	if w.isNew(l) {
		w.reading.Losses = append(w.reading.Losses, l)
	}
}

// isNew reports whether the loss was not met before, on whatever way.
func (w *walk) isNew(l Loss) bool {
	l.Path, l.Pos = "", token.NoPos
	if w.reported[l] {
		return false
	}
	if w.reported == nil {
		w.reported = map[Loss]bool{}
	}
	w.reported[l] = true
	return true
}

// shown returns a type as the package of the type that is read names it.
func (w *walk) shown(t types.Type) string {
	return typeString(t, func(other *types.Package) string {
		if other == w.decl.Pkg() {
			return ""
		}
		return other.Name()
	})
}

// which begins what is to be said of a type: for the one that is read, it goes without saying which that is.
func (w *walk) which(t types.Type) string {
	if types.Identical(t, w.decl.Type()) {
		return ""
	}
	return "is of type " + w.shown(t) + ", which "
}

// A typeSet is a set of a few types, in the order in which they were added.
type typeSet []types.Type

func (s typeSet) has(t types.Type) bool {
	return slices.ContainsFunc(s, func(other types.Type) bool { return types.Identical(t, other) })
}

// add adds a type, and reports whether it was not there.
func (s *typeSet) add(t types.Type) bool {
	if s.has(t) {
		return false
	}
	*s = append(*s, t)
	return true
}

func isPointer(t types.Type) bool {
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}

// isString reports whether t is a kind of string.
func isString(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsString != 0
}
