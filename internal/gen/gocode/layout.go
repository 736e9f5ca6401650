package gocode

import (
	"bytes"
	"go/scanner"
	"go/token"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// layout returns source as gofmt would. Parsing and printing it as go/format does is most of what a run of the command
// costs; layout knows what generated code is made of and takes a tenth of that. Its lines must end where they are to end,
// as jennifer writes them. What layout is not sure of, it leaves to go/format: then ok is false.
func layout(source []byte) (formatted []byte, ok bool) {
	lines, ok := readLines(source)
	if !ok {
		return nil, false
	}
	l := layouter{out: make([]byte, 0, len(source)+len(source)/4)}
	for i := 0; i < len(lines); {
		n, ok := l.write(lines[i:])
		if !ok {
			return nil, false
		}
		i += n
	}
	return l.out, len(l.open) == 0
}

// A line is what stands on one line of source.
type line struct {
	tokens []lexeme
	parted bool // a blank line precedes it
}

// A lexeme is a token and its text.
type lexeme struct {
	tok  token.Token
	text string
}

func (l *line) first() token.Token { return l.tokens[0].tok }
func (l *line) last() token.Token  { return l.tokens[len(l.tokens)-1].tok }

// isComment reports whether the line is a comment.
func (l *line) isComment() bool { return l.first() == token.COMMENT }

// readLines splits source into lines of tokens. ok is false if it holds what no generated code does: a comment that
// shares its line or that gofmt might rewrite, or a token of several lines.
func readLines(source []byte) (lines []line, ok bool) {
	file := token.NewFileSet().AddFile("", -1, len(source))
	var s scanner.Scanner
	s.Init(file, source, nil, scanner.ScanComments)
	all := make([]lexeme, 0, len(source)/4)
	begin, end := 0, 0 // of the line in all; of the token before, in source
	parted := false
	for {
		pos, tok, text := s.Scan()
		if tok == token.SEMICOLON && text == "\n" {
			continue // the scanner puts it where a statement ends
		}
		at := file.Offset(pos)
		if tok == token.EOF {
			at = len(source)
		}
		if breaks := bytes.Count(source[end:at], []byte("\n")); (breaks > 0 || tok == token.EOF) && len(all) > 0 {
			lines = append(lines, line{tokens: all[begin:len(all):len(all)], parted: parted})
			begin, parted = len(all), breaks > 1
		}
		if tok == token.EOF {
			return lines, s.ErrorCount == 0
		}
		if text == "" || !tok.IsLiteral() && tok != token.COMMENT {
			text = tok.String()
		}
		if tok == token.ILLEGAL || strings.Contains(text, "\n") || tok == token.COMMENT && (len(all) > begin || !isPlainComment(text)) ||
			len(all) > begin && all[begin].tok == token.COMMENT {
			return nil, false
		}
		end = at + len(text)
		all = append(all, lexeme{tok, text})
	}
}

// isPlainComment reports whether a comment is running text, in which gofmt finds no lists, headings, links, code or
// quotes that it would write in another way.
func isPlainComment(text string) bool {
	prose, ok := strings.CutPrefix(text, "// ")
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(prose, "*[(\""))
	number := strings.TrimLeft(prose, "0123456789")
	return ok && (unicode.IsLetter(first) || unicode.IsDigit(first)) && !strings.HasPrefix(number, ".") && !strings.HasPrefix(number, ")") &&
		prose == strings.TrimSpace(prose) && !strings.Contains(prose, "``") && !strings.Contains(prose, "''") && !strings.Contains(prose, "]: ")
}

// A bracket is an open one.
type bracket struct {
	kind    bracketKind
	indents bool // what it holds stands on lines of its own
}

type bracketKind byte

const (
	round     bracketKind = iota // ( )
	square                       // [ ]
	block                        // { } around statements
	composite                    // { } around the elements of a value
	structure                    // { } around fields
	contract                     // { } around what an interface asks for
)

// A layouter writes lines.
type layouter struct {
	out       []byte
	open      []bracket
	continued bool // the line before ends within an expression
	opened    bool // it ends with a bracket that opens
	commented bool // it is a comment
	spacer    spacer
}

// write writes the first of the lines and, where columns are aligned, those that go with it. It returns how many it wrote.
func (l *layouter) write(lines []line) (n int, ok bool) {
	first := &lines[0]
	if !l.part(first) || !first.parted && len(l.open) == 0 && len(l.out) > 0 && !l.commented && !closes(first.first()) {
		return 0, false // declarations are parted by a blank line
	}
	if len(l.open) > 0 && !closes(first.first()) {
		switch l.open[len(l.open)-1].kind {
		case structure:
			return l.columns(lines, fieldColumn)
		case composite:
			if keyColumn(l, first) > 0 {
				return l.columns(lines, keyColumn)
			}
		}
	}
	return 1, l.writeLine(first, 0, 0)
}

// part writes a blank line where there is one to stay.
func (l *layouter) part(next *line) (ok bool) {
	switch {
	case !next.parted || len(l.out) == 0:
	case l.opened:
		return l.open[len(l.open)-1].kind == contract
	case closes(next.first()):
		return false
	default:
		l.out = append(l.out, '\n')
	}
	return true
}

// writeLine writes a line. Where column is not 0, what comes from that token on stands in a column of its own, with pad
// blanks more before it than it needs.
func (l *layouter) writeLine(next *line, column, pad int) (ok bool) {
	tokens := next.tokens
	leading := 0
	for leading < len(tokens) && closes(tokens[leading].tok) {
		if leading++; !l.close() {
			return false
		}
	}
	depth := 0
	for _, b := range l.open {
		if b.indents {
			depth++
		}
	}
	if l.continued || leading == 0 && isLabel(next) {
		if isLabel(next) {
			depth--
		} else {
			depth++
		}
	}
	for range depth {
		l.out = append(l.out, '\t')
	}
	gaps, kinds, ok := l.spacer.read(tokens, len(l.open) == 0, l.continued)
	if !ok {
		return false
	}
	before := len(l.open)
	for i, t := range tokens {
		if gaps[i] {
			l.out = append(l.out, ' ')
		}
		if i == column {
			l.out = append(l.out, strings.Repeat(" ", pad)...)
		}
		l.out = append(l.out, t.text...)
		switch {
		case opens(t.tok):
			l.open = append(l.open, bracket{kind: kinds[i]})
		case closes(t.tok) && i >= leading:
			if !l.close() {
				return false
			}
			before = min(before, len(l.open))
		}
	}
	l.out = append(l.out, '\n')
	return l.endLine(next, before)
}

// endLine takes in how a line ends. before is how many of the brackets it left open were open before it.
func (l *layouter) endLine(next *line, before int) (ok bool) {
	last := next.last()
	l.commented, l.opened = next.isComment(), opens(last)
	wasContinued := l.continued
	l.continued = last.IsOperator() && last.Precedence() > token.LowestPrec
	switch {
	case l.opened:
		l.open[len(l.open)-1].indents = true
		return !wasContinued
	case len(l.open) > before:
		return false // a line breaks within brackets that do not begin it
	case last == token.COMMA:
		return len(l.open) > 0 && l.open[len(l.open)-1].kind != block
	case last == token.COLON:
		return isLabel(next)
	}
	return true
}

// close closes the innermost bracket.
func (l *layouter) close() (ok bool) {
	if len(l.open) == 0 {
		return false
	}
	l.open = l.open[:len(l.open)-1]
	return true
}

// columns writes lines up to the end of their block, each with its second column aligned. split returns at which token
// that begins, or 0 if the line has none.
func (l *layouter) columns(lines []line, split func(*layouter, *line) int) (n int, ok bool) {
	var splits, widths []int
	for n < len(lines) && !closes(lines[n].first()) {
		next := &lines[n]
		column := split(l, next)
		if column == 0 || opens(next.last()) || n > 0 && next.parted {
			return 0, false
		}
		width := 0
		for _, t := range next.tokens[:column] {
			width += utf8.RuneCountInString(t.text)
		}
		splits, widths = append(splits, column), append(widths, width)
		n++
	}
	widest := slices.Max(widths)
	const aligned = 40 // gofmt aligns longer keys by a rule of its own
	if widest > aligned {
		return 0, false
	}
	for i := range n {
		if !l.writeLine(&lines[i], splits[i], widest-widths[i]) {
			return 0, false
		}
	}
	return n, true
}

// fieldColumn returns where the type of a struct's field begins.
func fieldColumn(_ *layouter, field *line) int {
	if len(field.tokens) < 2 || field.first() != token.IDENT || field.tokens[1].tok == token.PERIOD || field.tokens[1].tok == token.COMMA ||
		field.last() == token.STRING {
		return 0
	}
	return 1
}

// keyColumn returns where the value of a key in a composite literal begins.
func keyColumn(_ *layouter, element *line) int {
	if len(element.tokens) < 3 || element.tokens[1].tok != token.COLON {
		return 0
	}
	return 2
}

// isLabel reports whether a line is the head of a case.
func isLabel(l *line) bool {
	return (l.first() == token.CASE || l.first() == token.DEFAULT) && l.last() == token.COLON
}

func opens(t token.Token) bool { return t == token.LPAREN || t == token.LBRACK || t == token.LBRACE }

func closes(t token.Token) bool { return t == token.RPAREN || t == token.RBRACK || t == token.RBRACE }
