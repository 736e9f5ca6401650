package migration_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/pgname"
	"github.com/eventmap/eventmap/templates"
)

// Whoever raises the version of the schema has to say how tables get there.
func TestNext_knowsEveryUpgrade(t *testing.T) {
	t.Parallel()
	for version := 2; version <= pgname.SchemaVersion; version++ {
		for _, o := range []design.Options{{}, {Dialect: "sqlite"}} {
			if err := migration.Upgrade(derived(t, o).Dialect, version); err != nil {
				t.Errorf("version %d: %v", version, err)
			}
		}
	}
	if files, err := templates.Postgres.ReadDir("postgres/upgrade"); err == nil && len(files) != 2*(pgname.SchemaVersion-1) {
		t.Errorf("%d files, want 2 for each of the versions from 2 to %d", len(files), pgname.SchemaVersion)
	}
}

// newer returns the writer of a release that keeps the region of every event, and of the one after it, which has an index
// on it.
func newer(w migration.Writer, versions int) migration.Writer {
	if versions > 0 {
		w = w.WithUpgrade(`-- Where an event happened.
alter table {{.Events.Quoted}} add column region text collate "C";
comment on column {{.Events.Quoted}}.region is
    'Where it happened.';
`, `alter table {{.Events.Quoted}} drop column region;
`)
	}
	if versions > 1 {
		w = w.WithUpgrade(`create index {{quote (.Events.Derived "region_idx").Name}} on {{.Events.Quoted}} (region);
`, `drop index {{(.Events.Derived "region_idx").Quoted}};
`)
	}
	return w
}

// A newer migrate-gen brings the tables that an older one made to its own version of the schema, and back, whatever they
// look like, and keeps the events.
func TestNext_upgradesTheSchema(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]design.Options{
		"plain":  {},
		"hash":   {Schema: "shop", EventsTable: "Log", Partition: "hash", Partitions: 2, Payload: "json", AppendOnly: true},
		"domain": {EventsTable: longName, Domain: indexed(domain("Placed"), ""), Strict: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := connect(t)
			h := history{folder: migration.Folder{}}
			h.next(t, o)
			h.up(t, conn)
			storeTwo(t, conn, o, 0)
			first, log := catalog(t, conn), events(t, conn, o)

			version := func(want int) {
				t.Helper()
				comment := query(t, conn, fmt.Sprintf(`select obj_description('%s'::regclass, 'pg_class')`, eventsOf(o)))[0]
				if got, ok := pgname.ParseMarker(comment); !ok || got.Number != want {
					t.Errorf("the table says %q, want version %d", comment, want)
				}
				if diff := cmp.Diff(log, events(t, conn, o)); diff != "" {
					t.Errorf("version %d: events (-before +after):\n%s", want, diff)
				}
			}
			h.newer = func(w migration.Writer) migration.Writer { return newer(w, 2) }
			both := h.next(t, o)
			var want []string
			for i, version := range []int{pgname.SchemaVersion + 1, pgname.SchemaVersion + 2} {
				want = append(want, fmt.Sprintf("%06d_eventmap_schema_%d.up.sql", i+2, version), fmt.Sprintf("%06d_eventmap_schema_%d.down.sql", i+2, version))
			}
			if diff := cmp.Diff(want, both); diff != "" {
				t.Fatalf("files (-want +got):\n%s", diff)
			}
			h.up(t, conn)
			version(pgname.SchemaVersion + 2)
			second := catalog(t, conn)
			if !slices.ContainsFunc(second, func(line string) bool { return strings.Contains(line, "region_idx") }) {
				t.Errorf("no index of the third version:\n%s", strings.Join(second, "\n"))
			}
			if again := h.next(t, o); len(again) > 0 {
				t.Errorf("written once more: %q", again)
			}
			h.runs = h.runs[:len(h.runs)-1]
			h.newer = nil
			if _, err := h.writer(t).Next(derived(t, o), h.folder); err == nil || err.Error() != fmt.Sprintf(
				"eventmap.schema.json: has schema version %d, and this migrate-gen writes %d; use a newer one", pgname.SchemaVersion+2, pgname.SchemaVersion) {
				t.Errorf("an older migrate-gen: %v", err)
			}
			h.down(t, conn)
			version(pgname.SchemaVersion)
			if diff := compare(first, catalog(t, conn)); diff != "" {
				t.Errorf("up and down (-before +after):\n%s", diff)
			}
		})
	}
}

// A newer migrate-gen with other options first brings the tables to its version of the schema, then makes the change.
func TestNext_upgradesBeforeItChanges(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	h := history{folder: migration.Folder{}}
	h.next(t, design.Options{})
	h.up(t, conn)
	before := catalog(t, conn)
	h.newer = func(w migration.Writer) migration.Writer { return newer(w, 1) }
	added := h.next(t, design.Options{AppendOnly: true, EventsTable: "log"})
	upgraded := fmt.Sprintf("000002_eventmap_schema_%d", pgname.SchemaVersion+1)
	want := []string{upgraded + ".up.sql", upgraded + ".down.sql", "000003_eventmap_change.up.sql", "000003_eventmap_change.down.sql"}
	if diff := cmp.Diff(want, added); diff != "" {
		t.Fatalf("files (-want +got):\n%s", diff)
	}
	h.up(t, conn)
	exec(t, conn, `select region from log`)
	h.down(t, conn)
	if diff := compare(before, catalog(t, conn)); diff != "" {
		t.Errorf("up and down (-before +after):\n%s", diff)
	}
}
