package adopt

import (
	"bytes"
	"fmt"
	"go/ast"
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

// Files returns the files that the marks are in, by name. Nothing is written.
func (p *Proposal) Files() ([]File, error) {
	byFile := map[string][]Mark{}
	for _, m := range p.Marks {
		path := p.program.Fset.Position(m.file.Package).Filename
		byFile[path] = append(byFile[path], m)
	}
	var files []File
	for path, marks := range byFile {
		old, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		f := File{Name: marks[0].Pos.File, Path: path, Old: old, New: old}
		slices.SortStableFunc(marks, func(a, b Mark) int { return int(b.node.Pos() - a.node.Pos()) }) // from the end, so that offsets stay
		for _, m := range marks {
			f.New = insert(f.New, p.program.Fset.Position(m.node.Pos()).Offset, m, docOf(m.node))
			f.Reasons = append(f.Reasons, fmt.Sprintf("%v: %s: %s: %s", m.Pos, m.Subject, m.Text, m.Reason))
		}
		slices.Reverse(f.Reasons)
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return files, nil
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

// insert writes a mark on a line of its own above the one that holds the offset, indented alike. Below a doc comment that
// is text, an empty line of comment parts them, as gofmt wants it.
func insert(source []byte, offset int, m Mark, doc *ast.CommentGroup) []byte {
	begin := bytes.LastIndexByte(source[:offset], '\n') + 1
	line := source[begin:]
	indent := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]
	end := "\n"
	if bytes.Contains(source[:offset], []byte("\r\n")) {
		end = "\r\n"
	}
	text := string(indent) + m.Text + end
	if doc != nil && !isDirective(doc.List[len(doc.List)-1].Text) {
		text = string(indent) + "//" + end + text
	}
	return slices.Concat(source[:begin], []byte(text), source[begin:])
}

// isDirective reports whether a comment speaks to a tool, such as //go:generate.
func isDirective(text string) bool {
	body, ok := strings.CutPrefix(text, "//")
	i := strings.IndexByte(body, ':')
	return ok && i > 0 && !strings.ContainsAny(body[:i], " \t") && body == strings.TrimLeft(body, " \t")
}

// Mark gives the loaded syntax the marks, so that it can be scanned as if they were written.
func (p *Proposal) Mark() {
	for _, m := range p.Marks {
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
