// Package adopt proposes the marks that make eventmap read a code base that exists. It looks for what other libraries and
// hand-written code say about events: methods that return a type's stored name, registries, switches over names, constants
// beside a type, interfaces that all events implement, methods that apply events to a state, and code that takes a payload
// out of an event.
//
// It changes nothing: [Find] returns a [Proposal], and [Proposal.Files] the source with the marks written in. Whatever
// looks like an event is marked, asked about, or noted as none, each with its position and the reason.
package adopt

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"github.com/eventmap/eventmap/internal/goload"
	"github.com/eventmap/eventmap/internal/model"
)

// A Proposal is what was found.
type Proposal struct {
	Marks     []Mark       // by position
	Questions []model.Note // what a person has to decide, by position
	Notes     []model.Note // what looks like an event and is none, by position; nothing has to be decided
	Events    int          // how many types are events
	Marked    bool         // there are marks already

	program *goload.Program
}

// A Mark is a line to write above a declaration, or, where the code has no type for an event, above one to add.
type Mark struct {
	Pos     model.Position // of the declaration
	Text    string         // such as //eventmap:event name=order.placed
	Subject string         // what is marked, such as order.Placed
	Reason  string

	source goload.Source // that it is written into
	file   *ast.File     // as it was loaded
	node   ast.Node      // a *ast.GenDecl, *ast.TypeSpec or *ast.Field

	declares string // the name of an empty struct to declare after the node, with the mark; empty: the mark is written above it
}

// A search is the state of one run.
type search struct {
	*goload.Program
	proposal *Proposal

	readers    []*reader
	byPackage  map[*types.Package]*reader
	types      map[*types.TypeName]*candidate
	order      []*candidate // by position
	sums       []*sum
	held       map[*types.TypeName]bool // types of fields
	aggregates aggregateNames
	stored     map[string]storedName // names of events, whether or not a type was found for them
	byMessage  string                // how a library of messages names types; empty: there is none
}

// Find reads a program that was loaded with [goload.Options.Info].
func Find(p *goload.Program) *Proposal {
	s := search{
		Program:    p,
		proposal:   &Proposal{program: p},
		byPackage:  map[*types.Package]*reader{},
		types:      map[*types.TypeName]*candidate{},
		held:       map[*types.TypeName]bool{},
		aggregates: aggregateNames{types: map[*types.TypeName]string{}, packages: map[*types.Package]map[string]string{}},
		stored:     map[string]storedName{},
	}
	s.collect()
	for _, r := range s.readers {
		r.read()
	}
	s.readSums()
	s.readSiblings()
	s.propose()
	s.declareBodiless()
	s.noteExcluded()
	s.proposal.sort()
	return s.proposal
}

// at returns where something was found, for a reason.
func (s *search) at(p token.Pos) string {
	pos := s.Pos(p)
	return fmt.Sprintf("%s:%d", pos.File, pos.Line)
}

// ask adds a question.
func (s *search) ask(p token.Pos, format string, args ...any) {
	s.proposal.Questions = append(s.proposal.Questions, model.Note{Pos: s.Pos(p), Text: fmt.Sprintf(format, args...)})
}

// note adds a note.
func (s *search) note(p token.Pos, format string, args ...any) {
	s.proposal.Notes = append(s.proposal.Notes, model.Note{Pos: s.Pos(p), Text: fmt.Sprintf(format, args...)})
}

// mark adds a mark to a type.
func (s *search) mark(c *candidate, text, reason string) {
	m := Mark{Pos: s.Pos(c.obj.Pos()), Text: text, Subject: c.String(), Reason: reason, source: s.Source(c.pkg, c.file), file: c.file, node: c.spec}
	if !c.decl.Lparen.IsValid() {
		m.node = c.decl
	}
	s.add(m)
}

// add adds a mark, or asks for it where the declaration shares its line with what stands before it: no comment above that
// line is its own.
func (s *search) add(m Mark) {
	before := func(n ast.Node) bool {
		return n.End() <= m.node.Pos() && m.source.Path != "" && s.Line(m.source, n.End()) == s.Line(m.source, m.node.Pos())
	}
	crowded := slices.ContainsFunc(m.file.Comments, func(g *ast.CommentGroup) bool { return before(g) })
	ast.Inspect(m.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.StructType:
			crowded = crowded || n.Fields.Opening < m.node.Pos() && m.node.Pos() < n.End() && s.Line(m.source, n.Fields.Opening) == s.Line(m.source, m.node.Pos())
		case *ast.GenDecl:
			crowded = crowded || before(n) || n.Lparen.IsValid() && n.Lparen < m.node.Pos() && s.Line(m.source, n.Lparen) == s.Line(m.source, m.node.Pos())
		case *ast.Field, ast.Decl, ast.Spec:
			crowded = crowded || before(n)
		case *ast.BlockStmt:
			return false
		}
		return !crowded
	})
	if crowded {
		s.ask(m.node.Pos(), "%s needs the mark %s (%s), but shares its line with what stands before it; put it on a line of its own, and the mark above it", m.Subject, m.Text, m.Reason)
		return
	}
	s.proposal.Marks = append(s.proposal.Marks, m)
}

func (p *Proposal) sort() {
	slices.SortStableFunc(p.Marks, func(a, b Mark) int { return a.Pos.Compare(b.Pos) })
	for _, notes := range []*[]model.Note{&p.Questions, &p.Notes} {
		slices.SortFunc(*notes, func(a, b model.Note) int { return cmp.Or(a.Pos.Compare(b.Pos), cmp.Compare(a.Text, b.Text)) })
		*notes = slices.Compact(*notes)
	}
}

// quoted returns a value as a mark has it.
func quoted(value string) string {
	if strings.ContainsAny(value, " \t\"") || strings.Contains(value, "//") {
		return strconv.Quote(value)
	}
	return value
}
