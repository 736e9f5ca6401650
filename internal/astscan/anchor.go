package astscan

import (
	"go/ast"
	"go/token"
)

// An anchor is what a comment belongs to: a type, a function, or something of another kind.
type anchor struct {
	kind  string
	hint  string // what to do about a mark there; empty: say what it marks
	decl  *typeDecl
	fn    *ast.FuncDecl
	field *ast.Field
}

const (
	onPackage = "the package clause"
	onField   = "a field"
	onFunc    = "a function"
	onMethod  = "a method"
)

// addAnchors adds what else comments belong to.
func addAnchors(anchors map[*ast.CommentGroup]anchor, f *ast.File) {
	add := func(a anchor, groups ...*ast.CommentGroup) {
		for _, group := range groups {
			if _, ok := anchors[group]; !ok && group != nil {
				anchors[group] = a
			}
		}
	}
	add(anchor{kind: onPackage}, f.Doc)
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BlockStmt:
			addWithin(anchors, f, n)
			return false
		case *ast.FuncDecl:
			kind := onFunc
			if n.Recv != nil {
				kind = onMethod
			}
			add(anchor{kind: kind, fn: n}, n.Doc)
		case *ast.GenDecl:
			switch {
			case n.Tok == token.TYPE && n.Lparen.IsValid():
				add(anchor{kind: "a group of types", hint: "write it above a type within"}, n.Doc)
			case n.Tok == token.TYPE:
				add(anchor{kind: "a type that cannot be named"}, n.Doc)
			}
			add(anchor{kind: "a declaration of " + n.Tok.String()}, n.Doc)
		case *ast.TypeSpec:
			add(anchor{kind: "the end of a type", hint: "write it on a line of its own above the type"}, n.Comment)
			add(anchor{kind: "a type that cannot be named"}, n.Doc)
		case *ast.ValueSpec:
			add(anchor{kind: "a variable or constant"}, n.Doc, n.Comment)
		case *ast.ImportSpec:
			add(anchor{kind: "an import"}, n.Doc, n.Comment)
		case *ast.StructType:
			for _, field := range n.Fields.List {
				add(anchor{kind: onField, field: field}, field.Doc, field.Comment)
			}
		case *ast.InterfaceType:
			for _, field := range n.Methods.List {
				add(anchor{kind: "a method of an interface", hint: "write //eventmap:events above the interface"}, field.Doc, field.Comment)
			}
		}
		return true
	})
}

// addWithin adds the comments within a function.
func addWithin(anchors map[*ast.CommentGroup]anchor, f *ast.File, body *ast.BlockStmt) {
	for _, group := range f.Comments {
		if body.Pos() <= group.Pos() && group.End() <= body.End() {
			anchors[group] = anchor{kind: "something within a function", hint: "declare the type at package level"}
		}
	}
}
