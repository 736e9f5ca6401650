package adopt

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/internal/astscan"
)

// A storedName is the name of an event for which no type was found.
type storedName struct {
	pos      token.Pos    // of the constant that holds it, or where it is used
	obj      types.Object // the constant, or nil
	reader   *reader      // of the constant's package
	where    string
	typed    bool       // it has a type, which was asked about
	bodiless bool       // the code shows that it has no body
	state    *candidate // that it is applied to, or nil
	like     *candidate // an event of the same aggregate, or nil
}

// names takes a stored name for which the code has no type.
func (r *reader) names(text string, e ast.Expr, name storedName) {
	if known, ok := r.stored[text]; ok {
		known.bodiless = known.bodiless || name.bodiless
		if known.state == nil {
			known.state = name.state
		}
		r.stored[text] = known
		return
	}
	name.pos, name.reader = e.Pos(), r
	if obj, ok := r.object(e).(*types.Const); ok && r.byPackage[obj.Pkg()] != nil {
		name.pos, name.obj, name.reader = obj.Pos(), obj, r.byPackage[obj.Pkg()]
	}
	r.stored[text] = name
}

// declareBodiless proposes an empty struct for each stored name that has no type, or asks for one: in other libraries an
// event without a body needs none.
func (s *search) declareBodiless() {
	typed := map[string]*candidate{}
	for _, c := range s.order {
		if c.markedName != "" {
			typed[c.markedName] = c
		} else if c.isEvent() {
			for name := range c.names {
				typed[name] = c
			}
		}
	}
	for _, r := range s.readers {
		r.constantsBeside(typed)
	}
	for _, text := range slices.Sorted(maps.Keys(s.stored)) {
		if name := s.stored[text]; typed[text] == nil && !name.typed {
			s.declare(text, name)
		}
	}
}

func (s *search) declare(text string, name storedName) {
	typeName := "NAME"
	if name.obj != nil {
		typeName = name.reader.freeName(exported(name.obj.Name()))
	}
	mark := "//eventmap:event"
	if text != typeName {
		mark += " name=" + quoted(text)
	}
	var aggregate string
	switch {
	case name.state != nil:
		aggregate, _ = s.nameOf(name.state)
	case name.like != nil:
		aggregate = name.like.aggregate
	default:
		aggregate, _ = s.aggregates.of(name.reader.pkg.Types, nil)
	}
	if aggregate != "" && aggregate != astscan.PackageAggregate(name.reader.pkg) {
		mark += " aggregate=" + quoted(aggregate)
	}
	f, decl := name.reader.constant(name.obj)
	if !name.bodiless || f == nil || name.reader.isGenerated(f, decl) || name.reader.pkg.Name == "main" {
		s.ask(name.pos, "%q is the name of an event (%s), but no type was found for it; if it has no body, declare type %s struct{} with the mark %s", text, name.where, typeName, mark)
		return
	}
	s.proposal.Events++
	s.proposal.Marks = append(s.proposal.Marks, Mark{
		Pos: s.Pos(name.pos), Text: mark, Subject: name.reader.pkg.Name + "." + typeName, source: s.Source(name.reader.pkg, f), file: f, node: decl, declares: typeName,
		Reason: fmt.Sprintf("%s shows that %q has no body; an empty struct stands for it", name.where, text),
	})
}

// isGenerated reports whether a tool wrote a declaration.
func (r *reader) isGenerated(f *ast.File, decl *ast.GenDecl) bool {
	return r.Generated(r.pkg, f) || r.MadeOf(r.Source(r.pkg, f), decl.Pos()) != ""
}

// constant returns where a constant of the package is declared, or nil.
func (r *reader) constant(obj types.Object) (*ast.File, *ast.GenDecl) {
	if obj == nil {
		return nil, nil
	}
	for _, f := range r.pkg.Syntax {
		for _, decl := range f.Decls {
			if gen, ok := decl.(*ast.GenDecl); ok && gen.Pos() <= obj.Pos() && obj.Pos() < gen.End() {
				return f, gen
			}
		}
	}
	return nil, nil
}

// freeName returns a name for a type of the package, like that of a constant.
func (r *reader) freeName(constant string) string {
	base := constant
	for _, suffix := range []string{"EventType", "Type", "Event", "Name"} {
		if trimmed := strings.TrimSuffix(base, suffix); trimmed != "" && trimmed != base {
			base = trimmed
			break
		}
	}
	for _, name := range []string{base, base + "Event", base + "Data"} {
		if r.pkg.Types.Scope().Lookup(name) == nil {
			return name
		}
	}
	return base + "EventData"
}

// namesOthers are constants that stand beside the names of events and are none.
var namesOthers = compile(`(?i)aggregate|stream|topic|table|prefix|version|queue|exchange|schema|cmd|command`)

// constantsBeside takes the constants of a declaration of which others name events.
func (r *reader) constantsBeside(typed map[string]*candidate) {
	for _, f := range r.pkg.Syntax {
		for _, decl := range f.Decls {
			if gen, ok := decl.(*ast.GenDecl); ok && gen.Tok == token.CONST {
				r.constantsOf(gen, typed)
			}
		}
	}
}

func (r *reader) constantsOf(gen *ast.GenDecl, typed map[string]*candidate) {
	var beside []*ast.Ident
	var sibling *types.Const
	for _, spec := range gen.Specs {
		for _, id := range spec.(*ast.ValueSpec).Names {
			obj, ok := r.info.Defs[id].(*types.Const)
			switch {
			case !ok || obj.Val().Kind() != constant.String || namesOthers.MatchString(id.Name):
			case typed[constant.StringVal(obj.Val())] != nil:
				sibling = obj
			default:
				beside = append(beside, id)
			}
		}
	}
	if sibling == nil {
		return
	}
	like := typed[constant.StringVal(sibling.Val())]
	for _, id := range beside {
		obj := r.info.Defs[id].(*types.Const)
		text := constant.StringVal(obj.Val())
		if name, known := r.stored[text]; known {
			name.like = like
			r.stored[text] = name
		} else if types.Identical(obj.Type(), sibling.Type()) {
			r.stored[text] = storedName{pos: id.Pos(), obj: obj, reader: r, like: like, where: "it stands beside " + sibling.Name() + ", which is one"}
		}
	}
}
