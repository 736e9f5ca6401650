package jsonshape

import (
	"go/types"
	"strings"

	"github.com/eventmap/eventmap/internal/model"
)

// names are what a type is called.
type names struct {
	goName string         // as the domain's source names it; "struct" where it has no name
	id     string         // of a named type: its path and name and, of an instantiated one, its type arguments
	under  string         // the underlying type of a named one
	code   model.TypeName // as code refers to it; not that of an instantiated type, nor of one declared within a function
}

// names returns what a type is called.
func (r *Reader) names(t types.Type) *names {
	if known := r.named[t]; known != nil {
		return known
	}
	n := &names{goName: structOr(t, (*types.Package).Name)}
	if named, ok := t.(*types.Named); ok {
		n.id, n.under = typeString(t, (*types.Package).Path), structOr(t.Underlying(), (*types.Package).Name)
		if obj := named.Obj(); obj.Pkg() != nil && named.TypeArgs().Len() == 0 && obj.Parent() == obj.Pkg().Scope() {
			n.code = model.TypeName{Package: model.Package{Path: obj.Pkg().Path(), Name: obj.Pkg().Name()}, Name: obj.Name()}
		}
	}
	r.named[t] = n
	return n
}

// structOr returns "struct" for a struct without a name, and what any other type is called.
func structOr(t types.Type, q types.Qualifier) string {
	if _, ok := t.(*types.Struct); ok {
		return "struct"
	}
	return typeString(t, q)
}

// typeString returns a type as every toolchain prints it. Since Go 1.27, the empty interface has no short name of its
// own, and json.RawMessage is another name for a type of a package that was not there before.
func typeString(t types.Type, q types.Qualifier) string {
	text := plainName(t, q)
	if text == "" {
		text = types.TypeString(t, q)
	}
	if strings.Contains(text, "interface{}") || strings.Contains(text, "jsontext.Value") {
		text = spellings.Replace(text)
	}
	return text
}

// plainName returns the name of a named type that is not generic, as go/types prints it but quicker, or nothing.
func plainName(t types.Type, q types.Qualifier) string {
	named, ok := t.(*types.Named)
	if !ok || named.TypeParams().Len() > 0 || named.Obj().Pkg() == nil {
		return ""
	}
	if prefix := q(named.Obj().Pkg()); prefix != "" {
		return prefix + "." + named.Obj().Name()
	}
	return named.Obj().Name()
}

var spellings = strings.NewReplacer("interface{}", "any", "encoding/json/jsontext.Value", "encoding/json.RawMessage", "jsontext.Value", "json.RawMessage")

// name says of a shape which type it is of.
func (w *walk) name(s *model.Shape, named *types.Named) {
	n := w.names(named)
	s.Go, s.Type, s.Under, s.Name = n.goName, n.id, n.under, n.code
	if s.Guarded || s.Kind == model.TextShape || s.Kind == model.OpaqueShape {
		s.Values = w.source.Values(named)
	}
}
