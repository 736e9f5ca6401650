package fingerprint

import (
	"encoding/binary"
	"go/ast"
	"go/token"
	"go/types"
	"io"
	"reflect"
	"strings"
)

// writeText writes text with its length before it, so that no two lists of texts are written alike.
func writeText(w io.Writer, text string) {
	// Hashes and builders never fail.
	_, _ = w.Write(binary.BigEndian.AppendUint64(nil, uint64(len(text))))
	_, _ = io.WriteString(w, text)
}

// declarationText is a declaration's content in a form that only depends on what it means: no comments, no positions, no
// layout, and each identifier with what it stands for, so that another import behind the same name shows.
func declarationText(node ast.Node, info *types.Info) string {
	var b strings.Builder
	writeNode(&b, reflect.ValueOf(node), info)
	return b.String()
}

var (
	positionType = reflect.TypeFor[token.Pos]()
	commentType  = reflect.TypeFor[*ast.CommentGroup]()
	//nolint:staticcheck // the field is in the tree, and is not looked at
	objectType = reflect.TypeFor[*ast.Object]()
)

// Two positions mean something by being there: the dots of a call f(xs...), and the equals sign of an alias.
var meaningfulPositions = map[string]bool{"Ellipsis": true, "Assign": true}

func writeNode(b *strings.Builder, v reflect.Value, info *types.Info) {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			b.WriteByte('-')
			return
		}
		switch node := v.Interface().(type) {
		case *ast.Ident:
			writeIdentifier(b, node, info)
			return
		case *ast.BasicLit:
			// gofmt writes 0XFF as 0xff and 1E3 as 1e3.
			text := node.Value
			if node.Kind != token.STRING && node.Kind != token.CHAR {
				text = strings.ToLower(text)
			}
			b.WriteByte('"')
			writeText(b, text)
			return
		case *ast.ParenExpr:
			writeNode(b, reflect.ValueOf(node.X), info)
			return
		case *ast.SelectorExpr:
			writeSelection(b, node, info)
		}
		writeNode(b, v.Elem(), info)
	case reflect.Struct:
		b.WriteString(v.Type().Name())
		b.WriteByte('{')
		for i := range v.NumField() {
			field := v.Type().Field(i)
			switch {
			case field.Type == commentType || field.Type == objectType || field.Name == "Doc" || field.Name == "Comment":
			case field.Type == positionType:
				if meaningfulPositions[field.Name] && v.Field(i).Int() != 0 {
					b.WriteString(field.Name)
				}
			default:
				writeNode(b, v.Field(i), info)
				b.WriteByte(',')
			}
		}
		b.WriteByte('}')
	case reflect.Slice:
		b.WriteByte('[')
		for i := range v.Len() {
			writeNode(b, v.Index(i), info)
			b.WriteByte(',')
		}
		b.WriteByte(']')
	case reflect.Int:
		if tok, ok := v.Interface().(token.Token); ok {
			b.WriteString(tok.String())
			return
		}
		writeText(b, v.String())
	case reflect.Bool:
		if v.Bool() {
			b.WriteByte('t')
		}
	case reflect.String:
		writeText(b, v.String())
	}
}

func writeIdentifier(b *strings.Builder, id *ast.Ident, info *types.Info) {
	b.WriteByte('\'')
	writeText(b, id.Name)
	if object := info.Uses[id]; object != nil && object.Pkg() != nil && !isLocal(object) {
		writeText(b, nameOf(object))
	}
}

// writeSelection adds what a selector selects: a promoted method is found on another type when an embedded field changes,
// and the selector stays as it is.
func writeSelection(b *strings.Builder, selector *ast.SelectorExpr, info *types.Info) {
	if selection := info.Selections[selector]; selection != nil {
		writeText(b, types.TypeString(selection.Recv(), nil))
		for _, i := range selection.Index() {
			b.WriteByte(byte('0' + i%10))
		}
	}
}

// isLocal reports whether an object is declared inside a function, or is a field, a method's parameter or the like: its
// declaration is part of another one's text.
func isLocal(object types.Object) bool {
	if f, ok := object.(*types.Func); ok {
		return f.Signature().Recv() == nil && object.Parent() != object.Pkg().Scope()
	}
	return object.Parent() != object.Pkg().Scope()
}

// nameOf names a declaration at the level of a package, or a method.
func nameOf(object types.Object) string {
	if f, ok := object.(*types.Func); ok {
		return f.Origin().FullName()
	}
	return object.Pkg().Path() + "." + object.Name()
}
