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

// compact returns JSON without the blanks that jsonb is shown with.
func compact(t *testing.T, text []byte) []byte {
	t.Helper()
	var short bytes.Buffer
	if err := json.Compact(&short, text); err != nil {
		t.Fatal(err)
	}
	return short.Bytes()
}
