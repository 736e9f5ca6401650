package model

import (
	"cmp"
	"slices"
	"strings"
)

// A Problem is one thing in the user's source that keeps the tools from doing their work.
type Problem struct {
	Pos     Position
	Message string // what is wrong; may end in what to do about it after "; "
}

// String returns "file:line:col: message", or the message alone where no position is known.
func (p Problem) String() string {
	if !p.Pos.IsValid() {
		return p.Message
	}
	return p.Pos.String() + ": " + p.Message
}

// Problems is every problem of one run. As an error it prints one to a line.
type Problems []Problem

// Error returns the problems, sorted by position and each once, one to a line.
func (ps Problems) Error() string {
	var b strings.Builder
	for i, p := range ps.Sorted() {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.String())
	}
	return b.String()
}

// Err returns the problems as an error, or nil if there are none.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps.Sorted()
}

// Sorted returns the problems ordered by position and message, without repetitions. The receiver is left as it is.
func (ps Problems) Sorted() Problems {
	sorted := slices.Clone(ps)
	slices.SortFunc(sorted, func(a, b Problem) int {
		return cmp.Or(a.Pos.Compare(b.Pos), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(sorted)
}
