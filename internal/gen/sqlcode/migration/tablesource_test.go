package migration_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
)

// runUps runs the migrations of a history and returns the first error, with the number that ran before it.
func (h *history) runUps(t *testing.T, conn *pgx.Conn) (int, error) {
	t.Helper()
	for i, name := range h.ups {
		if _, err := conn.Exec(t.Context(), string(h.folder[name])); err != nil {
			return i, fmt.Errorf("%s: %w", name, err)
		}
	}
	return len(h.ups), nil
}

// back runs all ways down, and the history stays as it is.
func (h *history) back(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	for _, name := range slices.Backward(h.ups) {
		exec(t, conn, string(h.folder[strings.TrimSuffix(name, ".up.sql")+".down.sql"]))
	}
}

// told returns the options for the hand-written table, changed.
func told(change func(*migration.Options)) migration.Options {
	o := fromHand("old", handColumns...)
	change(&o)
	return o
}

// column returns the columns with one of them named otherwise; an empty name takes it away.
func column(key, name string) []string {
	var columns []string
	for _, pair := range handColumns {
		if !strings.HasPrefix(pair, key+"=") {
			columns = append(columns, pair)
		}
	}
	if name != "" {
		columns = append(columns, key+"="+name)
	}
	return columns
}

// A table of any shape is copied with every event, into every kind of payload and layout, and the way back is there.
func TestNext_movesATable(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		changes string // of the table
		from    migration.Options
		to      design.Options
	}{
		{name: "bytes", from: fromHand("old", handColumns...)},
		{name: "json", from: fromHand("old", handColumns...), to: design.Options{Payload: "json"}},
		{name: "jsonb", from: fromHand("old", handColumns...), to: design.Options{Payload: "jsonb", Metadata: "jsonb"}},
		{name: "everything", from: fromHand("old", column("event-id", "key")...), to: design.Options{
			Payload: "json", AppendOnly: true, Indexes: design.IndexNames, Snapshots: true, Schema: "public"}},
		{name: "by position", from: fromHand("old", handColumns...), to: design.Options{Partition: "range", PartitionSize: 3, Partitions: 4}},
		{name: "by stream", from: fromHand("old", handColumns...), to: design.Options{Partition: "hash", Partitions: 3}},
		{name: "base64", changes: `update old set body = encode(convert_to(body, 'UTF8'), 'base64')`,
			from: told(func(o *migration.Options) { o.FromEncoding = "base64" }), to: design.Options{Payload: "json"}},
		{name: "bytes of hex", changes: `alter table old alter column body type bytea using convert_to(encode(convert_to(body, 'UTF8'), 'hex'), 'UTF8')`,
			from: told(func(o *migration.Options) { o.FromEncoding = "hex" })},
		{name: "bytes there", changes: `alter table old alter column body type bytea using convert_to(body, 'UTF8')`,
			from: fromHand("old", handColumns...), to: design.Options{Payload: "json"}},
		{name: "jsonb there", changes: `alter table old alter column body type jsonb using body::jsonb`,
			from: fromHand("old", handColumns...), to: design.Options{Payload: "jsonb", Metadata: "jsonb"}},
		{name: "json there", changes: `alter table old alter column body type json using body::json`, from: fromHand("old", handColumns...)},
		{name: "a view", changes: `create view log_view as select * from old`, from: fromHand("log_view", handColumns...)},
		{name: "versions from zero", changes: `alter table old drop constraint old_account_seq_key; update old set seq = seq - 1`,
			from: told(func(o *migration.Options) { o.FromFirstVersion = 0 })},
		{name: "aggregate in a column", from: told(func(o *migration.Options) { o.FromAggregate, o.FromColumns = "", column("aggregate", "kind") })},
		{name: "aggregate in the stream", changes: `update old set account = 'Account::' || account`,
			from: told(func(o *migration.Options) { o.FromAggregate, o.FromSeparator = "", "::" })},
		{name: "positions without an index", changes: `alter table old drop constraint old_pkey; alter table old alter column id type numeric`,
			from: fromHand("old", handColumns...)},
		{name: "the mark of a block in a name", changes: `alter table old rename column body to "a $block$ 'b'"`,
			from: fromHand("old", column("payload", "a $block$ 'b'")...)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			conn := handTable(t, tt.changes)
			old, before := query(t, conn, `select old::text from old order by id`), catalog(t, conn)
			h := history{folder: migration.Folder{}, from: tt.from}
			h.next(t, tt.to)
			moved := func() {
				t.Helper()
				if _, err := h.runUps(t, conn); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(handEvents(tt.to.Payload), logLines(t, conn, tt.to.Payload)); diff != "" {
					t.Fatalf("events (-want +got):\n%s", diff)
				}
				heads := query(t, conn, `select aggregate_id || ' ' || aggregate_version from aggregate_heads order by aggregate_id`)
				if diff := cmp.Diff([]string{"7 3", "e\u0301 1", "é 1"}, heads); diff != "" {
					t.Errorf("heads (-want +got):\n%s", diff)
				}
				if diff := compare(fresh(t, derived(t, tt.to)), withoutTables(catalog(t, conn), before)); diff != "" {
					t.Errorf("catalog (-one migration +moved): %s", diff)
				}
				if diff := cmp.Diff(old, query(t, conn, `select old::text from old order by id`)); diff != "" {
					t.Errorf("the former table (-before +after):\n%s", diff)
				}
			}
			moved()
			if next := query(t, conn, `select nextval('events_global_position_seq')::text`); next[0] != "7" {
				t.Errorf("the next position is %s, want 7", next[0])
			}
			h.back(t, conn)
			if diff := compare(before, catalog(t, conn)); diff != "" {
				t.Errorf("catalog after the way down (-before +after): %s", diff)
			}
			moved()
		})
	}
}

// logLines returns what the log holds, but for IDs.
func logLines(t *testing.T, conn *pgx.Conn, payload string) []string {
	t.Helper()
	column := "payload::text"
	if payload == "" {
		column = "convert_from(payload, 'UTF8')"
	}
	return query(t, conn, `select concat_ws(' | ', global_position, aggregate_type, aggregate_id, aggregate_version, event_type, event_version, `+column+`,
		coalesce(metadata::text, 'none'), created_at at time zone 'UTC', coalesce(trace_id, 'null')) from events order by global_position`)
}

// withoutTables returns a catalog without the tables of another one.
func withoutTables(lines, others []string) []string {
	for _, line := range others {
		if name, ok := strings.CutPrefix(line, "table "); ok {
			lines = withoutTable(lines, strings.Fields(name)[0])
		}
		if strings.HasPrefix(line, "relation of kind v ") {
			lines = lacking(lines, line)
		}
	}
	return lines
}

// Without a column of positions, events go in the order of time, but never before an earlier one of their stream; and each
// gets an ID that is the same the next time.
func TestNext_movesATableWithoutPositions(t *testing.T) {
	t.Parallel()
	conn := handTable(t, "")
	h := history{folder: migration.Folder{}, from: fromHand("old", column("position", "")...)}
	h.next(t, design.Options{})
	ids := func() []string {
		t.Helper()
		return query(t, conn, `select concat_ws(' ', global_position, aggregate_id, aggregate_version, event_id) from events order by global_position`)
	}
	if _, err := h.runUps(t, conn); err != nil {
		t.Fatal(err)
	}
	first := ids()
	want := []string{"1 é 1 ", "2 7 1 ", "3 7 2 ", "4 7 3 ", "5 e\u0301 1 "}
	for i, line := range first {
		if id, ok := strings.CutPrefix(line, want[i]); !ok || uuid.MustParse(id).Version() != 3 || uuid.MustParse(id).Variant() != uuid.RFC4122 {
			t.Errorf("event %q, want %q and a UUID of version 3", line, want[i])
		}
	}
	h.back(t, conn)
	if _, err := h.runUps(t, conn); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, ids()); diff != "" {
		t.Errorf("moved again (-first +again):\n%s", diff)
	}
}

// What is not as it should be is said before anything is made.
func TestNext_moveRefusesABrokenTable(t *testing.T) {
	t.Parallel()
	const free = `alter table old drop constraint old_account_seq_key; `
	tests := []struct {
		name, breaks, want string
		from               migration.Options
		to                 design.Options
	}{
		{name: "a hole", breaks: `delete from old where id = 3`, want: "the versions of 1 streams do not go up by one from 1: Account 7: version 3 comes where 2 should be"},
		{name: "a duplicate", breaks: free + `update old set seq = 2 where id = 6`, want: "Account 7: version 2 is there twice"},
		{name: "a late one", breaks: free + `update old set seq = 4 - seq where account = '7'`, want: "Account 7: version 3 comes where 1 should be"},
		{name: "from zero", breaks: `update old set seq = seq - 1 where account <> '7'`, want: "the versions of 2 streams do not go up by one from 1: Account e\u0301: version 0 comes late; Account é: version 0 comes late"},
		{name: "a position twice", breaks: `alter table old drop constraint old_pkey; update old set id = 2 where id = 3`, want: "there are 2 events at position 2"},
		{name: "a position of 0", breaks: `update old set id = 0 where id = 1`, want: "there is an event at position 0, and positions begin with 1"},
		{name: "an ID twice", breaks: `update old set key = '00000000-0000-0000-0000-000000000001'`, want: "5 events have the ID 00000000-0000-0000-0000-000000000001",
			from: told(func(o *migration.Options) { o.FromColumns = column("event-id", "key") })},
		{name: "no JSON", breaks: `update old set body = '{' where id = 5`, want: "the event at position 5 cannot be moved: invalid input syntax for type json", to: design.Options{Payload: "json"}},
		{name: "no base64", breaks: `update old set body = 'e30=' where id <> 2`, want: "the event at position 2 cannot be moved: invalid symbol",
			from: told(func(o *migration.Options) { o.FromEncoding = "base64" })},
		{name: "no UTF-8", breaks: `alter table old alter column body type bytea using case id when 3 then '\xff' else '{}'::bytea end`,
			want: "the event at position 3 cannot be moved: invalid byte sequence", to: design.Options{Payload: "jsonb"}},
		{name: "a NUL that is escaped", breaks: `update old set body = '{"owner":"\u0000"}' where id = 2`,
			want: "the event at position 2 cannot be moved: unsupported Unicode escape sequence", to: design.Options{Payload: "jsonb"}},
		{name: "a NUL", breaks: `alter table old alter column body type bytea using case id when 5 then '\x7b007d' else '{}'::bytea end`,
			want: "the event at position 5 cannot be moved: invalid byte sequence", to: design.Options{Payload: "json"}},
		{name: "no metadata", breaks: `alter table old alter column extra type text; update old set extra = 'x' where id = 6`, want: "the event at position 6 cannot be moved: invalid input syntax for type json"},
		{name: "null", breaks: `alter table old alter column body drop not null; update old set body = null where id > 4`,
			want: "2 rows of old have null in a column that every event needs (stream, version, type, payload, time, position)"},
		{name: "another type of payload", breaks: `alter table old add column amount numeric not null default 1`, want: `the payload in column "amount" is of type numeric`,
			from: told(func(o *migration.Options) { o.FromColumns = column("payload", "amount") })},
		{name: "another type of time", want: `the time in column "seq" is of type integer`,
			from: told(func(o *migration.Options) { o.FromColumns = column("time", "seq") })},
		{name: "no column", want: `table old has no column "Seq"`, from: told(func(o *migration.Options) { o.FromColumns = column("version", "Seq") })},
		{name: "no table", want: `relation "new" does not exist`, from: fromHand("new", handColumns...)},
		{name: "no ID in the stream", want: "5 events have no aggregate type, no ID, no event type, or a version below 1; the first is at position 1",
			from: told(func(o *migration.Options) { o.FromAggregate, o.FromSeparator = "", "-" })},
		{name: "unknown types", want: "the domain does not have Account account opened version 1 (3 events); Account deposited version 1 (2 events)",
			to: design.Options{Domain: domain("Placed"), Strict: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			conn := handTable(t, tt.breaks)
			before := catalog(t, conn)
			if tt.from.From == "" {
				tt.from = fromHand("old", handColumns...)
			}
			h := history{folder: migration.Folder{}, from: tt.from}
			h.next(t, tt.to)
			done, err := h.runUps(t, conn)
			if err == nil || done > 0 || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v after %d migrations, want %s", err, done, tt.want)
			}
			if diff := compare(before, catalog(t, conn)); diff != "" {
				t.Errorf("catalog (-before +after): %s", diff)
			}
		})
	}
}

// A copy that is interrupted goes on where it was, what is written meanwhile comes along, and nothing is there twice.
func TestNext_moveOfATableResumes(t *testing.T) {
	t.Parallel()
	conn := handTable(t, `create table many (id bigserial primary key, stream text, version bigint, kind text, body jsonb, at timestamptz, unique (stream, version));
		insert into many (stream, version, kind, body, at) select 'S' || n % 100, n / 100 + 1, 'counted', jsonb_build_object('n', n), '2024-01-01'::timestamptz + n * interval '1 s'
		from generate_series(0, 69999) as n`)
	for _, positions := range []string{"position=id", ""} {
		from := fromHand("many", lacking([]string{positions, "stream=stream", "version=version", "type=kind", "payload=body", "time=at"}, "")...)
		h := history{folder: migration.Folder{}, from: from}
		h.next(t, design.Options{})
		names := h.ups
		run := func(name string) error {
			_, err := conn.Exec(t.Context(), string(h.folder[name]))
			return err
		}
		for _, name := range names[:2] {
			if err := run(name); err != nil {
				t.Fatal(err)
			}
		}
		// A position in the third batch is taken: it fails there, as a server does that is killed.
		exec(t, conn, `alter table events add constraint crash check (global_position < 50000) not valid`)
		if err := run(names[2]); err == nil {
			t.Fatal("the copy ran through")
		}
		if got := query(t, conn, `select count(*)::text from events`); got[0] != "40000" {
			t.Fatalf("%s events after two batches", got[0])
		}
		exec(t, conn, `alter table events drop constraint crash;
			insert into many (stream, version, kind, body, at) values ('new', 1, 'counted', '{}', '2020-01-01')`)
		for _, name := range names[2:] {
			if err := run(name); err != nil {
				t.Fatal(err)
			}
		}
		want := query(t, conn, `select count(*) || ' ' || md5(string_agg(concat(stream, ' ', version, ' ', body), ',' order by stream collate "C", version)) from many`)
		got := query(t, conn, `select count(*) || ' ' || md5(string_agg(concat(aggregate_id, ' ', aggregate_version, ' ', convert_from(payload, 'UTF8')), ',' order by aggregate_id, aggregate_version)) from events`)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("with %q: (-former +log):\n%s", positions, diff)
		}
		h.back(t, conn)
		exec(t, conn, `delete from many where stream = 'new'`)
	}
}

// What changes in the table after it was copied stops the move, and what was appended after it the way back.
func TestNext_moveOfATableLosesNothing(t *testing.T) {
	t.Parallel()
	for change, want := range map[string]string{
		`update old set body = '{"cents":2}' where id = 6`: "events of old were changed or removed since they were copied: it has 5, and 5 were moved",
		`delete from old where id = 6`:                     "events of old were changed or removed since they were copied: it has 4, and 5 were moved",
		`insert into old (account, seq, "what happened", body, at) values ('7', 5, 'deposited', '{}', '2024-01-01')`: `stream Account "7" has 4 events, and its last version is 5`,
	} {
		conn := handTable(t, "")
		h := history{folder: migration.Folder{}, from: fromHand("old", handColumns...)}
		h.next(t, design.Options{})
		for i, name := range h.ups {
			if i == 3 {
				exec(t, conn, change)
			}
			if _, err := conn.Exec(t.Context(), string(h.folder[name])); i < 3 && err != nil || i == 3 && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("after %s: %s: got %v, want %s", change, name, err, want)
			}
		}
	}
	conn := handTable(t, "")
	h := history{folder: migration.Folder{}, from: fromHand("old", handColumns...)}
	h.next(t, design.Options{})
	if _, err := h.runUps(t, conn); err != nil {
		t.Fatal(err)
	}
	exec(t, conn, `insert into events (created_at, event_id, aggregate_version, event_version, aggregate_type, aggregate_id, event_type, payload)
		values (now(), gen_random_uuid(), 4, 1, 'Account', '7', 'deposited', '{}')`)
	down := strings.TrimSuffix(h.ups[3], ".up.sql") + ".down.sql"
	_, err := conn.Exec(t.Context(), string(h.folder[down]))
	if err == nil || !strings.Contains(err.Error(), "1 events were appended since the move") {
		t.Errorf("the way down: %v", err)
	}
}

// What options cannot mean is said, all of it at once.
func TestNewWriter_table(t *testing.T) {
	t.Parallel()
	tests := []struct {
		options migration.Options
		want    []string
	}{
		{migration.Options{From: "table"}, []string{"has no name; give it with --from-events-table", "lacks stream=COLUMN,version=COLUMN,type=COLUMN,payload=COLUMN,time=COLUMN", "say one of them"}},
		{fromHand("a;b", handColumns...), []string{`table name "a;b"`}},
		{fromHand("old", append(handColumns, "colour=red", "time")...), []string{`"colour=red": write KEY=COLUMN`, `"time": write KEY=COLUMN`}},
		{fromHand("old", append(handColumns, "time=at", "metadata=")...), []string{`"time=at": there are two for time`}},
		{fromHand("old", column("type", strings.Repeat("x", 64))...), []string{"1 to 63 bytes"}},
		{told(func(o *migration.Options) { o.FromSeparator = "-" }), []string{"say one of them"}},
		{told(func(o *migration.Options) { o.FromEncoding, o.FromFirstVersion = "gzip", -1 }), []string{`"gzip": is not known; choose one of none, base64, hex`, "first version -1: is negative"}},
		{told(func(o *migration.Options) { o.FromHeadsTable = "heads" }), []string{"are for eventsalsa"}},
	}
	for _, tt := range tests {
		_, err := migration.NewWriter(tt.options)
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: got %v, want %s", tt.options, err, want)
			}
		}
	}
	w, err := migration.NewWriter(fromHand("events", handColumns...))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Next(derived(t, design.Options{}), migration.Folder{}); err == nil || !strings.Contains(err.Error(), "events would be the events table and the table to move from") {
		t.Errorf("into itself: %v", err)
	}
}

func lacking(all []string, one string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == one })
}
