package gocode

import (
	"bytes"
	"strings"
)

// isCurrent reports whether a file holds the generated source as gofmt would print it, without printing it, which is
// most of what a run costs. The file has the same tokens on the same lines. It is indented by tabs, has spaces alone
// within lines, and none at their ends; how many is not compared. False is always right: the source is formatted then.
func isCurrent(file, source []byte) bool {
	var before byte // the last byte of the token before
	for {
		for len(file) > 0 && len(source) > 0 && file[0] == source[0] && isPlain(file[0]) {
			file, source, before = file[1:], source[1:], file[0]
		}
		gap, made := leadingGap(file), leadingGap(source)
		file, source = file[len(gap):], source[len(made):]
		switch {
		case len(gap)+len(made) == 0 && len(file) > 0:
		case len(file) == 0 || len(source) == 0:
			return len(file) == len(source) && string(gap) == "\n"
		case bytes.Count(gap, newline) != min(bytes.Count(made, newline), 2) || !isGofmtGap(gap):
			return false
		case (len(gap) == 0) != (len(made) == 0) && mayJoin(before, file[0]):
			return false
		}
		atom := leadingAtom(file)
		if !bytes.HasPrefix(source, atom) {
			return false
		}
		file, source, before = file[len(atom):], source[len(atom):], atom[len(atom)-1]
	}
}

var newline = []byte("\n")

// leadingGap returns the blanks and line ends that text begins with.
func leadingGap(text []byte) []byte {
	n := 0
	for n < len(text) && isBlank(text[n]) {
		n++
	}
	return text[:n]
}

func isBlank(b byte) bool { return b == ' ' || b == '\t' || b == '\n' }

// isPlain reports whether a byte is no blank, and begins nothing in which blanks count.
func isPlain(b byte) bool { return !isBlank(b) && b != '/' && b != '"' && b != '\'' && b != '`' }

// isGofmtGap reports whether gofmt writes such a gap: spaces within a line, or at most one blank line and then tabs.
func isGofmtGap(gap []byte) bool {
	if lines := bytes.Count(gap, newline); lines > 0 {
		return len(bytes.TrimRight(gap, "\t")) == lines
	}
	return bytes.Count(gap, []byte(" ")) == len(gap)
}

// mayJoin reports whether two bytes may be of one token if nothing is between them, and of two if there is.
func mayJoin(a, b byte) bool {
	const operators = "+-*/%&|^<>=!~"
	switch {
	case a == ':':
		return b == '='
	case a == '.' || b == '.':
		return a == b || isDigit(a) || isDigit(b)
	}
	return isWord(a) && isWord(b) || strings.IndexByte(operators, a) >= 0 && strings.IndexByte(operators, b) >= 0
}

// isWord reports whether a byte is one of names and numbers.
func isWord(b byte) bool {
	return isDigit(b) || b|0x20 >= 'a' && b|0x20 <= 'z' || b == '_' || b >= 0x80
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// leadingAtom returns the comment or the string that text begins with, in which every blank counts; else its first
// word, or byte.
func leadingAtom(text []byte) []byte {
	switch b := text[0]; b {
	case '/':
		if bytes.HasPrefix(text, []byte("//")) {
			line, _, _ := bytes.Cut(text, newline)
			return line
		} else if bytes.HasPrefix(text, []byte("/*")) {
			return text // none is generated
		}
	case '"', '\'', '`':
		for i := 1; i < len(text); i++ {
			if text[i] == '\\' && b != '`' {
				i++
			} else if text[i] == b {
				return text[:i+1]
			}
		}
		return text
	}
	n := 1
	for isWord(text[0]) && n < len(text) && isWord(text[n]) {
		n++
	}
	return text[:n]
}
