// Package totals is a read model: what each customer has ordered.
package totals

import (
	"context"
	"errors"

	"example.com/shop/domain/order"
	"example.com/shop/eventstore"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// Name is the name of the consumer.
const Name = "totals"

// Table is the SQL of the table of the read model.
const Table = `create table totals (customer text primary key, cents bigint not null, orders bigint not null)`

// Exec runs a statement in a transaction.
type Exec[Tx any] func(ctx context.Context, tx Tx, statement string, args ...any) error

// Consumer returns the consumer that keeps the read model. It has no exchange rates: orders in other currencies fail.
func Consumer[Tx any](exec Exec[Tx]) consumer.ScopedConsumer[Tx] {
	return eventstore.NewOrderConsumer(Name, eventstore.OrderHandlerFuncs[Tx]{
		Placed: func(ctx context.Context, tx Tx, e order.Placed, _ runtime.Meta) error {
			if e.Currency != "EUR" {
				return errors.New("no rate for " + e.Currency)
			}
			return exec(ctx, tx, `insert into totals values ($1, $2, 1)
on conflict (customer) do update set cents = totals.cents + excluded.cents, orders = totals.orders + 1`, e.Customer, e.Cents)
		},
	})
}
