package astscan

import (
	"fmt"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/internal/jsonshape"
	"github.com/eventmap/eventmap/internal/model"
)

// A loss is a part of an event that would not come back from JSON.
type loss struct {
	event *event
	path  string
}

// A blame is what several events may suffer from alike.
type blame struct {
	pos token.Pos
	why string
}

// payloads are the shapes of the events' JSON.
type payloads map[*event]*model.Shape

// A payloadReader says what the source says about the types that events are made of.
type payloadReader struct {
	*scan
	decls   *declarations
	warned  map[*types.TypeName]bool         // whose texts were looked for
	tags    map[*types.TypeName]bool         // whose tags were looked at
	remarks map[*source]map[token.Pos]remark // of the sources that were asked for, by the places of the fields' names
}

// readPayloads returns the shape of every event's JSON, and reports every part that JSON cannot hold, each at the field
// that is to blame.
func (s *scan) readPayloads(decls *declarations, events *events) payloads {
	p := payloadReader{scan: s, decls: decls, warned: map[*types.TypeName]bool{}, tags: map[*types.TypeName]bool{}}
	shapes := payloads{}
	var blames []blame
	losses := map[blame][]loss{}
	lose := func(e *event, at jsonshape.Place, why string) {
		b := blame{at.Pos, why}
		if slices.ContainsFunc(losses[b], func(l loss) bool { return l.event.decl == e.decl && l.path == at.Path }) {
			return // it is the same type, as an event of another aggregate
		}
		if len(losses[b]) == 0 {
			blames = append(blames, b)
		}
		losses[b] = append(losses[b], loss{e, at.Path})
	}
	broken, omitted := map[*types.TypeName]bool{}, map[[2]string]bool{}
	for _, reading := range s.readShapes(decls, events) {
		e := reading.event
		shapes[e] = reading.Shape
		for _, obj := range reading.Types {
			p.warnOfText(obj, e)
			p.warnOfTags(obj)
			if _, known := broken[obj]; !known {
				d := decls.types[obj]
				broken[obj] = d != nil && s.brokenWithin(d.spec.Pos(), d.spec.End())
			}
		}
		for _, l := range reading.locks {
			lose(e, l, "holds a lock, and generated code copies events; keep locks out of events")
		}
		for _, l := range reading.Losses {
			if reading.locks.at(l.Pos) {
				continue // to take the lock away is enough
			}
			if l.Omittable {
				l.Why += ", or tag it `json:\"-\"` if it need not be stored"
			}
			if l.Invalid == nil || !broken[l.Invalid] && !s.isBroken(s.build.In(l.Invalid.Pkg().Path())) {
				lose(e, l.Place, l.Why)
			}
		}
		for _, o := range reading.Omitted {
			if id := [2]string{o.Within, o.Rest}; !omitted[id] {
				omitted[id] = true
				s.note(o.Pos, "%s is not stored: its tag says so", o.Path)
			}
		}
	}
	told := map[*event]bool{} // of those by convention, which mostly are no events if anything is lost, one loss is enough
	for _, b := range blames {
		if first := losses[b][0].event; first.how == byConvention && len(losses[b]) == 1 {
			if told[first] {
				continue
			}
			told[first] = true
		}
		s.problem(b.pos, "%s", lossMessage(losses[b], b.why))
	}
	return shapes
}

// A reading is what JSON makes of an event.
type reading struct {
	event *event
	jsonshape.Reading
	locks locks
}

// readShapes reads the events, in their order. Those of one package, which have types in common, are mostly read together.
func (s *scan) readShapes(decls *declarations, events *events) []*reading {
	var readings []*reading
	for _, e := range events.all {
		readings = append(readings, &reading{event: e})
	}
	forEach(shares(readings), func(share []*reading) {
		p := payloadReader{scan: s, decls: decls, remarks: map[*source]map[token.Pos]remark{}}
		reader := jsonshape.NewReader(jsonshape.Source{Fset: s.Fset, Owns: p.owns, Member: p.member, Values: p.valuesOf,
			Opaque: func(field *types.Var) bool { return decls.opaque[field.Pos()] }})
		for _, r := range share {
			r.Reading, r.locks = reader.Read(r.event.decl.obj), p.locks(r.event.decl.obj)
		}
	})
	return readings
}

// member completes a member of an object.
func (p payloadReader) member(m *model.Field, field *types.Var, at token.Pos) {
	remark := p.remark(field)
	m.Doc, m.Index, m.Pos = remark.doc, remark.index, p.Pos(at)
	if mark := p.decls.subjects[field.Pos()]; mark != nil {
		m.Subject = &model.Subject{Name: mark.name, Pos: p.Pos(mark.pos)}
	}
	if mark := p.decls.personal[field.Pos()]; mark != nil {
		m.Personal = &model.Personal{Subject: mark.subject, Pos: p.Pos(mark.pos)}
		if mark.hasErased {
			m.Personal.Erased = &mark.erased
		}
	}
}

// warnOfText warns of a type that has a text and is stored as an array or an object all the same.
func (p payloadReader) warnOfText(obj *types.TypeName, e *event) {
	t := obj.Type()
	if obj == e.decl.obj || p.warned[obj] {
		return
	}
	p.warned[obj] = true
	if method(t, "String", false) == nil || method(t, "MarshalJSON", true) != nil || method(t, "MarshalText", true) != nil {
		return
	}
	form := ""
	switch u := t.Underlying().(type) {
	case *types.Array:
		form = fmt.Sprintf("an array of %d elements", u.Len())
	case *types.Slice:
		if basic, ok := u.Elem().Underlying().(*types.Basic); !ok || basic.Kind() != types.Uint8 {
			form = "an array"
		}
	case *types.Struct:
		form = "an object"
	}
	if form == "" {
		return
	}
	at := e.decl.obj.Pos()
	if p.decls.types[obj] != nil {
		at = obj.Pos()
	}
	p.warnings = append(p.warnings, model.Note{Pos: p.Pos(at), Text: fmt.Sprintf(
		"%s has a method String, but is stored as %s in %v; if its text is meant, give it MarshalText and UnmarshalText, or declare it as another name for a type that has them: type %s = ...",
		types.TypeString(t, (*types.Package).Name), form, e.decl, obj.Name())})
}

// owns reports whether the user wrote the declaration of a type or field, and so can change it.
func (p payloadReader) owns(obj types.Object) bool {
	if name, ok := obj.(*types.TypeName); ok {
		d := p.decls.types[name]
		return d != nil && !d.generated
	}
	return p.Package(obj.Pkg().Path()) != nil
}

// lossMessage says which events suffer the same loss.
func lossMessage(losses []loss, why string) string {
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
		return fmt.Sprintf("%s %s; the same goes for %s", first.path, why, strings.Join(others, ", "))
	case first.event.how == byConvention:
		name := first.event.decl.obj.Name()
		return fmt.Sprintf("mark %s //eventmap:ignore if it is no event, or the interface that all events implement //eventmap:events; if it is one: %s %s", name, first.path, why)
	}
	return first.path + " " + why
}
