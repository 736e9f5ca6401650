package migration

import (
	"fmt"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgname"
)

// An upgrade takes the tables of any design from one version of the schema to the next, and back. Both are templates for a
// script of that design, as it was before.
type upgrade struct{ up, down string }

// version returns the version of the schema that is written.
func (w Writer) version() int { return pgname.SchemaVersion + len(w.upgrades) }

// upgrade returns the one that leads to a version.
func (w Writer) upgrade(dialect *design.Dialect, version int) (u upgrade, err error) {
	if version > pgname.SchemaVersion {
		return w.upgrades[version-pgname.SchemaVersion-1], nil
	}
	for text, name := range map[*string]string{&u.up: "%d.sql.tmpl", &u.down: "%d.down.sql.tmpl"} {
		content, err := dialect.Upgrade(fmt.Sprintf(name, version))
		if err != nil {
			return upgrade{}, fmt.Errorf("template: %w", err)
		}
		*text = content
	}
	return u, nil
}

// upgradeMigrations returns the migrations that take a design to the version of the schema that is written, one for each
// version, and the design as it then is.
func (w Writer) upgradeMigrations(d design.Design) ([]migration, design.Design, error) {
	var all []migration
	for d.Version < w.version() {
		next := d
		next.Version++
		upgrade, err := w.upgrade(d.Dialect, next.Version)
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

// upgradePart returns the SQL of one way, after which the tables bear the version of the script. In SQLite the statement that
// made a table, with its comment, cannot be changed: there the columns tell.
func upgradePart(text string, s design.Script) (string, error) {
	part, err := s.Dialect.RenderText(text, s)
	if err != nil {
		return "", err
	}
	parts := []string{part}
	if s.Dialect.IsPostgres() {
		marker, err := s.Dialect.Render("table_comment.sql.tmpl", s)
		if err != nil {
			return "", err
		}
		parts = append(parts, marker+"\n")
	}
	return s.Dialect.Render("change.sql.tmpl", struct{ Parts []string }{parts})
}
