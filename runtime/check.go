package runtime

import "strings"

// A Problem is something about a database that keeps a store from working, or from keeping its promises.
type Problem struct {
	Object string // what it is about: a table, a column, the sequence, the server
	Reason string // what is wrong with it, and what follows from that
	Remedy string // what to do about it
	// Statement is the SQL that does it, for a role that may; empty where it takes more than a statement.
	Statement string
}

// String returns the problem in one line.
func (p Problem) String() string { return p.Object + " " + p.Reason + "; " + p.Remedy }

// A CheckError is every problem that the Check of a store found in its database.
type CheckError struct{ Problems []Problem }

// Error lists the problems, one to a line.
func (e *CheckError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}
