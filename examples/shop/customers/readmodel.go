// Package customers is a read model of the shop: the orders of each customer, which no single stream knows. A consumer keeps
// it up to date with the events of orders. Its SQL runs on PostgreSQL and on SQLite.
package customers

import (
	"context"
	_ "embed"

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

// SQL runs statements in transactions of one kind. Their parameters are $1, $2 and so on.
type SQL[Tx any] interface {
	Exec(ctx context.Context, tx Tx, statement string, args ...any) error
	// Query calls row after each row was scanned into dest.
	Query(ctx context.Context, tx Tx, statement string, args, dest []any, row func()) error
	Dialect() Dialect
}

// A Dialect is where the SQL of databases differs.
type Dialect struct {
	Rows string // the elements of the JSON array $1, in a column named value
	Time string // the type that the text of a time is cast to
}

// Consumer returns the consumer that keeps the read model. The tables have to exist.
func Consumer[Tx any](db SQL[Tx]) consumer.ScopedConsumer[Tx] {
	return shopstore.NewOrderConsumer(Name, shopstore.OrderHandler[Tx](readModel[Tx]{db}))
}

// Clear empties the read model, for a rebuild.
func Clear[Tx any](ctx context.Context, db SQL[Tx], tx Tx) error {
	if err := db.Exec(ctx, tx, "delete from customer_order_lines"); err != nil {
		return err
	}
	return db.Exec(ctx, tx, "delete from customer_orders")
}

// readModel handles every event of an order: one that is added to the domain does not compile before somebody has decided
// what it means here. It writes with the transaction in which the checkpoint moves, so each event counts exactly once.
type readModel[Tx any] struct{ db SQL[Tx] }

// OnPlaced adds the order.
func (r readModel[Tx]) OnPlaced(ctx context.Context, tx Tx, e order.Placed, m runtime.Meta) error {
	return r.db.Exec(ctx, tx, "insert into customer_orders (order_id, customer, currency, placed_at) values ($1, $2, $3, $4)",
		m.AggregateID, e.Customer, e.Currency, e.PlacedAt)
}

// OnItemAdded adds what the line costs.
func (r readModel[Tx]) OnItemAdded(ctx context.Context, tx Tx, e order.ItemAdded, m runtime.Meta) error {
	return r.db.Exec(ctx, tx, `insert into customer_order_lines (order_id, sku, cents) values ($1, $2, $3)
		on conflict (order_id, sku) do update set cents = customer_order_lines.cents + excluded.cents`,
		m.AggregateID, e.Line.SKU, int64(e.Line.Quantity)*e.Line.Price.Cents)
}

// OnItemRemoved removes the line.
func (r readModel[Tx]) OnItemRemoved(ctx context.Context, tx Tx, e order.ItemRemoved, m runtime.Meta) error {
	return r.db.Exec(ctx, tx, "delete from customer_order_lines where order_id = $1 and sku = $2", m.AggregateID, e.SKU)
}

// OnPaid notes the payment.
func (r readModel[Tx]) OnPaid(ctx context.Context, tx Tx, _ order.Paid, m runtime.Meta) error {
	return r.setStatus(ctx, tx, m, "paid")
}

// OnShipped notes that the order is done.
func (r readModel[Tx]) OnShipped(ctx context.Context, tx Tx, _ order.Shipped, m runtime.Meta) error {
	return r.setStatus(ctx, tx, m, "shipped")
}

// OnCancelled notes that nothing comes of the order.
func (r readModel[Tx]) OnCancelled(ctx context.Context, tx Tx, _ order.Cancelled, m runtime.Meta) error {
	return r.setStatus(ctx, tx, m, "cancelled")
}

func (r readModel[Tx]) setStatus(ctx context.Context, tx Tx, m runtime.Meta, status string) error {
	return r.db.Exec(ctx, tx, "update customer_orders set status = $2 where order_id = $1", m.AggregateID, status)
}

// A Customer is what the read model says of one customer.
type Customer struct {
	ID     string
	Orders int
	Open   int
	Spent  order.Money
}

// First returns the n customers who have been with the shop for the longest.
func First[Tx any](ctx context.Context, db SQL[Tx], tx Tx, n int) ([]Customer, error) {
	var all []Customer
	var c Customer
	dest := []any{&c.ID, &c.Orders, &c.Open, &c.Spent.Cents, &c.Spent.Currency}
	err := db.Query(ctx, tx, summary, []any{n}, dest, func() { all = append(all, c) })
	return all, err
}
