package main

import (
	"context"
	"strings"
	"testing"
	"time"
)

func TestRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var out strings.Builder
	if err := run(ctx, &out); err != nil {
		t.Fatalf("%v after\n%s", err, &out)
	}
	const want = `Two orders are placed, and the relay publishes their events.
  message 1: example.shop.Order.Placed, version 1
  message 2: example.shop.Order.ItemAdded, version 2
  message 3: example.shop.Order.Placed, version 1
  message 4: example.shop.Order.ItemAdded, version 2
The broker is stopped. Both orders are paid meanwhile.
  2 events wait, 0 are parked: the relay tries again
The broker is back.
  message 5: example.shop.Order.Paid, version 3
  message 6: example.shop.Order.Paid, version 3
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &out, want)
	}
}
