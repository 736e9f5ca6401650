package runners_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/pgtest"
)

// former is the log of another event store, with three events.
const former = `
create table events (
	global_position bigserial primary key, stream_type text not null, stream_id text not null, stream_version bigint not null,
	event_id uuid not null unique, event_type text not null, event_version int not null default 1, payload bytea not null,
	trace_id text, correlation_id text, causation_id text, metadata jsonb, created_at timestamptz not null default now(),
	unique (stream_type, stream_id, stream_version)
);
create index idx_events_stream on events (stream_type, stream_id, stream_version);
create index idx_events_event_type on events (event_type, global_position);
create index idx_events_correlation on events (correlation_id) where correlation_id is not null;
create index idx_events_stream_type_position on events (stream_type, global_position);
create table stream_heads (
	stream_type text not null, stream_id text not null, stream_version bigint not null,
	updated_at timestamptz not null default now(), primary key (stream_type, stream_id)
);
create index idx_stream_heads_updated on stream_heads (updated_at);
create table projection_checkpoints (
	projection_name text primary key, last_position bigint not null default 0,
	created_at timestamptz not null default now(), updated_at timestamptz not null default now()
);
insert into events (stream_type, stream_id, stream_version, event_id, event_type, payload)
select 'Order', '1', n, gen_random_uuid(), 'Placed', '\x00ff' from generate_series(1, 3) as n;
insert into stream_heads values ('Order', '1', 3);
insert into projection_checkpoints values ('mailer', 2);
`

// The tools move a log up, down, and up again, with a table made anew by one of the moves and an index outside a transaction.
func TestRunners_move(t *testing.T) {
	t.Parallel()
	o := design.Options{Schema: "shop", EventsTable: "log", Metadata: "jsonb", AppendOnly: true, Indexes: design.IndexNames}
	for _, r := range runners {
		t.Run(r.format, func(t *testing.T) {
			t.Parallel()
			r.need(t)
			folder := t.TempDir()
			for _, file := range next(t, o, migration.Options{Format: r.format, From: "eventsalsa-v0.2"}, nil) {
				if err := os.WriteFile(filepath.Join(folder, file.Path), file.Content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			dsn := pgtest.New(t, former)
			before := catalog(t, dsn)
			log := query(t, dsn, `select concat_ws(' ', global_position, event_id, payload, created_at) from events order by global_position`)
			var first []string
			for _, time := range []string{"up", "up again"} {
				if err := r.up(t.Context(), dsn, folder); err != nil {
					t.Fatalf("%s: %v", time, err)
				}
				moved := without(r.table, catalog(t, dsn))
				if first == nil {
					first = moved
				}
				if diff := cmp.Diff(first, moved); diff != "" {
					t.Errorf("%s: catalog (-first +now):\n%s", time, diff)
				}
				now := query(t, dsn, `select concat_ws(' ', global_position, event_id, payload, created_at) from shop.log order by global_position`)
				if diff := cmp.Diff(log, now); diff != "" {
					t.Errorf("%s: events (-before +after):\n%s", time, diff)
				}
				if got := query(t, dsn, `select consumer || ' ' || position from shop.consumer_checkpoints`); !cmp.Equal(got, []string{"mailer 2"}) {
					t.Errorf("%s: checkpoints %q", time, got)
				}
				if time == "up again" {
					return
				}
				if err := r.down(t.Context(), dsn, folder); err != nil {
					t.Fatalf("down: %v", err)
				}
				if diff := cmp.Diff(before, withoutSchemas(without(r.table, catalog(t, dsn)))); diff != "" {
					t.Errorf("down: catalog (-before +after):\n%s", diff)
				}
			}
		})
	}
}

// withoutSchemas returns the catalog without schemas, which migrations leave.
func withoutSchemas(catalog []string) []string {
	var kept []string
	for _, line := range catalog {
		if len(schemas([]string{line})) == 0 {
			kept = append(kept, line)
		}
	}
	return kept
}
