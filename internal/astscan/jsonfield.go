package astscan

import (
	"cmp"
	"go/types"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/tools/go/types/typeutil"
)

// A jsonField is a field of a struct, or of one that it embeds, that encoding/json writes.
type jsonField struct {
	name    string // in JSON
	tagged  bool   // by its tag
	options string // of its tag: what follows the name
	depth   int    // of embedding
	index   []int  // of the embedded structs it lies in, and its own
	pointer bool   // one of those is embedded by pointer
	v       *types.Var
	at      spot
}

// An embedding is a struct whose fields count as those of the struct it is embedded in.
type embedding struct {
	typ     types.Type
	at      spot
	twice   bool // at this depth: its fields cancel each other
	index   []int
	pointer bool // it, or one that it is embedded in, is embedded by pointer
}

// fields returns the fields that encoding/json writes for a type that is a struct, and reports those that it leaves out.
// The rules are those of the function typeFields in encoding/json/encode.go: fields of embedded structs are promoted,
// and of several with one name the least embedded counts, then the tagged one, and if that leaves two, none.
func (c *payloadCheck) fields(t types.Type, at spot) []jsonField {
	var found []jsonField
	var visited typeutil.Map
	level := []embedding{{typ: t, at: at}}
	for depth := 0; len(level) > 0; depth++ {
		var next []embedding
		for _, within := range level {
			if visited.Set(within.typ, true) != nil {
				continue
			}
			st := within.typ.Underlying().(*types.Struct)
			for i := range st.NumFields() {
				f, embedded := c.field(st.Field(i), st.Tag(i), within.at)
				index := append(slices.Clone(within.index), i)
				switch {
				case embedded != nil:
					embedded.index = index
					embedded.pointer = embedded.pointer || within.pointer
					next = embed(next, *embedded)
				case f != nil:
					f.depth, f.index, f.pointer = depth, index, within.pointer
					found = append(found, *f)
					if within.twice {
						found = append(found, *f)
					}
				}
			}
		}
		level = next
	}
	return c.dominant(found)
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

// field judges one field: it is written, or embedded and its own fields are, or neither, which is reported unless the
// field's tag says so.
func (c *payloadCheck) field(v *types.Var, tag string, within spot) (*jsonField, *embedding) {
	at := c.enter(within, v)
	name := reflect.StructTag(tag).Get("json")
	if v.Name() == "_" {
		return nil, nil
	}
	if name == "-" {
		if holdsLock(v.Type()) {
			c.report(at, "holds a lock, and generated code copies events; keep locks out of events")
		}
		if !c.silent && !at.again {
			c.note(at.pos, "%s is not stored: its tag says so", at.path)
		}
		return nil, nil
	}
	t := types.Unalias(v.Type())
	p, pointer := t.(*types.Pointer)
	if pointer {
		t = types.Unalias(p.Elem())
	}
	_, isStruct := t.Underlying().(*types.Struct)
	isStruct = isStruct && v.Embedded()
	switch {
	case !v.Exported() && !isStruct:
		c.reportLost(at, within)
		return nil, nil
	case !v.Exported() && pointer:
		c.report(at, "is an embedded pointer to a struct that is not exported, which encoding/json cannot set; embed the struct itself, or export it")
		return nil, nil
	}
	name, options, _ := strings.Cut(name, ",")
	if !validTag(name) {
		name = ""
	}
	if isStruct && name == "" {
		at.inMap = at.inMap && !pointer
		at.foreign = c.isForeign(t)
		return nil, &embedding{typ: t, at: at, pointer: pointer}
	}
	f := &jsonField{name: name, tagged: name != "", options: options, v: v, at: at}
	if !f.tagged {
		f.name = v.Name()
	}
	return f, nil
}

// reportLost reports a field that is not exported; of a type that the user cannot change, only the first.
func (c *payloadCheck) reportLost(at, within spot) {
	const loss = "is not exported, so encoding/json leaves it out and it would be lost; "
	switch {
	case !at.foreign:
		c.report(at, loss+"export it, or tag it `json:\"-\"` if it need not be stored")
	case !c.lost[within.path]:
		c.lost[within.path] = true
		c.report(at, loss+"wrap %s in a type that has MarshalJSON and UnmarshalJSON, or tag it `json:\"-\"` if it need not be stored", within.path)
	}
}

// checkQuoted reports the option string on a type that marshals itself: encoding/json leaves it out of account when it
// writes, and then refuses to read what it wrote.
func (c *payloadCheck) checkQuoted(f jsonField) {
	t := types.Unalias(f.v.Type())
	if !f.has("string") || !isQuotable(t) {
		return
	}
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	json, _ := lookupMarshaler(t, marshalJSON, true)
	text, _ := lookupMarshaler(t, marshalText, true)
	if json || text {
		c.report(f.at, "has the option string in its tag, but its type %s marshals itself, and encoding/json cannot read what it then writes; remove the option", c.shown(t))
	}
}

// has reports whether the field's tag has an option.
func (f *jsonField) has(option string) bool {
	return slices.Contains(strings.Split(f.options, ","), option)
}

// enter returns the place of a field.
func (c *payloadCheck) enter(within spot, v *types.Var) spot {
	at := within
	at.path += "." + v.Name()
	if !at.foreign && c.byPath[v.Pkg().Path()] != nil {
		at.pos = v.Pos()
	}
	return at
}

// dominant returns the fields that are written, in the order they are written in, and reports those that another of the
// same name hides.
func (c *payloadCheck) dominant(found []jsonField) []jsonField {
	byName := map[string][]jsonField{}
	for _, f := range found {
		byName[f.name] = append(byName[f.name], f)
	}
	var written []jsonField
	for _, f := range found {
		rivals := byName[f.name]
		delete(byName, f.name)
		if len(rivals) == 1 {
			written = append(written, f)
		}
		if len(rivals) < 2 {
			continue
		}
		slices.SortStableFunc(rivals, func(a, b jsonField) int {
			return cmp.Or(cmp.Compare(a.depth, b.depth), compareBool(b.tagged, a.tagged))
		})
		first, second := rivals[0], rivals[1]
		switch {
		case first.depth != second.depth || first.tagged != second.tagged:
			written = append(written, first)
			for _, hidden := range rivals[1:] {
				c.report(hidden.at, "is hidden by %s, for both are %q in JSON, and would be lost; give one of them another name by a json tag", first.at.path, f.name)
			}
		case first.at.path == second.at.path:
			c.report(first.at, "comes in twice by embedding, so encoding/json leaves it out; embed its struct once")
		default:
			c.report(second.at, "and %s are both %q in JSON, so encoding/json leaves out both; give one of them another name by a json tag", first.at.path, f.name)
		}
	}
	slices.SortFunc(written, func(a, b jsonField) int { return slices.Compare(a.index, b.index) })
	return written
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

// compareBool orders false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// validTag reports whether encoding/json takes a name from a tag.
func validTag(name string) bool {
	for _, r := range name {
		if !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", r) && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return false
		}
	}
	return name != ""
}
