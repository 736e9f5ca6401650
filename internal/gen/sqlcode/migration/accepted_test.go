package migration_test

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/internal/pgname"
)

//go:embed testdata/relations.sql
var relationsSQL string

//go:embed testdata/others.sql
var othersSQL string

// The rule for names, written once more in another way.
var validName = regexp.MustCompile(`^[\p{L}_][\p{L}\p{Nd}_$-]*$`)

func isValidName(s string) bool {
	return len(s) <= 63 && validName.MatchString(s) && !strings.HasPrefix(s, "pg_")
}

func isValidSchema(s string) bool {
	return isValidName(s) && s != "information_schema"
}

// expect returns the relations that the options ask for, and false if they have to be refused, because a name is wrong or
// two things would have the same.
func expect(o design.Options) (relations []string, ok bool) {
	if o.Schema != "" && !isValidSchema(o.Schema) {
		return nil, false
	}
	var all [][2]string
	var beside string // the schema of the events table
	for i, t := range [][2]string{
		{o.EventsTable, "events"},
		{o.AggregateHeadsTable, "aggregate_heads"},
		{o.CheckpointsTable, "consumer_checkpoints"},
		{o.ParkedEventsTable, "parked_events"},
	} {
		schema, name, qualified := strings.Cut(t[0], ".")
		switch {
		case t[0] == "" && i == 0:
			schema, name = o.Schema, t[1]
		case t[0] == "":
			schema, name = beside, t[1]
		case !qualified:
			schema, name = o.Schema, t[0]
		case !isValidSchema(schema):
			return nil, false
		}
		if !isValidName(name) {
			return nil, false
		}
		table := pgname.Table{Name: name}
		all = append(all, [2]string{schema, name}, [2]string{schema, table.PrimaryKey()})
		if i == 0 {
			beside = schema
			for _, name := range []string{table.StreamVersionKey(), table.EventIDKey(), table.Sequence().Name} {
				all = append(all, [2]string{schema, name})
			}
		}
		if t[1] == "parked_events" {
			all = append(all, [2]string{schema, table.Derived("aggregate_id_idx").Name})
		}
	}
	if o.Domain != nil {
		events := pgname.Table{Name: all[0][1]}
		all = append(all, [2]string{beside, "order_placed_v1"}, [2]string{beside, events.Derived("order_placed_v1_n_idx").Name})
	}
	for i, a := range all {
		for _, b := range all[:i] {
			if a[1] == b[1] && (a[0] == b[0] || a[0] == "" || b[0] == "") {
				return nil, false
			}
		}
		if a[0] == "" {
			a[0] = "public"
		}
		relations = append(relations, a[0]+"."+a[1])
	}
	slices.Sort(relations)
	return relations, true
}

// checkNames generates with the options. If they are accepted, the way up has to run and to create exactly the relations
// that were asked for and nothing else, and the way down has to remove them; if not, it has to be for a reason. The
// database is empty before and after.
func checkNames(t tester, conn *pgx.Conn, o design.Options) {
	t.Helper()
	want, ok := expect(o)
	files, err := generated(o, "golang-migrate") // whose two files are nothing but the SQL
	switch {
	case err == nil && !ok:
		t.Fatalf("accepted: %#v", o)
	case err != nil && ok:
		t.Fatalf("refused: %#v: %v", o, err)
	case err != nil && files != nil:
		t.Fatalf("files beside an error: %#v", o)
	case err != nil:
		return
	}
	if len(files) != 2 {
		t.Fatalf("%#v: %d files, want a way up and a way down", o, len(files))
	}
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatalf("begin: %v", err)
	}
	defer func() {
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatalf("rollback: %v", err)
		}
	}()
	if _, err := conn.Exec(t.Context(), string(files[0].Content)); err != nil {
		t.Fatalf("%#v: %v", o, err)
	}
	if diff := cmp.Diff(want, query(t, conn, relationsSQL)); diff != "" {
		t.Fatalf("%#v: relations (-want +got):\n%s", o, diff)
	}
	functions := 0
	if o.Domain != nil {
		functions = 5
	}
	others := query(t, conn, othersSQL)
	for _, other := range others {
		if functions--; !strings.HasPrefix(other, "function ") || !strings.Contains(other, "_payload_") && !strings.Contains(other, "payload_value_") && !strings.Contains(other, "_known") {
			t.Fatalf("%#v: also created: %q", o, others)
		}
	}
	if functions != 0 {
		t.Fatalf("%#v: functions %q, %d are missing", o, others, functions)
	}
	if _, err := conn.Exec(t.Context(), string(files[1].Content)); err != nil {
		t.Fatalf("%#v: down: %v", o, err)
	}
	if left := query(t, conn, relationsSQL); len(left) > 0 {
		t.Fatalf("%#v: left by the way down: %q", o, left)
	}
}

// names draws table names, with and without a schema. They are mostly valid, and at times equal to or derived from each
// other. If odd is true, most are not valid.
func names(odd bool) *rapid.Generator[string] {
	letters := []rune("abzAZ_éßж事𝒳")
	parts := []*rapid.Generator[string]{
		rapid.SampledFrom([]string{
			"events", "_events", "events_pkey", "events_global_position_seq", "events_stream_version_key", "select", "user",
			"text", "bigint", "public", "a$block$b", "x$_block$", "PG_x", "Events", longName, longName[:62] + "c", strings.Repeat("é", 31),
		}),
		rapid.Custom(func(t *rapid.T) string {
			first := rapid.SampledFrom(letters).Draw(t, "first")
			rest := rapid.StringOfN(rapid.SampledFrom(append(letters, []rune("-$019")...)), 0, -1, 59).Draw(t, "rest")
			return string(first) + rest
		}),
	}
	if odd {
		parts = append(parts,
			rapid.SampledFrom([]string{"pg_class", "pg_shop", "information_schema", strings.Repeat("x", 64), strings.Repeat("é", 32)}),
			rapid.StringOfN(rapid.SampledFrom([]rune("ab1-\"'\\;/*.$ \n\x00\u200b\u0301\u202e")), 0, 8, -1),
			rapid.String(),
		)
	}
	part := rapid.OneOf(parts...)
	qualified := rapid.Custom(func(t *rapid.T) string { return part.Draw(t, "schema") + "." + part.Draw(t, "table") })
	return rapid.OneOf(rapid.Just(""), part, part, qualified)
}

func TestGenerate_acceptedNamesRun(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	accepted := 0
	rapid.Check(t, func(r *rapid.T) {
		name := names(rapid.Bool().Draw(r, "odd"))
		o := design.Options{
			EventsTable:         name.Draw(r, "events"),
			AggregateHeadsTable: name.Draw(r, "heads"),
			CheckpointsTable:    name.Draw(r, "checkpoints"),
			ParkedEventsTable:   name.Draw(r, "parked"),
		}
		if rapid.Bool().Draw(r, "has schema") {
			o.Schema = name.Draw(r, "schema")
		}
		if rapid.Bool().Draw(r, "has domain") {
			o.Domain, o.Strict = indexed(domain("Placed"), ""), true
		}
		if _, ok := expect(o); ok {
			accepted++
		}
		checkNames(r, conn, o)
	})
	if accepted == 0 {
		t.Error("no drawn names were accepted: nothing was run")
	}
	t.Logf("%d schemas run", accepted)
}

// Whatever the events and their fields are called, the SQL runs, and each field has a column and an index of its own.
func TestGenerate_acceptedEventsRun(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	name := rapid.Custom(func(t *rapid.T) string { // by the rules of the scan
		first := rapid.SampledFrom([]rune("aZé事")).Draw(t, "first")
		return string(first) + rapid.StringOfN(rapid.SampledFrom([]rune("aBé事_.:/-9")), 0, 90, 250).Draw(t, "rest")
	})
	field := rapid.OneOf( // by the rules of encoding/json, and beyond
		rapid.SampledFrom([]string{"a", "A", "a_b", "aB", "AB", "event_id", "eventID", "payload_a", "payload_A", "it's", "fields", "select", "{{.}}", "${a}"}),
		rapid.StringOfN(rapid.SampledFrom([]rune("aAb_é事9 !#$%&()*+-./:;<=>?@[]^{|}~'\"\\")), 1, 90, -1),
	)
	run := rapid.Custom(func(t *rapid.T) design.Options {
		d := &model.Domain{}
		for _, aggregate := range rapid.SliceOfNDistinct(name, 1, 2, rapid.ID).Draw(t, "aggregates") {
			a := model.Aggregate{Name: aggregate}
			for _, event := range rapid.SliceOfNDistinct(name, 1, 2, rapid.ID).Draw(t, "events") {
				marked := fieldsOf()
				for _, f := range rapid.SliceOfNDistinct(field, 1, 6, rapid.ID).Draw(t, "fields") {
					marked.Fields = append(marked.Fields, fieldsOf("*"+f).Fields...)
				}
				within := model.Field{Name: field.Draw(t, "object"), Shape: marked}
				if marked.Field(within.Name) == nil {
					object := *marked
					object.Fields = append([]model.Field{within}, marked.Fields...)
					marked = &object
				}
				a.Events = append(a.Events, model.Event{Name: event, Version: rapid.IntRange(1, 1<<31-1).Draw(t, "version"), Payload: marked})
			}
			d.Aggregates = append(d.Aggregates, a)
		}
		return design.Options{
			EventsTable: rapid.SampledFrom([]string{"", longName}).Draw(t, "events table"), Domain: d, Strict: true,
			Payload: rapid.SampledFrom(design.PayloadTypes).Draw(t, "payload"),
		}
	})
	for i := range 30 {
		o := run.Example(i)
		columns, indexes := 0, 0
		for _, a := range o.Domain.Aggregates {
			for _, e := range a.Events {
				columns += 5 + len(e.Payload.Fields)
				indexes += len(e.Payload.Fields)
				if object := e.Payload.Fields[0].Shape; object.Kind == model.ObjectShape {
					columns += len(object.Fields)
					indexes += len(object.Fields) - 1
				}
			}
		}
		files, err := generated(o, "golang-migrate")
		if err != nil {
			if !strings.Contains(err.Error(), "would have the view") && !strings.Contains(err.Error(), "would be the view") {
				t.Errorf("refused: %+v: %v", o.Domain, err)
			}
			continue
		}
		exec(t, conn, string(files[0].Content))
		got := query(t, conn, `select format('%s columns, %s indexes', (select count(*) from information_schema.columns c join information_schema.views v
			using (table_schema, table_name) where table_schema = 'public'), (select count(*) from pg_index where indexrelid >= 16384 and indpred is not null))`)
		if want := fmt.Sprintf("%d columns, %d indexes", columns, indexes); got[0] != want {
			t.Errorf("%s, want %s: %+v\n%s", got[0], want, o.Domain, files[0].Content)
		}
		exec(t, conn, string(files[1].Content))
		if left := query(t, conn, relationsSQL); len(left) > 0 {
			t.Fatalf("left by the way down: %q", left)
		}
	}
}

// FuzzGenerate is the same with names that the fuzzer makes up.
func FuzzGenerate(f *testing.F) {
	f.Add("", "", "", "", "")
	f.Add("shop", "events", "other.events", "events_", "_events")
	f.Add("My-Shop", "select", "Select", "x$1", "é.ü")
	f.Add("", longName, longName[:62]+"c", longName[:62]+"d", "s."+longName[:62]+"e")
	f.Add("", "a", "b", "c", `x"; drop table y; --`)
	f.Add("public", "text", "int4", "uuid", "json")
	f.Add("a$block$b", "x$_block$", "", "", "")
	f.Add("", "pg_class", "information_schema.tables", "", "")
	f.Add("pg_x", "a.b.c", "1", "\x00", "\xff")
	conn := connect(f)
	f.Fuzz(func(t *testing.T, schema, events, heads, checkpoints, parked string) {
		checkNames(t, conn, design.Options{
			Schema:              schema,
			EventsTable:         events,
			AggregateHeadsTable: heads,
			CheckpointsTable:    checkpoints,
			ParkedEventsTable:   parked,
		})
	})
}
