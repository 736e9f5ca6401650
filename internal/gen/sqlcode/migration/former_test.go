package migration_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// A former is a database of another event store, with tables of the same shape as that store makes them.
type former struct {
	from                                 string
	events, heads, checkpoints           string // as SQL has them
	kind, id, version, consumer, idxStem string
	partitionBy, byTypeColumn            string
}

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
