package schemalock

import (
	"strings"

	"github.com/eventmap/eventmap/internal/model"
)

// A Difference is what a reader of payloads finds different in another version or release of them.
type Difference struct {
	Field string `json:"field"`         // such as lines[].price; empty: the payload itself
	Was   string `json:"was,omitempty"` // what lay there, in words; empty: nothing
	Is    string `json:"is,omitempty"`  // what lies there now; empty: nothing
}

// Differences says what is different in payloads of shape now for who knows those of shape old. Names of Go are no
// difference, since they are not stored. Either may be nil.
func Differences(old, now *model.Shape) []Difference {
	d := differ{old: old, now: now, seen: map[[2]*model.Shape]bool{}}
	switch {
	case old == nil && now == nil:
	case old == nil:
		d.add("", nil, describe(now, false))
	case now == nil:
		d.add("", describe(old, false), nil)
	default:
		d.shape("", old, now, false, false)
	}
	return d.found
}

// A differ is one run of [Differences].
type differ struct {
	old, now *model.Shape
	seen     map[[2]*model.Shape]bool // pairs that were compared, for shapes that contain themselves
	found    []Difference
}

func (d *differ) add(path string, was, is []string) {
	d.found = append(d.found, Difference{Field: strings.TrimPrefix(path, "."), Was: strings.Join(was, ", "), Is: strings.Join(is, ", ")})
}

// shape compares what lies at a path, and whether it may be missing there.
func (d *differ) shape(path string, old, now *model.Shape, wasOptional, isOptional bool) {
	if old.Kind == model.RefShape {
		old = d.old.Find(old.Type)
	}
	if now.Kind == model.RefShape {
		now = d.now.Find(now.Type)
	}
	was, is := describe(old, wasOptional), describe(now, isOptional)
	if strings.Join(was, ", ") != strings.Join(is, ", ") {
		d.add(path, was, is)
	}
	if pair := [2]*model.Shape{old, now}; old.Kind != now.Kind || d.seen[pair] {
		return
	} else {
		d.seen[pair] = true
	}
	for i := range old.Fields {
		f := &old.Fields[i]
		if other := now.Field(f.Name); other != nil {
			d.shape(path+"."+f.Name, f.Shape, other.Shape, f.Optional, other.Optional)
		} else {
			d.add(path+"."+f.Name, describe(f.Shape, f.Optional), nil)
		}
	}
	for i := range now.Fields {
		if f := &now.Fields[i]; old.Field(f.Name) == nil {
			d.member(path, f)
		}
	}
	if old.Elem != nil && now.Elem != nil {
		d.shape(path+"[]", old.Elem, now.Elem, false, false)
	}
}

// member adds a field that is new, and what it holds.
func (d *differ) member(path string, f *model.Field) {
	path += "." + f.Name
	d.add(path, nil, describe(f.Shape, f.Optional))
	inner := f.Shape
	for inner.Elem != nil {
		inner, path = inner.Elem, path+"[]"
	}
	for i := range inner.Fields {
		d.member(path, &inner.Fields[i])
	}
}

// describe returns what a shape is, in words.
func describe(s *model.Shape, optional bool) []string {
	words := []string{kindName(s)}
	switch s.Kind {
	case model.SliceShape:
		words[0] = "a list"
	case model.ArrayShape:
		words[0] = kindName(s)
	case model.RefShape:
		words[0] = shortType(s.Type) + " again"
	case model.IntShape, model.UintShape, model.FloatShape, model.StringShape:
		for i, c := range s.Constants {
			if i == 0 {
				words[0] += " of " + c.Name
			} else if i < 3 {
				words[0] += "|" + c.Name
			} else {
				words[0] += "|..."
				break
			}
		}
	}
	if s.Nullable {
		words = append(words, "may be null")
	}
	if optional {
		words = append(words, "may be missing")
	}
	return words
}
