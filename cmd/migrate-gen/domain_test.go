package main

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/cmd/migrate-gen/testdata/kinds"
)

// What a view shows is what the Go value holds, whatever type the payload has.
func TestDomain_viewsShowTheValues(t *testing.T) {
	t.Parallel()
	three := 3
	when := time.Date(2024, 2, 29, 12, 30, 15, 123456000, time.UTC)
	full := kinds.Kept{
		Text: `a "quoted" 'text' \ é`, Quotes: "q", IsTrue: true, Small: math.MinInt8, Medium: math.MaxInt32, Large: math.MinInt64,
		Unsigned: math.MaxUint64, Single: 1.5, Double: math.Pi, Number: "12345678901234567890.12345", Bytes: []byte{0, 1, 255},
		When: when.In(time.FixedZone("", 3600)), ID: uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8057"),
		Amount: kinds.Amount{Cents: 5, Currency: "EUR"}, Amounts: []kinds.Amount{{Cents: 6}}, Labels: map[string]string{"a": "b"},
		Raw: json.RawMessage(`[1,null]`), InString: math.MaxInt64, TextTwice: "twice", Maybe: &three, MaybeTime: &when,
		MaybeThing: &kinds.Amount{Cents: 7}, CreatedAt: "yesterday", SKUCode: "x",
	}
	for _, payload := range []string{"bytea", "jsonb", "json"} {
		t.Run(payload, func(t *testing.T) {
			t.Parallel()
			flags := []string{"--domain=./testdata/kinds", "--schema=shop", "--payload=" + payload}
			conn := connect(t, migrated(t, flags))
			for i, e := range []kinds.Kept{full, {}} {
				text, err := json.Marshal(e)
				if err != nil {
					t.Fatal(err)
				}
				var stored any = text
				if payload != "bytea" {
					stored = string(text)
				}
				_, err = conn.Exec(t.Context(), `insert into shop.events (created_at, event_id, aggregate_version, event_version,
					aggregate_type, aggregate_id, event_type, payload) values (now(), $1, $2, 2, 'Kinds', 'k', 'Kept', $3)`,
					uuid.New(), i+1, stored)
				if err != nil {
					t.Fatal(err)
				}
			}
			var got kinds.Kept
			var amount, amounts, labels, raw, thing []byte
			var unsigned, number string
			var maybeTime *time.Time
			row := conn.QueryRow(t.Context(), `select text, a_b__c_d, is_true, small, medium, large, unsigned::text, single, double,
				number::text, bytes, "when", id, amount, amounts, labels, raw, in_string, text_twice, maybe, maybe_time, maybe_thing,
				"payload_createdAt", sku_code from shop.kinds_kept_v2 where aggregate_version = 1`)
			err := row.Scan(&got.Text, &got.Quotes, &got.IsTrue, &got.Small, &got.Medium, &got.Large, &unsigned, &got.Single, &got.Double,
				&number, &got.Bytes, &got.When, &got.ID, &amount, &amounts, &labels, &raw, &got.InString, &got.TextTwice, &got.Maybe,
				&maybeTime, &thing, &got.CreatedAt, &got.SKUCode)
			if err != nil {
				t.Fatal(err)
			}
			got.Number, got.Raw, got.MaybeTime = json.Number(number), compact(t, raw), maybeTime
			if got.Unsigned, err = strconv.ParseUint(unsigned, 10, 64); err != nil {
				t.Error(err)
			}
			for text, into := range map[*[]byte]any{&amount: &got.Amount, &amounts: &got.Amounts, &labels: &got.Labels, &thing: &got.MaybeThing} {
				if err := json.Unmarshal(*text, into); err != nil {
					t.Errorf("%s: %v", *text, err)
				}
			}
			sameTime := cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })
			if diff := cmp.Diff(full, got, sameTime); diff != "" {
				t.Errorf("values (-Go +view):\n%s", diff)
			}

			rows, err := conn.Query(t.Context(), `select bytes is null and maybe is null and maybe_time is null and maybe_thing is null
				and amounts is null and labels is null and raw is null, "when" = '0001-01-01 00:00:00+00', large
				from shop.kinds_kept_v2 where aggregate_version = 2`)
			if err != nil {
				t.Fatal(err)
			}
			type zero struct {
				Absent, When bool
				Large        int64
			}
			zeros, err := pgx.CollectRows(rows, pgx.RowToStructByPos[zero])
			if diff := cmp.Diff([]zero{{true, true, 0}}, zeros); err != nil || diff != "" {
				t.Errorf("an empty event: %v (-want +got):\n%s", err, diff)
			}
			var comment string
			if err := conn.QueryRow(t.Context(), `select obj_description('shop.kinds_kept_v2'::regclass)`).Scan(&comment); err != nil {
				t.Fatal(err)
			}
			if want := "Kept has everything; it isn't small."; comment != want {
				t.Errorf("comment %q, want %q", comment, want)
			}
		})
	}
}

// Fields that stand in the way of a column have one all the same, which shows the value.
func TestDomain_viewsShowOddFields(t *testing.T) {
	t.Parallel()
	yes := true
	odd := kinds.Odd{
		Shared: kinds.Shared{Owner: "o"}, Pointed: &kinds.Pointed{Pointer: &yes}, Position: -1, Took: time.Hour, Upper: "U", Lower: "l",
		First: "1st", Second: "2nd", Template: "t", Byte: math.MaxUint8, Short: math.MaxUint16, Word: math.MaxUint32, Fixed: [2]int{1, 2},
		Table: map[int]kinds.Amount{7: {Cents: 1}}, Select: "s",
	}
	odd.Deep.Deeper = &kinds.Shared{Owner: "deep"}
	for _, payload := range []string{"bytea", "jsonb", "json"} {
		t.Run(payload, func(t *testing.T) {
			t.Parallel()
			conn := connect(t, migrated(t, []string{"--domain=./testdata/kinds", "--payload=" + payload}))
			stored := odd
			if payload != "jsonb" { // which refuses it
				stored.NUL = "a\x00b"
			}
			for event, value := range map[string]any{"Odd": stored, "Sealed": kinds.Sealed{Inner: "sealed"}} {
				text, err := json.Marshal(value)
				if err != nil {
					t.Fatal(err)
				}
				_, err = conn.Exec(t.Context(), `insert into events (created_at, event_id, aggregate_version, event_version,
					aggregate_type, aggregate_id, event_type, payload) values (now(), $1, 1, 1, 'Kinds', $2, $2, $3)`, uuid.New(), event, text)
				if err != nil {
					t.Fatal(err)
				}
			}
			row := conn.QueryRow(t.Context(), `select to_jsonb(v) - 'created_at' - 'event_id' from kinds_odd_v1 v`)
			var got map[string]any
			if err := row.Scan(&got); err != nil {
				t.Fatal(err)
			}
			want := map[string]any{
				"global_position": got["global_position"], "aggregate_id": "Odd", "aggregate_version": 1.0,
				"owner": "o", "pointer": true, "payload_global_position": -1.0, "took": float64(time.Hour), "payload_Key": "U", "payload_key": "l",
				"field_a_very_long_name_that_goes_on_an_6757c7e6": "1st", "field_a_very_long_name_that_goes_on_an_5e898348": "2nd",
				"__x_____y_": "t", "nul": "", "byte": 255.0, "short": 65535.0, "word": float64(math.MaxUint32), "fixed": []any{1.0, 2.0},
				"table": map[string]any{"7": map[string]any{"cents": 1.0, "currency": ""}},
				"deep":  map[string]any{"deeper": map[string]any{"owner": "deep"}}, "select": "s", "deep_deeper_owner": "deep",
			}
			if payload != "jsonb" {
				want["nul"] = "a\ufffdb"
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("odd fields (-Go +view):\n%s", diff)
			}
			var sealed string
			if err := conn.QueryRow(t.Context(), `select payload ->> 0 from kinds_sealed_v1`).Scan(&sealed); err != nil || sealed != "sealed" {
				t.Errorf("an event that writes its own JSON: %q, %v", sealed, err)
			}
		})
	}
}

// compact returns JSON without the blanks that jsonb is shown with.
func compact(t *testing.T, text []byte) []byte {
	t.Helper()
	var short bytes.Buffer
	if err := json.Compact(&short, text); err != nil {
		t.Fatal(err)
	}
	return short.Bytes()
}
