package migration_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
)

// The files are run by the real tools in cmd/migrate-gen/runners; here it is seen how they look.
func TestGenerate_formats(t *testing.T) {
	t.Parallel()
	want := map[string][]string{
		"plain":          {"0001_eventmap.sql"},
		"goose":          {"00001_eventmap.sql"},
		"golang-migrate": {"000001_eventmap.up.sql", "000001_eventmap.down.sql"},
		"tern":           {"001_eventmap.sql"},
		"dbmate":         {"0001_eventmap.sql"},
		"atlas":          {"0001_eventmap.sql"},
		"flyway":         {"V1__eventmap.sql", "U1__eventmap.sql"},
	}
	for _, format := range migration.Formats() {
		files, err := generated(design.Options{}, format)
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		var got []string
		for _, file := range files {
			got = append(got, file.Path)
			if !strings.HasPrefix(string(file.Content), migration.Header) {
				t.Errorf("%s: %s does not begin with the header", format, file.Path)
			}
			golden(t, format+"/"+file.Path, file.Content)
		}
		if diff := cmp.Diff(want[format], got); diff != "" {
			t.Errorf("%s: files (-want +got):\n%s", format, diff)
		}
		delete(want, format)
	}
	if len(want) > 0 {
		t.Errorf("missing formats: %v", want)
	}
}

func TestGenerate_filenameHasTheFormOfTheTool(t *testing.T) {
	t.Parallel()
	tests := []struct{ format, filename, want string }{
		{"plain", "events.sql", ""},
		{"plain", "20260102150405_events.sql", ""},
		{"plain", "events", `file name "events": does not end in .sql, or begins with a dot`},
		{"plain", ".events.sql", `file name ".events.sql": does not end in .sql, or begins with a dot`},
		{"plain", "a/b.sql", `file name "a/b.sql": names a folder; the output folder is given by itself`},
		{"plain", `a\b.sql`, `file name "a\\b.sql": names a folder; the output folder is given by itself`},
		{"plain", "a\nb.sql", `file name "a\nb.sql": has a character that cannot be printed`},
		{"goose", "7_events.sql", ""},
		{"goose", "events.sql", `file name "events.sql": does not have goose's form 00001_name.sql`},
		{"golang-migrate", "7_events.up.sql", ""},
		{"golang-migrate", "7_events.sql", `file name "7_events.sql": does not have golang-migrate's form 000001_name.up.sql`},
		{"tern", "007_events.sql", ""},
		{"tern", "x7_events.sql", `file name "x7_events.sql": does not have tern's form 001_name.sql`},
		{"dbmate", "20260102150405_events.sql", ""},
		{"dbmate", "events.sql", `file name "events.sql": does not have dbmate's form 0001_name.sql`},
		{"atlas", "20260102150405_events.sql", ""},
		{"atlas", "events.sql", `file name "events.sql": does not have atlas's form 0001_name.sql`},
		{"flyway", "V2.1__events.sql", ""},
		{"flyway", "V2_events.sql", `file name "V2_events.sql": does not have flyway's form V1__name.sql`},
		{"Goose", "", `format "Goose": is not known; choose one of plain, goose, golang-migrate, tern, dbmate, atlas, flyway`},
	}
	for _, tt := range tests {
		files, err := generatedBy(design.Options{}, migration.Options{Format: tt.format, Filename: tt.filename})
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s %q: %v", tt.format, tt.filename, err)
		case tt.want == "" && files[0].Path != tt.filename:
			t.Errorf("%s %q: generated %s", tt.format, tt.filename, files[0].Path)
		case tt.want != "" && (err == nil || err.Error() != tt.want):
			t.Errorf("%s %q:\n got %v\nwant %s", tt.format, tt.filename, err, tt.want)
		}
	}
}

// A way down by mistake must not cost a company its history.
func TestGenerate_theWayDownKeepsEvents(t *testing.T) {
	t.Parallel()
	files, err := generated(design.Options{Schema: "shop"}, "golang-migrate")
	if err != nil {
		t.Fatal(err)
	}
	up, down := string(files[0].Content), string(files[1].Content)
	conn := connect(t)
	if _, err := conn.Exec(t.Context(), up); err != nil {
		t.Fatalf("up: %v", err)
	}
	full := catalog(t, conn)
	const insert = `insert into shop.events (created_at, event_id, aggregate_version, event_version, aggregate_type,
		aggregate_id, event_type, payload) values (now(), gen_random_uuid(), 1, 1, 'Order', '1', 'Placed', '')`
	if _, err := conn.Exec(t.Context(), insert); err != nil {
		t.Fatal(err)
	}

	_, err = conn.Exec(t.Context(), down)
	if err == nil || !strings.Contains(err.Error(), "the event log is not empty, and dropping it would lose its events") {
		t.Fatalf("down with an event: %v, want a refusal", err)
	}
	if diff := cmp.Diff(full, catalog(t, conn)); diff != "" {
		t.Errorf("the refused way down removed something (-before +after):\n%s", diff)
	}
	if got := query(t, conn, `select count(*)::text from shop.events`); got[0] != "1" {
		t.Errorf("%s events left, want 1", got[0])
	}

	if _, err := conn.Exec(t.Context(), `truncate shop.events`); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), down); err != nil {
		t.Fatalf("down: %v", err)
	}
	if diff := cmp.Diff([]string{"schema shop"}, catalog(t, conn)); diff != "" {
		t.Errorf("left by the way down (-want +got):\n%s", diff)
	}
	if _, err := conn.Exec(t.Context(), up); err != nil {
		t.Fatalf("up again: %v", err)
	}
	if diff := cmp.Diff(full, catalog(t, conn)); diff != "" {
		t.Errorf("up again (-first +second):\n%s", diff)
	}
}
