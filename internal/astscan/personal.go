package astscan

import (
	"fmt"
	"go/token"
	"maps"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/internal/model"
)

// checkPersonal resolves the marks of personal data and of its subjects, and reports those that are not in order.
func (s *scan) checkPersonal(decls *declarations, groups aggregates, states states, payloads payloads) {
	found, isEvent := map[model.Position]bool{}, map[*typeDecl]bool{}
	areMarked := len(decls.subjects)+len(decls.personal) > 0
	for _, g := range groups {
		for _, e := range g.events {
			p := personalReader{scan: s, event: e, payload: payloads[e], streams: g.isSubject(states[g]), found: found}
			isEvent[e.decl] = true
			if areMarked {
				p.read()
			}
			p.readForget()
		}
	}
	for _, src := range decls.sources {
		for _, d := range src.types {
			if d.forget != nil && !isEvent[d] {
				s.problem(d.forget.pos, "%v stands on %v, which is no event", *d.forget, d)
			}
		}
	}
	loose := map[model.Position]token.Pos{}
	for _, marks := range []map[token.Pos]*mark{decls.subjects, decls.personal} {
		for _, m := range marks {
			if at := s.Pos(m.pos); !found[at] {
				loose[at] = m.pos
			}
		}
	}
	for _, at := range slices.SortedFunc(maps.Keys(loose), model.Position.Compare) {
		s.problem(loose[at], "the mark stands on a field that is in no event's JSON; write it on a field of the event itself, that is stored and not embedded, in a struct that does not marshal itself, or take it away")
	}
}

// isSubject reports whether the aggregate's streams are called by subjects of personal data.
func (g *aggregate) isSubject(st *state) bool {
	if st != nil && st.mark.isSubject {
		return true
	}
	return slices.ContainsFunc(g.events, func(e *event) bool {
		m := e.decl.src.aggregate
		return m != nil && m.isSubject && m.name == g.name
	})
}

// forgets returns the mark forget of an event in the model's terms. It has been checked.
func (s *scan) forgets(g *aggregate, st *state, e *event, payload *model.Shape) *model.Forget {
	if e.decl.forget == nil {
		return nil
	}
	p := personalReader{scan: s, event: e, payload: payload, streams: g.isSubject(st)}
	subject, _ := p.subject(e.decl.forget.subject)
	return &model.Forget{Subject: subject}
}

// A personalReader resolves the marks of one event.
type personalReader struct {
	*scan
	event   *event
	payload *model.Shape
	streams bool                    // the stream's ID is a subject
	found   map[model.Position]bool // marks that stand on fields of events
}

// read resolves the marks on fields.
func (p personalReader) read() {
	p.refuseNested()
	isPersonal := false
	for i := range p.payload.Fields {
		f := &p.payload.Fields[i]
		if f.Subject != nil {
			p.checkSubject(f)
		}
		if f.Personal != nil {
			p.checkField(f)
			isPersonal = true
		}
	}
	if isPersonal && (p.payload.Kind != model.ObjectShape || p.payload.Guarded) {
		p.problem(p.event.decl.obj.Pos(), "%v has personal fields and marshals itself, so that nobody can say what of it is personal; take its methods for JSON away", p.event.decl)
	}
}

// refuseNested reports marks on what is not a field of the event itself.
func (p personalReader) refuseNested() {
	for shape := range p.payload.All() {
		for i := range shape.Fields {
			f := &shape.Fields[i]
			var verb string
			var at model.Position
			switch {
			case f.Personal != nil:
				verb, at = "personal", f.Personal.Pos
			case f.Subject != nil:
				verb, at = "subject", f.Subject.Pos
			default:
				continue
			}
			if f.Subject != nil && f.Personal != nil {
				p.found[f.Subject.Pos] = true
			}
			p.found[at] = true
			switch {
			case shape == p.payload && len(f.Within) > 0:
				p.report(at, "//eventmap:%s stands on %s, which the event %v has from a struct that it embeds; declare the field in the event itself, and mark it there", verb, f.Go, p.event.decl)
			case shape != p.payload:
				p.report(at, "//eventmap:%s stands on %s, which is not a field of the event %v itself; mark the field of the event that holds it", verb, f.Go, p.event.decl)
			}
		}
	}
}

// report adds a problem at a mark.
func (p personalReader) report(at model.Position, format string, args ...any) {
	p.problems = append(p.problems, model.Problem{Pos: at, Message: fmt.Sprintf(format, args...)})
}

// checkSubject reports what keeps a field from naming a subject.
func (p personalReader) checkSubject(f *model.Field) {
	at, what := f.Subject.Pos, fmt.Sprintf("%v.%s", p.event.decl, f.Go)
	switch {
	case f.Personal != nil:
		p.report(at, "%s is a subject and personal: whose key would seal it? A subject is a name that says nothing by itself, such as a random ID", what)
	case f.Optional || f.Shape.Nullable:
		p.report(at, "%s is a subject and may be missing; make it neither a pointer nor omitempty", what)
	case !isSubjectKind(f.Shape.Kind):
		p.report(at, "%s is a subject and is no string and no whole number in JSON (%s); use the ID of the subject", what, f.Shape.Go)
	}
	for i := range p.payload.Fields {
		if other := &p.payload.Fields[i]; other != f && other.Subject != nil && other.Subject.Name == f.Subject.Name && f.Pos.Compare(other.Pos) > 0 {
			p.report(at, "%s and %s are both the subject %q; declare each on a line of its own, with a name: //eventmap:subject NAME", other.Go, f.Go, f.Subject.Name)
		}
	}
	if soundsPersonal(f.Go) || soundsPersonal(f.Shape.Go) {
		p.notes = append(p.notes, model.Note{Pos: at, Text: fmt.Sprintf(
			"%s is a subject, and sounds personal itself: subjects stay in clear for ever, after they are forgotten too; use an ID that says nothing", what)})
	}
}

// isSubjectKind reports whether JSON of a kind can name a subject.
func isSubjectKind(kind model.ShapeKind) bool {
	return slices.Contains([]model.ShapeKind{model.StringShape, model.TextShape, model.IntShape, model.UintShape}, kind)
}

// soundsPersonal reports whether a name is one of what tells a person.
func soundsPersonal(name string) bool {
	for _, word := range words(name) {
		if slices.Contains([]string{"mail", "email", "phone", "mobile", "name", "ssn", "iban", "passport", "address"}, strings.ToLower(word)) {
			return true
		}
	}
	return false
}

// checkField resolves the mark of a personal field and reports what keeps it from being sealed.
func (p personalReader) checkField(f *model.Field) {
	at, what := f.Personal.Pos, fmt.Sprintf("%v.%s", p.event.decl, f.Go)
	if f.Index != nil {
		p.report(at, "%s is personal and indexed: an index would hold it, and it is sealed; take one of the marks away", what)
	}
	if f.Personal.Erased != nil && f.Shape.Kind != model.StringShape {
		p.report(at, "%s has erased=, which is for strings, and its type is %s; without it an erased value is zero", what, f.Shape.Go)
	}
	for i := range p.payload.Fields {
		if other := &p.payload.Fields[i]; other != f && strings.EqualFold(other.Name, f.Name) {
			p.report(at, "%s is personal, and %s has the same name in JSON but for the case of letters; give it another", what, other.Go)
		}
	}
	subject, problem := p.subject(f.Personal.Subject)
	if problem != "" {
		p.report(at, "%s is personal, %s", what, problem)
	}
	f.Personal.Subject = subject
}

// subject returns the JSON name of the field that is the named subject, or nothing if that is the stream's ID. The problem
// says why there is none.
func (p personalReader) subject(name string) (field, problem string) {
	var names []string
	for i := range p.payload.Fields {
		f := &p.payload.Fields[i]
		if f.Subject == nil {
			continue
		}
		if name != "" && f.Subject.Name == name {
			return f.Name, ""
		}
		field = f.Name
		names = append(names, fmt.Sprintf("%q", f.Subject.Name))
	}
	switch {
	case name != "" && len(names) == 1 && names[0] == `""`:
		return "", fmt.Sprintf("and the event has no subject %q: its only subject, %s, has no name; leave the name out, or write //eventmap:subject %s there", name, field, name)
	case name != "" && len(names) == 0:
		return "", fmt.Sprintf("and the event has no subject %q; mark the field that says who it is: //eventmap:subject %s", name, name)
	case name != "":
		return "", fmt.Sprintf("and the event has no subject %q; it has %s", name, strings.Join(names, ", "))
	case len(names) == 1:
		return field, ""
	case len(names) > 1:
		return "", "and the event has several subjects; say whose it is: one of " + strings.Join(names, ", ")
	case p.streams:
		return "", ""
	case p.event.shared:
		return "", fmt.Sprintf("and the event has no subject in streams of %s; mark the field that says whom it is about //eventmap:subject", p.event.naming.name)
	}
	return "", "and the event has no subject; mark the field that says whom it is about //eventmap:subject, or the aggregate //eventmap:aggregate ... subject if the stream's ID does"
}

// readForget reports what is wrong with the mark forget.
func (p personalReader) readForget() {
	if m := p.event.decl.forget; m != nil {
		if _, problem := p.subject(m.subject); problem != "" {
			p.report(p.Pos(m.pos), "%v says that a subject is forgotten, %s", p.event.decl, problem)
		}
	}
}
