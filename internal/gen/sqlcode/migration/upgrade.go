package migration

import (
	"fmt"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgname"
	"github.com/eventmap/eventmap/templates"
)

// An upgrade takes the tables of any design from one version of the schema to the next, and back. Both are templates for a
// script of that design, as it was before.
type upgrade struct{ up, down string }

// version returns the version of the schema that is written.
func (w Writer) version() int { return pgname.SchemaVersion + len(w.upgrades) }

// upgrade returns the one that leads to a version.
func (w Writer) upgrade(version int) (u upgrade, err error) {
	if version > pgname.SchemaVersion {
		return w.upgrades[version-pgname.SchemaVersion-1], nil
	}
	for text, name := range map[*string]string{&u.up: "%d.sql.tmpl", &u.down: "%d.down.sql.tmpl"} {
		content, err := templates.Postgres.ReadFile("postgres/upgrade/" + fmt.Sprintf(name, version))
		if err != nil {
			return upgrade{}, fmt.Errorf("template: %w", err)
		}
		*text = string(content)
	}
	return u, nil
}

// upgradeMigrations returns the migrations that take a design to the version of the schema that is written, one for each
// version, and the design as it then is.
func (w Writer) upgradeMigrations(d design.Design) ([]migration, design.Design, error) {
	if !d.Dialect.IsPostgres() && d.Version < w.version() {
		return nil, d, fmt.Errorf("%s: has schema version %d, and there is no way from it to %d on SQLite", RecordFile, d.Version, w.version())
	}
	var all []migration
	for d.Version < w.version() {
		next := d
		next.Version++
		upgrade, err := w.upgrade(next.Version)
		if err != nil {
			return nil, d, err
		}
		m := migration{name: fmt.Sprintf("schema_%d", next.Version)}
		if m.up, err = upgradePart(upgrade.up, w.format.script(next)); err != nil {
			return nil, d, err
		}
		if m.down, err = upgradePart(upgrade.down, w.format.script(d)); err != nil {
			return nil, d, err
		}
		all = append(all, m)
		d = next
	}
	return all, d, nil
}

// upgradePart returns the SQL of one way, after which the tables bear the version of the script.
func upgradePart(text string, s design.Script) (string, error) {
	part, err := s.Dialect.RenderText(text, s)
	if err != nil {
		return "", err
	}
	marker, err := s.Dialect.Render("table_comment.sql.tmpl", s)
	if err != nil {
		return "", err
	}
	return s.Dialect.Render("change.sql.tmpl", struct{ Parts []string }{[]string{part, marker + "\n"}})
}
