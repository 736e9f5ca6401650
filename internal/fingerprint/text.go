package fingerprint

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"go/ast"
	"go/token"
	"go/types"
	"io"
	"reflect"
	"strings"
	"sync"
)

// writeText writes text with its length before it, so that no two lists of texts are written alike.
func writeText(b textWriter, text string) {
	writeLength(b, len(text))
	_, _ = b.WriteString(text) // buffers never fail, nor do hashes behind them
}

func writeLength(b textWriter, n int) {
	_, _ = b.Write(binary.BigEndian.AppendUint64(b.AvailableBuffer(), uint64(n)))
}

// A textWriter is a [bytes.Buffer], or a [bufio.Writer].
type textWriter interface {
	io.Writer
	io.StringWriter
	AvailableBuffer() []byte
}

// newHash returns a hash to write texts to, and a function that returns what they come to, in hexadecimal.
func newHash() (w *bufio.Writer, sum func() string) {
	hash := sha256.New()
	w = bufio.NewWriter(hash)
	return w, func() string {
		_ = w.Flush()
		return hex.EncodeToString(hash.Sum(nil))
	}
}

// writeDeclaration writes a declaration's content in a form that only depends on what it means: no comments, no positions,
// no layout, and each identifier with what it stands for, so that another import behind the same name shows.
func writeDeclaration(b *bytes.Buffer, node ast.Node, info *types.Info) {
	writeNode(b, reflect.ValueOf(node), info)
}

var (
	positionType = reflect.TypeFor[token.Pos]()
	commentType  = reflect.TypeFor[*ast.CommentGroup]()
	//nolint:staticcheck // the field is in the tree, and is not looked at
	objectType = reflect.TypeFor[*ast.Object]()
)

// Two positions mean something by being there: the dots of a call f(xs...), and the equals sign of an alias.
var meaningfulPositions = map[string]bool{"Ellipsis": true, "Assign": true}

// A layout is what of a type of nodes counts.
type layout struct {
	name   string
	fields []layoutField
}

// A layoutField is a field that holds a node, or more, or a position that means something by being there.
type layoutField struct {
	index    int
	position string // its name, if it is one
}

var layouts sync.Map // by reflect.Type

// layoutOf returns the layout of a struct type. Reflection takes its time to tell.
func layoutOf(t reflect.Type) *layout {
	if known, ok := layouts.Load(t); ok {
		return known.(*layout)
	}
	of := &layout{name: t.Name()}
	for i := range t.NumField() {
		switch field := t.Field(i); {
		case field.Type == commentType || field.Type == objectType || field.Name == "Doc" || field.Name == "Comment":
		case field.Type != positionType:
			of.fields = append(of.fields, layoutField{index: i})
		case meaningfulPositions[field.Name]:
			of.fields = append(of.fields, layoutField{index: i, position: field.Name})
		}
	}
	layouts.Store(t, of)
	return of
}

func writeNode(b *bytes.Buffer, v reflect.Value, info *types.Info) {
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
		of := layoutOf(v.Type())
		b.WriteString(of.name)
		b.WriteByte('{')
		for _, field := range of.fields {
			if field.position == "" {
				writeNode(b, v.Field(field.index), info)
				b.WriteByte(',')
			} else if v.Field(field.index).Int() != 0 {
				b.WriteString(field.position)
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

func writeIdentifier(b *bytes.Buffer, id *ast.Ident, info *types.Info) {
	b.WriteByte('\'')
	writeText(b, id.Name)
	if object := info.Uses[id]; object != nil && object.Pkg() != nil && !isLocal(object) {
		writeWithLength(b, func() { writeName(b, object) })
	}
}

// writeWithLength writes what a function writes, with its length before it.
func writeWithLength(b *bytes.Buffer, write func()) {
	writeLength(b, 0)
	begin := b.Len()
	write()
	binary.BigEndian.PutUint64(b.Bytes()[begin-8:], uint64(b.Len()-begin))
}

// writeSelection adds what a selector selects: a promoted method is found on another type when an embedded field changes,
// and the selector stays as it is.
func writeSelection(b *bytes.Buffer, selector *ast.SelectorExpr, info *types.Info) {
	if selection := info.Selections[selector]; selection != nil {
		writeWithLength(b, func() {
			if recv := selection.Recv(); !writePlainType(b, recv) {
				types.WriteType(b, recv, nil)
			}
		})
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

// writeName names a declaration at the level of a package, or a method.
func writeName(b *bytes.Buffer, object types.Object) {
	if f, ok := object.(*types.Func); ok && f.Signature().Recv() != nil {
		writeMethod(b, f.Origin())
		return
	}
	b.WriteString(object.Pkg().Path())
	b.WriteByte('.')
	b.WriteString(object.Name())
}

// writeMethod writes the full name of a method.
func writeMethod(b *bytes.Buffer, f *types.Func) {
	begin := b.Len()
	b.WriteByte('(')
	if writePlainType(b, f.Signature().Recv().Type()) {
		b.WriteString(").")
		b.WriteString(f.Name())
		return
	}
	b.Truncate(begin)
	b.WriteString(f.FullName())
}

// writePlainType writes a named type that is not generic, or a pointer to one, as go/types prints it but quicker. Of others
// it writes nothing and returns false.
func writePlainType(b *bytes.Buffer, t types.Type) bool {
	p, pointer := t.(*types.Pointer)
	if pointer {
		t = p.Elem()
	}
	named, ok := t.(*types.Named)
	if !ok || named.TypeParams().Len() > 0 || named.Obj().Pkg() == nil {
		return false
	}
	if pointer {
		b.WriteByte('*')
	}
	writeName(b, named.Obj())
	return true
}
