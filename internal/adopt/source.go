package adopt

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"slices"
	"strings"
)

// A File is a source file with the marks written in.
type File struct {
	Name    string // as the user would name it
	Path    string // absolute
	Old     []byte
	New     []byte
	Reasons []string // of its marks, each with its position and subject
}

// Files returns the files that the marks are in, by name. Nothing is written. Places are those of the files as somebody wrote
// them: line directives lead elsewhere, and cgo loads what it made.
func (p *Proposal) Files() ([]File, error) {
	byFile := map[string][]Mark{}
	for _, m := range p.Marks {
		byFile[m.source.Path] = append(byFile[m.source.Path], m)
	}
	var files []File
	for path, marks := range byFile {
		old, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		f := File{Name: p.program.Dir.Name(path), Path: path, Old: old, New: old}
		slices.SortStableFunc(marks, func(a, b Mark) int { return int(b.pos() - a.pos()) }) // from the end, so that lines stay
		for _, m := range marks {
			line := p.program.Line(m.source, m.pos())
			if m.declares != "" {
				f.New = declare(f.New, line, m)
			} else {
				above, below := p.docAbove(m)
				f.New = insert(f.New, line-below, m, above)
			}
			subject := m.Subject
			if m.declares != "" {
				subject += ", to be declared"
			}
			f.Reasons = append(f.Reasons, fmt.Sprintf("%v: %s: %s: %s", m.Pos, subject, m.Text, m.Reason))
		}
		slices.Reverse(f.Reasons)
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return files, nil
}

// docAbove returns the last comment above a mark, or nil, and how many //line comments follow below it, which have to stay
// right above the declaration.
func (p *Proposal) docAbove(m Mark) (above *ast.Comment, below int) {
	doc := docOf(m.node)
	if doc == nil {
		return nil, 0
	}
	line := p.program.Line(m.source, m.node.Pos())
	for _, c := range slices.Backward(doc.List) {
		switch {
		case p.program.Line(m.source, c.Pos()) == line: // /*line shop.go:7:1*/ type Order struct
		case strings.HasPrefix(c.Text, "//line "):
			below++
		default:
			return c, below
		}
	}
	return nil, below
}

// pos returns where a mark, or the declaration that it adds, is written.
func (m Mark) pos() token.Pos {
	if m.declares != "" {
		return m.node.End()
	}
	return m.node.Pos()
}

// Declares reports whether types are to be added, which only the changed source has.
func (p *Proposal) Declares() bool {
	return slices.ContainsFunc(p.Marks, func(m Mark) bool { return m.declares != "" })
}

// docOf returns the doc comment of a declaration, or nil.
func docOf(n ast.Node) *ast.CommentGroup {
	switch n := n.(type) {
	case *ast.GenDecl:
		return n.Doc
	case *ast.TypeSpec:
		return n.Doc
	case *ast.Field:
		return n.Doc
	}
	return nil
}

// insert writes a mark on a line of its own above the line of that number, indented alike. Below a doc comment that is text,
// an empty line of comment parts them, as gofmt wants it.
func insert(source []byte, number int, m Mark, above *ast.Comment) []byte {
	begin := lineBegin(source, number)
	line := source[begin:]
	indent := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]
	end := lineEnd(source)
	text := string(indent) + m.Text + end
	if above != nil && !isDirective(above.Text) {
		text = string(indent) + "//" + end + text
	}
	return slices.Concat(source[:begin], []byte(text), source[begin:])
}

// declare writes an empty struct with its mark below the line of that number.
func declare(source []byte, number int, m Mark) []byte {
	end := lineEnd(source)
	at := lineBegin(source, number+1)
	if at == len(source) && !bytes.HasSuffix(source, []byte("\n")) {
		source = append(slices.Clip(source), end...)
		at = len(source)
	}
	lines := []string{"", "// " + m.declares + " is an event without a body.", "//", m.Text, "type " + m.declares + " struct{}", ""}
	return slices.Concat(source[:at], []byte(strings.Join(lines, end)), source[at:])
}

// lineBegin returns where the line of that number, from 1, begins; the end of the source if it has fewer.
func lineBegin(source []byte, number int) int {
	begin := 0
	for ; number > 1; number-- {
		i := bytes.IndexByte(source[begin:], '\n')
		if i < 0 {
			return len(source)
		}
		begin += i + 1
	}
	return begin
}

// lineEnd returns how the lines of a source end.
func lineEnd(source []byte) string {
	if bytes.Contains(source, []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
}

// isDirective reports whether a comment speaks to a tool, such as //go:generate.
func isDirective(text string) bool {
	body, ok := strings.CutPrefix(text, "//")
	i := strings.IndexByte(body, ':')
	return ok && i > 0 && !strings.ContainsAny(body[:i], " \t") && body == strings.TrimLeft(body, " \t")
}

// Mark gives the loaded syntax the marks, so that it can be scanned as if they were written; but not the types that are to
// be added, see [Proposal.Declares].
func (p *Proposal) Mark() {
	for _, m := range p.Marks {
		if m.declares != "" {
			continue
		}
		comment := &ast.Comment{Slash: m.node.Pos() - 1, Text: m.Text}
		if doc := docOf(m.node); doc != nil {
			doc.List = append(doc.List, comment)
			continue
		}
		group := &ast.CommentGroup{List: []*ast.Comment{comment}}
		switch n := m.node.(type) {
		case *ast.GenDecl:
			n.Doc = group
		case *ast.TypeSpec:
			n.Doc = group
		case *ast.Field:
			n.Doc = group
		}
		m.file.Comments = append(m.file.Comments, group)
		slices.SortStableFunc(m.file.Comments, func(a, b *ast.CommentGroup) int { return int(a.Pos() - b.Pos()) })
	}
}
