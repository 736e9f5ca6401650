package jsonshape

import (
	"cmp"
	"go/types"
	"reflect"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/internal/model"
)

// A member is a field of a struct, or of one that it embeds, that encoding/json writes.
type member struct {
	tag     tag
	field   *types.Var
	index   []int // of the embedded structs it lies in, and its own
	within  []model.Embedding
	pointer bool // one of those is embedded by pointer
	at      spot
}

// An embedding is a struct whose fields count as those of the struct it is embedded in.
type embedding struct {
	typ     types.Type
	at      spot
	twice   bool // at this depth: its fields cancel each other
	index   []int
	within  []model.Embedding
	pointer bool // it, or one that it is embedded in, is embedded by pointer
}

// members returns the members of a struct's object, and adds the fields that are lost.
func (w *walk) members(t types.Type, at spot) []model.Field {
	members := w.fields(t, at)
	fields := slices.Grow([]model.Field(nil), len(members))
	for _, m := range members {
		w.checkQuoted(m)
		typ := types.Unalias(m.field.Type())
		var s *model.Shape
		if w.source.Opaque(m.field) {
			s = &model.Shape{Kind: model.OpaqueShape, Nullable: true, Go: w.names(typ).goName}
		} else {
			s = w.shape(typ, m.at)
		}
		f := model.Field{
			Name:      m.tag.name,
			Go:        m.field.Name(),
			Within:    m.within,
			Promoted:  isPromoted(t, m),
			OmitEmpty: m.tag.omitEmpty && canBeEmpty(typ),
			OmitZero:  m.tag.omitZero,
			IsZero:    m.tag.omitZero && lookup(typ, isZero, true).ok,
			Nilable:   m.pointer,
			Quoted:    m.tag.quoted && isQuotable(typ) && s.Kind != model.TextShape && s.Kind != model.OpaqueShape,
			Shape:     s,
		}
		f.Optional = f.Nilable || f.OmitZero || f.OmitEmpty
		w.source.Member(&f, m.field, m.at.pos)
		fields = append(fields, f)
	}
	return fields
}

// isPromoted reports whether code selects the field by its name alone, as x.Name.
func isPromoted(t types.Type, m member) bool {
	if len(m.index) == 1 {
		return true
	}
	_, index, _ := types.LookupFieldOrMethod(t, true, m.field.Pkg(), m.field.Name())
	return slices.Equal(index, m.index)
}

// fields returns the fields that encoding/json writes for a type that is a struct, and adds those that it leaves out.
// The rules are those of the function typeFields in encoding/json/encode.go: fields of embedded structs are promoted,
// and of several with one name the least embedded counts, then the tagged one, and if that leaves two, none.
func (w *walk) fields(t types.Type, at spot) []member {
	var found []member
	var visited typeSet
	level := []embedding{{typ: t, at: at}}
	for len(level) > 0 {
		var next []embedding
		for _, outer := range level {
			if !visited.add(outer.typ) {
				continue
			}
			st := outer.typ.Underlying().(*types.Struct)
			found = slices.Grow(found, st.NumFields())
			for i := range st.NumFields() {
				m, inner, isWritten := w.field(st.Field(i), st.Tag(i), outer.at)
				switch {
				case inner != nil:
					inner.index = append(slices.Clone(outer.index), i)
					inner.within = append(slices.Clone(outer.within), model.Embedding{Go: st.Field(i).Name(), Pointer: inner.pointer})
					inner.pointer = inner.pointer || outer.pointer
					next = embed(next, *inner)
				case isWritten:
					m.index, m.within, m.pointer = append(slices.Clone(outer.index), i), outer.within, outer.pointer
					found = append(found, m)
					if outer.twice {
						found = append(found, m)
					}
				}
			}
		}
		level = next
	}
	return w.dominant(found)
}

// embed adds an embedded struct to a level, once.
func embed(level []embedding, e embedding) []embedding {
	for i := range level {
		if types.Identical(level[i].typ, e.typ) {
			level[i].twice = true
			return level
		}
	}
	return append(level, e)
}

// field judges one field: it is written, or embedded and its own fields are, or neither, which is a loss unless the
// field's tag says so.
func (w *walk) field(v *types.Var, structTag string, within spot) (m member, inner *embedding, isWritten bool) {
	at := w.enter(within, v)
	text := reflect.StructTag(structTag).Get("json")
	if v.Name() == "_" {
		return m, nil, false
	}
	if text == "-" {
		if w.isNew(Loss{Place: at.place(), Why: text}) {
			w.reading.Omitted = append(w.reading.Omitted, Omission{Place: at.place(), Type: v.Type()})
		}
		return m, nil, false
	}
	t := types.Unalias(v.Type())
	p, pointer := t.(*types.Pointer)
	if pointer {
		t = types.Unalias(p.Elem())
	}
	_, isStruct := t.Underlying().(*types.Struct)
	isStruct = isStruct && v.Embedded()
	switch {
	case !v.Exported() && !isStruct && !within.muted:
		at.muted = false
		w.loseHidden(at, within)
		return m, nil, false
	case !v.Exported() && !isStruct:
		return m, nil, false
	case !v.Exported() && pointer:
		w.lose(at, "is an embedded pointer to a struct that is not exported, which encoding/json cannot set; embed the struct itself, or export it")
		return m, nil, false
	}
	tag, differs := parseTag(text)
	if differs != "" {
		w.lose(at, "%s", differs)
	}
	if isStruct && tag.name == "" {
		at.inMap = at.inMap && !pointer
		return m, &embedding{typ: t, at: w.inside(t, at), pointer: pointer}, false
	}
	if !v.Exported() && (marshals(t) || tag.omitZero && lookup(t, isZero, true).ok) {
		w.lose(at, "is of a type that is not exported, and its methods count because its tag gives it a name; encoding/json cannot call them: export it, or leave the name out of the tag")
		return m, nil, false
	}
	if tag.name == "" {
		tag.name = v.Name()
	}
	return member{tag: tag, field: v, at: at}, nil, true
}

// loseHidden adds a field that is not exported; of a type that the user cannot change, only the first.
func (w *walk) loseHidden(at, within spot) {
	const loss = "is not exported, so encoding/json leaves it out and it would be lost; "
	switch {
	case !within.fixed:
		w.loseOmittable(at, loss+"export it")
	case !w.hidden[within.path]:
		if w.hidden == nil {
			w.hidden = map[string]bool{}
		}
		w.hidden[within.path] = true
		elements, _, _ := strings.Cut(within.path[len(at.owned):], ".")
		w.loseOmittable(at, loss+"wrap %s in a type that has MarshalJSON and UnmarshalJSON", at.owned+elements)
	}
}

// checkQuoted finds the option string on a type that marshals itself: encoding/json leaves it out of account when it
// writes, and then refuses to read what it wrote.
func (w *walk) checkQuoted(m member) {
	t := types.Unalias(m.field.Type())
	if !m.tag.quoted || !isQuotable(t) {
		return
	}
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if marshals(t) {
		w.lose(m.at, "has the option string in its tag, but its type %s marshals itself, and encoding/json cannot read what it then writes; remove the option", w.shown(t))
	}
}

// dominant returns the fields that are written, in the order they are written in, and adds those that another of the same
// name hides.
func (w *walk) dominant(found []member) []member {
	inOrder := func(a, b member) int { return slices.Compare(a.index, b.index) }
	if !haveRivals(found) { // as in most structs
		slices.SortFunc(found, inOrder)
		return found
	}
	byName := map[string][]member{}
	for _, m := range found {
		byName[m.tag.name] = append(byName[m.tag.name], m)
	}
	var written []member
	for _, m := range found {
		rivals := byName[m.tag.name]
		delete(byName, m.tag.name)
		if len(rivals) == 1 {
			written = append(written, m)
		}
		if len(rivals) < 2 {
			continue
		}
		slices.SortStableFunc(rivals, func(a, b member) int {
			return cmp.Or(cmp.Compare(len(a.index), len(b.index)), untaggedLast(a, b))
		})
		first, second := rivals[0], rivals[1]
		switch {
		case len(first.index) != len(second.index) || first.tag.named != second.tag.named:
			written = append(written, first)
			for _, hidden := range rivals[1:] {
				w.lose(hidden.at, "is hidden by %s, for both are %q in JSON, and would be lost; give one of them another name by a json tag", first.at.path, m.tag.name)
			}
		case first.at.path == second.at.path:
			w.lose(first.at, "comes in twice by embedding, so encoding/json leaves it out; embed its struct once")
		default:
			w.lose(second.at, "and %s are both %q in JSON, so encoding/json leaves out both; give one of them another name by a json tag", first.at.path, m.tag.name)
		}
	}
	slices.SortFunc(written, inOrder)
	return written
}

// haveRivals reports whether two fields have one name.
func haveRivals(found []member) bool {
	for i := range found {
		for j := range i {
			if found[i].tag.name == found[j].tag.name {
				return true
			}
		}
	}
	return false
}

// untaggedLast orders members whose tags name them before others.
func untaggedLast(a, b member) int {
	switch {
	case a.tag.named == b.tag.named:
		return 0
	case a.tag.named:
		return -1
	}
	return 1
}

// canBeEmpty reports whether the option omitempty has an effect on a type; see isEmptyValue in encoding/json/encode.go.
func canBeEmpty(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Struct:
		return false
	case *types.Array:
		return u.Len() == 0
	}
	return true
}

// isQuotable reports whether the option string has an effect on a type.
func isQuotable(t types.Type) bool {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	basic, ok := t.Underlying().(*types.Basic)
	return ok && basic.Info()&(types.IsBoolean|types.IsNumeric|types.IsString) != 0
}
