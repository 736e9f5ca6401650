package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/cli"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/pgtest"
)

// Everything that is wrong is found, and the statements that are printed mend it.
func TestDoctor_findsAndMends(t *testing.T) {
	t.Parallel()
	const insert = `with added as (
		insert into events (created_at, event_id, aggregate_version, event_version, aggregate_type, aggregate_id, event_type, payload)
		select now(), gen_random_uuid(), n, 1, 'Order', '1', 'Placed', '{}' from generate_series(1, %d) n
		returning aggregate_version
	) insert into aggregate_heads (aggregate_version, aggregate_type, aggregate_id) select max(aggregate_version), 'Order', '1' from added`
	tests := []struct {
		name   string
		flags  []string
		breaks string
		want   []string
		stays  []string // what the statements cannot mend
	}{
		{name: "nothing"},
		{name: "tables", breaks: `drop table aggregate_heads, consumer_checkpoints`,
			want: []string{"table aggregate_heads is missing", "table consumer_checkpoints is missing"}},
		{name: "many logs", flags: []string{"--logs=tenant", "--snapshots", "--index=event-type"}},
		{name: "hashed logs", flags: []string{"--logs=hash", "--hashed-logs=4"}},
		{name: "the table of logs", flags: []string{"--logs=tenant"}, breaks: `drop table event_logs, consumer_checkpoints, parked_events`,
			want: []string{"table consumer_checkpoints is missing", "table parked_events is missing", "table event_logs is missing"}},
		{name: "all", breaks: `drop table events, aggregate_heads, consumer_checkpoints, parked_events`, want: []string{
			"table events is missing", "table aggregate_heads is missing", "table consumer_checkpoints is missing", "table parked_events is missing",
		}},
		{name: "types", flags: []string{"--payload=jsonb"}, breaks: fmt.Sprintf(insert, 2) +
			`; alter table events alter column payload type bytea using convert_to(payload::text, 'UTF8'), alter metadata type jsonb`,
			want: []string{"column payload of events is not jsonb", "column metadata of events is not json"}},
		{name: "indexes", flags: []string{"--index=event-type,correlation"}, breaks: `drop index events_event_type_idx;
			update pg_index set indisvalid = false where indexrelid = 'events_correlation_id_idx'::regclass`,
			want: []string{"index events_event_type_idx on events is missing or invalid", "index events_correlation_id_idx on events is missing or invalid"}},
		{name: "sequence", breaks: `alter sequence events_global_position_seq cache 7 cycle`, want: []string{
			"sequence events_global_position_seq has cache 7: sessions keep positions back and events are lost to readers",
			"sequence events_global_position_seq starts again after its end"}},
		{name: "append-only is gone", flags: []string{"--append-only"}, breaks: `drop function events_append_only cascade; grant update on events to public`,
			want: []string{"trigger events_append_only of events is missing, so that events can be changed",
				"table events may be changed by others than its owner"}},
		{name: "append-only is off", flags: []string{"--append-only"}, breaks: `alter table events disable trigger all`,
			want: []string{"trigger events_append_only of events is disabled, so that events can be changed"}},
		{name: "the default partition", flags: []string{"--partition=range", "--partition-size=10", "--partitions=2", "--append-only"},
			breaks: fmt.Sprintf(insert, 35), want: []string{"table events has events in its default partition"},
			stays: []string{"table events has no whole partition ahead of the log"}},
		{name: "no partition ahead", flags: []string{"--partition=range", "--partition-size=10", "--partitions=2"},
			breaks: fmt.Sprintf(insert, 11), want: []string{"table events has no whole partition ahead of the log"}},
		{name: "views", flags: []string{"--domain=./testdata/kinds", "--schema=s"}, breaks: `drop view s.kinds_kept_v2`,
			want: []string{"view s.kinds_kept_v2 is missing"}},
		{name: "indexes on fields", flags: []string{"--domain=./testdata/kinds"}, breaks: `drop index events_kinds_kept_v2_large_idx;
			update pg_index set indisvalid = false where indexrelid = 'events_kinds_kept_v2_when_idx'::regclass`,
			want: []string{"index events_kinds_kept_v2_large_idx on events is missing or invalid", "index events_kinds_kept_v2_when_idx on events is missing or invalid"}},
		{name: "indexes of partitions", flags: []string{"--domain=./testdata/kinds", "--partition=range"}, breaks: `drop index events_kinds_kept_v2_large_idx;
			update pg_index set indisvalid = false where indexrelid = 'events_kinds_kept_v2_when_idx'::regclass`,
			want: []string{"index events_kinds_kept_v2_large_idx on events is missing or invalid", "index events_kinds_kept_v2_when_idx on events is missing or invalid"}},
		{name: "functions", flags: []string{"--domain=./testdata/kinds"}, breaks: `drop function events_payload_value(jsonb, bytea) cascade`,
			want: []string{"function events_payload_value and those beside it are missing, which views and indexes call", "view kinds_kept_v2 is missing"}},
		{name: "no check", flags: []string{"--domain=./testdata/kinds", "--strict"}, breaks: `alter table events drop constraint events_known_check`,
			want: []string{"check events_known_check of events is missing, so that any event can be stored"}},
		{name: "another check", flags: []string{"--domain=./testdata/kinds", "--strict", "--partition=hash"},
			breaks: `alter table events drop constraint events_known_check, add constraint events_known_check check (event_type <> '')`,
			want:   []string{"check events_known_check of events does not know all events of the domain"}},
		{name: "a check that was not validated", flags: []string{"--domain=./testdata/kinds", "--strict"},
			breaks: `update pg_constraint set convalidated = false where conname = 'events_known_check'`,
			want:   []string{"check events_known_check of events was not validated: what was stored before it was not looked at"}},
		{name: "duplicates", flags: []string{"--partition=range"}, breaks: `drop function events_event_id_once cascade`,
			want: []string{"trigger events_event_id_once of events is missing, so that an event can be stored twice"}},
		{name: "collations", flags: []string{"--domain=./testdata/kinds"}, breaks: `create collation folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
			create table made as select viewname, definition from pg_views where schemaname = 'public';
			do $$ declare v record; begin
				for v in select * from made loop execute format('drop view %I', v.viewname); end loop;
				alter table events alter aggregate_id type text collate folded;
				alter table aggregate_heads alter aggregate_id type text collate folded;
				for v in select * from made loop execute format('create view %I as %s', v.viewname, v.definition); end loop;
			end $$`,
			want: []string{"column aggregate_id of events has a nondeterministic collation, which takes different texts for the same",
				"column aggregate_id of aggregate_heads has a nondeterministic collation, which takes different texts for the same"}},
		{name: "a function that names a schema that is no more", flags: []string{"--partition=range", "--schema=shop"},
			breaks: `create or replace function shop.events_event_id_once() returns trigger language plpgsql as
				'begin perform from "former"."events" as other; return null; end'`,
			want: []string{`function shop.events_event_id_once() looks for the table in schema "former", in which it was before; it is in "shop" now: appends fail`}},
		{name: "a function that finds another schema", flags: []string{"--partition=range"},
			breaks: `create or replace function events_event_id_once() returns trigger language plpgsql set search_path = former as
				'begin perform from "events" as other; return null; end'`,
			want: []string{`function events_event_id_once() looks for the table in schema "former", in which it was before; it is in "public" now: appends fail`}},
		{name: "layout", flags: []string{"--partition=hash"}, breaks: `drop function if exists f; alter table events rename to e;
			create table events (like e including all excluding identity); drop table e cascade; alter table events alter global_position add generated always as identity
			(sequence name events_global_position_seq)`,
			want:  []string{"table events is not partitioned as was asked for: hash; run the migrations, or take the options that it was made with"},
			stays: []string{"table events is not partitioned as was asked for: hash; run the migrations, or take the options that it was made with"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dsn := migrated(t, tt.flags)
			conn := connect(t, dsn)
			execute(t, conn, tt.breaks)
			report, found := examined(t, dsn, tt.flags)
			if diff := cmp.Diff(tt.want, found); diff != "" {
				t.Errorf("findings (-want +got):\n%s\n%s", diff, report)
			}
			s := parsed(t, tt.flags)
			d, checks, err := s.checks()
			if err != nil {
				t.Fatal(err)
			}
			findings, err := examine(t.Context(), conn, d, checks)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range findings {
				for _, statement := range f.Statements {
					execute(t, conn, statement)
				}
			}
			if report, left := examined(t, dsn, tt.flags); !cmp.Equal(tt.stays, left) {
				t.Errorf("after mending: %q, want %q\n%s", left, tt.stays, report)
			}
		})
	}
}

func TestDoctor_findsMissingRights(t *testing.T) {
	t.Parallel()
	dsn := migrated(t, []string{"--schema=shop", "--partition=hash"})
	conn := connect(t, dsn)
	role := "role_" + strings.TrimPrefix(conn.Config().Database, "pgtest_")
	execute(t, conn, fmt.Sprintf(`create role %q`, role))
	t.Cleanup(func() {
		_, _ = conn.Exec(context.Background(), fmt.Sprintf(`drop owned by %[1]q; drop role %[1]q`, role))
	})
	flags := []string{"--schema=shop", "--partition=hash", "--grant=" + role}
	report, found := examined(t, dsn, flags)
	if diff := cmp.Diff([]string{"role " + role + " lacks rights"}, found); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	execute(t, conn, report) // which is SQL as it is
	if report, found := examined(t, dsn, flags); found != nil {
		t.Errorf("after mending: %s", report)
	}
}

func TestDoctor_noDatabaseIsTrouble(t *testing.T) {
	t.Parallel()
	var stdout, stderr strings.Builder
	code := command(&stdout, &stderr, "--doctor", "--dsn=postgres:///x?host=/nowhere&connect_timeout=1")
	if code != cli.Trouble || stdout.Len() > 0 || !strings.HasPrefix(stderr.String(), "migrate-gen: database: ") {
		t.Errorf("code %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
	}
}

// migrated returns the address of a database that ran what the flags write.
func migrated(t *testing.T, flags []string) (dsn string) {
	t.Helper()
	schema, err := migration.Schema(parsed(t, flags).design)
	if err != nil {
		t.Fatal(err)
	}
	return pgtest.New(t, schema)
}

// parsed returns the settings that flags stand for.
func parsed(t *testing.T, flags []string) *settings {
	t.Helper()
	command := cli.Command{Name: "migrate-gen", Stdout: io.Discard, Stderr: io.Discard}
	set := command.Flags()
	s := addSettings(set)
	if code, done := command.Parse(set, flags); done {
		t.Fatalf("%q: code %d", flags, code)
	}
	if err := s.scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// examined runs the command and returns what it printed, and each finding of it.
func examined(t *testing.T, dsn string, flags []string) (report string, found []string) {
	t.Helper()
	var stdout, stderr strings.Builder
	code := command(&stdout, &stderr, append([]string{"--doctor", "--dsn", dsn}, flags...)...)
	for line := range strings.Lines(stdout.String()) {
		if text, ok := strings.CutPrefix(line, "--- "); ok {
			found = append(found, strings.TrimSuffix(text, "\n"))
		}
	}
	want := cli.Done
	if stdout.Len() > 0 {
		want = cli.Different
	}
	if code != want || stderr.Len() > 0 {
		t.Errorf("code %d, want %d; stderr %q", code, want, stderr.String())
	}
	return stdout.String(), found
}

func command(stdout, stderr io.Writer, args ...string) (code int) { return run(args, stdout, stderr) }

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// execute runs statements that must succeed, as one query.
func execute(t *testing.T, conn *pgx.Conn, statements string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), statements); err != nil {
		t.Fatalf("%v\n%s", err, statements)
	}
}

// The whole log is read on request, and how far that is stands on standard error.
func TestDoctor_deep(t *testing.T) {
	t.Parallel()
	dsn := migrated(t, []string{"--schema=shop"})
	execute(t, connect(t, dsn), `insert into shop.events (created_at, event_id, aggregate_version, event_version, aggregate_type, aggregate_id,
		event_type, payload) select now(), gen_random_uuid(), n, 1, 'Order', E'1\n; drop table shop.events', 'Placed', '{}' from generate_series(1, 3) n;
		insert into shop.aggregate_heads select 9, aggregate_type, aggregate_id from shop.events limit 1`)
	flags := []string{"--doctor", "--dsn", dsn, "--schema=shop"}
	if report, found := examined(t, dsn, []string{"--schema=shop"}); len(found) != 1 || !strings.Contains(report, "has its head at version 9") {
		t.Errorf("a sample, without --deep: %s", report)
	}
	var stdout, stderr strings.Builder
	if code := command(&stdout, &stderr, append(flags, "--deep")...); code != cli.Different {
		t.Errorf("code %d, want %d: %s", code, cli.Different, stderr.String())
	}
	want := `--- stream Order "1\n; drop table shop.events" has its head at version 9, and its last event is version 3; ` +
		`restore the events that are missing; only if they are lost for ever, take the head back` + "\n"
	if !strings.HasPrefix(stdout.String(), want) || !strings.Contains(stderr.String(), "migrate-gen: streams: 3 events read, ") {
		t.Errorf("stdout %s\nwant %s\nstderr %s", stdout.String(), want, stderr.String())
	}
	execute(t, connect(t, dsn), stdout.String()) // which is SQL as it is
	stdout.Reset()
	if code := command(&stdout, &stderr, append(flags, "--deep")...); code != cli.Done || stdout.Len() > 0 {
		t.Errorf("after mending: code %d: %s", code, stdout.String())
	}
	if code := command(&stdout, &stderr, "--deep"); code != cli.Trouble || !strings.Contains(stderr.String(), "--deep is how --doctor looks") {
		t.Errorf("--deep alone: code %d: %s", code, stderr.String())
	}
}

// So is each of many logs.
func TestDoctor_deepOfManyLogs(t *testing.T) {
	t.Parallel()
	dsn := migrated(t, []string{"--logs=tenant"})
	execute(t, connect(t, dsn), `insert into event_logs (log, position) values ('a', 3), ('b', 3);
		insert into events (log, global_position, created_at, event_id, aggregate_version, event_version, aggregate_type, aggregate_id, event_type, payload)
		select log, n, now(), gen_random_uuid(), n, 1, 'Order', '1', 'Placed', '{}' from event_logs cross join generate_series(1, 3) as n;
		insert into aggregate_heads (log, aggregate_version, aggregate_type, aggregate_id) select log, 3, 'Order', '1' from event_logs;
		delete from events where log = 'b' and global_position = 2`)
	var stdout, stderr strings.Builder
	if code := command(&stdout, &stderr, "--doctor", "--dsn", dsn, "--logs=tenant", "--deep"); code != cli.Different {
		t.Errorf("code %d, want %d: %s", code, cli.Different, stderr.String())
	}
	want := `--- log "b", stream Order "1" lacks version 2; restore the events from a backup, or attach the partition that holds them
--- log "b", position 2 is missing: readers and consumers of the log stop before it; restore the events from a backup
`
	if diff := cmp.Diff(want, stdout.String()); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	if !strings.Contains(stderr.String(), "migrate-gen: streams: 5 events read, ") {
		t.Errorf("progress: %s", stderr.String())
	}
}

// On a Citus cluster the doctor looks at how tables are distributed, and reads the whole log.
func TestDoctor_onCitus(t *testing.T) {
	t.Parallel()
	tables, err := migration.Schema(design.Options{Logs: "tenant", Citus: true})
	if err != nil {
		t.Fatal(err)
	}
	dsn := pgtest.NewCitus(t, nil, tables)
	var stdout, stderr strings.Builder
	flags := []string{"--doctor", "--dsn", dsn, "--logs=tenant", "--citus", "--deep"}
	if code := command(&stdout, &stderr, flags...); code != cli.Done || stdout.Len() > 0 {
		t.Errorf("code %d: %s%s", code, stdout.String(), stderr.String())
	}
	execute(t, connect(t, dsn), "drop function events_append")
	if code := command(&stdout, &stderr, flags...); code != cli.Different || !strings.Contains(stdout.String(), "function events_append is missing, or not delegated") {
		t.Errorf("without the function: code %d: %s%s", code, stdout.String(), stderr.String())
	}
}
