package main

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/examples/api/domain/order"
	"github.com/eventmap/eventmap/examples/api/domain/stock"
	"github.com/eventmap/eventmap/examples/api/eventstore"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// runner returns what runs the process. An order that cannot be handled is parked: it keeps no other order waiting.
func (s *service) runner() (*consumer.Runner[pgx.Tx], error) {
	db, err := postgres.NewConsumers(s.pool)
	if err != nil {
		return nil, err
	}
	return consumer.New(db, consumer.Config{}, consumer.Registration[pgx.Tx]{
		Consumer: eventstore.NewOrderConsumer[pgx.Tx]("fulfilment", fulfilment{s}),
		Policy:   consumer.Park,
	})
}

// A fulfilment is the process between orders and stock: an order that is placed reserves its articles and is confirmed, or is
// rejected; one that is cancelled gives them back.
//
// What it appends commits with its checkpoint, so it happens exactly once. It also decides on the state of both sides as it is
// now, so the log may be handled again from its beginning ([consumer.Runner.Reset]) without anything happening twice.
type fulfilment struct{ *service }

// OnPlaced reserves the articles of an order that still waits for them, and tells the order.
func (f fulfilment) OnPlaced(ctx context.Context, tx pgx.Tx, e order.Placed, m runtime.Meta) error {
	id := eventstore.OrderIDOf(m)
	o, _, err := f.orders.Load(ctx, tx, id)
	if err != nil || o.Status != order.StatusPlaced {
		return err
	}
	reserve := func(s stock.Stock) ([]stock.Event, error) { return s.Reserve(id, e.Quantity) }
	answer := order.Order.Confirm
	_, err = f.stocks.Execute(ctx, tx, stock.Article(e.Article), reserve, runtime.CausedBy(m))
	if few, ok := errors.AsType[*stock.TooFew](err); ok {
		answer, err = func(o order.Order) ([]order.Event, error) { return o.Reject(few.Error()) }, nil
	}
	if err != nil {
		return err
	}
	_, err = f.orders.Execute(ctx, tx, id, answer, runtime.CausedBy(m))
	return err
}

// OnCancelled gives back what the order has reserved.
func (f fulfilment) OnCancelled(ctx context.Context, tx pgx.Tx, _ order.Cancelled, m runtime.Meta) error {
	id := eventstore.OrderIDOf(m)
	o, _, err := f.orders.Load(ctx, tx, id)
	if err != nil {
		return err
	}
	release := func(s stock.Stock) ([]stock.Event, error) { return s.Release(id) }
	_, err = f.stocks.Execute(ctx, tx, stock.Article(o.Article), release, runtime.CausedBy(m))
	return err
}

// OnConfirmed has nothing to do: the process itself confirms.
func (fulfilment) OnConfirmed(context.Context, pgx.Tx, order.Confirmed, runtime.Meta) error {
	return nil
}

// OnRejected has nothing to do: nothing was reserved.
func (fulfilment) OnRejected(context.Context, pgx.Tx, order.Rejected, runtime.Meta) error { return nil }
