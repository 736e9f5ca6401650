package astscan

import (
	"bytes"
	"go/ast"
	"go/doc"
	"go/token"
	"go/types"
	"os"
	"slices"

	"github.com/eventmap/eventmap/internal/goload"
	"github.com/eventmap/eventmap/internal/model"
)

// A typeDecl is a type that a source declares at package level.
type typeDecl struct {
	src       *source
	obj       *types.TypeName
	spec      *ast.TypeSpec
	doc       string // the first sentence of its doc comment
	generated bool   // by another tool
	mark      *mark  // or nil; the mark forget is beside it
	forget    *mark  // or nil
	sums      sums   // that it implements, by value or pointer
}

// marked returns the mark of a verb that stands on d, or nil.
func (d *typeDecl) marked(verb string) *mark {
	if d.mark == nil || d.mark.verb != verb {
		return nil
	}
	return d.mark
}

// typ returns the declared type, behind any alias.
func (d *typeDecl) typ() types.Type { return types.Unalias(d.obj.Type()) }

// structType returns the struct that d declares, or nil.
func (d *typeDecl) structType() *types.Struct {
	st, _ := d.typ().Underlying().(*types.Struct)
	return st
}

// isGeneric reports whether d takes type parameters.
func (d *typeDecl) isGeneric() bool { return d.spec.TypeParams != nil }

// String returns the type as code of another package would name it.
func (d *typeDecl) String() string { return d.src.label + "." + d.obj.Name() }

// A funcDecl is a function marked as an upcaster.
type funcDecl struct {
	src    *source
	obj    *types.Func
	syntax *ast.FuncDecl
	mark   *mark
}

// String returns the function as code of another package would name it.
func (fn *funcDecl) String() string { return fn.src.label + "." + fn.obj.Name() }

// A source is a package that is searched, with what it declares.
type source struct {
	*goload.Package
	label      string // what names it in messages
	types      []*typeDecl
	upcasts    []*funcDecl
	aggregate  *mark // of a package clause
	saysEvents bool  // a mark says what its events are, so that the convention does not
}

// declarations are those of all sources.
type declarations struct {
	sources []*source          // by path
	byPath  map[string]*source // the same
	types   map[*types.TypeName]*typeDecl
	ignored map[token.Pos]bool       // names of the methods marked ignore
	indexed map[*ast.Field]token.Pos // fields marked index, and where
	opaque  map[token.Pos]bool       // names of the fields marked opaque
	// subjects and personal are the marks of these verbs, by the names of the fields that they stand on.
	subjects, personal map[token.Pos]*mark
	// saysEvents says that a mark anywhere says what the events are, so that the convention does not.
	saysEvents bool
}

// declare collects the types and marks of the packages, and reports marks that are not in order.
func (s *scan) declare() *declarations {
	d := declarer{scan: s, declarations: &declarations{
		byPath:  map[string]*source{},
		types:   map[*types.TypeName]*typeDecl{},
		ignored: map[token.Pos]bool{},
		indexed: map[*ast.Field]token.Pos{},
		opaque:  map[token.Pos]bool{},

		subjects: map[token.Pos]*mark{},
		personal: map[token.Pos]*mark{},
	}}
	named := map[string]int{}
	for _, pkg := range s.Packages {
		named[pkg.Name]++
	}
	for _, pkg := range s.Packages {
		src := &source{Package: pkg, label: pkg.Name}
		if named[pkg.Name] > 1 && pkg.Below != "" {
			src.label = pkg.Below // the name would not tell it from others
		}
		d.sources = append(d.sources, src)
		d.byPath[pkg.Path] = src
		for _, f := range pkg.Syntax {
			d.file(src, f)
		}
		slices.SortFunc(src.types, func(a, b *typeDecl) int { return s.Pos(a.obj.Pos()).Compare(s.Pos(b.obj.Pos())) })
		for _, decl := range src.types {
			d.types[decl.obj] = decl
		}
		s.noteExcluded(pkg)
		if pkg.Name == "main" && len(src.types) > 0 {
			s.note(pkg.Clause, "package main cannot be imported: its types are no events")
		}
	}
	return d.declarations
}

// A declarer collects declarations.
type declarer struct {
	*scan
	*declarations
}

// file collects one file.
func (d declarer) file(src *source, f *ast.File) {
	anchors := map[*ast.CommentGroup]anchor{}
	generated := d.Generated(src.Package, f)
	scope := src.Types.Scope()
	for _, decl := range f.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.TYPE {
			continue
		}
		for _, spec := range gen.Specs {
			spec := spec.(*ast.TypeSpec)
			comment := spec.Doc
			if comment == nil && !gen.Lparen.IsValid() {
				comment = gen.Doc
			}
			obj, ok := scope.Lookup(spec.Name.Name).(*types.TypeName)
			if !ok || obj.Pos() != spec.Name.Pos() {
				continue // the blank identifier
			}
			decl := &typeDecl{src: src, obj: obj, spec: spec, generated: generated}
			if comment != nil {
				decl.doc = new(doc.Package).Synopsis(comment.Text())
				anchors[comment] = anchor{decl: decl}
			}
			src.types = append(src.types, decl)
		}
	}
	complete := false
	for _, group := range f.Comments {
		for _, c := range group.List {
			body, form, ok := isMark(c.Text)
			if !ok {
				continue
			}
			if !complete {
				addAnchors(anchors, f)
				complete = true
			}
			d.mark(src, f, anchors, group, c, body, form)
		}
	}
}

// mark reads one mark and gives it to what it stands on.
func (d declarer) mark(src *source, f *ast.File, anchors map[*ast.CommentGroup]anchor, group *ast.CommentGroup, c *ast.Comment, body, form string) {
	if form != "" {
		d.problem(c.Pos(), "%s", form)
		return
	}
	m, err := parseMark(body)
	if err != nil {
		d.problem(c.Pos(), "%v", err)
		return
	}
	m.pos = c.Pos()
	a, ok := anchors[group]
	switch {
	case !ok:
		d.problem(c.Pos(), "%v stands on nothing; write it directly above %s, with no blank line between", m, m.standsOn())
	case a.decl != nil:
		d.markType(a.decl, &m)
	case a.kind == onPackage && m.verb == "aggregate":
		d.markPackage(src, &m)
	case a.kind == onFunc && m.verb == "upcast":
		d.markUpcast(src, f, a.fn, &m)
	case a.kind == onMethod && m.verb == "ignore":
		d.ignored[a.fn.Name.Pos()] = true
	case a.kind == onField && m.verb == "index":
		d.markField(a.field, &m)
	case a.kind == onField && m.verb == "opaque":
		for _, name := range fieldNames(a.field) {
			d.opaque[name.Pos()] = true
		}
	case a.kind == onField && m.verb == "subject":
		d.markFieldNames(d.subjects, a.field, &m)
	case a.kind == onField && m.verb == "personal":
		d.markFieldNames(d.personal, a.field, &m)
	case a.hint != "":
		d.problem(c.Pos(), "%v stands on %s; %s", m, a.kind, a.hint)
	default:
		d.problem(c.Pos(), "%v stands on %s; it marks %s", m, a.kind, m.standsOn())
	}
}

// standsOn says what the mark marks.
func (m mark) standsOn() string {
	switch m.verb {
	case "event":
		return "a struct type"
	case "events":
		return "an interface type"
	case "aggregate":
		return "a struct type or a package clause"
	case "upcast":
		return "a function"
	case "index", "opaque", "subject", "personal":
		return "a field"
	case "forget":
		return "an event"
	}
	return "a type or a method"
}

// markType gives a mark to a type, if it can bear it.
func (d declarer) markType(decl *typeDecl, m *mark) {
	switch {
	case decl.src.Name == "main":
		d.problem(m.pos, "%v stands in package main, which cannot be imported; move %s to a package of its own", *m, decl.obj.Name())
	case decl.generated:
		d.problem(m.pos, "%v stands in a generated file, which is not searched for events; move %s to a file written by hand", *m, decl.obj.Name())
	case m.verb == "upcast" || m.standsOn() == "a field":
		d.problem(m.pos, "%v stands on the type %s; it marks %s", *m, decl.obj.Name(), m.standsOn())
	case m.verb == "events" && !types.IsInterface(decl.typ()):
		d.problem(m.pos, "%v stands on %s, which is no interface; write it above the interface that the events of an aggregate implement, or mark each event //eventmap:event", *m, decl.obj.Name())
	case m.verb == "event" && types.IsInterface(decl.typ()):
		d.problem(m.pos, "%v stands on the interface %s; what implements it is an event if it is marked //eventmap:events", *m, decl.obj.Name())
	case m.verb == "aggregate" && types.IsInterface(decl.typ()):
		d.problem(m.pos, "%v stands on the interface %s; write it above the struct that the events of the aggregate fold into", *m, decl.obj.Name())
	case (m.verb == "event" || m.verb == "aggregate") && decl.structType() == nil:
		d.problem(m.pos, "%v stands on %s, which is no struct; make it one, as in %s", *m, decl.obj.Name(), asStruct(decl))
	case m.verb != "ignore" && decl.isGeneric():
		d.problem(m.pos, "%v stands on the generic type %s; mark a type without type parameters", *m, decl.obj.Name())
	case m.verb == "forget" && decl.forget == nil:
		decl.forget = m
	case decl.marked(m.verb) != nil || m.verb == "forget":
		d.problem(m.pos, "%s is marked %v twice", decl.obj.Name(), *m)
	case decl.mark != nil:
		d.problem(m.pos, "%s is marked %v and %v; it can be one of them", decl.obj.Name(), *decl.mark, *m)
	default:
		decl.mark = m
		if m.verb == "event" || m.verb == "events" {
			decl.src.saysEvents, d.saysEvents = true, true
		}
	}
}

// markPackage gives the aggregate of a package clause to the package.
func (s *scan) markPackage(src *source, m *mark) {
	switch {
	case m.id != "":
		s.problem(m.pos, "%v on a package clause has no id=; write it on the struct that is the aggregate's state", *m)
	case m.name == "":
		s.problem(m.pos, "%v on a package clause names the aggregate of the package's events; write %v Order", *m, *m)
	case src.aggregate != nil && src.aggregate.name != m.name:
		s.problem(m.pos, "the package is marked %v %s and %s (%v)", *m, m.name, src.aggregate.name, s.Pos(src.aggregate.pos))
	case src.aggregate == nil || s.Pos(m.pos).Compare(s.Pos(src.aggregate.pos)) < 0:
		src.aggregate = m
	}
}

// markUpcast takes a function as an upcaster.
func (s *scan) markUpcast(src *source, f *ast.File, fn *ast.FuncDecl, m *mark) {
	switch obj, ok := src.Types.Scope().Lookup(fn.Name.Name).(*types.Func); {
	case !ok || obj.Pos() != fn.Name.Pos():
		s.problem(m.pos, "%v stands on %s, which cannot be called; give it another name", *m, fn.Name.Name)
	case src.Name == "main":
		s.problem(m.pos, "%v stands in package main, which cannot be imported; move %s to a package of its own", *m, fn.Name.Name)
	case s.Generated(src.Package, f):
		s.problem(m.pos, "%v stands in a generated file, which is not searched; move %s to a file written by hand", *m, fn.Name.Name)
	default:
		src.upcasts = append(src.upcasts, &funcDecl{src: src, obj: obj, syntax: fn, mark: m})
	}
}

// fieldNames returns the names that a field declares.
func fieldNames(field *ast.Field) []*ast.Ident {
	if len(field.Names) == 0 {
		return []*ast.Ident{embeddedName(field.Type)}
	}
	return field.Names
}

// markField takes note of a field that is to be indexed. What the mark asks for is read where its payload is.
func (d declarer) markField(field *ast.Field, m *mark) {
	if _, twice := d.indexed[field]; twice {
		d.problem(m.pos, "the field is marked %v twice", *m)
	}
	d.indexed[field] = m.pos
}

// markFieldNames gives a mark to every name that a field declares.
func (d declarer) markFieldNames(marks map[token.Pos]*mark, field *ast.Field, m *mark) {
	for _, name := range fieldNames(field) {
		if marks[name.Pos()] != nil {
			d.problem(m.pos, "the field %s is marked %v twice", name.Name, *m)
		}
		marks[name.Pos()] = m
	}
}

// noteExcluded notes the files that build constraints exclude although they bear marks.
func (s *scan) noteExcluded(pkg *goload.Package) {
	for _, name := range pkg.Ignored {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // the go command saw it; gone since, it bears no marks
		}
		if i := bytes.Index(text, []byte("\n//"+markPrefix)); i >= 0 {
			at := s.Dir.Position(token.Position{Filename: name, Line: 2 + bytes.Count(text[:i], []byte("\n")), Column: 1})
			s.notes = append(s.notes, model.Note{Pos: at, Text: "build constraints exclude this file: its marks are not read"})
		}
	}
}
