package migration_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// version1 returns the folder of migrations that the first release has written.
func version1(t *testing.T, dialect string) migration.Folder {
	t.Helper()
	folder := migration.Folder{}
	files, err := filepath.Glob(filepath.Join("testdata", "version1", dialect, "*"))
	if err != nil || len(files) != 3 {
		t.Fatalf("files %q, %v, want 3", files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		folder[filepath.Base(file)] = content
	}
	return folder
}

// The tables of the first release come to be those of this one, and back.
func TestNext_upgradesTheFirstRelease(t *testing.T) {
	t.Parallel()
	const up, down = "000002_eventmap_schema_2.up.sql", "000002_eventmap_schema_2.down.sql"
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		conn := connect(t)
		h := history{folder: version1(t, "postgres")}
		exec(t, conn, string(h.folder["000001_eventmap.up.sql"]))
		exec(t, conn, "insert into consumer_checkpoints (consumer, segment, segments, position) values ('c', 0, 1, 7)")
		first := catalog(t, conn)
		if diff := cmp.Diff([]string{up, down}, h.next(t, design.Options{})); diff != "" {
			t.Fatalf("files (-want +got):\n%s", diff)
		}
		exec(t, conn, string(h.folder[up]))
		if diff := compare(fresh(t, derived(t, design.Options{})), catalog(t, conn)); diff != "" {
			t.Errorf("upgraded (-new +got):\n%s", diff)
		}
		exec(t, conn, string(h.folder[down]))
		if diff := compare(first, catalog(t, conn)); diff != "" {
			t.Errorf("up and down (-before +after):\n%s", diff)
		}
	})
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		h := history{folder: version1(t, "sqlite")}
		h.next(t, design.Options{Dialect: "sqlite"})
		byFiles, byMigrate := lite(t), lite(t)
		for _, script := range []string{"000001_eventmap.up.sql", up, down, up} {
			if err := migrateLite(t, byFiles, string(h.folder[script])); err != nil {
				t.Fatalf("%s: %v", script, err)
			}
		}
		if err := sqlite.Check(t.Context(), byFiles); err != nil {
			t.Errorf("by files: %v", err)
		}
		if err := migrateLite(t, byMigrate, string(h.folder["000001_eventmap.up.sql"])); err != nil {
			t.Fatal(err)
		}
		if err := sqlite.Check(t.Context(), byMigrate); err == nil {
			t.Error("Check finds nothing wrong with tables of the first release")
		}
		if err := sqlite.Migrate(t.Context(), byMigrate); err != nil {
			t.Errorf("by Migrate: %v", err)
		}
		if err := migrateLite(t, byMigrate, `drop table "aggregate_snapshots"; drop table "subject_keys"`); err != nil { // which Migrate makes in any case
			t.Fatal(err)
		}
		if diff := cmp.Diff(liteCatalog(t, byFiles), liteCatalog(t, byMigrate)); diff != "" {
			t.Errorf("by files and by Migrate (-files +Migrate):\n%s", diff)
		}
	})
}

// The views of a build before the first release cannot be changed, and the message says the way around.
func TestNext_viewsFromBeforeTheFirstRelease(t *testing.T) {
	t.Parallel()
	h := history{folder: version1(t, "postgres")}
	const views = `{"views": [{"name": "order_placed_v1", "aggregate": "Order", "event": "Placed", "version": 1, "comment": "",
		"columns": [{"name": "cents", "field": "cents", "type": "bigint"}]}],`
	record := string(h.folder[migration.RecordFile])
	h.folder[migration.RecordFile] = []byte(strings.Replace(record, "{", views, 1))
	_, err := h.writer(t).Next(derived(t, design.Options{}), h.folder)
	const want = "eventmap.schema.json: has views of a build before 0.1, which this migrate-gen cannot change: run `drop view \"order_placed_v1\"`, " +
		`take "views" out of the file, and run again; the next migration makes them anew`
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
