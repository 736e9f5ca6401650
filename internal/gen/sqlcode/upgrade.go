package sqlcode

import (
	"fmt"
	"strings"

	"github.com/eventmap/eventmap/internal/pgname"
	"github.com/eventmap/eventmap/templates"
)

// An upgrade takes the tables of any design from one version of the schema to the next, and back. Both are templates for a
// script of that design, as it was before.
type upgrade struct{ up, down string }

// version returns the version of the schema that is written.
func (o Options) version() int { return pgname.SchemaVersion + len(o.upgrades) }

// upgrade returns the one that leads to a version.
func (o Options) upgrade(version int) (upgrade, error) {
	if version > pgname.SchemaVersion {
		return o.upgrades[version-pgname.SchemaVersion-1], nil
	}
	up, err := templates.Postgres.ReadFile(fmt.Sprintf("postgres/upgrade/%d.sql.tmpl", version))
	if err != nil {
		return upgrade{}, fmt.Errorf("template: %w", err)
	}
	down, err := templates.Postgres.ReadFile(fmt.Sprintf("postgres/upgrade/%d.down.sql.tmpl", version))
	if err != nil {
		return upgrade{}, fmt.Errorf("template: %w", err)
	}
	return upgrade{string(up), string(down)}, nil
}

// upgradeMigrations returns the migrations that take a design to the version of the schema that is written, one for each
// version, which it then has.
func (o Options) upgradeMigrations(f format, d *design) ([]migration, error) {
	var all []migration
	if d.OnSQLite() && d.Version < o.version() {
		return nil, fmt.Errorf("%s: has schema version %d, and there is no way from it to %d on SQLite", RecordFile, d.Version, o.version())
	}
	for d.Version < o.version() {
		old, next := *d, *d
		next.Version++
		upgrade, err := o.upgrade(next.Version)
		if err != nil {
			return nil, err
		}
		m := migration{name: fmt.Sprintf("schema_%d", next.Version)}
		if m.up, err = upgradePart(upgrade.up, script{design: next, format: f}); err != nil {
			return nil, err
		}
		if m.down, err = upgradePart(upgrade.down, script{design: old, format: f}); err != nil {
			return nil, err
		}
		all = append(all, m)
		*d = next
	}
	return all, nil
}

// upgradePart returns the SQL of one way, after which the tables bear the version of the script.
func upgradePart(text string, s script) (string, error) {
	all, err := parsed()
	if err != nil {
		return "", fmt.Errorf("template: %w", err)
	}
	if all, err = all.Clone(); err != nil {
		return "", fmt.Errorf("template: %w", err)
	}
	part, err := all.New("upgrade").Parse(text)
	if err != nil {
		return "", fmt.Errorf("template: %w", err)
	}
	var b strings.Builder
	if err := part.Execute(&b, s); err != nil {
		return "", fmt.Errorf("template: %w", err)
	}
	marker, err := render("table_comment.sql.tmpl", s)
	if err != nil {
		return "", err
	}
	return render("change.sql.tmpl", struct{ Parts []string }{[]string{b.String(), marker + "\n"}})
}
