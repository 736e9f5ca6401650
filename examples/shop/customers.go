package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/examples/shop/customers"
	"github.com/eventmap/eventmap/examples/shop/domain/order"
	"github.com/eventmap/eventmap/examples/shop/shopstore"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// project brings the read model of customers up to date and shows it. An application does the same with Run, for as long as
// it lives, in any number of processes.
func (s *shop[Tx]) project(ctx context.Context, user string) error {
	s.say("A consumer turns the events of all orders into the orders of each customer.")
	runner, err := s.consumers()
	if err != nil {
		return err
	}
	if err := runner.RunUntilCaughtUp(ctx, nil); err != nil {
		return err
	}
	return s.showCustomers(ctx, user)
}

// consumers returns the runner of the shop's consumers.
func (s *shop[Tx]) consumers() (*consumer.Runner[Tx], error) {
	return consumer.New(s.db.checkpoints, consumer.Config{}, consumer.Registration[Tx]{
		Consumer: customers.BatchConsumer[Tx](s.db), Segments: 2, BatchSize: 2000,
	})
}

func (s *shop[Tx]) showCustomers(ctx context.Context, user string) error {
	return s.in(ctx, func(tx Tx) error {
		found, err := customers.First(ctx, s.db, tx, 2)
		for _, c := range found {
			name := c.ID
			if c.ID == user {
				name = "Ada"
			}
			s.say("  %s: %d orders, %d of them open, %s", name, c.Orders, c.Open, c.Spent)
		}
		return err
	})
}

// rebuild empties the read model and makes it again from a log that has grown meanwhile.
func (s *shop[Tx]) rebuild(ctx context.Context, user string) error {
	const orders = 5000
	s.say("%d more orders come in, and the read model is made again from the beginning.", orders)
	if err := s.placeMany(ctx, orders, user); err != nil {
		return err
	}
	runner, err := s.consumers()
	if err != nil {
		return err
	}
	err = runner.Reset(ctx, customers.Name, func(ctx context.Context, tx Tx) error { return customers.Clear(ctx, s.db, tx) })
	if err != nil {
		return err
	}
	err = runner.RunUntilCaughtUp(ctx, func(p consumer.Progress) {
		if p.Done() {
			s.say("  done")
		} else {
			s.say("  %3d %%, %.0f positions a second, %s left", 100*p.Position/p.Target, p.Rate, p.Left.Round(time.Millisecond))
		}
	})
	if err != nil {
		return err
	}
	return s.showCustomers(ctx, user)
}

// placeMany places so many orders, 500 in each transaction and round trip.
func (s *shop[Tx]) placeMany(ctx context.Context, orders int, customer string) error {
	const together = 500
	for placed := 0; placed < orders; placed += together {
		appends := make([]runtime.StreamAppend, min(together, orders-placed))
		for i := range appends {
			e, err := shopstore.ToOrderPlacedV2(shopstore.OrderType, uuid.NewString(), order.Placed{
				Customer: customer, Currency: "EUR", PlacedAt: time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC),
			})
			if err != nil {
				return err
			}
			appends[i] = runtime.StreamAppend{Expected: runtime.NoStream(), Events: []runtime.Event{e}}
		}
		err := s.in(ctx, func(tx Tx) error {
			_, err := s.db.events.AppendStreams(ctx, tx, appends...)
			return err
		})
		if err != nil {
			return fmt.Errorf("place orders: %w", err)
		}
	}
	return nil
}
