package sqlcode

import (
	"fmt"
	"strings"
	"sync"
	"text/template"

	"github.com/eventmap/eventmap/internal/pgname"
	"github.com/eventmap/eventmap/templates"
)

// A script is what the templates are filled in with. Its exported methods and fields are theirs.
type script struct {
	design
	format format
	former tables // the names before a change
	// Replaces has functions made that may be there already.
	Replaces bool
}

// parsed are the templates, which are constant; parsing them takes longer than all else.
var parsed = sync.OnceValues(func() (*template.Template, error) {
	return template.New("").Funcs(template.FuncMap{"quote": pgname.Quote, "literal": literal}).ParseFS(templates.Postgres, "postgres/*.sql.tmpl", "postgres/doctor/*.sql.tmpl")
})

// parsedSQLite are the templates for SQLite.
var parsedSQLite = sync.OnceValues(func() (*template.Template, error) {
	return template.New("").Funcs(template.FuncMap{"quote": pgname.Quote, "literal": literal, "comment": sqliteComment}).ParseFS(templates.SQLite, "sqlite/*.sql.tmpl")
})

// render returns the named template, filled in with a script or what embeds one.
func render(name string, with any) (string, error) { return execute(parsed, name, with) }

// renderSQLite is render with the templates for SQLite.
func renderSQLite(name string, with any) (string, error) { return execute(parsedSQLite, name, with) }

func execute(parsed func() (*template.Template, error), name string, with any) (string, error) {
	all, err := parsed()
	if err != nil {
		return "", fmt.Errorf("template: %w", err)
	}
	var text strings.Builder
	if err := all.ExecuteTemplate(&text, name, with); err != nil {
		return "", fmt.Errorf("template: %w", err)
	}
	return text.String(), nil
}

// Marker returns the words by which the runtime knows the version of the schema.
func (s script) Marker() string { return pgname.MarkerOf(s.Version) }

// BlockBegin returns what the tool needs before a statement that has semicolons in it.
func (s script) BlockBegin() string { return s.format.blockBegin }

// BlockEnd returns what the tool needs after such a statement.
func (s script) BlockEnd() string { return s.format.blockEnd }

// Quote returns the mark that begins and ends the text of a block. A name may hold a dollar sign, so it is made longer
// until no name holds it.
func (s script) Quote() string {
	mark := "$block$"
	for s.hold(mark) || s.former.hold(mark) || strings.Contains(s.Partition.PartmanSchema, mark) {
		mark = "$_" + mark[1:]
	}
	return mark
}
