package model

import (
	"cmp"
	"fmt"
)

// A Position is a place in a source file. Line and Col count from 1; zero means unknown.
type Position struct {
	File string // as the user would name it: relative to the working directory where it lies below it
	Line int
	Col  int
}

// IsValid reports whether the position names a file.
func (p Position) IsValid() bool { return p.File != "" }

// String returns file:line:col, leaving out what is not known.
func (p Position) String() string {
	switch {
	case p.File == "":
		return "-"
	case p.Line == 0:
		return p.File
	case p.Col == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Compare orders positions by file, line and column.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.File, q.File), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Col, q.Col))
}
