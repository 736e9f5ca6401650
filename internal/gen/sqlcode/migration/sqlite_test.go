package migration_test

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// lite returns an empty database.
func lite(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// liteCatalog returns the statements by which everything in the database was made, sorted.
func liteCatalog(t *testing.T, db *sql.DB) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "select type || ' ' || name || ': ' || sql from sqlite_schema where sql is not null and name not like 'sqlite%' order by 1")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var all []string
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	return strings.Join(all, "\n")
}

// migrateLite runs a script in a transaction.
func migrateLite(t *testing.T, db *sql.DB, script string) error {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if _, err := tx.ExecContext(t.Context(), script); err != nil {
		return err
	}
	return tx.Commit()
}

// What migrate-gen writes and what sqlite.Migrate makes is the same, and enough for a store.
func TestGenerate_sqliteIsWhatMigrateMakes(t *testing.T) {
	t.Parallel()
	for _, names := range [][3]string{{"", "", ""}, {"Événements-2", "select", "_p$"}} {
		o := design.Options{Dialect: "sqlite", EventsTable: names[0], CheckpointsTable: names[1], ParkedEventsTable: names[2], Snapshots: true, SubjectKeys: "here"}
		config := sqlite.Config{EventsTable: names[0], CheckpointsTable: names[1], ParkedEventsTable: names[2]}
		files, err := generated(o)
		if err != nil {
			t.Fatal(err)
		}
		written, made := lite(t), lite(t)
		if err := migrateLite(t, written, string(files[0].Content)); err != nil {
			t.Fatal(err)
		}
		if err := sqlite.Migrate(t.Context(), made, config); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(liteCatalog(t, made), liteCatalog(t, written)); diff != "" {
			t.Errorf("catalogs (-made +written):\n%s", diff)
		}
		if err := sqlite.Check(t.Context(), written, config); err != nil {
			t.Error(err)
		}
	}
}

func TestGenerate_sqliteRefusals(t *testing.T) {
	t.Parallel()
	_, err := generated(design.Options{
		Dialect: "sqlite", Schema: "shop", AggregateHeadsTable: "heads", Payload: "json", Metadata: "jsonb", Grants: []string{"app"},
		Partition: "range", PartitionSize: 1, Partitions: 2, PartmanSchema: "p", PartmanMaintenance: "bgw", Strict: true,
		SubjectKeys: "here", ForgetGrants: []string{"dpo"},
	})
	for _, option := range []string{
		"schema", "aggregate-heads-table", "payload", "metadata", "grant", "partition", "partition-size", "partitions",
		"partman-schema", "partman-maintenance", "strict", "grant-forget",
	} {
		if want := "--" + option + ": is not available for sqlite: "; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q", err, want)
		}
	}
	for want, o := range map[string]design.Options{
		`dialect "oracle": is not known; choose one of postgres, sqlite`:                     {Dialect: "oracle"},
		`events table name "shop.events": names a schema, and SQLite has none; leave it out`: {Dialect: "sqlite", EventsTable: "shop.events"},
		"parked_events would be the events table and the parked events table":                {Dialect: "sqlite", EventsTable: "PARKED_EVENTS"},
	} {
		if _, err := generated(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q", err, want)
		}
	}
	for want, o := range map[string]migration.Options{
		"format tern: is not available for sqlite: that tool is for PostgreSQL":                 {Format: "tern"},
		"--from: is not available for sqlite: the stores that a log is moved from are on Postg": {From: "eventsalsa-v0.2"},
	} {
		if _, err := generatedBy(design.Options{Dialect: "sqlite"}, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q", err, want)
		}
	}
}

// liteDomain has one event with a field of every kind.
func liteDomain() *model.Domain {
	field := func(name string, s model.Shape, quoted bool) model.Field {
		return model.Field{Name: name, Shape: &s, Quoted: quoted, Doc: "Field; " + name + "."}
	}
	return &model.Domain{Aggregates: []model.Aggregate{{Name: "Order", Events: []model.Event{{
		Name: "OrderPlaced", Version: 2, Doc: "It's placed.",
		Payload: &model.Shape{Kind: model.ObjectShape, Fields: []model.Field{
			field("text", model.Shape{Kind: model.StringShape}, false),
			field("quotedText", model.Shape{Kind: model.StringShape}, true),
			field("flag", model.Shape{Kind: model.BoolShape}, false),
			field("quotedFlag", model.Shape{Kind: model.BoolShape}, true),
			field("count", model.Shape{Kind: model.IntShape, Bits: 64}, false),
			field("quotedCount", model.Shape{Kind: model.IntShape, Bits: 64}, true),
			field("large", model.Shape{Kind: model.UintShape, Bits: 64}, false),
			field("ratio", model.Shape{Kind: model.FloatShape, Bits: 64}, false),
			field("at", model.Shape{Kind: model.TimeShape}, false),
			field("odd $.name", model.Shape{Kind: model.ObjectShape}, false),
			field("absent", model.Shape{Kind: model.StringShape}, false),
			field("created_at", model.Shape{Kind: model.StringShape}, false),
			{Name: "sku", Shape: &model.Shape{Kind: model.StringShape}, Index: &model.IndexMark{}},
		}},
	}}}}}
}

func TestViews_sqliteGivesTheValues(t *testing.T) {
	t.Parallel()
	files, err := generated(design.Options{Dialect: "sqlite", Domain: liteDomain()})
	if err != nil {
		t.Fatal(err)
	}
	db := lite(t)
	if err := migrateLite(t, db, string(files[0].Content)); err != nil {
		t.Fatal(err)
	}
	appendLite(t, db, "OrderPlaced", 2, `{"text":"a 'b'","quotedText":"\"q\"","flag":true,"quotedFlag":"false","count":9007199254740993,
		"quotedCount":"-5","large":18446744073709551615,"ratio":1e3,"at":"2024-02-29T12:30:15.123456789+01:00","odd $.name":{"a":[1]},"created_at":"mine","sku":"tea"}`)
	appendLite(t, db, "OrderPlaced", 2, "")
	appendLite(t, db, "OrderPlaced", 2, "no JSON")
	appendLite(t, db, "OrderPlaced", 1, `{"text":"of another version"}`)
	var got []string
	rows, err := db.QueryContext(t.Context(), `select text, quoted_text, flag, quoted_flag, count, quoted_count, large, ratio, at, sku, absent, payload_created_at, global_position from order_placed_v2 order by global_position`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		values := make([]any, 13)
		dest := make([]any, len(values))
		for i := range values {
			dest[i] = &values[i]
		}
		if err := rows.Scan(dest...); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintln(values...))
	}
	want := []string{
		`a 'b' q 1 0 9007199254740993 -5 18446744073709551615 1000 2024-02-29T12:30:15.123456789+01:00 tea <nil> mine 1` + "\n",
		`<nil> <nil> <nil> <nil> <nil> <nil> <nil> <nil> <nil> <nil> <nil> <nil> 2` + "\n",
		`<nil> <nil> <nil> <nil> <nil> <nil> <nil> <nil> <nil> <nil> <nil> <nil> 3` + "\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows of the view (-want +got):\n%s", diff)
	}
}

// A query of a view finds events by the index on a field.
func TestViews_sqliteUsesTheIndexOnAField(t *testing.T) {
	t.Parallel()
	files, err := generated(design.Options{Dialect: "sqlite", Domain: liteDomain()})
	if err != nil {
		t.Fatal(err)
	}
	db := lite(t)
	if err := migrateLite(t, db, string(files[0].Content)); err != nil {
		t.Fatal(err)
	}
	var id, parent, unused int
	var plan string
	err = db.QueryRowContext(t.Context(), "explain query plan select text from order_placed_v2 where sku = 'tea'").Scan(&id, &parent, &unused, &plan)
	if err != nil || !strings.Contains(plan, "events_order_placed_v2_sku_idx") {
		t.Errorf("the plan is %q, %v; want the index on sku", plan, err)
	}
}

// appendLite appends an event to a stream of its own.
func appendLite(t *testing.T, db *sql.DB, eventType string, version int, payload string) {
	t.Helper()
	store, err := sqlite.New()
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	_, err = store.Append(t.Context(), tx, runtime.Any(), []runtime.Event{{
		AggregateType: "Order", AggregateID: "1", EventType: eventType, EventVersion: version,
		EventID: uuid.New(), Payload: []byte(payload),
	}})
	if err = errors.Join(err, tx.Commit()); err != nil {
		t.Fatal(err)
	}
}

func TestAppendOnly_sqlite(t *testing.T) {
	t.Parallel()
	files, err := generated(design.Options{Dialect: "sqlite", AppendOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	db := lite(t)
	if err := migrateLite(t, db, string(files[0].Content)); err != nil {
		t.Fatal(err)
	}
	appendLite(t, db, "Placed", 1, "{}")
	for _, statement := range []string{"update events set payload = x'00'", "delete from events"} {
		if _, err := db.ExecContext(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "of the event log is refused: it is append-only") {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

// A chain of changes, up, comes to what one migration of the end makes, with the events kept; and down, to nothing, but not
// as long as that loses events.
func TestNext_sqliteChain(t *testing.T) {
	t.Parallel()
	o, h := design.Options{Dialect: "sqlite"}, history{folder: migration.Folder{}}
	db := lite(t)
	var downs []string
	for i, change := range []func(){
		func() {},
		func() { o.Indexes = []string{"correlation"} },
		func() { o.AppendOnly = true },
		func() { o.Domain = liteDomain() },
		func() { o.EventsTable, o.ParkedEventsTable = "log", "aside" },
		func() { o.Indexes = []string{"event-type", "correlation"} },
		func() { o.CheckpointsTable = "progress" },
		func() { o.Indexes = []string{"event-type"} },
	} {
		change()
		files, err := h.writer(t).Next(derived(t, o), h.folder)
		if err != nil {
			t.Fatalf("change %d: %v", i, err)
		}
		for _, file := range files {
			h.folder[file.Path] = file.Content
			switch {
			case strings.HasSuffix(file.Path, ".up.sql"):
				if err := migrateLite(t, db, string(file.Content)); err != nil {
					t.Fatalf("%s: %v\n%s", file.Path, err, file.Content)
				}
			case strings.HasSuffix(file.Path, ".down.sql"):
				downs = append(downs, string(file.Content))
			}
		}
		if again, err := h.writer(t).Next(derived(t, o), h.folder); err != nil || len(again) != 1 {
			t.Errorf("change %d: a second run writes %d files: %v", i, len(again), err)
		}
		if i == 0 {
			appendLite(t, db, "OrderPlaced", 2, `{"text":"kept"}`)
		}
	}
	fresh := lite(t)
	files, err := generated(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := migrateLite(t, fresh, string(files[0].Content)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(normalLite(liteCatalog(t, fresh)), normalLite(liteCatalog(t, db))); diff != "" {
		t.Errorf("catalogs (-fresh +migrated):\n%s", diff)
	}
	var kept string
	if err := db.QueryRowContext(t.Context(), "select text from order_placed_v2").Scan(&kept); err != nil || kept != "kept" {
		t.Errorf("the event is %q: %v", kept, err)
	}
	for i := len(downs) - 1; i > 0; i-- {
		if err := migrateLite(t, db, downs[i]); err != nil {
			t.Fatalf("down %d: %v\n%s", i, err, downs[i])
		}
	}
	if err := migrateLite(t, db, downs[0]); err == nil || !strings.Contains(err.Error(), "the event log is not empty") {
		t.Errorf("the last way down of a log with events: %v", err)
	}
	if _, err := db.ExecContext(t.Context(), "delete from events"); err != nil {
		t.Fatal(err)
	}
	if err := migrateLite(t, db, downs[0]); err != nil {
		t.Fatal(err)
	}
	if left := liteCatalog(t, db); left != "" {
		t.Errorf("all the way down, there is left: %s", left)
	}
}

// normalLite leaves out names of constraints, which SQLite does not rename with their table, and how names are quoted.
func normalLite(catalog string) string {
	var lines []string
	for line := range strings.Lines(catalog) {
		line = strings.ReplaceAll(strings.TrimSuffix(strings.TrimSpace(line), ","), `"`, "")
		if rest, ok := strings.CutPrefix(line, "constraint "); ok {
			_, line, _ = strings.Cut(rest, " ")
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestNext_sqliteKeepsItsDialect(t *testing.T) {
	t.Parallel()
	folder := migration.Folder{}
	files, err := plain.Next(derived(t, design.Options{Dialect: "sqlite"}), folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		folder[file.Path] = file.Content
	}
	want := "dialect postgres: the migrations of this folder are written for sqlite"
	if _, err := plain.Next(derived(t, design.Options{}), folder); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error is %v, want %q", err, want)
	}
}
