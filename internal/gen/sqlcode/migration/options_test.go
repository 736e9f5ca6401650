package migration_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
)

func TestOptions_whereTablesGo(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		options design.Options
		want    []string
	}{
		{"by the search_path", design.Options{}, []string{
			`create table "events" (`,
			`create table "aggregate_heads" (`,
			`create table "consumer_checkpoints" (`,
			`create table "parked_events" (`,
			`create index "parked_events_aggregate_id_idx" on "parked_events" using hash (aggregate_id);`,
		}},
		{"in the schema", design.Options{Schema: "shop", CheckpointsTable: "done"}, []string{
			`create schema if not exists "shop";`,
			`create table "shop"."events" (`,
			`create table "shop"."aggregate_heads" (`,
			`create table "shop"."done" (`,
			`create table "shop"."parked_events" (`,
			`create index "parked_events_aggregate_id_idx" on "shop"."parked_events" using hash (aggregate_id);`,
		}},
		{"unnamed ones beside the events table", design.Options{EventsTable: "shop.log", CheckpointsTable: "done"}, []string{
			`create schema if not exists "shop";`,
			`create table "shop"."log" (`,
			`create table "shop"."aggregate_heads" (`,
			`create table "done" (`,
			`create table "shop"."parked_events" (`,
			`create index "parked_events_aggregate_id_idx" on "shop"."parked_events" using hash (aggregate_id);`,
		}},
		{"the name's own schema first", design.Options{Schema: "a", EventsTable: "b.log", AggregateHeadsTable: "heads", ParkedEventsTable: "c.parked"}, []string{
			`create schema if not exists "b";`,
			`create schema if not exists "a";`,
			`create schema if not exists "c";`,
			`create table "b"."log" (`,
			`create table "a"."heads" (`,
			`create table "b"."consumer_checkpoints" (`,
			`create table "c"."parked" (`,
			`create index "parked_aggregate_id_idx" on "c"."parked" using hash (aggregate_id);`,
		}},
	}
	for _, tt := range tests {
		var got []string
		for line := range strings.Lines(string(generate(t, tt.options))) {
			if strings.HasPrefix(line, "create ") {
				got = append(got, strings.TrimSuffix(line, "\n"))
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestGenerate_reportsEveryProblem(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		filename string
		options  design.Options
		want     []string
	}{
		{"names", "x", design.Options{Schema: "a.b", EventsTable: "1", ParkedEventsTable: "pg_x"}, []string{
			`file name "x": does not end in .sql, or begins with a dot`,
			`schema name "a.b": contains '.'; use letters, digits, '_', '-' and '$'`,
			`events table name "1": begins with '1'; begin with a letter or an underscore`,
			`parked events table name "pg_x": begins with pg_, which is reserved for the system`,
		}},
		{"the same table", "", design.Options{EventsTable: "a", AggregateHeadsTable: "a", ParkedEventsTable: "a"}, []string{
			`a would be the events table and the aggregate heads table; choose other table names`,
			`a would be the events table and the parked events table; choose other table names`,
			`a would be the aggregate heads table and the parked events table; choose other table names`,
		}},
		{"possibly the same table", "", design.Options{EventsTable: "public.a", AggregateHeadsTable: "a"}, []string{
			`public.a, the events table, may be the same as a, the aggregate heads table; name the schema of both, or choose other table names`,
		}},
		{"a table and an index", "", design.Options{EventsTable: "a", AggregateHeadsTable: "a_event_id_key"}, []string{
			`a_event_id_key would be the aggregate heads table and the unique index on the event ID; choose other table names`,
		}},
	}
	for _, tt := range tests {
		files, err := generatedBy(tt.options, migration.Options{Filename: tt.filename})
		if err == nil || files != nil {
			t.Errorf("%s: got %d files and error %v", tt.name, len(files), err)
			continue
		}
		if diff := cmp.Diff(tt.want, strings.Split(err.Error(), "\n")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
