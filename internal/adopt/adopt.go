// Package adopt proposes the marks that make eventmap read a code base that exists. It looks for what other libraries and
// hand-written code say about events: methods that return a type's stored name, registries, switches over names, constants
// beside a type, interfaces that all events implement, and methods that apply events to a state.
//
// It changes nothing: [Find] returns a [Proposal], and [Proposal.Files] the source with the marks written in.
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
	Events    int          // how many types are events
	Marked    bool         // there are marks already

	program *goload.Program
}

// A Mark is a line to write above a declaration.
type Mark struct {
	Pos     model.Position // of the declaration
	Text    string         // such as //eventmap:event name=order.placed
	Subject string         // what is marked, such as order.Placed
	Reason  string

	file *ast.File
	node ast.Node // a *ast.GenDecl, *ast.TypeSpec or *ast.Field
}

// A candidate is a type that may be an event.
type candidate struct {
	pkg       *goload.Package
	file      *ast.File
	decl      *ast.GenDecl
	spec      *ast.TypeSpec
	obj       *types.TypeName
	generated bool
	marked    bool

	names      map[string]string // stored names, each with where it was found
	versions   map[int]string
	strong     []string                   // why it is an event
	weak       map[string]string          // names that methods such as Name return, which commands have as well
	aggregates map[*types.TypeName]string // of whose state it is applied to, and by what
}

func (c *candidate) String() string { return c.pkg.Name + "." + c.obj.Name() }

// isEvent reports whether anything says that the type is an event.
func (c *candidate) isEvent() bool {
	return len(c.strong) > 0 || len(c.aggregates) > 0
}

// A search is the state of one run.
type search struct {
	*goload.Program
	types     map[*types.TypeName]*candidate
	order     []*candidate
	sums      []*sum
	aggNames  map[*types.TypeName]string // states, and the names that the code gives their streams
	pkgNames  map[*goload.Package]string // packages, and the aggregate type that they declare as a constant
	byMessage string                     // how a library of messages names types; empty: there is none
	proposal  *Proposal
}

// A sum is an interface that may stand for all events of an aggregate.
type sum struct {
	candidate
	iface *types.Interface
}

// Find reads a program that was loaded with [goload.Options.Info].
func Find(p *goload.Program) *Proposal {
	s := search{
		Program:  p,
		types:    map[*types.TypeName]*candidate{},
		aggNames: map[*types.TypeName]string{},
		pkgNames: map[*goload.Package]string{},
		proposal: &Proposal{program: p},
	}
	s.collect()
	s.readCode()
	s.readSums()
	s.propose()
	sortProposal(s.proposal)
	return s.proposal
}

// collect finds the types that may be events, and the interfaces that may stand for them.
func (s *search) collect() {
	for _, pkg := range s.Packages {
		if pkg.Name == "main" || pkg.Types == nil {
			continue
		}
		for _, f := range pkg.Syntax {
			generated := ast.IsGenerated(f) || !s.Wrote(pkg, f)
			for _, decl := range f.Decls {
				gen, ok := decl.(*ast.GenDecl)
				if !ok || gen.Tok != token.TYPE {
					continue
				}
				for _, spec := range gen.Specs {
					s.collectType(pkg, f, gen, spec.(*ast.TypeSpec), generated)
				}
			}
		}
	}
	slices.SortFunc(s.order, func(a, b *candidate) int { return s.ByPosition(a.obj.Pos(), b.obj.Pos()) })
}

func (s *search) collectType(pkg *goload.Package, f *ast.File, gen *ast.GenDecl, spec *ast.TypeSpec, generated bool) {
	obj, ok := pkg.Types.Scope().Lookup(spec.Name.Name).(*types.TypeName)
	if !ok || obj.IsAlias() || spec.TypeParams != nil {
		return
	}
	c := candidate{
		pkg: pkg, file: f, decl: gen, spec: spec, obj: obj, generated: generated,
		marked: isMarked(spec.Doc) || !gen.Lparen.IsValid() && isMarked(gen.Doc),
		names:  map[string]string{}, versions: map[int]string{}, weak: map[string]string{}, aggregates: map[*types.TypeName]string{},
	}
	s.proposal.Marked = s.proposal.Marked || c.marked
	if iface, ok := obj.Type().Underlying().(*types.Interface); ok {
		if iface.IsMethodSet() && !iface.Empty() {
			s.sums = append(s.sums, &sum{candidate: c, iface: iface})
		}
		return
	}
	s.types[obj] = &c
	s.order = append(s.order, &c)
}

func isMarked(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//eventmap:") })
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

func sortProposal(p *Proposal) {
	slices.SortStableFunc(p.Marks, func(a, b Mark) int { return a.Pos.Compare(b.Pos) })
	slices.SortFunc(p.Questions, func(a, b model.Note) int { return cmp.Or(a.Pos.Compare(b.Pos), cmp.Compare(a.Text, b.Text)) })
	p.Questions = slices.Compact(p.Questions)
}

// quoted returns a value as a mark has it.
func quoted(value string) string {
	if strings.ContainsAny(value, " \t\"") || strings.Contains(value, "//") {
		return strconv.Quote(value)
	}
	return value
}
