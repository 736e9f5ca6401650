package migration_test

import (
	"context"
	"crypto/md5" //nolint:gosec // as PostgreSQL has it
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/doctor"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// A former is a database of another event store, with tables of the same shape as that store makes them.
type former struct {
	from                                 string
	events, heads, checkpoints           string // as SQL has them
	kind, id, version, consumer, idxStem string
	partitionBy, byTypeColumn            string
}

var (
	aggregates = former{
		from: "eventsalsa-v0.0", events: "events", heads: "aggregate_heads", checkpoints: "consumer_checkpoints",
		kind: "aggregate_type", id: "aggregate_id", version: "aggregate_version", consumer: "consumer_name", idxStem: "aggregate",
	}
	streams = former{
		from: "eventsalsa-v0.2", events: "events", heads: "stream_heads", checkpoints: "projection_checkpoints",
		kind: "stream_type", id: "stream_id", version: "stream_version", consumer: "projection_name", idxStem: "stream",
		byTypeColumn: "stream_type",
	}
	partitioned = former{
		from: "eventsalsa-v0.2-partitioned", events: "events", heads: "stream_heads", checkpoints: "projection_checkpoints",
		kind: "stream_type", id: "stream_id", version: "stream_version", consumer: "projection_name", idxStem: "stream",
		byTypeColumn: "stream_type", partitionBy: "partition by range (global_position)",
	}
)

// named returns the same with other names.
func (f former) named(events, heads, checkpoints string) former {
	f.events, f.heads, f.checkpoints = events, heads, checkpoints
	return f
}

// make makes the tables.
func (f former) make(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	position, unique := "bigserial primary key", fmt.Sprintf(", unique (%s, %s, %s)", f.kind, f.id, f.version)
	eventID := "uuid not null unique"
	if f.partitionBy != "" {
		exec(t, conn, fmt.Sprintf(`create sequence %s_global_position_seq`, f.events))
		position, unique, eventID = fmt.Sprintf("bigint primary key default nextval('%s_global_position_seq')", f.events), "", "uuid not null"
	}
	exec(t, conn, fmt.Sprintf(`create table %s (
			global_position %s,
			%s text not null, %s text not null, %s bigint not null,
			event_id %s, event_type text not null, event_version int not null default 1,
			payload bytea not null, trace_id text, correlation_id text, causation_id text, metadata jsonb,
			created_at timestamptz not null default now() %s
		) %s`, f.events, position, f.kind, f.id, f.version, eventID, unique, f.partitionBy))
	if f.partitionBy != "" {
		exec(t, conn, fmt.Sprintf(`create table events_p0000000001_p0000000005 partition of %[1]s for values from (1) to (6);
			create table events_p0000000006_p0010000000 partition of %[1]s for values from (6) to (10000001);
			create table event_ids (event_id uuid primary key, global_position bigint not null, created_at timestamptz not null default now())`, f.events))
	}
	index := func(table, name, columns string) {
		exec(t, conn, fmt.Sprintf(`create index if not exists idx_%s_%s on %s %s`, table, name, table, columns))
	}
	index(f.events, f.idxStem, fmt.Sprintf("(%s, %s, %s)", f.kind, f.id, f.version))
	index(f.events, "event_type", "(event_type, global_position)")
	index(f.events, "correlation", "(correlation_id) where correlation_id is not null")
	if f.byTypeColumn != "" {
		index(f.events, "stream_type_position", "(stream_type, global_position)")
	}
	exec(t, conn, fmt.Sprintf(`create table %s (%[2]s text not null, %[3]s text not null, %s bigint not null,
		updated_at timestamptz not null default now(), primary key (%[2]s, %[3]s))`, f.heads, f.kind, f.id, f.version))
	index(f.heads, "updated", "(updated_at)")
	exec(t, conn, fmt.Sprintf(`create table %s (%s text primary key, last_position bigint not null default 0,
		created_at timestamptz not null default now(), updated_at timestamptz not null default now())`, f.checkpoints, f.consumer))
}

// append adds an event as that store does, by one statement for it and one for the head.
func (f former) append(t *testing.T, conn *pgx.Conn, kind, id string, version int64, payload []byte, metadata, trace any) {
	t.Helper()
	_, err := conn.Exec(t.Context(), fmt.Sprintf(`insert into %s (%s, %s, %s, event_id, event_type, event_version, payload,
			trace_id, correlation_id, causation_id, metadata, created_at)
		values ($1, $2, $3::bigint, $4, $5, $3::bigint, $6, $7, $7, $7, $8, '2024-02-29 23:59:59.123456+02'::timestamptz + $3::bigint * interval '1 s')`,
		f.events, f.kind, f.id, f.version), kind, id, version, uuid.New(), "Happened "+kind, payload, trace, metadata)
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Exec(t.Context(), fmt.Sprintf(`insert into %s (%[2]s, %[3]s, %[4]s) values ($1, $2, $3)
		on conflict (%[2]s, %[3]s) do update set %[4]s = excluded.%[4]s`, f.heads, f.kind, f.id, f.version), kind, id, version)
	if err != nil {
		t.Fatal(err)
	}
}

// fill adds events that are not easy to keep, with gaps between them and behind them, and two consumers.
func (f former) fill(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	large := slices.Concat([]byte{0, 0xff, '\n'}, []byte(strings.Repeat("large 🧀 ", 100_000)))
	gap := func() {
		exec(t, conn, fmt.Sprintf(`select nextval(coalesce(pg_get_serial_sequence('%s', 'global_position'), 'events_global_position_seq'))`, f.events))
	}
	f.append(t, conn, "Order", "1", 1, []byte(`{ "b":1, "a":2 , "a":3}`), nil, nil)
	f.append(t, conn, "Order", "1", 2, []byte{}, `{"b": 1.50, "a": [null, "é\"", 1e400]}`, "")
	gap()
	f.append(t, conn, "Größe ∑ \"x\"", "a-B_c%'\\", 1, large, `"text"`, "trace-1")
	f.append(t, conn, "Order", "é", 1, []byte("é"), `null`, "e\u0301")
	f.append(t, conn, "Order", "e\u0301", 1, []byte("\x00\x01"), `{}`, strings.Repeat("long", 500))
	gap()
	gap()
	for version := range int64(40) {
		f.append(t, conn, "order", "1", version+1, fmt.Appendf(nil, `{"n":%d}`, version), nil, fmt.Sprint(version))
	}
	gap()
	gap()
	gap()
	exec(t, conn, fmt.Sprintf(`insert into %s (%s, last_position) values ('mailer', 7), ('Bücher', 0)`, f.checkpoints, f.consumer))
}

// log returns every event, bytes and all, as text; the names of columns are the former ones or ours.
func (f former) log(t *testing.T, conn *pgx.Conn, table, kind, id, version string) []string {
	t.Helper()
	return query(t, conn, fmt.Sprintf(`select concat_ws(' | ', global_position, %s, %s, %s, event_id, event_type, event_version,
		md5(payload), length(payload), coalesce(trace_id, 'null'), coalesce(correlation_id, 'null'), coalesce(causation_id, 'null'),
		coalesce(metadata::text, 'none'), created_at) from %s order by global_position`, kind, id, version, table))
}

// moves are logs to be moved, and where to.
var moves = map[string]struct {
	former former
	from   migration.Options // what is to be said of it
	to     design.Options
	copied bool // the log is written anew
}{
	"v0.0":        {former: aggregates},
	"v0.2":        {former: streams},
	"partitioned": {former: partitioned, copied: true},
	"v0.0, other names": {
		former: aggregates.named("old_log", "old_heads", "checkpoints"),
		from:   migration.Options{FromEventsTable: "old_log", FromHeadsTable: "old_heads", FromCheckpointsTable: "checkpoints"},
		to:     design.Options{Schema: "shop", EventsTable: "Log", AggregateHeadsTable: "b.heads"},
	},
	"v0.2, long names": {
		former: streams.named(strings.Repeat("l", 61), strings.Repeat("h", 50), "projection_checkpoints"),
		from:   migration.Options{FromEventsTable: strings.Repeat("l", 61), FromHeadsTable: strings.Repeat("h", 50)},
		to:     design.Options{EventsTable: "log$block$"},
	},
	"v0.2, with everything": {
		former: streams,
		to: design.Options{Metadata: "json", Payload: "bytea", Indexes: design.IndexNames, AppendOnly: true,
			Domain: indexed(domain("Placed", "Paid"), "")},
		copied: true,
	},
	"v0.0, into partitions": {
		former: aggregates,
		to:     design.Options{Partition: "range", PartitionSize: 20, Partitions: 4, Schema: "shop"},
		copied: true,
	},
}

// A log is moved with every event, and goes back, and forth again.
func TestNext_movesALog(t *testing.T) {
	t.Parallel()
	for name, tt := range moves {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := pgtest.New(t)
			conn, err := pgx.Connect(t.Context(), address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(context.Background())
			f := tt.former
			f.make(t, conn)
			f.fill(t, conn)
			before, old := f.log(t, conn, f.events, f.kind, f.id, f.version), catalog(t, conn)
			heap := query(t, conn, fmt.Sprintf(`select pg_relation_filenode('%s')::text where '%[2]s' = ''`, f.events, f.partitionBy))

			o := tt.to
			if o.Metadata == "" {
				o.Metadata = "jsonb"
			}
			want := fresh(t, derived(t, o))
			tt.from.From = f.from
			h := history{folder: migration.Folder{}, from: tt.from}
			h.next(t, o)
			var keys []string
			for _, name := range h.ups {
				if strings.HasSuffix(name, "_move.up.sql") && !tt.copied {
					keys = indexFiles(t, conn, f.events)
				}
				exec(t, conn, string(h.folder[name]))
			}

			events := eventsOf(o)
			moved := func() {
				t.Helper()
				if diff := cmp.Diff(before, f.log(t, conn, events, "aggregate_type", "aggregate_id", "aggregate_version")); diff != "" {
					t.Fatalf("events (-before +after):\n%s", diff)
				}
				if diff := cmp.Diff(unordered(want), unordered(withoutTable(catalog(t, conn), "public.event_ids"))); diff != "" {
					t.Fatalf("(-one migration +moved):\n%s", diff)
				}
				if diff := cmp.Diff(f.headsBefore(before), query(t, conn, `select concat_ws(' | ', aggregate_type, aggregate_id, aggregate_version) as line from `+
					headsOf(o)+` order by aggregate_type || ' | ' || aggregate_id`)); diff != "" {
					t.Fatalf("heads (-of the events +moved):\n%s", diff)
				}
			}
			moved()
			if !tt.copied {
				if now := query(t, conn, fmt.Sprintf(`select pg_relation_filenode('%s')::text`, events)); !slices.Equal(heap, now) {
					t.Errorf("the log was in the file %s and is in %s: it was written anew", heap, now)
				}
				for _, file := range indexFiles(t, conn, events) {
					if !slices.Contains(keys, file) {
						t.Errorf("index %s is built anew, and was %q", file, keys)
					}
				}
			}
			checkpoints := strings.Replace(events, strings.TrimPrefix(events[strings.LastIndex(events, ".")+1:], "."), "consumer_checkpoints", 1)
			got := query(t, conn, `select concat_ws(' ', consumer, segment, segments, position) from `+checkpoints+` order by consumer`)
			if diff := cmp.Diff([]string{"Bücher 0 1 0", "mailer 0 1 7"}, got); diff != "" {
				t.Errorf("checkpoints (-want +got):\n%s", diff)
			}
			useStore(t, address, o, before)

			// Back again, with what was appended.
			now := f.log(t, conn, events, "aggregate_type", "aggregate_id", "aggregate_version")
			exec(t, conn, `reset search_path`)
			h.down(t, conn)
			if diff := cmp.Diff(now, f.log(t, conn, f.events, f.kind, f.id, f.version)); diff != "" {
				t.Fatalf("events on the way back (-before +after):\n%s", diff)
			}
			if f.partitionBy != "" {
				return // the way down leaves a log that is not partitioned
			}
			if diff := compare(unordered(old), unordered(catalog(t, conn))); diff != "" && !strings.Contains(name, "long") {
				t.Fatalf("the way down (-before +after):\n%s", diff)
			}
			before = now
			f.append(t, conn, "Order", "2", 1, []byte("after"), nil, nil)
			before = f.log(t, conn, f.events, f.kind, f.id, f.version)
			h.next(t, o)
			h.runs = h.runs[1:]
			for _, name := range slices.Sorted(maps.Keys(h.folder)) {
				if strings.HasSuffix(name, ".up.sql") {
					exec(t, conn, string(h.folder[name]))
				}
			}
			moved()
		})
	}
}

// indexFiles returns the files of the indexes of a table.
func indexFiles(t *testing.T, conn *pgx.Conn, table string) []string {
	t.Helper()
	return query(t, conn, fmt.Sprintf(`select pg_relation_filenode(indexrelid)::text from pg_index where indrelid = '%s'::regclass`, table))
}

// headsBefore returns the last version of each stream of a log.
func (f former) headsBefore(log []string) []string {
	last := make(map[string]string)
	for _, line := range log {
		fields := strings.Split(line, " | ")
		last[fields[1]+" | "+fields[2]] = fields[3]
	}
	var all []string
	for stream, version := range last {
		all = append(all, stream+" | "+version)
	}
	slices.Sort(all)
	return all
}

// headsOf returns the heads table of options.
func headsOf(o design.Options) string {
	d, _ := o.Design()
	return d.Heads.Quoted()
}

// unordered returns a catalog in which the columns of a table stand in no order of their own.
func unordered(lines []string) []string {
	var sorted []string
	var columns []string
	flush := func() {
		slices.Sort(columns)
		sorted = append(sorted, columns...)
		columns = nil
	}
	for _, line := range lines {
		if strings.HasPrefix(line, "  column ") {
			columns = append(columns, line)
			continue
		}
		flush()
		sorted = append(sorted, line)
	}
	flush()
	return sorted
}

// withoutTable returns a catalog without a table and what belongs to it.
func withoutTable(lines []string, table string) []string {
	var kept []string
	drops := false
	for _, line := range lines {
		if !strings.HasPrefix(line, " ") {
			drops = strings.HasPrefix(line, "table "+table)
		}
		if !drops {
			kept = append(kept, line)
		}
	}
	return kept
}

// useStore reads the log by a store, compares it with what it was, and appends to it.
func useStore(t *testing.T, address string, o design.Options, before []string) {
	t.Helper()
	ctx := t.Context()
	pool, err := pgxpool.New(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	d := derived(t, o)
	config := postgres.Config{EventsTable: d.Events.String(), AggregateHeadsTable: d.Heads.String()}
	if err := postgres.Check(ctx, pool, config); err != nil {
		t.Errorf("check: %v", err)
	}
	checks, err := doctor.Checks(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range checks {
		var statement string
		if err := pool.QueryRow(ctx, check.Query, check.Args...).Scan(&statement); !errors.Is(err, pgx.ErrNoRows) {
			t.Errorf("doctor: %s %s; %v %s", check.Object, check.Reason, err, statement)
		}
	}
	store, err := postgres.NewPool(config)
	if err != nil {
		t.Fatal(err)
	}
	read, err := store.ReadEvents(ctx, pool, 0, len(before)+1)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, line := range before {
		f := strings.Split(line, " | ")
		want = append(want, strings.Join(append(f[:9:9], strings.TrimPrefix(f[9], "null"), f[12]), " | "))
	}
	var got []string
	for _, e := range read {
		metadata := "none"
		if e.Metadata != nil {
			metadata = string(e.Metadata)
		}
		got = append(got, fmt.Sprintf("%d | %s | %s | %d | %s | %s | %d | %x | %d | %s | %s", e.GlobalPosition, e.AggregateType, e.AggregateID,
			e.AggregateVersion, e.EventID, e.EventType, e.EventVersion, md5.Sum(e.Payload), len(e.Payload), e.TraceID.String, metadata))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read by a store (-before +after):\n%s", diff)
	}
	added := runtime.Event{
		AggregateType: "order", AggregateID: "1", EventID: uuid.New(), EventType: "Placed", EventVersion: 1, Payload: []byte(`{"n":1}`),
		CreatedAt: read[0].CreatedAt,
	}
	result, err := store.Append(ctx, pool, runtime.Exact(40), []runtime.Event{added})
	if err != nil {
		t.Fatal(err)
	}
	// 45 events with 2 gaps of one and two before the last, and three numbers behind it that nobody may get again.
	if got, want := result.Events[0].GlobalPosition, int64(52); got != want {
		t.Errorf("the next event is at %d, want %d", got, want)
	}
}

// What is not as it should be is said, and nothing is changed.
func TestNext_moveRefusesABrokenLog(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, breaks, want string
		former             former
	}{
		{"a gap in a stream", `delete from events where stream_version = 3`, `stream order "1" has 39 events, from version 1 to 40, and its head is at 40`, streams},
		{"no head", `delete from stream_heads where stream_id = '1' and stream_type = 'Order'`, `stream Order "1" has 2 events, from version 1 to 2, and its head is at <NULL>`, streams},
		{"a head ahead", `update aggregate_heads set aggregate_version = 50 where aggregate_type = 'order'`, `stream order "1" has 40 events, from version 1 to 40, and its head is at 50`, aggregates},
		{"no events", `insert into aggregate_heads values ('x', 'y', 1)`, `stream x "y" has 0 events, from version <NULL> to <NULL>, and its head is at 1`, aggregates},
		{"a version of 0", `update events set event_version = 0 where event_version = 7`, `check constraint "events_event_version_check" of relation "events" is violated by some row`, aggregates},
		{"a position of 0", `update events set global_position = 0 where global_position = 1`, `the log has an event before position 1`, aggregates},
		{"an event twice", `update events set event_id = (select event_id from events where global_position = 1) where global_position = 9`, `violates unique constraint "events_event_id_key"`, partitioned},
		{"a version twice", `update events set stream_version = 40 where stream_version = 39`, `violates unique constraint "events_stream_version_key"`, partitioned},
		{"no sequence", `alter sequence events_global_position_seq owned by none`, `global_position draws from no sequence of its own`, aggregates},
		{"a view in the way", `create view mine as select aggregate_id from events`, `cannot alter type of a column used by a view`, aggregates},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			conn := connect(t)
			f := tt.former
			f.make(t, conn)
			f.fill(t, conn)
			exec(t, conn, tt.breaks)
			log, before := f.log(t, conn, f.events, f.kind, f.id, f.version), catalog(t, conn)
			h := history{folder: migration.Folder{}, from: migration.Options{From: f.from}}
			h.next(t, design.Options{Metadata: "jsonb"})
			var failed error
			done := 0
			for _, name := range h.ups {
				if _, failed = conn.Exec(t.Context(), string(h.folder[name])); failed != nil {
					break
				}
				done++
			}
			if failed == nil || !strings.Contains(failed.Error(), tt.want) {
				t.Fatalf("got %v, want %s", failed, tt.want)
			}
			for _, name := range slices.Backward(h.ups[:done]) {
				exec(t, conn, string(h.folder[strings.TrimSuffix(name, ".up.sql")+".down.sql"]))
			}
			if diff := cmp.Diff(before, catalog(t, conn)); diff != "" {
				t.Errorf("catalog (-before +after):\n%s", diff)
			}
			if diff := cmp.Diff(log, f.log(t, conn, f.events, f.kind, f.id, f.version)); diff != "" {
				t.Errorf("events (-before +after):\n%s", diff)
			}
		})
	}
}
