package migration_test

import (
	stdcmp "cmp"
	"fmt"
	osexec "os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/internal/pgtest"
)

// A history is a folder of migrations as it grows, and the files of each run in the order in which they run up. It is
// for golang-migrate, whose files hold nothing but SQL.
type history struct {
	folder migration.Folder
	from   migration.Options                       // what it begins with
	newer  func(migration.Writer) migration.Writer // the release that writes; nil: this one
	ups    []string
	runs   []int // how many ups there were after each run
}

// writer returns what writes the next migrations.
func (h *history) writer(t tester) migration.Writer {
	t.Helper()
	h.from.Format = "golang-migrate"
	w, err := migration.NewWriter(h.from)
	if err != nil {
		t.Fatal(err)
	}
	if h.newer != nil {
		w = h.newer(w)
	}
	return w
}

// known returns the design of options, with what the history knows beyond it.
func (h *history) known(t tester, o design.Options) design.Design {
	t.Helper()
	d, err := h.writer(t).Known(derived(t, o), h.folder)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// derived returns the design of options.
func derived(t tester, o design.Options) design.Design {
	t.Helper()
	d, err := o.Design()
	if err != nil {
		t.Fatalf("%+v: %v", o, err)
	}
	return d
}

// plain writes plain SQL.
var plain, _ = migration.NewWriter(migration.Options{})

// once returns the one migration of a design.
func once(t tester, d design.Design) string {
	t.Helper()
	files, err := plain.Generate(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(files[0].Content)
}

// next generates for the options and returns the files that were added, but for the record.
func (h *history) next(t tester, o design.Options) (added []string) {
	t.Helper()
	files, err := h.writer(t).Next(derived(t, o), h.folder)
	if err != nil {
		t.Fatalf("%+v: %v", o, err)
	}
	for _, file := range files {
		old, exists := h.folder[file.Path]
		if file.Path != migration.RecordFile {
			if exists && string(old) != string(file.Content) {
				t.Fatalf("%s would be written over", file.Path)
			}
			if !exists && strings.HasSuffix(file.Path, ".up.sql") {
				h.ups = append(h.ups, file.Path)
			}
			if !exists {
				added = append(added, file.Path)
			}
		}
		h.folder[file.Path] = file.Content
	}
	h.runs = append(h.runs, len(h.ups))
	return added
}

// up runs what was added by the last run.
func (h *history) up(t tester, conn *pgx.Conn) {
	t.Helper()
	from := 0
	if n := len(h.runs); n > 1 {
		from = h.runs[n-2]
	}
	for _, name := range h.ups[from:] {
		exec(t, conn, string(h.folder[name]))
	}
}

// down takes back the last run, which is forgotten.
func (h *history) down(t tester, conn *pgx.Conn) {
	t.Helper()
	h.runs = h.runs[:len(h.runs)-1]
	to := 0
	if n := len(h.runs); n > 0 {
		to = h.runs[n-1]
	}
	for _, name := range slices.Backward(h.ups[to:]) {
		exec(t, conn, string(h.folder[strings.TrimSuffix(name, ".up.sql")+".down.sql"]))
	}
	h.ups = h.ups[:to]
}

// fresh returns the catalog of a database that ran one migration for the design.
func fresh(t *testing.T, d design.Design) []string {
	t.Helper()
	conn := connect(t)
	if d.Partition.Layout == "partman" { // migrations leave the extension, and say so
		exec(t, conn, `create schema if not exists partman; create extension pg_partman with schema partman`)
	}
	exec(t, conn, once(t, d))
	return catalog(t, conn)
}

// domain returns a domain of one aggregate with these events.
func domain(names ...string) *model.Domain {
	order := model.Aggregate{Name: "Order"}
	for i, name := range names {
		fields := []model.Field{
			{Name: "n", Doc: "It's how many.", Shape: &model.Shape{Kind: model.IntShape, Bits: 32}},
			{Name: "event_id", Shape: &model.Shape{Kind: model.SliceShape}},
		}
		order.Events = append(order.Events, model.Event{
			Name: name, Version: 1, Payload: &model.Shape{Kind: model.ObjectShape, Fields: fields[:1+i%2]},
		})
	}
	return &model.Domain{Aggregates: []model.Aggregate{order}}
}

// indexed returns the domain with the field n of its events marked.
func indexed(d *model.Domain, args string) *model.Domain {
	for i := range d.Aggregates[0].Events {
		d.Aggregates[0].Events[i].Payload.Fields[0].Index = &model.IndexMark{Args: args}
	}
	return d
}

// chain is a schema that changes ten times and more: options, new events, retired ones, marks, and what may enter.
var chain = []design.Options{
	{},
	{Indexes: []string{"event-type"}},
	{Indexes: []string{"event-type", "correlation"}, AppendOnly: true},
	{Payload: "jsonb", Indexes: []string{"event-type", "correlation"}, AppendOnly: true, Domain: domain("Placed", "Paid")},
	{Schema: "shop", Payload: "jsonb", Indexes: []string{"correlation"}, AppendOnly: true, Domain: indexed(domain("Placed", "Paid"), ""), Strict: true},
	{Schema: "shop", EventsTable: "Moved", SubjectKeys: "here", Payload: "jsonb", AppendOnly: true, Domain: indexed(domain("Placed", "Paid"), "using=hash"), Strict: true},
	{Schema: "shop", EventsTable: "Log", AggregateHeadsTable: "other.heads", SubjectKeysTable: "other.keys", Payload: "jsonb", Metadata: "jsonb",
		Indexes: []string{"correlation"}, AppendOnly: true},
	{Schema: "shop", EventsTable: "Log", ParkedEventsTable: "p", SubjectKeys: "elsewhere", Payload: "json", Indexes: []string{"correlation"}, AppendOnly: true,
		Domain: indexed(domain("Placed", "Shipped"), ""), Strict: true},
	{Schema: "shop", EventsTable: "Log", ParkedEventsTable: "p", Payload: "bytea", Indexes: []string{"correlation"}, AppendOnly: true,
		Domain: indexed(domain("Placed", "Shipped"), "")},
	{EventsTable: "E", ParkedEventsTable: "p", Payload: "bytea", Indexes: []string{"correlation"}, Domain: indexed(domain("Placed"), ""), Strict: true},
	{Schema: "shop", EventsTable: "Log", ParkedEventsTable: "p", Payload: "bytea", Indexes: []string{"correlation"}, Domain: domain("Placed")},
	{Schema: "shop", EventsTable: "Log", ParkedEventsTable: "p", Payload: "json", Indexes: []string{"correlation", "event-type"},
		AppendOnly: true, Partition: "range", PartitionSize: 10, Partitions: 5, Domain: indexed(domain("Placed", "Shipped"), ""), Strict: true},
	{Schema: "shop", EventsTable: "Log", ParkedEventsTable: "p", Payload: "bytea", Indexes: []string{"correlation"},
		AppendOnly: true, Partition: "range", PartitionSize: 10, Partitions: 8, Domain: domain("Placed", "Shipped", "Paid"), Strict: true},
	{Schema: "shop", EventsTable: "Log", Indexes: []string{"correlation"}, AppendOnly: true, Partition: "hash", Partitions: 3},
	{Schema: "shop", EventsTable: "Log", Metadata: "jsonb", Partition: "none"},
}

// Changes that are applied one by one come to what one migration makes, events are kept, and the way goes back as it came.
func TestNext_chainEqualsOneMigration(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	h := history{folder: migration.Folder{}}
	var catalogs [][]string
	var log []string
	for i, o := range chain {
		added := h.next(t, o)
		if len(added) == 0 {
			t.Errorf("change %d: nothing was written", i)
		}
		h.up(t, conn)
		got := catalog(t, conn)
		knowing := h.known(t, o)
		if diff := compare(fresh(t, knowing), got); diff != "" {
			t.Fatalf("change %d, %v (-one migration +step by step):\n%s", i, added, diff)
		}
		catalogs = append(catalogs, got)
		if o.Strict || i == len(chain)-1 {
			other := connect(t)
			exec(t, other, once(t, knowing))
			if diff := cmp.Diff(dump(t, other), dump(t, conn)); diff != "" {
				t.Errorf("change %d, pg_dump (-one migration +step by step):\n%s", i, diff)
			}
		}
		if diff := cmp.Diff(log, events(t, conn, o)); diff != "" && i > 0 {
			t.Fatalf("change %d: events (-before +after):\n%s", i, diff)
		}
		storeTwo(t, conn, o, 2*i)
		log = events(t, conn, o)
		if len(log) != 2*i+2 {
			t.Fatalf("change %d: %d events, want %d", i, len(log), 2*i+2)
		}
	}
	for i, o := range slices.Backward(chain[:len(chain)-1]) {
		h.down(t, conn)
		if diff := compare(catalogs[i], catalog(t, conn)); diff != "" {
			t.Fatalf("down to %d (-want +got):\n%s", i, diff)
		}
		if diff := cmp.Diff(log, events(t, conn, o)); diff != "" {
			t.Fatalf("down to %d: events (-before +after):\n%s", i, diff)
		}
	}
	exec(t, conn, `truncate events`)
	h.down(t, conn)
	if diff := compare([]string{}, catalog(t, conn)); diff != "" {
		t.Errorf("left all the way down:\n%s", diff)
	}
}

// dump returns the schema of a database as pg_dump has it, but for schemas that are empty, comments and settings.
func dump(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	program, err := osexec.LookPath("pg_dump")
	if err != nil {
		t.Logf("pg_dump is not on PATH; the catalogs were compared by queries only")
		return nil
	}
	command := osexec.CommandContext(t.Context(), program, "--schema-only", "--no-owner", conn.Config().ConnString())
	command.Env = append(command.Environ(), "LC_ALL=C")
	out, err := command.CombinedOutput()
	if strings.Contains(string(out), "server version mismatch") {
		t.Logf("pg_dump is older than the server; the catalogs were compared by queries only")
		return nil
	}
	if err != nil {
		t.Fatalf("pg_dump: %v: %s", err, out)
	}
	if !strings.Contains(string(out), "CREATE TABLE ") {
		t.Fatalf("pg_dump has no table:\n%s", out)
	}
	return slices.DeleteFunc(strings.Split(string(out), "\n"), func(line string) bool {
		return line == "" || strings.HasPrefix(line, "--") || strings.HasPrefix(line, "CREATE SCHEMA ") || strings.HasPrefix(line, "\\")
	})
}

// compare returns how two catalogs differ but for empty schemas, which migrations leave since others may use them.
func compare(want, got []string) string {
	tables := func(lines []string) []string {
		return slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return strings.HasPrefix(line, "schema ") })
	}
	return cmp.Diff(tables(want), tables(got))
}

// eventsOf returns the events table of options.
func eventsOf(o design.Options) string {
	table := fmt.Sprintf("%q", stdcmp.Or(o.EventsTable, "events"))
	if o.Schema == "" {
		return table
	}
	return fmt.Sprintf("%q.%s", o.Schema, table)
}

// storeTwo adds two events to a stream of n, the first without a payload.
func storeTwo(t tester, conn *pgx.Conn, o design.Options, n int) {
	t.Helper()
	payload := "''"
	if o.Payload == "json" || o.Payload == "jsonb" {
		payload = "null"
	}
	for i, payload := range []string{payload, `'{"n": 1.50}'`} {
		exec(t, conn, fmt.Sprintf(`insert into %s (created_at, event_id, aggregate_version, event_version, aggregate_type,
			aggregate_id, event_type, payload, metadata) values (now(), gen_random_uuid(), %d, 1, 'Order', '1', 'Placed', %s,
			'{"a": [1, "é"]}')`, eventsOf(o), n+i+1, payload))
	}
}

// events returns the events in the log as text that does not depend on the types of columns.
func events(t tester, conn *pgx.Conn, o design.Options) []string {
	t.Helper()
	payload := "convert_from(payload, 'UTF8')"
	if o.Payload == "json" || o.Payload == "jsonb" {
		payload = "coalesce(payload::text, '')"
	}
	return query(t, conn, fmt.Sprintf(`select concat_ws(' ', global_position, created_at, event_id, aggregate_version,
		event_version, aggregate_type, aggregate_id, event_type, %s, metadata, trace_id) from %s order by global_position`,
		payload, eventsOf(o)))
}

// someOptions draws options between which any change can be made.
func someOptions(role string) *rapid.Generator[design.Options] {
	return rapid.Custom(func(t *rapid.T) design.Options {
		o := design.Options{
			AggregateHeadsTable: rapid.SampledFrom([]string{"", "B", "shop.c", "x$block$", longName}).Draw(t, "heads"),
			Payload:             rapid.SampledFrom(design.PayloadTypes).Draw(t, "payload"),
			Metadata:            rapid.SampledFrom(design.MetadataTypes).Draw(t, "metadata"),
			Indexes:             rapid.SliceOfDistinct(rapid.SampledFrom(design.IndexNames), rapid.ID).Draw(t, "indexes"),
			AppendOnly:          rapid.Bool().Draw(t, "append-only"),
			Partition:           rapid.SampledFrom([]string{"none", "none", "range", "hash"}).Draw(t, "partition"),
			SubjectKeysTable:    rapid.SampledFrom([]string{"", "", "K", "shop.k", longName[:62] + "k"}).Draw(t, "keys"),
			Grants:              rapid.SampledFrom([][]string{nil, {role}}).Draw(t, "grants"),
			Domain: rapid.SampledFrom([]*model.Domain{
				nil, domain("Placed"), indexed(domain("Placed"), ""), indexed(domain("Placed", "Paid"), "using=hash"),
			}).Draw(t, "domain"),
		}
		if o.SubjectKeysTable != "" {
			o.ForgetGrants = rapid.SampledFrom([][]string{nil, {role}}).Draw(t, "grants to forget")
		}
		o.Strict = o.Domain != nil && rapid.Bool().Draw(t, "strict")
		if o.Partition != "none" {
			o.Partitions = rapid.IntRange(1, 3).Draw(t, "partitions")
			return o
		}
		o.EventsTable = rapid.SampledFrom([]string{"", "a", "shop.a", "events$block$", longName[:62] + "c"}).Draw(t, "events")
		return o
	})
}

// Any change can be made and taken back, and comes to what one migration makes. What is drawn is the same in every run.
func TestNext_anyChange(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	role := newRole(t, pgtest.New(t))
	generator := someOptions(role)
	for i := range 20 {
		from, to := generator.Example(2*i), generator.Example(2*i+1)
		if from.Partition != "none" || to.Partition != "none" {
			from.EventsTable, to.EventsTable = "", "" // a partitioned table keeps its name
		}
		what := fmt.Sprintf("from %+v\nto   %+v", from, to)
		exec(t, conn, `begin`)
		h := history{folder: migration.Folder{}}
		h.next(t, from)
		h.up(t, conn)
		before := catalog(t, conn)
		h.next(t, to)
		for name, content := range h.folder { // it all runs in one transaction here
			h.folder[name] = []byte(strings.ReplaceAll(string(content), " concurrently ", " "))
		}
		h.up(t, conn)
		after := catalog(t, conn)
		h.down(t, conn)
		if diff := compare(before, catalog(t, conn)); diff != "" {
			t.Fatalf("%s\nup and down (-before +after):\n%s", what, diff)
		}
		exec(t, conn, `rollback; begin; `+once(t, h.known(t, to)))
		if diff := compare(catalog(t, conn), after); diff != "" {
			t.Fatalf("%s\n(-one migration +step by step):\n%s", what, diff)
		}
		exec(t, conn, `rollback`)
	}
}
