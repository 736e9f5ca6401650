package astscan

import (
	"go/ast"
	"go/doc"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/internal/model"
)

// A remark is what the source says about a field in comments.
type remark struct {
	doc   string // the first sentence
	index *model.IndexMark
}

// remark returns what the source says about a field that it declares.
func (p payloadReader) remark(field *types.Var) remark {
	src := p.decls.byPath[field.Pkg().Path()]
	if src == nil {
		return remark{}
	}
	if p.remarks[src] == nil {
		p.remarks[src] = p.readRemarks(src)
	}
	return p.remarks[src][field.Pos()]
}

// readRemarks returns what a package says about the fields of its structs.
func (s *scan) readRemarks(src *source) map[token.Pos]remark {
	remarks := map[token.Pos]remark{}
	for _, d := range src.types {
		ast.Inspect(d.spec, func(n ast.Node) bool {
			field, ok := n.(*ast.Field)
			if !ok || field.Doc == nil && field.Comment == nil {
				return true
			}
			r := remark{doc: sentence(field.Doc, field.Comment), index: s.indexMark(field.Doc, field.Comment)}
			for _, name := range fieldNames(field) {
				remarks[name.Pos()] = r
			}
			return true
		})
	}
	return remarks
}

// sentence returns the first sentence of the first comment that has one.
func sentence(groups ...*ast.CommentGroup) string {
	for _, group := range groups {
		if text := new(doc.Package).Synopsis(group.Text()); text != "" {
			return text
		}
	}
	return ""
}

// indexMark returns the mark //eventmap:index among the comments of a field, or nil.
func (s *scan) indexMark(groups ...*ast.CommentGroup) *model.IndexMark {
	for _, group := range groups {
		if group == nil {
			continue
		}
		for _, c := range group.List {
			body, form, ok := isMark(c.Text)
			if verb, args, _ := strings.Cut(body, " "); ok && form == "" && verb == "index" {
				args, _, _ = strings.Cut(args+" ", " //")
				return &model.IndexMark{Args: strings.TrimSpace(args), Pos: s.Pos(c.Pos())}
			}
		}
	}
	return nil
}

// looseIndexes returns where fields are marked that came up in no event's payload.
func (s *scan) looseIndexes(decls *declarations, payloads payloads) []model.Position {
	if len(decls.indexed) == 0 {
		return nil
	}
	loose := map[model.Position]bool{}
	for _, at := range decls.indexed {
		loose[s.Pos(at)] = true
	}
	for _, payload := range payloads {
		for shape := range payload.All() {
			for _, f := range shape.Fields {
				if f.Index != nil {
					delete(loose, f.Index.Pos)
				}
			}
		}
	}
	return slices.SortedFunc(maps.Keys(loose), model.Position.Compare)
}

// embeddedName returns the identifier that is the name of an embedded field.
func embeddedName(t ast.Expr) *ast.Ident {
	switch t := t.(type) {
	case *ast.StarExpr:
		return embeddedName(t.X)
	case *ast.SelectorExpr:
		return t.Sel
	case *ast.IndexExpr:
		return embeddedName(t.X)
	case *ast.IndexListExpr:
		return embeddedName(t.X)
	case *ast.Ident:
		return t
	}
	return ast.NewIdent("_")
}
