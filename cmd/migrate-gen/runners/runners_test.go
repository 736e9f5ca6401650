package runners_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/gen"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/internal/pgtest"
)

// A runner is a tool that runs migrations.
type runner struct {
	format string
	table  string             // where the tool notes what it ran
	find   func(t *testing.T) // skips the test where the tool cannot be had; nil: it is a module of these tests
	up     func(ctx context.Context, dsn, folder string) error
	down   func(ctx context.Context, dsn, folder string) error // all the way
}

var runners = []runner{goose, golangMigrate, tern, dbmate}

// need skips the test where the tool cannot be had.
func (r runner) need(t *testing.T) {
	t.Helper()
	if r.find != nil {
		r.find(t)
	}
}

// hostile is a domain whose names and comments have in them what tools look for.
var hostile = &model.Domain{Aggregates: []model.Aggregate{{Name: "Order", Events: []model.Event{{
	Name: "Placed", Version: 1,
	Doc: "It's {{ .x }} and ${y}; :z --\n-- +goose Down\n-- +goose StatementBegin\n-- migrate:down\n---- create above / drop below ----\n$$ /* $block$\n",
	Payload: &model.Shape{Kind: model.ObjectShape, Fields: []model.Field{
		{Name: "{{x}}", Shape: &model.Shape{Kind: model.StringShape}, Index: &model.IndexMark{}},
		{Name: "${y};", Doc: "-- migrate:down", Shape: &model.Shape{Kind: model.IntShape, Bits: 64}},
		{Name: "---- create above / drop below ----", Shape: &model.Shape{Kind: model.StringShape}},
		{Name: "a--b:c$$'", Shape: &model.Shape{Kind: model.SliceShape}},
		{Name: " -- x;", Shape: &model.Shape{Kind: model.StringShape}, Index: &model.IndexMark{}},
		{Name: "last", Doc: "Ends with -- a comment;", Shape: &model.Shape{Kind: model.StringShape}},
	}},
}, {
	Name: "Order -- placed; ${z} {{z}} $$ ---- create above", Version: 1, Doc: "+goose StatementEnd -- x",
}}}}}

var options = map[string]design.Options{
	"standard": {},
	"options":  {Payload: "jsonb", Indexes: design.IndexNames, AppendOnly: true},
	"range":    {Partition: "range", Partitions: 2, AppendOnly: true},
	"domain":   {Domain: placed("", "{{x}} ${y}"), Strict: true},
	"views":    {Domain: hostile, Strict: true, AppendOnly: true, Indexes: design.IndexNames},
	"names":    {Schema: "My-Shop", EventsTable: "log$block$", AggregateHeadsTable: "other.select"},
}

// placed returns a domain of one event whose fields are indexed.
func placed(method string, fields ...string) *model.Domain {
	payload := &model.Shape{Kind: model.ObjectShape}
	for _, name := range fields {
		payload.Fields = append(payload.Fields, model.Field{
			Name: name, Index: &model.IndexMark{Args: method}, Shape: &model.Shape{Kind: model.StringShape},
		})
	}
	return &model.Domain{Aggregates: []model.Aggregate{{Name: "Order", Events: []model.Event{{Name: "Placed", Version: 1, Payload: payload}}}}}
}

func TestRunners_upDownUp(t *testing.T) {
	t.Parallel()
	for _, r := range runners {
		for name, o := range options {
			t.Run(r.format+"/"+name, func(t *testing.T) {
				t.Parallel()
				r.need(t)
				folder := write(t, o, r.format)
				want := plain(t, o)
				dsn := pgtest.New(t)

				if err := r.up(t.Context(), dsn, folder); err != nil {
					t.Fatalf("up: %v", err)
				}
				if diff := cmp.Diff(want, without(r.table, catalog(t, dsn))); diff != "" {
					t.Errorf("up (-plain SQL +%s):\n%s", r.format, diff)
				}
				if err := r.down(t.Context(), dsn, folder); err != nil {
					t.Fatalf("down: %v", err)
				}
				if diff := cmp.Diff(schemas(want), without(r.table, catalog(t, dsn))); diff != "" {
					t.Errorf("down (-want +got):\n%s", diff)
				}
				if err := r.up(t.Context(), dsn, folder); err != nil {
					t.Fatalf("up again: %v", err)
				}
				if diff := cmp.Diff(want, without(r.table, catalog(t, dsn))); diff != "" {
					t.Errorf("up again (-plain SQL +%s):\n%s", r.format, diff)
				}
			})
		}
	}
}

func TestRunners_downKeepsEvents(t *testing.T) {
	t.Parallel()
	for _, r := range runners {
		t.Run(r.format, func(t *testing.T) {
			t.Parallel()
			r.need(t)
			folder := write(t, design.Options{}, r.format)
			dsn := pgtest.New(t)
			if err := r.up(t.Context(), dsn, folder); err != nil {
				t.Fatalf("up: %v", err)
			}
			before := catalog(t, dsn)
			query(t, dsn, `insert into events (created_at, event_id, aggregate_version, event_version, aggregate_type,
				aggregate_id, event_type, payload) values (now(), gen_random_uuid(), 1, 1, 'Order', '1', 'Placed', '')
				returning event_type`)

			err := r.down(t.Context(), dsn, folder)
			if err == nil || !strings.Contains(err.Error(), "the event log is not empty") {
				t.Fatalf("down with an event: %v, want a refusal", err)
			}
			if diff := cmp.Diff(before, catalog(t, dsn)); diff != "" {
				t.Errorf("the refused way down changed something (-before +after):\n%s", diff)
			}
			if got := query(t, dsn, `select event_type from events`); len(got) != 1 {
				t.Errorf("events left: %q, want 1", got)
			}
		})
	}
}

// changes are schemas that follow each other; some of what leads from one to the next runs outside a transaction.
var changes = []design.Options{
	{},
	{Domain: placed("", "customer", "{{x}} ${y}")},
	{Domain: placed("using=hash", "customer", "other"), Strict: true},
	{Schema: "shop", Indexes: design.IndexNames, AppendOnly: true},
	{Schema: "shop", Indexes: design.IndexNames[:1], AppendOnly: true, Payload: "jsonb", Partition: "range", Partitions: 2},
	{Schema: "shop", AggregateHeadsTable: "heads", Payload: "json"},
}

func TestRunners_changes(t *testing.T) {
	t.Parallel()
	for _, r := range runners {
		t.Run(r.format, func(t *testing.T) {
			t.Parallel()
			r.need(t)
			dsn := pgtest.New(t)
			folder, files := t.TempDir(), migration.Folder{}
			var want []string
			for i, o := range changes {
				want = plain(t, o)
				for _, file := range next(t, o, migration.Options{Format: r.format}, files) {
					files[file.Path] = file.Content
					if err := os.WriteFile(filepath.Join(folder, file.Path), file.Content, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				if err := r.up(t.Context(), dsn, folder); err != nil {
					t.Fatalf("change %d: up: %v", i, err)
				}
				if diff := cmp.Diff(want, without(r.table, catalog(t, dsn))); diff != "" {
					t.Errorf("change %d (-one migration of plain SQL +%s):\n%s", i, r.format, diff)
				}
			}
			if err := r.down(t.Context(), dsn, folder); err != nil {
				t.Fatalf("down: %v", err)
			}
			if diff := cmp.Diff(schemas(want), without(r.table, catalog(t, dsn))); diff != "" {
				t.Errorf("down (-want +got):\n%s", diff)
			}
			if err := r.up(t.Context(), dsn, folder); err != nil {
				t.Fatalf("up again: %v", err)
			}
			if diff := cmp.Diff(want, without(r.table, catalog(t, dsn))); diff != "" {
				t.Errorf("up again (-want +got):\n%s", diff)
			}
		})
	}
}

// next returns what is to be written for options after what is in a folder.
func next(t *testing.T, o design.Options, m migration.Options, folder migration.Folder) []gen.File {
	t.Helper()
	d, designErr := o.Design()
	w, writerErr := migration.NewWriter(m)
	if err := errors.Join(designErr, writerErr); err != nil {
		t.Fatal(err)
	}
	files, err := w.Next(d, folder)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// write generates the first migration into a new folder and returns it.
func write(t *testing.T, o design.Options, format string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	for _, file := range next(t, o, migration.Options{Format: format}, nil) {
		if file.Path == migration.RecordFile {
			continue
		}
		if err := os.WriteFile(filepath.Join(folder, file.Path), file.Content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// plain returns the catalog of a database that ran the plain SQL.
func plain(t *testing.T, o design.Options) []string {
	t.Helper()
	schema, err := migration.Schema(o)
	if err != nil {
		t.Fatal(err)
	}
	return catalog(t, pgtest.New(t, schema))
}

// catalog returns what the database holds, as the tests of package migration see it.
func catalog(t *testing.T, dsn string) []string {
	t.Helper()
	text, err := os.ReadFile("../../../internal/gen/sqlcode/migration/testdata/catalog.sql")
	if err != nil {
		t.Fatal(err)
	}
	return query(t, dsn, string(text))
}

// query returns the single text column of what the statement returns.
func query(t *testing.T, dsn, statement string) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	rows, err := conn.Query(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// without returns the catalog without a table and what belongs to it, which are the indented lines after it.
func without(table string, catalog []string) []string {
	var kept []string
	drops := false
	for _, line := range catalog {
		if !strings.HasPrefix(line, " ") {
			drops = strings.HasPrefix(line, "table public."+table)
		}
		if !drops {
			kept = append(kept, line)
		}
	}
	return kept
}

// schemas returns the schemas of a catalog.
func schemas(catalog []string) []string {
	var kept []string
	for _, line := range catalog {
		if strings.HasPrefix(line, "schema ") {
			kept = append(kept, line)
		}
	}
	return kept
}

// withDB runs do on the database by database/sql.
func withDB(dsn string, do func(*sql.DB) error) error {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	return errors.Join(do(db), db.Close())
}
