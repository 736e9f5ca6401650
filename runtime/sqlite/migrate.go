package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"path"
	"slices"
	"strings"
	"text/template"

	"github.com/eventmap/eventmap/internal/pgname"
	"github.com/eventmap/eventmap/templates"
)

// Migrate makes the tables of a store and its consumers as far as they are missing, brings those of an older release to the
// form that this one needs, in one transaction, and then does what [Check] does. It is for programs that carry their database with them: call it at the start, every time, in any number
// of processes. The tables are those of `migrate-gen --dialect sqlite`, which is the way to have migrations in files and
// what goes beyond the tables.
func Migrate(ctx context.Context, db *sql.DB, opts ...Option) error {
	_, t, err := configure(opts)
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("migrate the database: %w", withState(err))
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := t.create(ctx, tx); err != nil {
		return fmt.Errorf("migrate the database: %w", withState(err))
	}
	if err := Check(ctx, tx, opts...); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("migrate the database: %w", withState(err))
	}
	return nil
}

// create makes the tables that are missing.
func (t tables) create(ctx context.Context, tx *sql.Tx) error {
	for _, missing := range []struct {
		name pgname.Table
		made string
	}{
		{t.Events, "events.sql.tmpl"},
		{t.Snapshots, "snapshots.sql.tmpl"},
		{t.SubjectKeys, "subject_keys.sql.tmpl"},
		{t.Checkpoints, "consumer_checkpoints.sql.tmpl"},
		{t.Parked, "parked_events.sql.tmpl"},
	} {
		var was string
		err := checkEach(ctx, tx, "table.sql", []any{missing.name.Name}, []any{&was}, func() {})
		if err == nil && was == "" {
			var text string
			if text, err = t.made(missing.made); err == nil {
				err = execute(ctx, tx, text)
			}
		}
		if err == nil && was != "" && missing.name == t.Checkpoints {
			err = t.upgrade(ctx, tx)
		}
		if err != nil {
			return fmt.Errorf("table %s: %w", missing.name, err)
		}
	}
	return nil
}

// upgrade brings the checkpoints of the first version of the schema to the second.
func (t tables) upgrade(ctx context.Context, tx *sql.Tx) error {
	lacks, err := lacking(ctx, tx, []table{checkpointsTable(t)})
	if err != nil || !slices.ContainsFunc(lacks, func(lack string) bool { return strings.HasSuffix(lack, " event_id") }) {
		return err
	}
	text, err := t.made("upgrade/2.sql.tmpl")
	if err != nil {
		return err
	}
	return execute(ctx, tx, text)
}

// made returns the SQL that makes a table, from its template.
func (t tables) made(file string) (string, error) {
	parsed, err := template.New(path.Base(file)).Funcs(template.FuncMap{"quote": pgname.Quote}).ParseFS(templates.SQLite, "sqlite/"+file)
	if err != nil {
		return "", fmt.Errorf("template: %w", err)
	}
	var text strings.Builder
	if err := parsed.Execute(&text, schema{t}); err != nil {
		return "", fmt.Errorf("template: %w", err)
	}
	return text.String(), nil
}

// A schema is what the templates of tables are filled in with.
type schema struct{ tables }

// Marker returns the words by which [Check] knows the version of the schema.
func (schema) Marker() string { return pgname.Marker() }
