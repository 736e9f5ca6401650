package runners_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/golang-migrate/migrate/v4"
	sqlitemigrate "github.com/golang-migrate/migrate/v4/database/sqlite"
	"github.com/google/go-cmp/cmp"
	goosetool "github.com/pressly/goose/v3"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// A sqliteRunner is a tool that runs migrations on SQLite.
type sqliteRunner struct {
	format, table string
	up, down      func(ctx context.Context, db *sql.DB, folder string) error
}

var sqliteRunners = []sqliteRunner{
	{
		format: "goose",
		table:  "goose_db_version",
		up: func(ctx context.Context, db *sql.DB, folder string) error {
			p, err := goosetool.NewProvider(goosetool.DialectSQLite3, db, os.DirFS(folder))
			if err == nil {
				_, err = p.Up(ctx)
			}
			return err
		},
		down: func(ctx context.Context, db *sql.DB, folder string) error {
			p, err := goosetool.NewProvider(goosetool.DialectSQLite3, db, os.DirFS(folder))
			if err == nil {
				_, err = p.DownTo(ctx, 0)
			}
			return err
		},
	},
	{
		format: "golang-migrate",
		table:  "schema_migrations",
		up: func(_ context.Context, db *sql.DB, folder string) error {
			return migrateSQLite(db, folder, (*migrate.Migrate).Up)
		},
		down: func(_ context.Context, db *sql.DB, folder string) error {
			return migrateSQLite(db, folder, (*migrate.Migrate).Down)
		},
	},
}

func migrateSQLite(db *sql.DB, folder string, do func(*migrate.Migrate) error) error {
	driver, err := sqlitemigrate.WithInstance(db, &sqlitemigrate.Config{})
	if err != nil {
		return err
	}
	m, err := migrate.NewWithDatabaseInstance("file://"+folder, "sqlite", driver)
	if err != nil {
		return err
	}
	return do(m)
}

func TestRunners_sqliteUpDownUp(t *testing.T) {
	t.Parallel()
	for _, r := range sqliteRunners {
		t.Run(r.format, func(t *testing.T) {
			t.Parallel()
			o := design.Options{Dialect: "sqlite", AppendOnly: true, Indexes: design.IndexNames, EventsTable: "log$block$"}
			folder := write(t, o, r.format)
			db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			if err := r.up(t.Context(), db, folder); err != nil {
				t.Fatalf("up: %v", err)
			}
			want := sqliteCatalog(t, db, r.table)
			if n := strings.Count(want, "CREATE TABLE "); n != 3 {
				t.Errorf("there are %d tables, want 3: %s", n, want)
			}
			if err := sqlite.Check(t.Context(), db, sqlite.WithEventsTable("log$block$")); err != nil {
				t.Error(err)
			}
			if err := r.down(t.Context(), db, folder); err != nil {
				t.Fatalf("down: %v", err)
			}
			if left := sqliteCatalog(t, db, r.table); left != "" {
				t.Errorf("down leaves: %s", left)
			}
			if err := r.up(t.Context(), db, folder); err != nil {
				t.Fatalf("up again: %v", err)
			}
			if diff := cmp.Diff(want, sqliteCatalog(t, db, r.table)); diff != "" {
				t.Errorf("up again (-first +second):\n%s", diff)
			}
		})
	}
}

// sqliteCatalog returns the statements by which everything was made but what the tool keeps.
func sqliteCatalog(t *testing.T, db *sql.DB, table string) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "select sql from sqlite_schema where sql is not null and name not like 'sqlite%' and tbl_name <> ? order by name", table)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var all []string
	for rows.Next() {
		var made string
		if err := rows.Scan(&made); err != nil {
			t.Fatal(err)
		}
		all = append(all, made)
	}
	return strings.Join(all, "\n")
}
