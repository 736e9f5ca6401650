package design

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"
	"text/template"

	"github.com/eventmap/eventmap/internal/pgname"
)

// A Dialect is a database that SQL is written for. It holds all that differs between databases beside the templates.
type Dialect struct {
	Name string
	// ConcurrentIndexes reports whether an index is built, in a migration of its own, while others write.
	ConcurrentIndexes bool

	payloads, metadata, layouts, spreads enum // one empty value: there is nothing to choose

	hasHeads      bool // the versions of streams are in a table of their own
	namesKeys     bool // keys and sequences take names beside those of tables
	renamesIndex  bool // an index can get another name
	indexMethods  bool // an index has the method that its mark asks for
	comments      bool // a comment is changed without what it is on
	parseTable    func(name string) (pgname.Table, error)
	sameName      func(a, b string) bool
	supported     func(Options) (Options, error) // what is left of the options, and what has no meaning here
	expression    func(Design, Column) string
	payloadReader func(Design) []Function
	templates     func() (*template.Template, error)
	files         embed.FS // the templates, and in the folder upgrade what leads from one version of the schema to the next
}

// dialects are all of them, the default first.
var dialects = []*Dialect{&Postgres, &sqlite}

// dialect returns the dialect of a name; an empty name is PostgreSQL.
func dialect(name string) (*Dialect, error) {
	name, err := enum{"dialect", Dialects}.find(name)
	if err != nil {
		return nil, err
	}
	return dialects[slices.Index(Dialects, name)], nil
}

func namesOf(dialects []*Dialect) (names []string) {
	for _, d := range dialects {
		names = append(names, d.Name)
	}
	return names
}

// IsPostgres reports whether the dialect is that of PostgreSQL.
func (d *Dialect) IsPostgres() bool { return d == &Postgres }

// Render returns the named template of the dialect, filled in with a script or what embeds one.
func (d *Dialect) Render(name string, with any) (string, error) {
	all, err := d.templates()
	if err != nil {
		return "", fmt.Errorf("template: %w", err)
	}
	var text strings.Builder
	if err := all.ExecuteTemplate(&text, name, with); err != nil {
		return "", fmt.Errorf("template: %w", err)
	}
	return text.String(), nil
}

// RenderText is Render for a template that is no file. It may include those that are.
func (d *Dialect) RenderText(text string, with any) (string, error) {
	all, err := d.templates()
	if err == nil {
		all, err = all.Clone()
	}
	if err == nil {
		all, err = all.New("text").Parse(text)
	}
	var b strings.Builder
	if err == nil {
		err = all.Execute(&b, with)
	}
	if err != nil {
		return "", fmt.Errorf("template: %w", err)
	}
	return b.String(), nil
}

// Upgrade returns the template of a file of the dialect's folder of upgrades.
func (d *Dialect) Upgrade(name string) (string, error) {
	content, err := d.files.ReadFile(d.Name + "/upgrade/" + name)
	return string(content), err
}

// parsed returns the templates of a dialect. They are constant, and parsing them takes longer than all else.
func parsed(files embed.FS, patterns ...string) func() (*template.Template, error) {
	return sync.OnceValues(func() (*template.Template, error) {
		functions := template.FuncMap{"quote": pgname.Quote, "literal": literal, "comment": lineComment}
		return template.New("").Funcs(functions).ParseFS(files, patterns...)
	})
}
