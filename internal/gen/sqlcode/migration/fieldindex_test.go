package migration_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/model"
)

// indexedDomain returns a domain of two events, one with an indexed field of every kind that can have an index.
func indexedDomain() *model.Domain {
	field := func(name, mark string, kind model.ShapeKind, bits int) model.Field {
		f := model.Field{Name: name, Shape: &model.Shape{Kind: kind, Bits: bits}}
		if mark != "-" {
			f.Index = &model.IndexMark{Args: mark}
		}
		return f
	}
	id := field("id", "", model.TextShape, 0)
	id.Shape.Type = "github.com/google/uuid.UUID"
	twice := field("twice", "", model.StringShape, 0)
	twice.Quoted = true
	city := field("city", "", model.StringShape, 0)
	city.Doc = "City is where it goes."
	address := model.Field{Name: "address", Shape: &model.Shape{Kind: model.ObjectShape, Nullable: true, Fields: []model.Field{
		field("street", "-", model.StringShape, 0), city,
	}}}
	return &model.Domain{Aggregates: []model.Aggregate{{Name: "Order", Events: []model.Event{
		{Name: "Paid", Version: 1, Payload: fieldsOf("customer")},
		{Name: "Placed", Version: 2, Payload: &model.Shape{Kind: model.ObjectShape, Fields: []model.Field{
			field("customer", "", model.StringShape, 0), field("any length", "using=hash", model.StringShape, 0), twice, id,
			field("express", "", model.BoolShape, 0), field("lines", "using=btree", model.IntShape, 32),
			field("total", "", model.UintShape, 64), field("rate", "", model.FloatShape, 64), field("ratio", "", model.NumberShape, 0),
			field("key", "", model.BytesShape, 0), field("placedAt", "", model.TimeShape, 0), address, field("note", "-", model.StringShape, 0),
		}}},
	}}}}
}

// insertPayload adds an event of the domain.
func insertPayload(t *testing.T, conn *pgx.Conn, o design.Options, n int, event string, version int, payload string) {
	t.Helper()
	var stored any = payload
	if o.Payload == "bytea" {
		stored = []byte(payload)
	}
	_, err := conn.Exec(t.Context(), `insert into `+eventsOf(o)+` (created_at, event_id, aggregate_version, event_version, aggregate_type,
		aggregate_id, event_type, payload) values (now(), gen_random_uuid(), 1, $1, 'Order', $2, $3, $4)`, version, fmt.Sprint(n), event, stored)
	if err != nil {
		t.Fatalf("%s: %v", payload, err)
	}
}

var (
	indexedPayload = regexp.MustCompile(`Index Cond: .*payload`)
	fullScan       = regexp.MustCompile(`Seq Scan on (events|events_p0) `) // the other partitions may be empty
)

// A query of a view by an indexed column uses the index, whatever the payload's type and the layout, and finds what is
// there.
func TestGenerate_indexesOnFieldsAreUsed(t *testing.T) {
	t.Parallel()
	conditions := []string{
		`customer = 'c000077'`, `customer like 'c000077%'`, `any_length = 'any 77'`, `twice = '"77"'`, `id = '00000000-0000-0000-0000-000000000077'`, `lines = 77`,
		`total = 18446744073709000077`, `rate = 77.5`, `ratio = 77.25`, `key = '\x303737'`, `placed_at = '2024-01-01 00:01:17.123456+00'`,
		`placed_at between '2024-01-01 01:01:17+01' and '2024-01-01 00:01:17.5+00'`, `address_city = 'Köln 77'`,
	}
	for _, payload := range design.PayloadTypes {
		for _, layout := range []string{"none", "range", "hash"} {
			t.Run(payload+" "+layout, func(t *testing.T) {
				t.Parallel()
				o := design.Options{Schema: "shop", Payload: payload, Partition: layout, Domain: indexedDomain()}
				if layout != "none" {
					o.Partitions = 2
				}
				if layout == "range" {
					o.PartitionSize = 10_000
				}
				conn := connect(t)
				exec(t, conn, string(generate(t, o)))
				exec(t, conn, fmt.Sprintf(`insert into shop.events (created_at, event_id, aggregate_version, event_version, aggregate_type, aggregate_id,
					event_type, payload) select now(), gen_random_uuid(), 1, 2, 'Order', n, 'Placed', %s from generate_series(1, 2000) as n
					cross join lateral format('{"customer": "c%%3$s", "any length": "any %%1$s", "twice": "\"\\\"%%1$s\\\"\"",
						"id": "00000000-0000-0000-0000-%%2$s", "express": true, "lines": %%1$s, "total": 18446744073709%%3$s, "rate": %%1$s.5,
						"ratio": %%1$s.25, "key": "%%4$s", "placedAt": "%%5$s", "address": {"city": "Köln %%1$s"}, "note": "n"}',
						n, lpad(n::text, 12, '0'), lpad(n::text, 6, '0'), encode(lpad(n::text, 3, '0')::bytea, 'base64'),
						to_char(timestamp '2024-01-01' + n * interval '1 second', 'YYYY-MM-DD"T"HH24:MI:SS') || '.123456Z') as text;
					analyze shop.events`, map[string]string{"bytea": "convert_to(text, 'UTF8')", "json": "text::json", "jsonb": "text::jsonb"}[payload]))
				for _, condition := range conditions {
					plan := strings.Join(query(t, conn, `explain select aggregate_id, note from shop.order_placed_v2 where `+condition), "\n")
					if !indexedPayload.MatchString(plan) || fullScan.MatchString(plan) {
						t.Errorf("%s: does not use the index:\n%s", condition, plan)
					}
					found := query(t, conn, `select aggregate_id || note from shop.order_placed_v2 where `+condition)
					if diff := cmp.Diff([]string{"77n"}, found); diff != "" {
						t.Errorf("%s (-want +got):\n%s", condition, diff)
					}
				}
				partial := query(t, conn, `select count(*)::text from pg_index where indrelid = 'shop.events'::regclass and pg_get_expr(indpred, indrelid) =
					'((aggregate_type = ''Order''::text) AND (event_type = ''Placed''::text) AND (event_version = 2))'`)
				if partial[0] != "12" {
					t.Errorf("%s indexes are for events of the view only, want 12", partial[0])
				}
			})
		}
	}
}

// An event that is not what its Go type says is stored whatever indexes there are, and is no hindrance to reading others.
func TestGenerate_oddPayloadsAreNull(t *testing.T) {
	t.Parallel()
	odd := []string{
		`{"customer": 5, "lines": "many", "rate": [], "id": "x", "express": "perhaps", "total": {}, "key": "***", "placedAt": "now", "twice": "x", "address": 7}`,
		`{"lines": 2147483648, "rate": 1e999, "placedAt": "2024-02-30T00:00:00Z", "address": {"city": null}}`,
		`{"placedAt": "2024-02-03T04:05:06", "lines": 1.5, "key": "é", "twice": "\"open"}`,
		`[]`, `"text"`, `7`, `null`, `{}`,
	}
	for _, payload := range design.PayloadTypes {
		t.Run(payload, func(t *testing.T) {
			t.Parallel()
			o := design.Options{Payload: payload, Domain: indexedDomain()}
			conn := connect(t)
			exec(t, conn, string(generate(t, o)))
			exec(t, conn, "set standard_conforming_strings = off") // which a function reads when a session calls it first
			all := slices.Clone(odd)
			if payload != "jsonb" {
				all = append(all, `{"note": "a\u0000b\\u0000\\\u0000\u0000", "customer": "\u0000"}`)
			}
			if payload == "bytea" {
				all = append(all, ``, `{`, "\x00\x01\xff", `{"note": "`+"\xff"+`"}`, strings.Repeat("[", 100_000))
			}
			for i, text := range all {
				insertPayload(t, conn, o, i, "Placed", 2, text)
			}
			insertPayload(t, conn, o, 99, "Placed", 2, `{"customer": "c", "lines": 3, "placedAt": "2024-02-03T04:05:06+01:00"}`)
			good := query(t, conn, `select concat_ws(' ', customer, lines, placed_at at time zone 'UTC') from order_placed_v2 where lines = 3`)
			if diff := cmp.Diff([]string{"c 3 2024-02-03 03:05:06"}, good); diff != "" {
				t.Errorf("the good one (-want +got):\n%s", diff)
			}
			rows := query(t, conn, `select concat_ws(' ', aggregate_id, lines, total, rate, id, express, key, placed_at, twice, address_city) from order_placed_v2
				where aggregate_id <> '99' order by global_position`)
			if len(rows) != len(all) {
				t.Errorf("%d rows, want %d", len(rows), len(all))
			}
			for i, row := range rows {
				if row != fmt.Sprint(i) {
					t.Errorf("%s: %q, want nothing but null", all[i], row)
				}
			}
			if payload != "jsonb" {
				nul := query(t, conn, `select note || ' ' || customer from order_placed_v2 where note is not null`)
				if diff := cmp.Diff([]string{"a\ufffdb\\u0000\\\ufffd\ufffd \ufffd"}, nul); diff != "" {
					t.Errorf("a text with NUL (-want +got):\n%s", diff)
				}
			}
		})
	}
}
