package schemalock

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/internal/model"
)

// A payload is the comparison of one event's payload with what it was.
type payload struct {
	*comparison
	old, now *Event
	seen     map[[2]*model.Shape]bool // pairs that were compared, for shapes that contain themselves
}

// find adds a finding about a place in the payload.
func (p *payload) find(name, path string, pos model.Position, old, format string, args ...any) {
	subject := strings.TrimPrefix(path, ".")
	message := fmt.Sprintf(format, args...)
	if subject != "" {
		message = subject + " " + message
	} else {
		message = "its payload " + message
	}
	p.comparison.find(name, p.now, subject, pos, old, message)
}

// shape compares what lies at a path with what lay there.
func (p *payload) shape(old, now *model.Shape, path string, pos model.Position) {
	if old.Nullable && !now.Nullable {
		p.find("no-longer-nullable", path, pos, "", "can be null in stored events, which would read as zero")
	}
	old, now = resolve(old, p.old.Payload), resolve(now, p.now.Payload)
	if pair := [2]*model.Shape{old, now}; p.seen[pair] {
		return
	} else {
		p.seen[pair] = true
	}
	if isText(old) && isPlainString(now) || now.Kind == model.RawShape {
		return
	}
	if was, is := identity(old), identity(now); was != is {
		p.find("marshaler-swapped", path, pos, "", "was written by %s, and is now %s%s", marshaler(old), marshaler(now), askMoved(was, is))
		return
	}
	switch {
	case isNumber(old) && isNumber(now):
		if !widens(old, now) {
			p.find("number-narrowed", path, pos, "", "is %s, and %s is stored: numbers may not fit, or lose digits", kindName(now), kindName(old))
		}
		p.constants(enumeration(old), enumeration(now), path, pos)
	case isList(old) && isList(now):
		if now.Kind == model.ArrayShape && (old.Kind != model.ArrayShape || old.Len != now.Len) {
			p.find("array-length", path, pos, "", "is %s, and %s is stored", kindName(now), kindName(old))
		}
		p.shape(old.Elem, now.Elem, path+"[]", pos)
	case old.Kind != now.Kind:
		p.find("kind-changed", path, pos, "", "is %s, and %s is stored", kindName(now), kindName(old))
	case old.Kind == model.MapShape:
		if !isNumber(old.Key) || !isPlainString(now.Key) { // in JSON a key is a string anyway
			p.shape(old.Key, now.Key, path+"[key]", pos)
		}
		p.shape(old.Elem, now.Elem, path+"[]", pos)
	case old.Kind == model.ObjectShape:
		p.fields(old, now, path, pos)
	}
}

// constants compares what numbers stand for with what they stood for. To rename a constant changes nothing, and neither
// does it to give up an enumeration.
func (p *payload) constants(old, now []model.Constant, path string, pos model.Position) {
	if len(now) == 0 {
		return
	}
	var renumbered, gone []string
	for i, was := range old {
		if i > 0 && slices.ContainsFunc(old[:i], func(c model.Constant) bool { return c.Value == was.Value }) {
			continue
		}
		oldNames, names := namesOf(was.Value, old), namesOf(was.Value, now)
		kept := func(name string) bool { return slices.Contains(names, name) }
		other := func(constants []model.Constant) func(name string) bool {
			return func(name string) bool {
				return slices.ContainsFunc(constants, func(c model.Constant) bool { return c.Name == name && c.Value != was.Value })
			}
		}
		switch {
		case slices.ContainsFunc(oldNames, kept):
		case len(names) == 0:
			gone = append(gone, fmt.Sprintf("%s, which was %s, is no constant any more", was.Value, was.Name))
		case slices.ContainsFunc(oldNames, other(now)), slices.ContainsFunc(names, other(old)):
			renumbered = append(renumbered, fmt.Sprintf("%s is stored for %s, and means %s now", was.Value, was.Name, names[0]))
		}
	}
	if len(renumbered) > 0 {
		p.find("constants-renumbered", path, pos, "", "is of an enumeration: %s", firstOf(renumbered))
	}
	if len(gone) > 0 {
		p.find("constant-gone", path, pos, "", "is of an enumeration: %s", firstOf(gone))
	}
}

// firstOf lists what is enough to understand the rest.
func firstOf(messages []string) string {
	const enough = 3
	if more := len(messages) - enough; more > 0 {
		messages = append(slices.Clone(messages[:enough]), fmt.Sprintf("and %d more", more))
	}
	return strings.Join(messages, "; ")
}

// namesOf returns the constants of a value.
func namesOf(value string, constants []model.Constant) (names []string) {
	for _, c := range constants {
		if c.Value == value {
			names = append(names, c.Name)
		}
	}
	return names
}

// fields compares the members of objects.
func (p *payload) fields(old, now *model.Shape, path string, pos model.Position) {
	renamed := map[string]bool{}
	for _, was := range old.Fields {
		path := path + "." + was.Name
		if is := now.Field(was.Name); is != nil {
			p.field(was, is, path)
		} else if is := recased(was, old, now); is != nil {
			renamed[is.Name] = true
			p.find("field-recased", path, is.Pos, was.Name, "is written as %q now: encoding/json still reads the old name, but SQL and other readers of the payload do not", is.Name)
			p.field(was, is, path)
		} else if to := renamedTo(was, old, now); to != nil {
			renamed[to.Name] = true
			p.find("field-renamed", path, to.Pos, was.Name, "is written as %q now: what is stored under its old name would be lost", to.Name)
		} else {
			p.find("field-removed", path, pos, "", "is gone: what is stored in it would be lost")
		}
	}
	for _, is := range now.Fields {
		switch {
		case old.Field(is.Name) != nil, renamed[is.Name], is.Optional, is.Shape.Nullable:
		case is.Subject != nil: // which cannot be optional
			p.find("subject-added", path+"."+is.Name, is.Pos, "", "is new and a subject: events that are stored do not say whom they are about")
		default:
			p.find("field-required", path+"."+is.Name, is.Pos, is.Name+omission(is.Shape), "is new and always written: events that are stored lack it, and would seem to say that it is %s", zeroName(is.Shape))
		}
	}
}

// field compares a member of an object with what it was.
func (p *payload) field(was model.Field, is *model.Field, path string) {
	p.personal(was.Personal, is, path)
	if was.Nilable && !is.Nilable && !is.Shape.Nullable {
		p.find("no-longer-nullable", path, is.Pos, "", "is missing in stored events whose embedded pointer was nil, which would read as zero")
	}
	switch {
	case was.Quoted == is.Quoted:
		p.shape(was.Shape, is.Shape, path, is.Pos)
	case is.Quoted:
		p.find("kind-changed", path, is.Pos, "", "is %s in a string now, and a plain one is stored", kindName(is.Shape))
	case is.Shape.Kind == model.RawShape, isPlainString(is.Shape) && was.Shape.Kind != model.StringShape:
		p.shape(&model.Shape{Kind: model.StringShape, Nullable: was.Shape.Nullable}, is.Shape, path, is.Pos) // what is in a string is one
	default:
		p.find("kind-changed", path, is.Pos, "", "is plain now, and %s in a string is stored", kindName(was.Shape))
	}
}

// personal compares whose key a member is sealed by.
func (p *payload) personal(was *model.Personal, is *model.Field, path string) {
	switch now := is.Personal; {
	case was == nil && now == nil:
	case now == nil:
		p.find("personal-removed", path, is.Pos, "", "is not personal any more: what is stored of it is sealed")
	case was == nil && canBeSealed(is.Shape):
		p.find("personal-ambiguous", path, now.Pos, "", "is personal now, and %s is stored in clear, which may hold what looks like a sealed value", kindName(is.Shape))
	case was == nil:
		p.find("personal-added", path, now.Pos, "", "is personal now: events that are stored already hold it in clear, for ever")
	case was.Subject != now.Subject:
		p.find("personal-subject", path, now.Pos, "", "is about %s now, and was about %s: to forget either leaves some of it readable", whose(now.Subject), whose(was.Subject))
	}
}

// canBeSealed reports whether a value in clear can have the form of a sealed one.
func canBeSealed(s *model.Shape) bool {
	return slices.Contains([]model.ShapeKind{model.MapShape, model.RawShape, model.OpaqueShape, model.ObjectShape, model.RefShape}, s.Kind)
}

// whose names the subject of a personal field.
func whose(subject string) string {
	if subject == "" {
		return "whom the stream's ID names"
	}
	return "whom " + subject + " names"
}

// recased returns the new field whose name differs from an old one's in its case alone, or nil if there are several of
// either: encoding/json reads a member by such a name where it has no other.
func recased(was model.Field, old, now *model.Shape) *model.Field {
	var found *model.Field
	for i := range now.Fields {
		if f := &now.Fields[i]; strings.EqualFold(f.Name, was.Name) {
			if found != nil || old.Field(f.Name) != nil {
				return nil
			}
			found = f
		}
	}
	for _, f := range old.Fields {
		if f.Name != was.Name && strings.EqualFold(f.Name, was.Name) {
			return nil
		}
	}
	return found
}

// renamedTo returns the new field that an old one has become: the one of the same Go name, or the only new one if it
// looks the same and the old one is the only one that is gone.
func renamedTo(was model.Field, old, now *model.Shape) *model.Field {
	added := slices.DeleteFunc(slices.Clone(now.Fields), func(f model.Field) bool { return old.Field(f.Name) != nil })
	gone := slices.DeleteFunc(slices.Clone(old.Fields), func(f model.Field) bool { return now.Field(f.Name) != nil })
	for i := range added {
		if added[i].Go == was.Go && sameShape(added[i].Shape, was.Shape) {
			return &added[i]
		}
	}
	if len(added) == 1 && len(gone) == 1 && sameShape(added[0].Shape, was.Shape) {
		return &added[0]
	}
	return nil
}

// resolve returns the shape that a reference stands for.
func resolve(s, root *model.Shape) *model.Shape {
	if s.Kind == model.RefShape {
		return root.Find(s.Type)
	}
	return s
}

// isText reports whether a shape is a text that its type writes itself.
func isText(s *model.Shape) bool { return s.Kind == model.TextShape || s.Kind == model.TimeShape }

// isPlainString reports whether a shape takes every string as it is.
func isPlainString(s *model.Shape) bool { return s.Kind == model.StringShape && !s.Guarded }

func isList(s *model.Shape) bool {
	return s.Kind == model.ArrayShape || s.Kind == model.SliceShape
}

func isNumber(s *model.Shape) bool {
	switch s.Kind {
	case model.IntShape, model.UintShape, model.FloatShape, model.NumberShape:
		return true
	}
	return false
}

// digits holds how many bits of a whole number a kind of number keeps exactly, for each of its sizes.
var digits = map[model.ShapeKind]map[int]int{
	model.IntShape:   {8: 7, 16: 15, 32: 31, 64: 63},
	model.UintShape:  {8: 8, 16: 16, 32: 32, 64: 64},
	model.FloatShape: {32: 24, 64: 53},
}

// widens reports whether every number of the old kind is one of the new, without a loss of digits.
func widens(old, now *model.Shape) bool {
	enough := digits[now.Kind][now.Bits] >= digits[old.Kind][old.Bits]
	switch {
	case now.Kind == model.NumberShape:
		return true
	case old.Kind == model.NumberShape:
		return false
	case old.Kind == now.Kind:
		return enough
	case old.Kind == model.FloatShape, now.Kind == model.UintShape:
		return false // fractions, and numbers below zero
	}
	return enough
}

// kindName returns what a shape is, for a reader.
func kindName(s *model.Shape) string {
	switch s.Kind {
	case model.IntShape, model.UintShape, model.FloatShape:
		return fmt.Sprintf("%s%d", s.Kind, s.Bits)
	case model.NumberShape:
		return "json.Number"
	case model.ArrayShape:
		return fmt.Sprintf("an array of %d", s.Len)
	case model.ObjectShape:
		return "an object"
	case model.BytesShape:
		return "bytes in base64"
	case model.RawShape:
		return "any JSON"
	case model.TextShape, model.OpaqueShape:
		return s.Type
	}
	return "a " + string(s.Kind)
}

// marshaler returns who writes and reads a shape, for a reader.
func marshaler(s *model.Shape) string {
	if id := identity(s); id != "" {
		return id
	}
	return "encoding/json, as " + kindName(s)
}

// omission returns the tag's option that leaves out a zero of the shape.
func omission(s *model.Shape) string {
	switch s.Kind {
	case model.BoolShape, model.StringShape, model.NumberShape, model.IntShape, model.UintShape, model.FloatShape:
		return ",omitempty"
	}
	return ",omitzero"
}

// zeroName returns the zero of a shape as a reader knows it.
func zeroName(s *model.Shape) string {
	switch s.Kind {
	case model.BoolShape:
		return "false"
	case model.StringShape, model.NumberShape:
		return "empty"
	case model.IntShape, model.UintShape, model.FloatShape:
		return "0"
	}
	return "zero"
}
