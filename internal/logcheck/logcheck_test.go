package logcheck_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/logcheck"
	"github.com/eventmap/eventmap/internal/pgname"
	"github.com/eventmap/eventmap/internal/pgtest"
)

// fill stores four streams of five events each, whose names are not easy, and their heads.
const fill = `insert into events (created_at, event_id, aggregate_version, event_version, aggregate_type, aggregate_id, event_type, payload)
	select '2026-01-01'::timestamptz + n * interval '1 s', gen_random_uuid(), n, 1, kind, id, 'Placed', ''
	from generate_series(1, 5) as n
	cross join (values ('Order', '1'), ('Order', E'é\\\n''x'), ('order', '1'), ('Ördér', '')) as stream (kind, id)
	order by n;
	insert into aggregate_heads (aggregate_version, aggregate_type, aggregate_id)
	select max(aggregate_version), aggregate_type, aggregate_id from events group by 2, 3`

func TestRead(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, breaks string
		want, stays  []string // what is left when the statements were run
		layouts      []string
	}{
		{name: "a log as it should be", layouts: []string{"none", "range", "hash"}},
		{name: "a partition is detached", layouts: []string{"range"}, breaks: `alter table events detach partition events_p0`, want: []string{
			`stream Order "1" begins at version 3`, `stream Order "é\\\n'x" begins at version 3`, `stream order "1" begins at version 3`, `stream Ördér "" begins at version 3`}},
		{name: "a hole", layouts: []string{"none", "range", "hash"}, breaks: `delete from events where aggregate_id = '1' and aggregate_version in (3, 4) and aggregate_type = 'Order';
				delete from events where aggregate_id like 'é%' and aggregate_version = 2`,
			want: []string{`stream Order "1" lacks version 3 to 4`, `stream Order "é\\\n'x" lacks version 2`}},
		{name: "heads", layouts: []string{"none", "hash"}, breaks: `update aggregate_heads set aggregate_version = 50 where aggregate_id like 'é%';
				update aggregate_heads set aggregate_version = 2 where aggregate_type = 'order'; delete from aggregate_heads where aggregate_id = '';
				insert into aggregate_heads values (7, 'Zero', 'events'), (1, 'A', 'b'); delete from events where aggregate_type = 'Order' and aggregate_id = '1'`,
			want: []string{`stream A "b" has its head at version 1, and no event`, `stream Order "1" has its head at version 5, and no event`,
				`stream Order "é\\\n'x" has its head at version 50, and its last event is version 5`, `stream Zero "events" has its head at version 7, and no event`,
				`stream order "1" has its head at version 2, and its last event is version 5`, `stream Ördér "" has no head, and its last event is version 5`},
			stays: []string{`stream A "b" has its head at version 1, and no event`, `stream Order "1" has its head at version 5, and no event`,
				`stream Zero "events" has its head at version 7, and no event`}},
		{name: "a later version below", layouts: []string{"none"}, breaks: `alter table events alter global_position drop identity; update events set global_position = 100 where global_position = 1`,
			want: []string{`stream Order "1" has version 2 at position 5, below version 1 at position 100`}},
		{name: "stored into a gap", layouts: []string{"none", "range", "hash"}, breaks: `select setval('events_global_position_seq', 30); insert into events (created_at, event_id, aggregate_version,
				event_version, aggregate_type, aggregate_id, event_type, payload) values ('2026-01-01 01:00', gen_random_uuid(), 6, 1, 'Order', '1', 'Placed', '');
				select setval('events_global_position_seq', 24);
				insert into events (created_at, event_id, aggregate_version, event_version, aggregate_type, aggregate_id, event_type, payload)
				values ('2026-03-01', gen_random_uuid(), 1, 1, 'Late', '1', 'Placed', ''); insert into aggregate_heads values (1, 'Late', '1');
				update aggregate_heads set aggregate_version = 6 where aggregate_type = 'Order' and aggregate_id = '1'`,
			want: []string{`position 25 was created 1415h0m0s after the event behind it, at position 31, so it may have been stored below what consumers had passed`}},
		{name: "twice", layouts: []string{"hash"}, breaks: `insert into events select 1000, created_at, event_id, 1, event_version, 'Other', aggregate_id, event_type, payload from events where global_position = 1;
				insert into aggregate_heads values (1, 'Other', '1')`, want: []string{`event  is stored twice, at positions 1 and 1000`}},
		{name: "before the log", layouts: []string{"none"}, breaks: `alter table events alter global_position drop identity; update events set global_position = -5 where global_position = 1`, want: []string{"position -5 is before 1, where no consumer looks"}},
		{name: "many of a kind", layouts: []string{"none"}, breaks: `insert into aggregate_heads select 1, 'Gone', n from generate_series(1, 50) as n`},
	}
	for _, tt := range tests {
		for _, layout := range tt.layouts {
			t.Run(tt.name+"/"+layout, func(t *testing.T) {
				t.Parallel()
				o := design.Options{Partition: layout}
				if layout == "range" {
					o.PartitionSize = 9
				}
				conn := migrated(t, o)
				run(t, conn, fill)
				run(t, conn, tt.breaks)
				findings, progress := read(t, conn, layout)
				got := lines(findings)
				if tt.name == "many of a kind" {
					if len(got) != 21 || got[20] != "table events has 30 more of this kind: heads without an event" {
						t.Fatalf("%d findings, want 20 and how many more: %q", len(got), got)
					}
					return
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("findings (-want +got):\n%s", diff)
				}
				if len(progress) < 2 || !strings.HasPrefix(progress[0], "streams ") {
					t.Errorf("progress: %q", progress)
				}
				mends := false
				for _, f := range findings {
					for _, statement := range f.Statements {
						run(t, conn, statement)
						mends = true
					}
				}
				if mends {
					left, _ := read(t, conn, layout)
					if diff := cmp.Diff(tt.stays, lines(left)); diff != "" {
						t.Errorf("after mending (-want +got):\n%s", diff)
					}
				}
			})
		}
	}
}

// A log that is longer than a batch, with streams across its ends, is read as one, and appends meanwhile are no finding.
func TestRead_batches(t *testing.T) {
	t.Parallel()
	for _, layout := range []string{"none", "hash"} {
		conn := migrated(t, design.Options{Partition: layout})
		run(t, conn, `insert into events (created_at, event_id, aggregate_version, event_version, aggregate_type, aggregate_id, event_type, payload)
				select now(), gen_random_uuid(), n, 1, 'Order', id::text, 'Placed', '' from generate_series(1, 7000) as n cross join generate_series(1, 3) as id order by n;
			insert into aggregate_heads select 7000, 'Order', id::text from generate_series(1, 3) as id;
			insert into aggregate_heads select 1, 'Other', id::text from generate_series(1, 10001) as id;
			insert into events (created_at, event_id, aggregate_version, event_version, aggregate_type, aggregate_id, event_type, payload)
				select now(), gen_random_uuid(), 1, 1, 'Other', id::text, 'Placed', '' from generate_series(1, 10001) as id;
			delete from events where aggregate_type = 'Order' and aggregate_id = '2' and aggregate_version = 3000`)
		other, err := pgx.Connect(t.Context(), conn.Config().ConnString())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = other.Close(context.Background()) }()
		run(t, conn, `analyze`)
		appended := 0
		findings, err := logcheck.Read(t.Context(), conn, logOf(layout), func(step string, read, estimate int64, done bool) {
			if estimate != 31000 {
				t.Errorf("%s: the estimate is %d, want 31000", layout, estimate)
			}
			if step == "streams" && !done {
				appended++
				run(t, other, `update aggregate_heads set aggregate_version = aggregate_version + 1;
					insert into events (created_at, event_id, aggregate_version, event_version, aggregate_type, aggregate_id, event_type, payload)
					select now(), gen_random_uuid(), aggregate_version, 1, aggregate_type, aggregate_id, 'Placed', '' from aggregate_heads`)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{`stream Order "2" lacks version 3000`}, lines(findings)); diff != "" || appended < 3 {
			t.Errorf("%s: findings after %d batches (-want +got):\n%s", layout, appended, diff)
		}
	}
}

func TestRead_changesNothing(t *testing.T) {
	t.Parallel()
	conn := migrated(t, design.Options{})
	run(t, conn, fill+`; update aggregate_heads set aggregate_version = 1; set default_transaction_read_only = on`)
	if findings, _ := read(t, conn, "none"); len(findings) != 4 {
		t.Errorf("findings: %q, want 4", lines(findings))
	}
}

// Another collation has another order, in which a stream could be missed.
func TestRead_refusesAnotherOrder(t *testing.T) {
	t.Parallel()
	conn := migrated(t, design.Options{})
	run(t, conn, fill+`; create collation und (provider = icu, locale = 'und'); alter table events alter aggregate_type type text collate und;
		alter table aggregate_heads alter aggregate_type type text collate und`)
	_, err := logcheck.Read(t.Context(), conn, logOf("none"), func(string, int64, int64, bool) {})
	if err == nil || !strings.Contains(err.Error(), `do not have the collation "C"`) {
		t.Errorf("error is %v", err)
	}
}

func logOf(layout string) logcheck.Log {
	return logcheck.Log{Events: pgname.Table{Name: "events"}, Heads: pgname.Table{Name: "aggregate_heads"}, UniqueIDs: layout == "none"}
}

func read(t *testing.T, conn *pgx.Conn, layout string) (findings []logcheck.Finding, progress []string) {
	t.Helper()
	findings, err := logcheck.Read(t.Context(), conn, logOf(layout), func(step string, read, _ int64, done bool) {
		progress = append(progress, fmt.Sprint(step, " ", read, " ", done))
	})
	if err != nil {
		t.Fatal(err)
	}
	return findings, progress
}

// lines returns what was found; an ID, which is drawn, is left out.
func lines(findings []logcheck.Finding) []string {
	var all []string
	for _, f := range findings {
		if strings.HasPrefix(f.Object, "event ") {
			f.Object = "event "
		}
		all = append(all, f.Object+" "+f.Reason)
	}
	return all
}

func migrated(t *testing.T, o design.Options) *pgx.Conn {
	t.Helper()
	schema, err := migration.Schema(o)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), pgtest.New(t, schema))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func run(t *testing.T, conn *pgx.Conn, statements string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), statements); err != nil {
		t.Fatalf("%v\n%s", err, statements)
	}
}
