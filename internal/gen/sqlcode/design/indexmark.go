package design

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/internal/model"
)

// indexMethods are those an index on a field can have, the default first.
var indexMethods = []string{"btree", "hash"}

const indexMark = "//eventmap:index"

// marks judges the marks //eventmap:index of a domain.
type marks struct {
	problems model.Problems
	used     map[model.Position]bool
	ofLogs   bool           // views have a column for the log
	repeated model.Problems // of marks that a list or map repeats, which is fine if the field is elsewhere too
}

func newMarks() *marks { return &marks{used: make(map[model.Position]bool)} }

// walk calls index for each marked field within a payload that can be indexed. Within says what repeats the shape, if
// anything does.
func (m *marks) walk(s *model.Shape, path []string, within string, index func(path []string, f model.Field, method string)) {
	if s == nil {
		return
	}
	for _, f := range s.Fields {
		path := append(slices.Clone(path), f.Name)
		if f.Index != nil {
			m.judge(f, path, within, index)
		}
		m.walk(f.Shape, path, within, index)
	}
	switch s.Kind {
	case model.ArrayShape, model.SliceShape:
		m.walk(s.Elem, path, "a list", index)
	case model.MapShape:
		m.walk(s.Elem, path, "a map", index)
	}
}

// judge calls index for one marked field, or notes why it cannot be indexed.
func (m *marks) judge(f model.Field, path []string, within string, index func(path []string, f model.Field, method string)) {
	name := strings.Join(path, ".")
	method, err := indexMethod(f.Index.Args)
	what := map[model.ShapeKind]string{
		model.ObjectShape: "an object; mark those of its fields that are looked for",
		model.RefShape:    "an object; mark those of its fields that are looked for",
		model.ArrayShape:  "a list" + byHand,
		model.SliceShape:  "a list" + byHand,
		model.MapShape:    "a map" + byHand,
		model.RawShape:    "any JSON" + byHand,
		model.OpaqueShape: "what the methods of its type make of it" + byHand,
	}[f.Shape.Kind]
	switch {
	case err != nil:
		m.problems = append(m.problems, model.Problem{Pos: f.Index.Pos, Message: err.Error()})
	case what != "":
		m.problems = append(m.problems, model.Problem{Pos: f.Index.Pos, Message: fmt.Sprintf(
			"%s stands on the field %s, which is not one value but %s", indexMark, name, what)})
	case within != "":
		m.repeated = append(m.repeated, model.Problem{Pos: f.Index.Pos, Message: fmt.Sprintf(
			"%s stands on the field %s, which is within %s, so that an event has many of it%s", indexMark, name, within, byHand)})
	default:
		m.used[f.Index.Pos] = true
		index(path, f, method)
	}
}

// byHand is the remedy for what has no single value.
const byHand = "; write an index of the kind gin in a migration of your own"

// indexMethod returns the method that the mark's arguments ask for.
func indexMethod(args string) (string, error) {
	if args == "" {
		return indexMethods[0], nil
	}
	method, ok := strings.CutPrefix(args, "using=")
	if !ok {
		return "", fmt.Errorf("%s: %q is not understood; it takes using=%s", indexMark, args, strings.Join(indexMethods, " or using="))
	}
	if !slices.Contains(indexMethods, method) {
		return "", fmt.Errorf("%s: there is no method %q; it takes using=%s", indexMark, method, strings.Join(indexMethods, " or using="))
	}
	return method, nil
}

// err returns every problem with the marks of the domain.
func (m *marks) err(d *model.Domain) error {
	all := m.problems
	for _, p := range m.repeated {
		if !m.used[p.Pos] {
			all = append(all, p)
		}
	}
	for _, at := range d.LooseIndexes {
		all = append(all, model.Problem{Pos: at, Message: indexMark + " stands on a field that is in no event's JSON; " +
			"mark a field of an event, or of a struct within one, that its JSON has"})
	}
	return all.Err()
}
