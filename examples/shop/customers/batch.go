package customers

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/eventmap/eventmap/examples/shop/domain/order"
	"github.com/eventmap/eventmap/examples/shop/shopstore"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// BatchConsumer returns a consumer that keeps the same read model as [Consumer] with few statements for many events: it works
// out what all events of a batch come to and then writes that. It rebuilds the read model several times as fast.
func BatchConsumer[Tx any](db SQL[Tx]) consumer.BatchConsumer[Tx] {
	return shopstore.NewOrderBatchConsumer(Name, func(ctx context.Context, tx Tx, events []runtime.Recorded[shopstore.OrderEvent]) error {
		c := changes{placed: map[string]int{}, status: map[string]string{}, lines: map[line]*lineChange{}}
		for _, e := range events {
			if err := c.add(e.Event, e.Meta); err != nil {
				return &consumer.EventError{Position: e.Meta.GlobalPosition, Err: err}
			}
		}
		return write(ctx, db, tx, c)
	})
}

// changes are what events come to.
type changes struct {
	orders []placedOrder
	placed map[string]int    // which of orders an order is that was placed in the batch
	status map[string]string // of orders that were placed before
	lines  map[line]*lineChange
}

type placedOrder struct {
	ID       string    `json:"id"`
	Customer string    `json:"customer"`
	Currency string    `json:"currency"`
	PlacedAt time.Time `json:"placed_at"`
	Status   string    `json:"status"`
}

// A line is that of a product in an order.
type line struct {
	Order string `json:"order"`
	SKU   string `json:"sku"`
}

// A lineChange is what becomes of a line: it is removed, and then cents are added, if any were.
type lineChange struct {
	removed, added bool
	cents          int64
}

// add adds what an event changes.
func (c *changes) add(event shopstore.OrderEvent, m runtime.Meta) error {
	switch e := event.(type) {
	case order.Placed:
		c.placed[m.AggregateID] = len(c.orders)
		c.orders = append(c.orders, placedOrder{m.AggregateID, e.Customer, e.Currency, e.PlacedAt, "open"})
	case order.ItemAdded:
		l := c.line(m, e.Line.SKU)
		l.added, l.cents = true, l.cents+int64(e.Line.Quantity)*e.Line.Price.Cents
	case order.ItemRemoved:
		*c.line(m, e.SKU) = lineChange{removed: true}
	case order.Paid:
		c.setStatus(m, "paid")
	case order.Shipped:
		c.setStatus(m, "shipped")
	case order.Cancelled:
		c.setStatus(m, "cancelled")
	default:
		return fmt.Errorf("%T means nothing to this read model", event)
	}
	return nil
}

func (c *changes) line(m runtime.Meta, sku order.SKU) *lineChange {
	key := line{m.AggregateID, string(sku)}
	if c.lines[key] == nil {
		c.lines[key] = new(lineChange)
	}
	return c.lines[key]
}

func (c *changes) setStatus(m runtime.Meta, status string) {
	if i, now := c.placed[m.AggregateID]; now {
		c.orders[i].Status = status
		return
	}
	c.status[m.AggregateID] = status
}

// write writes changes, with one statement for each kind that there is. Rows go as a JSON array, which both databases read.
func write[Tx any](ctx context.Context, db SQL[Tx], tx Tx, c changes) error {
	type status struct {
		ID     string `json:"id"`
		Status string `json:"status"`
	}
	type addition struct {
		line
		Cents int64 `json:"cents"`
	}
	var statuses []status
	var removed []line
	var added []addition
	for id, s := range c.status {
		statuses = append(statuses, status{id, s})
	}
	for key, l := range c.lines {
		if l.removed {
			removed = append(removed, key)
		}
		if l.added {
			added = append(added, addition{key, l.cents})
		}
	}
	return firstError(
		func() error {
			return exec(ctx, db, tx, `insert into customer_orders (order_id, customer, currency, placed_at, status)
				select value ->> 'id', value ->> 'customer', value ->> 'currency', cast(value ->> 'placed_at' as {time}), value ->> 'status'
				from {rows}`, c.orders)
		},
		func() error {
			return exec(ctx, db, tx, `update customer_orders set status = value ->> 'status'
				from {rows} where order_id = value ->> 'id'`, statuses)
		},
		func() error {
			return exec(ctx, db, tx, `delete from customer_order_lines
				where (order_id, sku) in (select value ->> 'order', value ->> 'sku' from {rows})`, removed)
		},
		func() error {
			return exec(ctx, db, tx, `insert into customer_order_lines (order_id, sku, cents)
				select value ->> 'order', value ->> 'sku', cast(value ->> 'cents' as bigint)
				from {rows} where true
				on conflict (order_id, sku) do update set cents = customer_order_lines.cents + excluded.cents`, added)
		},
	)
}

// firstError calls functions until one returns an error.
func firstError(calls ...func() error) error {
	for _, call := range calls {
		if err := call(); err != nil {
			return err
		}
	}
	return nil
}

// exec runs a statement over rows, unless there are none.
func exec[Tx, Row any](ctx context.Context, db SQL[Tx], tx Tx, statement string, rows []Row) error {
	if len(rows) == 0 {
		return nil
	}
	array, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	d := db.Dialect()
	return db.Exec(ctx, tx, strings.NewReplacer("{rows}", d.Rows, "{time}", d.Time).Replace(statement), string(array))
}
