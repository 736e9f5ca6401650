package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/pgtest"
)

const account = `A user registers and changes her mail address.
  stored as versions 1 to 2 of her stream
She places an order.
  stored as versions 1 to 3 of the order's stream
Somebody who has not seen it places it once more.
  refused: expected no stream, but the stream is at version 3
She pays, and the order is shipped.
An order of the first release is read.
  stored as v1, read as order.Placed: placed on 2024-12-24, in EUR
The order's stream:
  1  placed on 2026-03-01, in EUR
  2  3 x tea at 4.50 EUR
  3  1 x cup at 12.90 EUR
  4  26.40 EUR paid by card
  5  shipped with Royal Mail to London
  at version 5: 2 lines, 26.40 EUR, paid true, shipped true
The log holds 8 events: 6 of orders and 2 of users; checkpoint N.
SQL reads the log too, by a view for each event:
  order_item_added_v1: 3 x tea
  order_item_added_v1: 1 x cup
  order_paid_v1: 2640 cents by card
  order_shipped_v1: with Royal Mail
A consumer turns the events of all orders into the orders of each customer.
  Charles: 1 orders, 1 of them open, 0.00 EUR
  Ada: 1 orders, 0 of them open, 26.40 EUR
5000 more orders come in, and the read model is made again from the beginning.
  done
  Charles: 1 orders, 1 of them open, 0.00 EUR
  Ada: 5001 orders, 5000 of them open, 26.40 EUR
She deletes her account, and is forgotten.
  registered: "Ada", ada@example.com; erased: []
  registered: "", (removed); erased: ["Email" "Name"]
`

// The account is the same on every database.
func TestRun_printsItsAccount(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]func() string{
		"PostgreSQL":       func() string { return pgtest.New(t) },
		"SQLite in a file": func() string { return filepath.Join(t.TempDir(), "shop.db") },
		"SQLite in memory": func() string { return ":memory:" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			if err := run(t.Context(), address(), true, "", &out); err != nil {
				t.Fatal(err)
			}
			got := regexp.MustCompile(`checkpoint \d+`).ReplaceAllString(out.String(), "checkpoint N")
			got = regexp.MustCompile(`(?m)^  +\d+ %.*\n`).ReplaceAllString(got, "") // progress, as far as there was time for it
			if d := cmp.Diff(account, got); d != "" {
				t.Errorf("account (-want +got):\n%s", d)
			}
		})
	}
}
