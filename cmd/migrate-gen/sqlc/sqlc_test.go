package sqlc_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/model"
)

// config has sqlc read a folder of migrations, as its documentation says, and write for pgx.
const config = `version: "2"
sql:
  - engine: postgresql
    schema: migrations
    queries: queries.sql
    gen:
      go: {package: db, out: db, sql_package: pgx/v5}
`

// program is the path of sqlc, built as a tool of this module. Without cgo it reads SQL by the same parser, as WebAssembly.
var program = sync.OnceValues(func() (string, error) {
	cmd := exec.Command("go", "tool", "-n", "sqlc")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	path, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	return strings.TrimSpace(string(path)), err
})

// generate has sqlc generate, and returns the folder in which it did, with the code in db.
func generate(t *testing.T, migrations map[string][]byte, queries string) string {
	t.Helper()
	sqlc, err := program()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	write := func(path string, content []byte) {
		t.Helper()
		path = filepath.Join(folder, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for path, content := range migrations {
		write(filepath.Join("migrations", path), content)
	}
	write("queries.sql", []byte(queries))
	write("sqlc.yaml", []byte(config))
	cmd := exec.CommandContext(t.Context(), sqlc, "generate")
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("sqlc generate: %v\n%s", err, out)
	}
	return folder
}

// tables finds what a migration makes to be read.
var tables = regexp.MustCompile(`(?m)^create (?:table|view) ("?[^ \n]+"?) `)

// What the examples have migrated is what their queries are generated for, and the code compiles.
func TestSqlc_readsTheExamples(t *testing.T) {
	t.Parallel()
	for _, example := range []string{"shop", "bank"} {
		t.Run(example, func(t *testing.T) {
			t.Parallel()
			source := filepath.Join("../../../examples", example)
			paths, err := filepath.Glob(filepath.Join(source, "migrations/*.sql"))
			if err != nil || len(paths) == 0 {
				t.Fatalf("no migrations: %v", err)
			}
			migrations := make(map[string][]byte)
			var queries strings.Builder
			made := 0
			for _, path := range paths {
				if migrations[filepath.Base(path)], err = os.ReadFile(path); err != nil {
					t.Fatal(err)
				}
				for _, table := range tables.FindAllStringSubmatch(string(migrations[filepath.Base(path)]), -1) {
					fmt.Fprintf(&queries, "-- name: All%d :many\nselect * from %s;\n", made, table[1])
					made++
				}
			}
			if made < 5 {
				t.Fatalf("%d tables and views, want at least 5:\n%s", made, queries.String())
			}
			compile(t, source, generate(t, migrations, queries.String()))
		})
	}
}

// With every option, and every format that it takes apart by itself, sqlc knows the columns of a view by their types.
func TestSqlc_knowsTheTypesOfViews(t *testing.T) {
	t.Parallel()
	domain := &model.Domain{Aggregates: []model.Aggregate{{Name: "Order", Events: []model.Event{{
		Name: "Placed", Version: 1, Doc: "Placed begins an order.",
		Payload: &model.Shape{Kind: model.ObjectShape, Fields: []model.Field{
			{Name: "customer", Index: &model.IndexMark{}, Shape: &model.Shape{Kind: model.StringShape}},
			{Name: "note", Shape: &model.Shape{Kind: model.StringShape}},
			{Name: "cents", Shape: &model.Shape{Kind: model.IntShape, Bits: 64}},
			{Name: "paid", Shape: &model.Shape{Kind: model.BoolShape}},
			{Name: "lines", Shape: &model.Shape{Kind: model.SliceShape}},
		}},
	}}}}}
	options := map[string]design.Options{
		"standard": {},
		"all":      {Payload: "jsonb", AppendOnly: true, Strict: true, Indexes: design.IndexNames},
		"range":    {Partition: "range", Partitions: 2, AppendOnly: true},
		"hash":     {Partition: "hash", Partitions: 2},
		"schema":   {Schema: "shop"},
	}
	for name, o := range options {
		formats := []string{"plain"}
		if name == "all" {
			formats = append(formats, "goose", "golang-migrate", "tern", "dbmate")
		}
		for _, format := range formats {
			t.Run(name+"/"+format, func(t *testing.T) {
				t.Parallel()
				o.Domain = domain
				d, err := o.Design()
				if err != nil {
					t.Fatal(err)
				}
				writer, err := migration.NewWriter(migration.Options{Format: format})
				if err != nil {
					t.Fatal(err)
				}
				files, err := writer.Generate(d)
				if err != nil {
					t.Fatal(err)
				}
				migrations := make(map[string][]byte)
				for _, file := range files {
					migrations[file.Path] = file.Content
				}
				view := "order_placed_v1"
				if o.Schema != "" {
					view = o.Schema + "." + view
				}
				folder := generate(t, migrations, "-- name: Placed :many\nselect customer, note, cents, paid, lines from "+view+" where customer = $1;\n")
				code, err := os.ReadFile(filepath.Join(folder, "db/queries.sql.go"))
				if err != nil {
					t.Fatal(err)
				}
				_, row, _ := strings.Cut(string(code), "type PlacedRow struct {\n")
				row, _, _ = strings.Cut(row, "\n}")
				want := []string{"Customer string", "Note string", "Cents int64", "Paid bool", "Lines []byte"}
				var got []string
				for line := range strings.Lines(row) {
					got = append(got, strings.Join(strings.Fields(line), " "))
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("columns (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// compile compiles the code as a package of the example's module.
func compile(t *testing.T, example, folder string) {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(example, name))
		if err != nil {
			t.Fatal(err)
		}
		text = []byte(strings.ReplaceAll(string(text), "=> ../..\n", "=> "+root+"\n"))
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "./db")
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go build: %v\n%s", err, out)
	}
}
