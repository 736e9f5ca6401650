package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/cli"
)

// What someone did to the tables by hand is found, and what is printed is SQL as it is and mends it.
func TestDoctor_mendsWhatWasDoneByHand(t *testing.T) {
	t.Parallel()
	const twoEvents = `insert into events (created_at, event_id, aggregate_version, event_version, aggregate_type, aggregate_id,
		event_type, payload) select now(), gen_random_uuid(), n, 1, 'Order', '1', 'Placed', '{}' from generate_series(1, 2) n;
		insert into aggregate_heads (aggregate_version, aggregate_type, aggregate_id) values (2, 'Order', '1'); `
	tests := []struct {
		name, breaks string
		want         []string
		stays        bool // it takes more than a statement
	}{
		{name: "cache", breaks: `alter sequence events_global_position_seq cache 20`,
			want: []string{"sequence events_global_position_seq has cache 20: sessions keep positions back and events are lost to readers"}},
		{name: "increment", breaks: `alter sequence events_global_position_seq increment -1`,
			want: []string{"sequence events_global_position_seq has increment -1: positions must rise"}},
		{name: "keys of the log", breaks: `alter table events drop constraint events_stream_version_key, drop constraint events_event_id_key, drop constraint events_pkey`,
			want: []string{"table events has no unique key on (global_position)",
				"table events has no unique key on (aggregate_type, aggregate_id, aggregate_version)",
				"table events has no unique key on (event_id)"}},
		{name: "a partial key", breaks: `alter table events drop constraint events_event_id_key; create unique index on events (event_id) where event_version = 1`,
			want: []string{"table events has no unique key on (event_id)"}},
		{name: "other keys", breaks: `alter table aggregate_heads drop constraint aggregate_heads_pkey;
			alter table consumer_checkpoints drop constraint consumer_checkpoints_pkey; alter table parked_events drop constraint parked_events_pkey`,
			want: []string{"table consumer_checkpoints has no primary key on (consumer, segment)",
				"table parked_events has no primary key on (consumer, global_position)",
				"table aggregate_heads has no unique key on (aggregate_type, aggregate_id)"}},
		{name: "not null", breaks: `alter table events alter trace_id set default '', alter trace_id set not null`,
			want: []string{"column trace_id of events is not null, but events may have none"}},
		{name: "columns that may be null", breaks: `alter table events drop causation_id, drop trace_id`,
			want: []string{"column trace_id of events is missing", "column causation_id of events is missing"}},
		{name: "identity", breaks: twoEvents + `alter table events alter global_position drop identity`,
			want: []string{"column global_position of events is no identity and has no default", "sequence events_global_position_seq is missing; migrate it with the SQL that `migrate-gen` writes"}},
		{name: "a column too many", breaks: `alter table events add tenant text not null`, stays: true,
			want: []string{"column tenant of events is not null and has no default, so that no append succeeds; give it a default or drop it"}},
		{name: "a column of another type", breaks: `alter table events alter aggregate_version type integer`, stays: true,
			want: []string{"column aggregate_version of events is integer, not bigint; migrate it with the SQL that `migrate-gen` writes"}},
		{name: "another comment", breaks: `comment on table events is 'mine'`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dsn := migrated(t, nil)
			conn := connect(t, dsn)
			execute(t, conn, tt.breaks)
			report, found := examined(t, dsn, nil)
			if diff := cmp.Diff(tt.want, found); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			execute(t, conn, report)
			if report, left := examined(t, dsn, nil); left != nil && !tt.stays {
				t.Errorf("after mending: %s", report)
			}
			if tt.name == "identity" {
				execute(t, conn, strings.ReplaceAll(twoEvents, "'1'", "'2'"))
			}
		})
	}
}

// A database that cannot be looked at is trouble, which is another thing than one that is not well.
func TestDoctor_cannotLook(t *testing.T) {
	t.Parallel()
	dsn := migrated(t, nil)
	name, rest, _ := strings.Cut(dsn, "/pgtest_")
	tests := map[string]struct{ dsn, want string }{
		"no server":   {"postgres://127.0.0.1:1/x?connect_timeout=1&sslmode=disable", "connection refused"},
		"no address":  {"no address", "cannot parse `no address`"},
		"no database": {name + "/nothing_" + rest, "(SQLSTATE 3D000)"},
	}
	for name, tt := range tests {
		var stdout, stderr strings.Builder
		code := command(&stdout, &stderr, "--doctor", "--dsn="+tt.dsn)
		if code != cli.Trouble || stdout.Len() > 0 || !strings.HasPrefix(stderr.String(), "migrate-gen: database: ") || !strings.Contains(stderr.String(), tt.want) {
			t.Errorf("%s: code %d, stdout %q, stderr %q; want %q", name, code, stdout.String(), stderr.String(), tt.want)
		}
	}
	// A schema that is not there, and a table of somebody else, are findings.
	if report, found := examined(t, dsn, []string{"--schema=nowhere"}); len(found) < 4 {
		t.Errorf("a schema that is missing: %q\n%s", found, report)
	}
}
