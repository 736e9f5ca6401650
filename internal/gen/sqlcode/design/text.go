package design

import "strings"

// What migration tools look for in a file, wherever it stands: templates and variables (tern, Flyway, goose), comments
// that hide the end of a statement (goose) or split a file (tern).
var toolSyntax = []string{"{{", "}}", "${", "--"}

// literal returns a string for SQL, in a form in which no migration tool finds syntax of its own: what it looks for is split,
// and put together again by PostgreSQL or SQLite.
func literal(s string) string {
	quoted := strings.ReplaceAll(s, "'", "''")
	split := splitSyntax(quoted, "' || '")
	if split != quoted {
		return "('" + split + "')"
	}
	return "'" + quoted + "'"
}

// sentence returns a comment in one line in which no migration tool finds syntax of its own. A comment on a table cannot be
// an expression, so what a tool would take for its own is spaced out.
func sentence(doc string) string {
	line := strings.ReplaceAll(strings.Join(strings.Fields(doc), " "), "\x00", "")
	return splitSyntax(line, " ")
}

// splitSyntax puts a separator within everything that a tool looks for.
func splitSyntax(text, separator string) string {
	for _, syntax := range toolSyntax {
		half := len(syntax) / 2
		for strings.Contains(text, syntax) { // "---" holds it twice
			text = strings.ReplaceAll(text, syntax, syntax[:half]+separator+syntax[half:])
		}
	}
	return text
}

// annotations are how comments of SQL that are meant for a tool begin.
var annotations = strings.NewReplacer("+goose", "+ goose", "+migrate", "+ migrate", "migrate:", "migrate :", "atlas:", "atlas :", "name:", "name :")

// lineComment returns a text that can stand in a comment of SQL behind two dashes, and is neither an annotation nor the end
// of a statement to any tool.
func lineComment(text string) string {
	return annotations.Replace(strings.NewReplacer("\n", " ", ";", ",").Replace(text))
}
