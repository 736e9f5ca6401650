package adopt

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/eventmap/eventmap/internal/goload"
)

// A candidate is a type that may be an event.
type candidate struct {
	pkg       *goload.Package
	file      *ast.File
	decl      *ast.GenDecl
	spec      *ast.TypeSpec
	obj       *types.TypeName
	generated bool
	madeOf    string // the file that a tool makes its file of, as line directives say; generated is set, too
	marked    bool
	ignored   bool

	markedName string // the stored name that its mark says; empty: it is not marked as an event

	names      map[string]string          // stored names, each with where it was found
	selfNamed  bool                       // a method of its own names it as an event
	many       string                     // the method that returns its stored name from a field
	computed   string                     // the method that computes its stored name; empty: there is none
	versions   map[int]string             // versions of its payload, each with where it was found
	strong     []string                   // why it is an event
	weak       map[string]string          // names that methods such as Name return, which commands have as well
	aggregates map[*types.TypeName]string // of whose state it is applied to, and by what
	command    string                     // where it is used as a command or query
	aggregate  string                     // of which it was found to be
	folds      bool                       // it is a state: events are applied to it
}

func (c *candidate) String() string { return c.pkg.Name + "." + c.obj.Name() }

// isEvent reports whether anything says that the type is an event.
func (c *candidate) isEvent() bool { return len(c.strong) > 0 || len(c.aggregates) > 0 }

// because adds a reason why the type is an event.
func (c *candidate) because(format string, args ...any) {
	c.strong = append(c.strong, fmt.Sprintf(format, args...))
}

// reason says why a type is an event, by the best that was found.
func (c *candidate) reason() string {
	for _, where := range slices.Sorted(maps.Values(c.aggregates)) {
		return where
	}
	return c.strong[0]
}

// structType returns the struct that the type is, or nil.
func (c *candidate) structType() *types.Struct {
	st, _ := c.obj.Type().Underlying().(*types.Struct)
	return st
}

// implements reports whether the type or a pointer to it has the methods of an interface.
func (c *candidate) implements(u *sum) bool {
	return c.spec.TypeParams == nil && (types.Implements(c.obj.Type(), u.iface) || types.Implements(types.NewPointer(c.obj.Type()), u.iface))
}

// collect finds the types that may be events, the interfaces that may stand for them, and what the code declares beside.
func (s *search) collect() {
	for _, pkg := range s.Packages {
		if pkg.Types == nil || pkg.Info == nil {
			continue
		}
		r := &reader{search: s, pkg: pkg, info: pkg.Info, funcs: map[*types.Func]*ast.FuncDecl{}, vars: map[*types.Var]ast.Expr{}}
		s.readers = append(s.readers, r)
		s.byPackage[pkg.Types] = r
		for _, f := range pkg.Syntax {
			if isOurs(f) {
				continue
			}
			generated := s.Generated(pkg, f)
			for _, decl := range f.Decls {
				switch decl := decl.(type) {
				case *ast.FuncDecl:
					if fn, ok := pkg.Info.Defs[decl.Name].(*types.Func); ok {
						r.funcs[fn] = decl
					}
				case *ast.GenDecl:
					r.collectDecl(f, decl, generated)
				}
			}
		}
	}
	slices.SortFunc(s.order, func(a, b *candidate) int { return s.ByPosition(a.obj.Pos(), b.obj.Pos()) })
	for _, c := range s.order {
		if st := c.structType(); st != nil {
			for field := range st.Fields() {
				if named := heldBy(field.Type()); named != nil {
					s.held[named.Origin().Obj()] = true
				}
			}
		}
	}
}

func (r *reader) collectDecl(f *ast.File, decl *ast.GenDecl, generated bool) {
	for _, spec := range decl.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			r.collectType(f, decl, spec, generated)
		case *ast.ValueSpec:
			if decl.Tok != token.VAR || len(spec.Values) != len(spec.Names) {
				continue
			}
			for i, name := range spec.Names {
				if v, ok := r.info.Defs[name].(*types.Var); ok {
					r.vars[v] = spec.Values[i]
				}
			}
		}
	}
}

func (r *reader) collectType(f *ast.File, decl *ast.GenDecl, spec *ast.TypeSpec, generated bool) {
	obj, ok := r.info.Defs[spec.Name].(*types.TypeName)
	if !ok || obj.IsAlias() || spec.Name.Name == "_" {
		return
	}
	doc := spec.Doc
	if doc == nil && !decl.Lparen.IsValid() {
		doc = decl.Doc
	}
	madeOf := r.MadeOf(r.Source(r.pkg, f), spec.Pos())
	c := candidate{
		pkg: r.pkg, file: f, decl: decl, spec: spec, obj: obj, generated: generated || madeOf != "", madeOf: madeOf,
		marked: isMarked(doc), ignored: hasMark(doc, "ignore"),
		names: map[string]string{}, versions: map[int]string{}, weak: map[string]string{}, aggregates: map[*types.TypeName]string{},
	}
	r.proposal.Marked = r.proposal.Marked || c.marked
	if name, ok := markedEvent(doc); ok {
		c.because("it is marked")
		c.markedName = cmp.Or(name, obj.Name())
	}
	if iface, ok := obj.Type().Underlying().(*types.Interface); ok {
		if spec.TypeParams == nil && iface.IsMethodSet() && !iface.Empty() {
			r.sums = append(r.sums, &sum{candidate: c, iface: iface})
		}
		return
	}
	r.types[obj] = &c
	r.order = append(r.order, &c)
}

func isMarked(doc *ast.CommentGroup) bool { return hasMark(doc, "") }

// hasMark reports whether a doc comment has a mark that begins with a verb.
func hasMark(doc *ast.CommentGroup, verb string) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//eventmap:"+verb) })
}

// markedName is the name that a mark gives an event.
var markedName = regexp.MustCompile(`\sname=("(?:[^"\\]|\\.)*"|\S+)`)

// markedEvent reports whether a doc comment marks an event, and returns the name that the mark says, if it says one.
func markedEvent(doc *ast.CommentGroup) (name string, ok bool) {
	if doc == nil {
		return "", false
	}
	for _, c := range doc.List {
		body, isMark := strings.CutPrefix(c.Text, "//eventmap:event")
		if !isMark || strings.HasPrefix(body, "s") {
			continue
		}
		ok = true
		if found := markedName.FindStringSubmatch(body); found != nil {
			name = found[1]
			if unquoted, err := strconv.Unquote(name); err == nil {
				name = unquoted
			}
		}
	}
	return name, ok
}

// heldBy returns the named type that a value of type t holds: t itself, or what it points to or has as elements, or nil.
func heldBy(t types.Type) *types.Named {
	for {
		switch u := types.Unalias(t).(type) {
		case *types.Pointer:
			t = u.Elem()
		case *types.Slice:
			t = u.Elem()
		case *types.Array:
			t = u.Elem()
		case *types.Map:
			t = u.Elem()
		case *types.Named:
			return u
		default:
			return nil
		}
	}
}

// isString reports whether a type is a string.
func isString(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsString != 0
}
