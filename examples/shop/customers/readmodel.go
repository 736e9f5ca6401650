// Package customers is a read model of the shop: the orders of each customer, which no single stream knows. A consumer keeps
// it up to date with the events of orders.
package customers

import (
	"context"
	_ "embed"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/examples/shop/domain/order"
	"github.com/eventmap/eventmap/examples/shop/shopstore"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// Name is the name of the consumer.
const Name = "customers"

// Tables is the SQL of the tables of the read model.
//
//go:embed tables.sql
var Tables string

//go:embed summary.sql
var summary string

// Consumer returns the consumer that keeps the read model. The tables have to exist.
func Consumer() consumer.ScopedConsumer[pgx.Tx] {
	return shopstore.NewOrderConsumer(Name, shopstore.OrderHandler[pgx.Tx](readModel{}))
}

// Clear empties the read model, for a rebuild.
func Clear(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, "truncate customer_orders, customer_order_lines")
	return err
}

// readModel handles every event of an order: one that is added to the domain does not compile before somebody has decided
// what it means here. It writes with the transaction in which the checkpoint moves, so each event counts exactly once.
type readModel struct{}

// OnPlaced adds the order.
func (readModel) OnPlaced(ctx context.Context, tx pgx.Tx, e order.Placed, m runtime.Meta) error {
	_, err := tx.Exec(ctx, "insert into customer_orders (order_id, customer, currency, placed_at) values ($1, $2, $3, $4)",
		m.AggregateID, e.Customer, e.Currency, e.PlacedAt)
	return err
}

// OnItemAdded adds what the line costs.
func (readModel) OnItemAdded(ctx context.Context, tx pgx.Tx, e order.ItemAdded, m runtime.Meta) error {
	_, err := tx.Exec(ctx, `insert into customer_order_lines (order_id, sku, cents) values ($1, $2, $3)
		on conflict (order_id, sku) do update set cents = customer_order_lines.cents + excluded.cents`,
		m.AggregateID, e.Line.SKU, int64(e.Line.Quantity)*e.Line.Price.Cents)
	return err
}

// OnItemRemoved removes the line.
func (readModel) OnItemRemoved(ctx context.Context, tx pgx.Tx, e order.ItemRemoved, m runtime.Meta) error {
	_, err := tx.Exec(ctx, "delete from customer_order_lines where order_id = $1 and sku = $2", m.AggregateID, e.SKU)
	return err
}

// OnPaid notes the payment.
func (readModel) OnPaid(ctx context.Context, tx pgx.Tx, _ order.Paid, m runtime.Meta) error {
	return setStatus(ctx, tx, m, "paid")
}

// OnShipped notes that the order is done.
func (readModel) OnShipped(ctx context.Context, tx pgx.Tx, _ order.Shipped, m runtime.Meta) error {
	return setStatus(ctx, tx, m, "shipped")
}

// OnCancelled notes that nothing comes of the order.
func (readModel) OnCancelled(ctx context.Context, tx pgx.Tx, _ order.Cancelled, m runtime.Meta) error {
	return setStatus(ctx, tx, m, "cancelled")
}

func setStatus(ctx context.Context, tx pgx.Tx, m runtime.Meta, status string) error {
	_, err := tx.Exec(ctx, "update customer_orders set status = $2 where order_id = $1", m.AggregateID, status)
	return err
}

// A Customer is what the read model says of one customer.
type Customer struct {
	ID     string
	Orders int
	Open   int
	Spent  order.Money
}

// First returns the n customers who have been with the shop for the longest.
func First(ctx context.Context, tx pgx.Tx, n int) ([]Customer, error) {
	rows, err := tx.Query(ctx, summary, n)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c Customer, err error) {
		err = row.Scan(&c.ID, &c.Orders, &c.Open, &c.Spent.Cents, &c.Spent.Currency)
		return c, err
	})
}
