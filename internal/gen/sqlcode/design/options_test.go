package design

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/internal/pgname"
)

func TestDesign_refusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		options Options
		want    string
	}{
		{Options{Payload: "text"}, `payload type "text": is not known; choose one of bytea, jsonb, json`},
		{Options{Metadata: "bytea"}, `metadata type "bytea": is not known; choose one of json, jsonb`},
		{Options{Indexes: []string{"event-type", "event_type"}}, `index "event_type": is not known; choose from event-type, correlation`},
		{Options{Grants: []string{"app", "public"}}, `grant to role name "public": is not the name of a role`},
		{Options{Partition: "list"}, `partition layout "list": is not known; choose one of none, range, hash, partman`},
		{Options{PartitionSize: 5}, `partition size: partition layout none has none`},
		{Options{Partitions: 5}, `partitions: partition layout none has none`},
		{Options{Partition: "hash", PartitionSize: 5}, `partition size: partition layout hash has none`},
		{Options{Partition: "hash", Partitions: 1001}, `partitions 1001: are not from 1 to 1000`},
		{Options{Partition: "range", PartitionSize: -1}, `partition size -1: is not positive`},
		{Options{Partition: "range", Partitions: 2, PartitionSize: 1 << 62},
			`partition size 4611686018427387904: 2 partitions of it are more than there are positions`},
		{Options{Partition: "range", PartmanSchema: "partman"}, `partman schema: partition layout range does not use pg_partman`},
		{Options{PartmanMaintenance: "bgw"}, `partman maintenance: partition layout none does not use pg_partman`},
		{Options{Partition: "partman", PartmanMaintenance: "cron"}, `partman maintenance "cron": is not known; choose one of none, bgw, pg_cron`},
		{Options{Partition: "partman", PartmanSchema: "pg_x"}, `partman schema name "pg_x": begins with pg_, which is reserved for the system`},
		{Options{Partition: "range", ParkedEventsTable: "events_p10000000"},
			`events_p10000000 would be the parked events table and a partition of the events table; choose other table names`},
	}
	for _, tt := range tests {
		if _, err := tt.options.Design(); err == nil || err.Error() != tt.want {
			t.Errorf("%+v:\n got %v\nwant %s", tt.options, err, tt.want)
		}
	}
}

// placed is a domain of one event.
func placed(name string) *model.Domain {
	return &model.Domain{Aggregates: []model.Aggregate{{Name: "Order", Events: []model.Event{{Name: name, Version: 1, Payload: &model.Shape{
		Kind: model.ObjectShape, Fields: []model.Field{{Name: "n", Shape: &model.Shape{Kind: model.IntShape, Bits: 32}, Index: &model.IndexMark{}}},
	}}}}}}
}

// What is recorded of a design comes to the same design.
func TestOptions_Recorded(t *testing.T) {
	t.Parallel()
	o := Options{Indexes: []string{"correlation"}, Domain: placed("Placed"), Strict: true, Grants: []string{"b", "a", "b"}}
	first, err := o.Design()
	if err != nil {
		t.Fatal(err)
	}
	o.Domain = nil
	again, err := o.Recorded(first.Views, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first.Indexes, again.Indexes); diff != "" {
		t.Errorf("indexes (-first +again):\n%s", diff)
	}
	if got := again.IndexOptions(); !slices.Equal(got, []string{"correlation"}) || first.KnownCondition() != again.KnownCondition() {
		t.Errorf("index options %q, known %q, want %q", got, again.KnownCondition(), first.KnownCondition())
	}
	if want := []string{"a", "b"}; !slices.Equal(again.Grants, want) {
		t.Errorf("roles %q, want %q", again.Grants, want)
	}
}

// An event that the domain drops stays known, until it is back.
func TestDesign_After(t *testing.T) {
	t.Parallel()
	var d Design
	for _, tt := range []struct {
		domain *model.Domain
		want   []EventVersion
	}{
		{placed("Placed"), nil},
		{placed("Paid"), []EventVersion{{"Order", "Placed", 1}}},
		{nil, []EventVersion{{"Order", "Paid", 1}, {"Order", "Placed", 1}}},
		{placed("Placed"), []EventVersion{{"Order", "Paid", 1}}},
	} {
		next, err := Options{Domain: tt.domain}.Design()
		if err != nil {
			t.Fatal(err)
		}
		if d = next.After(d); !slices.Equal(d.Retired, tt.want) {
			t.Errorf("retired %v, want %v", d.Retired, tt.want)
		}
	}
}

// The dialect is all that tells two designs of the same options apart.
func TestDialect(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		tables  Tables
		columns string
	}{
		"postgres": {Tables{Events: pgname.Table{Name: "a"}, Heads: pgname.Table{Name: "aggregate_heads"}, Checkpoints: pgname.Table{Name: "consumer_checkpoints"}, Parked: pgname.Table{Name: "parked_events"}},
			"using hash (\"a_payload_value\"(\"a_payload_json\"(payload) -> 'n', null::integer))\n    where aggregate_type = 'Order' and event_type = 'Placed' and event_version = 1"},
		"sqlite": {Tables{Events: pgname.Table{Name: "a"}, Checkpoints: pgname.Table{Name: "consumer_checkpoints"}, Parked: pgname.Table{Name: "parked_events"}},
			"(cast((case when json_valid(cast(payload as text)) then cast(payload as text) end) ->> '$.\"n\"' as integer))\n    where aggregate_type = 'Order' and event_type = 'Placed' and event_version = 1"},
	} {
		domain := placed("Placed")
		domain.Aggregates[0].Events[0].Payload.Fields[0].Index.Args = "using=hash"
		d, err := Options{Dialect: name, EventsTable: "a", Domain: domain}.Design()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.tables, d.Tables); diff != "" {
			t.Errorf("%s: tables (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(want.columns, d.Indexes[0].Columns); diff != "" {
			t.Errorf("%s: index (-want +got):\n%s", name, diff)
		}
	}
}
