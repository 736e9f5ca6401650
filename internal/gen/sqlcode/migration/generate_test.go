package migration_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/gen"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/pgname"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// longName has 63 bytes, of which the 40th and 41st are one character.
var longName = strings.Repeat("a", 39) + "é" + strings.Repeat("b", 22)

var goldenOptions = map[string]design.Options{
	"plain":  {},
	"schema": {Schema: "shop"},
	"names": {
		Schema:              "My-Shop",
		EventsTable:         "Event-Log",
		AggregateHeadsTable: "select",
		CheckpointsTable:    "reader.Checkpoints",
		ParkedEventsTable:   "reader.événements$1",
	},
	"options": {
		Payload:    "jsonb",
		Metadata:   "jsonb",
		Indexes:    design.IndexNames,
		AppendOnly: true,
	},
	"range":    {Schema: "shop", Partition: "range", PartitionSize: 100, Partitions: 3, AppendOnly: true},
	"hash":     {EventsTable: longName, Partition: "hash", Partitions: 2},
	"tenant":   {Schema: "shop", Logs: "tenant", TenantRLS: true, Snapshots: true, Indexes: design.IndexNames, AppendOnly: true},
	"logs":     {Logs: "hash", HashedLogs: 4, EventLogsTable: "Counted-Logs"},
	"keys":     {Schema: "shop", SubjectKeysTable: "secret.Subject-Keys"},
	"keysonly": {SubjectKeys: "only"},
	"long": {
		EventsTable:         longName,
		AggregateHeadsTable: longName[:62] + "c",
		CheckpointsTable:    longName[:62] + "d",
		ParkedEventsTable:   longName[:62] + "e",
	},
}

// TestGenerate_golden compares the SQL with what is committed, runs it, and compares what the database then holds.
func TestGenerate_golden(t *testing.T) {
	t.Parallel()
	for name, options := range goldenOptions {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sql := generate(t, options)
			golden(t, name+"/0001_eventmap.sql", sql)

			conn := connect(t)
			if _, err := conn.Exec(t.Context(), string(sql)); err != nil {
				t.Fatalf("run the SQL: %v", err)
			}
			golden(t, name+"/catalog.txt", []byte(strings.Join(catalog(t, conn), "\n")+"\n"))
		})
	}
}

func TestGenerate_everyTableAndColumnHasAComment(t *testing.T) {
	t.Parallel()
	for name, options := range goldenOptions {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := connect(t)
			if _, err := conn.Exec(t.Context(), string(generate(t, options))); err != nil {
				t.Fatalf("run the SQL: %v", err)
			}
			tables := 0
			for _, line := range catalog(t, conn) {
				if strings.HasPrefix(line, "table ") {
					tables++
				} else if !strings.HasPrefix(line, "  column ") {
					continue
				}
				if !strings.Contains(line, " -- ") {
					t.Errorf("no comment: %s", line)
				}
			}
			want, other := map[string]int{"keys": 5, "keysonly": 1, "tenant": 6, "logs": 5}[name]
			if !other {
				want = 4
			}
			if tables != want {
				t.Errorf("%d tables, want %d", tables, want)
			}
		})
	}
}

// The runtime knows the version of the tables by the comment on the events table.
func TestGenerate_marksTheEventsTable(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	if _, err := conn.Exec(t.Context(), string(generate(t, design.Options{}))); err != nil {
		t.Fatalf("run the SQL: %v", err)
	}
	comment := query(t, conn, `select obj_description('events'::regclass, 'pg_class')`)[0]
	version, ok := pgname.ParseMarker(comment)
	if !ok || version.Number != pgname.SchemaVersion {
		t.Errorf("marker of %q: %d, %t, want %d", comment, version.Number, ok, pgname.SchemaVersion)
	}
}

// A second store in the same database must not be mistaken for the first.
func TestGenerate_existingTableIsAnError(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	if _, err := conn.Exec(t.Context(), `create table parked_events (id int)`); err != nil {
		t.Fatal(err)
	}
	before := catalog(t, conn)
	_, err := conn.Exec(t.Context(), string(generate(t, design.Options{Schema: "public"})))
	if err == nil || !strings.Contains(err.Error(), `relation "parked_events" already exists`) {
		t.Errorf("err = %v, want that parked_events exists", err)
	}
	if diff := cmp.Diff(before, catalog(t, conn)); diff != "" {
		t.Errorf("the failed migration left something (-before +after):\n%s", diff)
	}
}

func TestGenerate_sameBytes(t *testing.T) {
	t.Parallel()
	for name, options := range goldenOptions {
		first := generate(t, options)
		for range 20 {
			if !bytes.Equal(first, generate(t, options)) {
				t.Fatalf("%s: two runs differ", name)
			}
		}
		if bytes.ContainsRune(first, '\r') || !bytes.HasSuffix(first, []byte(";\n")) {
			t.Errorf("%s: line ends are not LF, or the last one is missing", name)
		}
		if !bytes.HasPrefix(first, []byte(migration.Header)) {
			t.Errorf("%s: does not begin with the header", name)
		}
	}
}

// generated returns the one migration of options in a format; without one it is plain SQL.
func generated(o design.Options, format ...string) ([]gen.File, error) {
	return generatedBy(o, migration.Options{Format: strings.Join(format, "")})
}

func generatedBy(o design.Options, m migration.Options) ([]gen.File, error) {
	d, designErr := o.Design()
	w, writerErr := migration.NewWriter(m)
	if err := errors.Join(writerErr, designErr); err != nil {
		return nil, err
	}
	return w.Generate(d)
}

// generate returns the content of the one file.
func generate(t testing.TB, options design.Options, format ...string) []byte {
	t.Helper()
	files, err := generated(options, format...)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 1 {
		t.Fatalf("%d files, want 1", len(files))
	}
	return files[0].Content
}

// golden compares got with a file in testdata, or writes the file if -update is given.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
