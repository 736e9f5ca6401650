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
