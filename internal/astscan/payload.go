package astscan

import (
	"fmt"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/types/typeutil"
)

// A payloadCheck goes through what events hold, as encoding/json does, and reports what would not come back as it went
// out. Each named type is gone through once, for the first event that holds it, and once more where a map holds it: what
// lies in a map has no address.
type payloadCheck struct {
	*scan
	seen  typeutil.Map    // of named types
	inMap typeutil.Map    // of those that a map holds
	lost  map[string]bool // the paths of which a field was reported that the user cannot change
	event *event
	found []loss
	// silent: nothing is reported or noted, for it is only asked which fields there are
	silent bool
}

// A spot is a place within an event.
type spot struct {
	path    string    // such as Placed.Items[].Price
	pos     token.Pos // of the innermost field on the way that the user wrote
	inMap   bool      // it is a map's value, which has no address
	again   bool      // all but what that means was looked at before
	foreign bool      // fields from here on are declared elsewhere or for several types: pos stays
	broken  bool      // the declaration it is in does not compile, and that is reported
	owner   string    // the path of the package that declares the innermost field
}

// A loss is a part of an event that would not come back.
type loss struct {
	event *event
	path  string
	pos   token.Pos
	why   string
}

// checkPayloads reports every part of an event that JSON cannot hold, each at the field that is to blame.
func (s *scan) checkPayloads() {
	if len(s.losses(s.events)) == 0 {
		return
	}
	// Several events may hold the same type, and each wants to be named: they are gone through one by one.
	var order []loss
	holders := map[loss][]loss{} // by all but the event and the path
	for _, e := range s.events {
		for _, l := range s.losses([]*event{e}) {
			key := loss{pos: l.pos, why: l.why}
			if len(holders[key]) == 0 {
				order = append(order, key)
			}
			holders[key] = append(holders[key], l)
		}
	}
	for _, key := range order {
		s.problem(key.pos, "%s", lossMessage(holders[key]))
	}
}

// losses goes through events, and through what they have in common once.
func (s *scan) losses(events []*event) []loss {
	c := &payloadCheck{scan: s, lost: map[string]bool{}}
	for _, e := range events {
		c.event = e
		c.walk(e.named, spot{path: e.decl.obj.Name(), pos: e.decl.obj.Pos()})
	}
	return c.found
}

// lossMessage says which events suffer the same loss.
func lossMessage(losses []loss) string {
	const enough = 4
	first, others := losses[0], []string(nil)
	for _, l := range losses[1:] {
		others = append(others, l.path)
	}
	if n := len(others); n > enough {
		others = append(others[:enough], fmt.Sprintf("%d more", n-enough))
	}
	switch {
	case len(others) > 0:
		return fmt.Sprintf("%s %s; the same goes for %s", first.path, first.why, strings.Join(others, ", "))
	case first.event.how == byConvention:
		return fmt.Sprintf("%s %s; if %s is no event, mark it //eventmap:ignore", first.path, first.why, first.event.decl.obj.Name())
	}
	return first.path + " " + first.why
}

// isForeign reports whether the fields of a type are no place to report a problem at: others declare them, or a tool such
// as cgo, or they stand for fields of many types.
func (c *payloadCheck) isForeign(t types.Type) bool {
	named, ok := t.(*types.Named)
	if !ok {
		return false
	}
	d := c.decls[named.Obj()]
	return d == nil || d.generated || named.TypeArgs().Len() > 0
}

// report adds a loss at a place.
func (c *payloadCheck) report(at spot, format string, args ...any) {
	if c.silent || at.again {
		return
	}
	c.found = append(c.found, loss{c.event, at.path, at.pos, fmt.Sprintf(format, args...)})
}

// walk goes through a type.
func (c *payloadCheck) walk(t types.Type, at spot) {
	t = types.Unalias(t)
	if named, ok := t.(*types.Named); ok {
		d := c.decls[named.Obj()]
		at.broken = d != nil && c.seen.At(t) == nil && c.brokenWithin(d.spec.Pos(), d.spec.End())
	}
	if c.marshalsItself(t, at) {
		return
	}
	if named, ok := t.(*types.Named); ok {
		before := c.seen.Set(t, true) != nil
		if before && (!at.inMap || c.inMap.Set(t, true) != nil) {
			return
		}
		at.again = at.again || before
		if pkg := named.Obj().Pkg(); pkg != nil {
			at.owner = pkg.Path()
		}
		at.foreign = c.isForeign(named)
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		c.checkBasic(u, t, at)
	case *types.Pointer:
		at.inMap = false
		c.walk(u.Elem(), at)
	case *types.Slice:
		at.path += "[]"
		at.inMap = false
		c.walk(u.Elem(), at)
	case *types.Array:
		at.path += "[]"
		c.walk(u.Elem(), at)
	case *types.Map:
		c.checkKey(u.Key(), at)
		at.path += "[]"
		at.inMap = true
		c.walk(u.Elem(), at)
	case *types.Struct:
		for _, f := range c.fields(t, at) {
			c.checkQuoted(f)
			c.walk(f.v.Type(), f.at)
		}
	case *types.Interface:
		c.report(at, "is of interface type %s: JSON does not say which type it held; use a concrete type, or json.RawMessage for what is decoded later", c.shown(t))
	case *types.Chan, *types.Signature:
		c.report(at, "is of type %s, which JSON cannot hold; remove it, or tag it `json:\"-\"` if it need not be stored", c.shown(t))
	}
}

// checkBasic reports basic types that JSON has no form for.
func (c *payloadCheck) checkBasic(b *types.Basic, t types.Type, at spot) {
	switch {
	case b.Kind() == types.Invalid:
		if at.broken || c.brokenPackage(at.owner) {
			return
		}
		c.report(at, "is of a type that does not compile; build the package it comes from to see why")
	case b.Info()&types.IsComplex != 0:
		c.report(at, "is of type %s, which JSON cannot hold; use a struct of two floats, or a type with MarshalJSON and UnmarshalJSON", c.shown(t))
	case b.Kind() == types.UnsafePointer:
		c.report(at, "is of type %s, which JSON cannot hold; remove it, or tag it `json:\"-\"` if it need not be stored", c.shown(t))
	}
}

// checkKey reports a map key that does not become a JSON name and a key again.
func (c *payloadCheck) checkKey(key types.Type, at spot) {
	basic, _ := key.Underlying().(*types.Basic)
	marshals, _ := lookupMarshaler(key, marshalText, false)
	unmarshals, _ := lookupMarshaler(key, unmarshalText, true)
	marshals = marshals && !isPointer(key) // a key is read by a pointer to it, and one to a pointer has no methods
	switch {
	case basic != nil && basic.Kind() == types.Invalid:
		if obj := typeName(types.Unalias(key)); obj != nil {
			at.owner = obj.Pkg().Path()
		}
		c.checkBasic(basic, key, at)
	case marshals && !unmarshals:
		c.report(at, "has keys of type %s, which has MarshalText but no UnmarshalText on its pointer; add it", c.shown(key))
	case marshals, basic != nil && basic.Info()&(types.IsString|types.IsInteger) != 0:
	case types.IsInterface(key):
		c.report(at, "has keys of interface type %s: JSON does not say which type they had; use string keys", c.shown(key))
	default:
		c.report(at, "has keys of type %s; a map's key in JSON is a string: use a string, an integer, or a type with MarshalText on the value and UnmarshalText on its pointer", c.shown(key))
	}
}

// shown returns a type as the package of the event names it.
func (c *payloadCheck) shown(t types.Type) string {
	return types.TypeString(t, qualifier(c.event.decl.src.pkg.Types))
}
