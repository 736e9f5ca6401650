package runners_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/schema"
	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/pgtest"
)

// Atlas accepts the checksums and runs the changes up. Its way down is its own: the library has none that runs files.
func TestAtlas_changes(t *testing.T) {
	t.Parallel()
	dsn, folder, files := pgtest.New(t), t.TempDir(), migration.Folder{}
	var done revisions
	for i, o := range changes {
		want := plain(t, o)
		for _, file := range next(t, o, migration.Options{Format: "atlas"}, files) {
			files[file.Path] = file.Content
			if err := os.WriteFile(filepath.Join(folder, file.Path), file.Content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		dir, err := migrate.NewLocalDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		if err := migrate.Validate(dir); err != nil {
			t.Fatalf("change %d: atlas.sum: %v", i, err)
		}
		if err := runAtlas(t.Context(), dsn, dir, &done); err != nil {
			t.Fatalf("change %d: %v", i, err)
		}
		if diff := cmp.Diff(want, catalog(t, dsn)); diff != "" {
			t.Errorf("change %d (-one migration of plain SQL +atlas):\n%s", i, diff)
		}
	}
}

// runAtlas runs what is pending, each file in a transaction unless it says otherwise, which is how the program does it.
func runAtlas(ctx context.Context, dsn string, dir *migrate.LocalDir, done *revisions) error {
	files, err := dir.Files()
	if err != nil {
		return err
	}
	return withDB(dsn, func(db *sql.DB) error {
		for _, file := range files[len(done.all):] {
			if slices.Equal(file.(*migrate.LocalFile).Directive("txmode"), []string{"none"}) {
				if err := runFile(ctx, db, dir, done); err != nil {
					return err
				}
				continue
			}
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			if err := runFile(ctx, tx, dir, done); err != nil {
				return errors.Join(err, tx.Rollback())
			}
			if err := tx.Commit(); err != nil {
				return err
			}
		}
		return nil
	})
}

// runFile runs the next file.
func runFile(ctx context.Context, db schema.ExecQuerier, dir migrate.Dir, done *revisions) error {
	driver, err := postgres.Open(db)
	if err != nil {
		return err
	}
	executor, err := migrate.NewExecutor(driver, dir, done)
	if err != nil {
		return err
	}
	return executor.ExecuteN(ctx, 1)
}

// revisions keeps what was run in memory, so that the database holds nothing of atlas.
type revisions struct{ all []*migrate.Revision }

func (r *revisions) Ident() *migrate.TableIdent { return &migrate.TableIdent{Name: "atlas"} }

func (r *revisions) ReadRevisions(context.Context) ([]*migrate.Revision, error) { return r.all, nil }

func (r *revisions) ReadRevision(_ context.Context, version string) (*migrate.Revision, error) {
	for _, revision := range r.all {
		if revision.Version == version {
			return revision, nil
		}
	}
	return nil, migrate.ErrRevisionNotExist
}

func (r *revisions) WriteRevision(_ context.Context, revision *migrate.Revision) error {
	for i := range r.all {
		if r.all[i].Version == revision.Version {
			r.all[i] = revision
			return nil
		}
	}
	r.all = append(r.all, revision)
	return nil
}

func (r *revisions) DeleteRevision(_ context.Context, version string) error {
	for i := range r.all {
		if r.all[i].Version == version {
			r.all = append(r.all[:i], r.all[i+1:]...)
			break
		}
	}
	return nil
}
