package main

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/eventmap/eventmap/examples/shop/domain/order"
	"github.com/eventmap/eventmap/examples/shop/shopstore"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/eventtest"
)

// What appends and what consumes can be tested in memory, with the clock and the IDs under the test's control.
func TestOrders_inMemory(t *testing.T) {
	t.Parallel()
	ctx, store := t.Context(), eventtest.NewStore[eventtest.NoTx]()
	clock := eventtest.NewClock(time.Date(2026, time.March, 1, 9, 5, 0, 0, time.UTC))
	orders := shopstore.NewOrderStore(store, runtime.WithClock(clock.Now), runtime.WithEventID(eventtest.IDs("orders")))

	tea := order.Line{SKU: "tea", Quantity: 3, Price: order.Money{Cents: 450, Currency: "EUR"}}
	if _, err := orders.Append(ctx, eventtest.NoTx{}, "1", runtime.NoStream(), order.Place("Ada", "EUR", clock.Now(), tea)); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour)
	attempts := 0
	_, err := orders.Execute(ctx, eventtest.NoTx{}, "1", func(o order.Order) ([]order.Event, error) {
		if attempts++; attempts == 1 { // another is quicker
			if _, err := orders.Append(ctx, eventtest.NoTx{}, "1", runtime.Any(), []order.Event{order.ItemAdded{Line: tea}}); err != nil {
				return nil, err
			}
		}
		return o.Pay("card")
	})
	if err != nil || attempts != 2 {
		t.Fatalf("%d attempts, error %v; want 2", attempts, err)
	}

	var paid time.Time
	handler := shopstore.OrderHandlerFuncs[eventtest.NoTx]{Paid: func(_ context.Context, _ eventtest.NoTx, _ order.Paid, m runtime.Meta) error {
		paid = m.CreatedAt
		return nil
	}}
	recorder := eventtest.Record(shopstore.NewOrderConsumer("payments", handler), eventtest.Opening(t, eventtest.Keys(), shopstore.FromESEvent[eventtest.NoTx]))
	if err := eventtest.Deliver(ctx, eventtest.NoTx{}, recorder, store.Events()); err != nil {
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

// A stream that lacks events decides nothing: what is left of it is another history.
func TestOrders_areNotDecidedOnAPart(t *testing.T) {
	t.Parallel()
	ctx, store := t.Context(), eventtest.NewStore[eventtest.NoTx]()
	orders := shopstore.NewOrderStore(store)
	tea := order.Line{SKU: "tea", Quantity: 3, Price: order.Money{Cents: 450, Currency: "EUR"}}
	placed := append(order.Place("Ada", "EUR", time.Now(), tea), order.ItemAdded{Line: tea})
	if _, err := orders.Append(ctx, eventtest.NoTx{}, "1", runtime.NoStream(), placed); err != nil {
		t.Fatal(err)
	}
	store.Remove(shopstore.OrderType, "1", 1, 1)

	_, loadErr := orderOf(orders.Load(ctx, eventtest.NoTx{}, "1"))
	_, readErr := orders.Read(ctx, eventtest.NoTx{}, "1")
	_, executeErr := orders.Execute(ctx, eventtest.NoTx{}, "1", func(order.Order) ([]order.Event, error) {
		t.Error("decided on a part of the order")
		return nil, nil
	})
	for call, err := range map[string]error{"Load": loadErr, "Read": readErr, "Execute": executeErr} {
		if incomplete, ok := errors.AsType[*runtime.IncompleteStreamError](err); !ok || incomplete.Missing != 1 || incomplete.Head != 3 {
			t.Errorf("%s: error %v, want an IncompleteStreamError about version 1 of 3", call, err)
		}
	}
	if stream, err := orders.Read(ctx, eventtest.NoTx{}, "1", runtime.AllowIncomplete()); err != nil || stream.Len() != 2 || stream.Version() != 3 {
		t.Errorf("AllowIncomplete: %d events at version %d, error %v; want 2 at 3", stream.Len(), stream.Version(), err)
	}
	if stream, err := orders.Read(ctx, eventtest.NoTx{}, "1", runtime.FromVersion(2)); err != nil || stream.Len() != 2 {
		t.Errorf("from version 2: %d events, error %v; want the 2 that there are", stream.Len(), err)
	}
}

func orderOf(o order.Order, _ int64, err error) (order.Order, error) { return o, err }

// What Execute returns is what a Load would give, also if nothing was appended.
func TestOrders_executeReturnsTheState(t *testing.T) {
	t.Parallel()
	ctx, store := t.Context(), eventtest.NewStore[eventtest.NoTx]()
	orders := shopstore.NewOrderStore(store)
	tea := order.Line{SKU: "tea", Quantity: 3, Price: order.Money{Cents: 450, Currency: "EUR"}}
	place := func(order.Order) ([]order.Event, error) { return order.Place("Ada", "EUR", time.Now(), tea), nil }
	nothing := func(order.Order) ([]order.Event, error) { return nil, nil }

	same := func(what string, got runtime.Execution[order.Order], err error, version int64, appended int) {
		t.Helper()
		want, at, loadErr := orders.Load(ctx, eventtest.NoTx{}, "1")
		if err != nil || loadErr != nil {
			t.Fatalf("%s: errors %v, %v", what, err, loadErr)
		}
		if !reflect.DeepEqual(got.State, want) || got.Version != version || at != version || len(got.Events) != appended {
			t.Errorf("%s: state %+v at version %d, %d events; want %+v at version %d, %d events",
				what, got.State, got.Version, len(got.Events), want, version, appended)
		}
	}
	got, err := orders.Execute(ctx, eventtest.NoTx{}, "1", nothing)
	same("nothing on an absent order", got, err, 0, 0)
	got, err = orders.Execute(ctx, eventtest.NoTx{}, "1", place)
	same("place", got, err, 2, 2)
	got, err = orders.Execute(ctx, eventtest.NoTx{}, "1", nothing)
	same("nothing", got, err, 2, 0)

	earlier, version, err := orders.Load(ctx, eventtest.NoTx{}, "1", runtime.ToVersion(1))
	if err != nil || version != 1 || len(earlier.Lines) != 0 {
		t.Errorf("at version 1: %+v at version %d, error %v; want an order without lines", earlier, version, err)
	}

	// Who decides on a page that somebody looks at decides on that state or not at all.
	_, err = orders.Execute(ctx, eventtest.NoTx{}, "1", func(order.Order) ([]order.Event, error) {
		t.Error("decided at another version")
		return nil, nil
	}, runtime.IfVersion(1))
	if conflict, ok := errors.AsType[*runtime.ConflictError](err); !ok || conflict.Actual != 2 || conflict.Expected != runtime.Exact(1) {
		t.Errorf("IfVersion(1): error %v, want a conflict with version 2", err)
	}
	got, err = orders.Execute(ctx, eventtest.NoTx{}, "1", func(o order.Order) ([]order.Event, error) { return o.Pay("card") }, runtime.IfVersion(2))
	same("pay if at version 2", got, err, 3, 1)
}
