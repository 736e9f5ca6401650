package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/examples/shop/domain/order"
	orderv1 "github.com/eventmap/eventmap/examples/shop/domain/order/v1"
	"github.com/eventmap/eventmap/examples/shop/shopstore"
	"github.com/eventmap/eventmap/runtime"
)

// tradeEvery is how long it takes until the next order comes in.
const tradeEvery = 400 * time.Millisecond

var cities = []string{"London", "Berlin", "Paris", "Vienna", "Lisbon"}

// trade lets customers order until ctx is done. One in ten orders comes from a till of the first release, which still
// writes version 1 of Placed.
func (s *shop[Tx]) trade(ctx context.Context) error {
	ticker := time.NewTicker(tradeEvery)
	defer ticker.Stop()
	for n := 0; ; n++ {
		if err := s.sell(ctx, n); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// sell carries the n-th order from the basket to the parcel: each step is a transaction, and says what caused it.
func (s *shop[Tx]) sell(ctx context.Context, n int) error {
	id, customer := order.ID(uuid.NewString()), fmt.Sprintf("customer-%d", n%7)
	checkout := runtime.WithCorrelationID("checkout-" + uuid.NewString())
	var placed uuid.UUID
	err := s.in(ctx, func(tx Tx) error {
		if n%10 == 9 {
			e, err := shopstore.ToOrderPlacedV1(shopstore.OrderType, string(id), orderv1.Placed{CustomerName: customer, At: time.Now().UTC()}, checkout)
			if err != nil {
				return err
			}
			placed = e.EventID
			_, err = s.db.events.Append(ctx, tx, runtime.NoStream(), []runtime.Event{e})
			return err
		}
		events := order.Place(customer, "EUR", time.Now().UTC(),
			order.Line{SKU: "tea", Quantity: 1 + n%3, Price: order.Money{Cents: 450, Currency: "EUR"}},
			order.Line{SKU: "cup", Quantity: 1, Price: order.Money{Cents: 1290, Currency: "EUR"}},
		)
		result, err := s.orders.Append(ctx, tx, id, runtime.NoStream(), events, checkout,
			runtime.WithMetadata([]byte(`{"channel":"web","session":`+fmt.Sprint(n)+`}`)))
		if err == nil {
			placed = result.Events[0].EventID
		}
		return err
	})
	if err != nil || n%10 == 9 {
		return err
	}
	because := runtime.WithCausationID(placed.String())
	return s.in(ctx, func(tx Tx) error {
		pay := func(o order.Order) ([]order.Event, error) { return o.Pay("card") }
		if _, err := s.orders.Execute(ctx, tx, id, pay, checkout, because); err != nil {
			return err
		}
		to := order.Address{Street: "High Street 1", City: cities[n%len(cities)], Country: "EU"}
		ship := func(o order.Order) ([]order.Event, error) { return o.Ship("Royal Mail", to) }
		_, err := s.orders.Execute(ctx, tx, id, ship, checkout, because)
		return err
	})
}
