package main

import (
	"context"
	"testing"
	"time"

	"github.com/eventmap/eventmap/examples/shop/domain/order"
	"github.com/eventmap/eventmap/examples/shop/shopstore"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/eventtest"
)

// noTx is the transaction of tests without a database.
type noTx struct{}

// What appends and what consumes can be tested in memory, with the clock and the IDs under the test's control.
func TestOrders_inMemory(t *testing.T) {
	t.Parallel()
	ctx, store := t.Context(), eventtest.NewStore[noTx]()
	clock := eventtest.NewClock(time.Date(2026, time.March, 1, 9, 5, 0, 0, time.UTC))
	orders := shopstore.NewOrderStore(store, runtime.WithClock(clock.Now), runtime.WithEventID(eventtest.IDs("orders")))

	tea := order.Line{SKU: "tea", Quantity: 3, Price: order.Money{Cents: 450, Currency: "EUR"}}
	if _, err := orders.Append(ctx, noTx{}, "1", runtime.NoStream(), order.Place("Ada", "EUR", clock.Now(), tea)); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour)
	attempts := 0
	_, err := orders.Execute(ctx, noTx{}, "1", func(o order.Order) ([]order.Event, error) {
		if attempts++; attempts == 1 { // another is quicker
			if _, err := orders.Append(ctx, noTx{}, "1", runtime.Any(), []order.Event{order.ItemAdded{Line: tea}}); err != nil {
				return nil, err
			}
		}
		return o.Pay("card")
	})
	if err != nil || attempts != 2 {
		t.Fatalf("%d attempts, error %v; want 2", attempts, err)
	}

	var paid time.Time
	handler := shopstore.OrderHandlerFuncs[noTx]{Paid: func(_ context.Context, _ noTx, _ order.Paid, m runtime.Meta) error {
		paid = m.CreatedAt
		return nil
	}}
	recorder := eventtest.Record(shopstore.NewOrderConsumer("payments", handler), shopstore.FromESEvent)
	if err := eventtest.Deliver(ctx, noTx{}, recorder, store.Events()); err != nil {
		t.Fatal(err)
	}
	recorder.Expect(t,
		order.Placed{Customer: "Ada", Currency: "EUR", PlacedAt: clock.Now().Add(-time.Hour)},
		order.ItemAdded{Line: tea},
		order.ItemAdded{Line: tea},
		order.Paid{Amount: order.Money{Cents: 2700, Currency: "EUR"}, Method: "card"},
	)
	if !paid.Equal(clock.Now()) {
		t.Errorf("paid at %v, want %v", paid, clock.Now())
	}
}
