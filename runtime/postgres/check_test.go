package postgres_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

func TestCheck_findsNothingWrongWithWhatMigrateGenWrites(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		tables design.Options
		opts   []postgres.Option
	}{
		"standard": {},
		"schema":   {design.Options{Schema: "Shop"}, []postgres.Option{postgres.WithEventsTable("Shop.events")}},
		"names": {design.Options{EventsTable: "select", AggregateHeadsTable: "my-Heads"},
			[]postgres.Option{postgres.WithEventsTable("select"), postgres.WithAggregateHeadsTable("my-Heads")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := pgtest.New(t, schema(t, row.tables))
			if err := postgres.Check(t.Context(), connect(t, address), row.opts...); err != nil {
				t.Errorf("Check: %v", err)
			}
			if err := postgres.CheckSQL(t.Context(), connectSQL(t, address, pgx.QueryExecModeExec), row.opts...); err != nil {
				t.Errorf("CheckSQL: %v", err)
			}
		})
	}
}

func TestCheck_reportsEveryProblem(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		breaks string
		want   []string // objects of the problems
	}{
		{"both tables", "drop table events cascade; drop table aggregate_heads",
			[]string{"table events", "table aggregate_heads"}},
		{"columns", "alter table events drop column trace_id, drop column metadata; alter table aggregate_heads drop column aggregate_version",
			[]string{"column trace_id of events", "column metadata of events", "column aggregate_version of aggregate_heads"}},
		{"types", "alter table events alter column event_id type text, alter column payload type jsonb using null",
			[]string{"column event_id of events", "column payload of events"}},
		{"a column of somebody else", "alter table events add column tenant text not null",
			[]string{"column tenant of events"}},
		{"a column of somebody else with a default", "alter table events add column tenant text not null default ''", nil},
		{"not null", "alter table events alter column metadata set not null", []string{"column metadata of events"}},
		{"keys", "alter table events drop constraint events_event_id_key, drop constraint events_stream_version_key; alter table aggregate_heads drop constraint aggregate_heads_pkey",
			[]string{"table events", "table events", "table aggregate_heads"}},
		{"a key under another name", "alter index events_event_id_key rename to other", nil},
		{"cache", "alter sequence events_global_position_seq cache 20", []string{"sequence events_global_position_seq"}},
		{"sequence", "alter table events alter column global_position drop identity",
			[]string{"column global_position of events", "sequence events_global_position_seq"}},
		{"cycle and increment", "alter sequence events_global_position_seq increment -1 minvalue -10 cycle",
			[]string{"sequence events_global_position_seq", "sequence events_global_position_seq"}},
		{"a lowest position that nobody reads", "alter sequence events_global_position_seq minvalue -5", []string{"sequence events_global_position_seq"}},
		{"positions that no fence can hold", "alter sequence events_global_position_seq restart with 281474976710655; select nextval('events_global_position_seq')",
			[]string{"sequence events_global_position_seq"}},
		{"positions behind the log", `insert into events (global_position, aggregate_type, aggregate_id, aggregate_version, event_id, event_type, event_version, payload, created_at)
			overriding system value values (7, 'Order', '1', 1, gen_random_uuid(), 'Placed', 1, '', now())`,
			[]string{"sequence events_global_position_seq", `stream Order "1"`}},
		{"unlogged", "alter table events set unlogged; alter table aggregate_heads set unlogged", []string{"table events", "table aggregate_heads"}},
		{"a view for the heads", `alter table aggregate_heads rename to heads; create view aggregate_heads as select aggregate_type, aggregate_id, aggregate_version from heads`,
			[]string{"table aggregate_heads", "table aggregate_heads"}},
		{"client encoding", "set client_encoding to latin1", []string{"client_encoding"}},
		{"version", "comment on table events is 'eventmap schema 99'", []string{"table events"}},
		{"a newer version that serves this runtime", "comment on table events is 'eventmap schema 99, for runtimes from 2'", nil},
		{"a newer version that does not", "comment on table events is 'eventmap schema 99, for runtimes from 3'", []string{"table events"}},
		{"the version before", "comment on table events is 'eventmap schema 1'", []string{"table events"}},
		{"no version", "comment on table events is null", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			pool := connect(t, database(t), mode(pgx.QueryExecModeExec), func(c *pgxpool.Config) { c.MaxConns = 1 })
			if _, err := pool.Exec(t.Context(), row.breaks, pgx.QueryExecModeSimpleProtocol); err != nil {
				t.Fatal(err)
			}
			err := postgres.Check(t.Context(), pool)
			var found *runtime.CheckError
			if err != nil && !errors.As(err, &found) {
				t.Fatal(err)
			}
			var got []string
			if found != nil {
				for _, p := range found.Problems {
					got = append(got, p.Object)
					if p.Reason == "" || p.Remedy == "" || !strings.Contains(err.Error(), p.String()) {
						t.Errorf("problem %+v is not told whole: %v", p, err)
					}
				}
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("objects of the problems differ (-want +got):\n%s\n%v", diff, err)
			}
		})
	}
}

func TestCheck_partitionsRunningOut(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	for _, statement := range []string{
		"alter table events rename to events_flat",
		"create table events (like events_flat including defaults) partition by range (global_position)",
		"alter table events alter column global_position set default nextval('events_global_position_seq')",
		"create table events_1 partition of events for values from (0) to (1000)",
		"create table events_2 partition of events for values from (1000) to (2000)",
	} {
		execute(t, pool, statement)
	}
	problems := func() []string {
		t.Helper()
		var found *runtime.CheckError
		if err := postgres.Check(t.Context(), pool); err != nil && !errors.As(err, &found) {
			t.Fatal(err)
		}
		var reasons []string
		if found != nil {
			for _, p := range found.Problems {
				if strings.Contains(p.String(), "partition") {
					reasons = append(reasons, p.Object+" "+p.Reason)
				}
			}
		}
		return reasons
	}
	expect := func(what string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, problems()); diff != "" {
			t.Errorf("%s: problems differ (-want +got):\n%s", what, diff)
		}
	}
	execute(t, pool, "select setval('events_global_position_seq', 900)")
	expect("a whole partition ahead")
	execute(t, pool, "select setval('events_global_position_seq', 1200)")
	expect("less than a partition ahead", "table events runs out of partitions: the last ends at 2000 and the log is at 1200")
	execute(t, pool, "create table events_3 partition of events for values from (2000) to (maxvalue)")
	expect("an open end")
}

func TestCheck_lackingRights(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	tx := begin(t, pool)
	role := newRole(t, tx)
	execute(t, tx, "grant select on events to "+role)
	execute(t, tx, "set local role "+role)
	err := postgres.Check(t.Context(), tx)
	var found *runtime.CheckError
	if !errors.As(err, &found) || len(found.Problems) != 4 {
		t.Fatalf("error is %v, want four problems", err)
	}
	for i, want := range []string{`grant insert on "events"`, `grant select on sequence`, `grant select, insert, update, delete on "aggregate_heads"`,
		`grant select, insert, update, delete on "aggregate_snapshots"`} {
		if !strings.Contains(found.Problems[i].Remedy, want) {
			t.Errorf("remedy is %q, want it to say %q", found.Problems[i].Remedy, want)
		}
	}
}

// A release whose migration was forgotten does not start: Check compares with the record that migrate-gen writes.
func TestCheck_record(t *testing.T) {
	t.Parallel()
	const folder = "../../examples/api/migrations/" // strict and append-only
	read := func(name string) []byte {
		text, err := os.ReadFile(folder + name)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	record := read("eventmap.schema.json")
	const remedy = "run the migrations of the record that have not been run, the last of which is 0001_eventmap.sql"
	for _, row := range []struct {
		name, breaks string
		want         []runtime.Problem
	}{
		{"all is there", "", nil},
		{"a view", `drop view order_placed_v1`, []runtime.Problem{{Object: "view order_placed_v1", Reason: "is missing"}}},
		{"append-only", `alter table events disable trigger events_append_only`, []runtime.Problem{
			{Object: "table events", Reason: "is not append-only: its trigger events_append_only is missing or disabled"}}},
		{"strict", `alter table events drop constraint events_known_check`, []runtime.Problem{
			{Object: "table events", Reason: "takes events that the domain does not have: its check events_known_check is missing"}}},
		{"an event", `create or replace function events_known(aggregate_type text, event_type text, event_version integer) returns boolean
			language sql immutable as 'select event_type <> ''Placed'''`, []runtime.Problem{
			{Object: "event Order.Placed.v1", Reason: "is refused by the check events_known_check of table events"}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			address := pgtest.New(t, string(read("0001_eventmap.sql")), row.breaks)
			var want error
			if row.want != nil {
				for i := range row.want {
					row.want[i].Remedy = remedy
				}
				want = &runtime.CheckError{Problems: row.want}
			}
			for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
				got := postgres.CheckSQL(t.Context(), connectSQL(t, address, mode), postgres.WithRecord(record))
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("%v (-want +got):\n%s", mode, d)
				}
			}
		})
	}
	for _, wrong := range []string{"", "{}", `{"generator":"migrate-gen","dialect":"sqlite"}`} {
		err := postgres.Check(t.Context(), connect(t, database(t)), postgres.WithRecord([]byte(wrong)))
		if err == nil || !strings.Contains(err.Error(), "WithRecord") {
			t.Errorf("%q: got %v", wrong, err)
		}
	}
}

// A server that is away is said to be away once.
func TestCheck_awayIsSaidOnce(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), "postgres://nobody@127.0.0.1:1/nothing?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if err := postgres.Check(t.Context(), pool); err == nil || strings.Count(err.Error(), "failed to connect") != 1 {
		t.Errorf("got %v", err)
	}
}
