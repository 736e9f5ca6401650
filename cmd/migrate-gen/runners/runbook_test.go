package runners_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/pgtest"
)

// fill adds three events, the first of them without a payload.
const fill = `insert into events (created_at, event_id, aggregate_version, event_version, aggregate_type, aggregate_id, event_type, payload)
	select '2024-02-29', gen_random_uuid(), n, 1, 'Order', '1', 'Placed', case when n > 1 then convert_to('{"n": ' || n || '}', 'UTF8') else '' end
	from generate_series(coalesce((select max(aggregate_version) from events), 0) + 1, coalesce((select max(aggregate_version) from events), 0) + 3) as n;
	insert into aggregate_heads (aggregate_type, aggregate_id, aggregate_version) select aggregate_type, aggregate_id, max(aggregate_version)
	from events group by 1, 2 on conflict (aggregate_type, aggregate_id) do update set aggregate_version = excluded.aggregate_version;`

const log = `select concat_ws(' ', global_position, event_id, event_type, created_at) from events order by global_position`

// byHand is a table of events as a team has written it, and byHandLog what is in it.
const (
	byHand = `create table account_events (id bigserial primary key, account_id text not null, seq int not null, kind text not null,
		body text not null, meta jsonb, created_at timestamptz not null default '2024-02-29', unix_seconds bigint not null default 1709164800,
		unique (account_id, seq));
	insert into account_events (account_id, seq, kind, body) values ('1', 1, 'Opened', '{}'), ('2', 1, 'Opened', '{}'), ('1', 2, 'Paid', '{"n":1}');`
	byHandLog = `select concat_ws(' ', id, account_id, seq, kind, created_at) from account_events order by id`
	movedLog  = `select concat_ws(' ', global_position, aggregate_id, aggregate_version, event_type, created_at) from events order by global_position`
)

// recipes are the sections of the runbook and of the page about operations: what they start from, and what they come to.
var recipes = map[string]struct {
	section string
	before  design.Options
	written string // by migrate-gen with these flags: the first migration is in the folder
	sql     string // instead of those tables, or into them
	after   design.Options
	moved   string // the schema that the log comes to lie in, with a dot
	source  string // the query for the events before, where they are in another table
}{
	"partitions ahead": {
		section: "Partitions ahead",
		before:  design.Options{Partition: "range"}, sql: `select setval('events_global_position_seq', 75000000);` + fill,
		after: design.Options{Partition: "range", Partitions: 15},
	},
	"events in the default partition": {
		section: "Partitions ahead",
		before:  design.Options{Partition: "range"}, sql: `select setval('events_global_position_seq', 90000000);` + fill,
	},
	"archive": {
		section: "Archiving an old partition",
		before:  design.Options{Partition: "range", AppendOnly: true}, sql: fill + `select setval('events_global_position_seq', 10000000);` + fill,
		after: design.Options{Partition: "range", AppendOnly: true},
	},
	"index": {
		section: "An index on a partitioned log", before: design.Options{Partition: "range"}, written: "--partition range", sql: fill,
		after: design.Options{Partition: "range", Indexes: []string{"event-type"}},
	},
	"payload": {
		section: "Changing the type of the payload", written: "--payload bytea", sql: fill, after: design.Options{Payload: "jsonb"},
	},
	"backup":   {section: "A backup", sql: fill},
	"release":  {section: "A release", written: "--payload bytea", sql: fill},
	"failover": {section: "A failover", sql: fill + `select setval('events_global_position_seq', 1);`},
	"restore":  {section: "A restore", sql: fill},
	"rename":   {section: "A rename", written: "--payload bytea", sql: fill, after: design.Options{Schema: "shop"}, moved: "shop."},
	"table":    {section: "Moving from a hand-written table", sql: byHand, source: byHandLog},
	"move": {
		section: "Moving from eventsalsa", sql: former,
		after: design.Options{Metadata: "jsonb", AppendOnly: true, Indexes: []string{"event-type"}},
	},
}

// steps finds commands and statements.
var steps = regexp.MustCompile("(?s)```(sh|sql)\n(.*?)```")

func TestRunbook_recipes(t *testing.T) {
	t.Parallel()
	sections := make(map[string]string)
	for _, page := range []string{"migrations/runbook.md", "operations.md"} {
		text, err := os.ReadFile("../../../docs/" + page)
		if err != nil {
			t.Fatal(err)
		}
		for _, section := range strings.Split(string(text), "\n## ")[1:] {
			if title, body, _ := strings.Cut(section, "\n"); steps.MatchString(body) {
				sections[title] = body
			}
		}
	}
	tested := make(map[string]bool)
	for name, r := range recipes {
		tested[r.section] = true
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			needPrograms("psql", "pg_dump", "pg_restore")(t)
			folder, err := programs()
			if err != nil {
				t.Fatal(err)
			}
			dsn, empty, work := pgtest.New(t), pgtest.New(t), t.TempDir()
			if strings.Contains(sections[r.section], "pg_dump ") {
				needDump(t, dsn)
			}
			run := func(command string) {
				t.Helper()
				cmd := exec.CommandContext(t.Context(), "sh", "-eu", "-c", command)
				cmd.Dir = work
				cmd.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"), "DATABASE_URL="+dsn, "RESTORE_URL="+empty)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%s\n%v\n%s", command, err, out)
				}
			}
			// psql takes a statement after the other, as someone at a prompt would.
			psql := func(sql string) {
				t.Helper()
				run("psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 \"$DATABASE_URL\" <<'end of the statements'\n" + sql + "\nend of the statements\n")
			}
			if r.sql != former && r.source == "" {
				schema, err := migration.Schema(r.before)
				if err != nil {
					t.Fatal(err)
				}
				psql(schema)
			}
			if r.written != "" {
				run("go tool migrate-gen --output migrations " + r.written)
			}
			psql(r.sql)
			log, moved := log, strings.Replace(log, "from ", "from "+r.moved, 1)
			if r.source != "" {
				log, moved = r.source, movedLog
			}
			before := query(t, dsn, log)
			if len(before) < 3 {
				t.Fatalf("%d events to begin with", len(before))
			}
			done := 0
			for _, step := range steps.FindAllStringSubmatch(sections[r.section], -1) {
				if step[1] == "sql" {
					psql(step[2])
				} else {
					run(step[2])
				}
				done++
			}
			if done == 0 {
				t.Fatalf("section %q has nothing to be done", r.section)
			}
			if diff := cmp.Diff(before, query(t, dsn, moved)); diff != "" {
				t.Errorf("events (-before +after):\n%s", diff)
			}
			if r.source == "" && (r.after.Partition != "" || r.before.Partition == "") {
				if diff := cmp.Diff(ordered(plain(t, r.after)), ordered(without("goose_db_version", catalog(t, dsn)))); diff != "" {
					t.Errorf("catalog (-one migration +the recipe):\n%s", diff)
				}
			}
		})
	}
	for title := range sections {
		if !tested[title] {
			t.Errorf("section %q is run by no test", title)
		}
	}
}

// ordered returns a catalog in which the columns of a table are sorted: recipes leave them in another order.
func ordered(catalog []string) []string {
	var sorted, columns []string
	for _, line := range append(catalog, "") {
		if strings.HasPrefix(line, "  column ") {
			columns = append(columns, line)
			continue
		}
		slices.Sort(columns)
		sorted = append(append(sorted, columns...), line)
		columns = nil
	}
	return sorted
}

// needDump skips the test where pg_dump refuses the server because it is older.
func needDump(t *testing.T, dsn string) {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), "pg_dump", "--schema-only", dsn).CombinedOutput()
	if err != nil && strings.Contains(string(output), "server version mismatch") {
		t.Skipf("install a pg_dump as new as the server: %s", output)
	}
}
