package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	goruntime "runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/examples/shop/customers"
	"github.com/eventmap/eventmap/examples/shop/domain/order"
	"github.com/eventmap/eventmap/examples/shop/shopstore"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// model returns the read model, line by line.
func model[Tx any](t testing.TB, db *database[Tx]) []string {
	t.Helper()
	var lines []string
	var text string
	err := db.in(t.Context(), func(tx Tx) error {
		return db.Query(t.Context(), tx, `select order_id || ' ' || customer || ' ' || currency || ' ' || status from customer_orders
			union all select order_id || ' ' || sku || ' ' || cents from customer_order_lines
			order by 1`, nil, []any{&text}, func() { lines = append(lines, text) })
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// The read model is the same, whether its consumer takes events one by one or in batches of whatever size.
func TestBatchConsumer_keepsTheSameReadModel(t *testing.T) {
	t.Parallel()
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		db, err := openPostgres(t.Context(), pgtest.New(t), true)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(db.close)
		sameModel(t, db)
	})
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		db, err := openSQLite(t.Context(), ":memory:", true)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(db.close)
		sameModel(t, db)
	})
}

func sameModel[Tx any](t *testing.T, db *database[Tx]) {
	random := rand.New(rand.NewPCG(1, 2))
	orders := shopstore.NewOrderStore[Tx](db.events)
	for i := range 40 {
		id := order.ID(fmt.Sprint("order-", i%25))
		events := []order.Event{order.ItemAdded{Line: order.Line{SKU: "tea", Quantity: 1 + random.IntN(3), Price: order.Money{Cents: 450, Currency: "EUR"}}}}
		if i < 25 {
			events = append([]order.Event{order.Placed{Customer: fmt.Sprint("c", i%4), Currency: "EUR", PlacedAt: time.Unix(int64(i), 0).UTC()}}, events...)
		}
		switch random.IntN(5) {
		case 0:
			events = append(events, order.ItemRemoved{SKU: "tea"})
		case 1:
			events = append(events, order.ItemRemoved{SKU: "tea"}, order.ItemAdded{Line: order.Line{SKU: "tea", Quantity: 7, Price: order.Money{Cents: 1, Currency: "EUR"}}})
		case 2:
			events = append(events, order.Paid{Amount: order.Money{Cents: 1, Currency: "EUR"}, Method: "card"})
		case 3:
			events = append(events, order.Shipped{Carrier: "x"}, order.Cancelled{Reason: "lost"})
		}
		err := db.in(t.Context(), func(tx Tx) error {
			_, err := orders.Append(t.Context(), tx, id, runtime.Any(), events)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var want []string
	for _, registration := range []consumer.Registration[Tx]{
		{Consumer: customers.Consumer[Tx](db)},
		{Consumer: customers.BatchConsumer[Tx](db)},
		{Consumer: customers.BatchConsumer[Tx](db), BatchSize: 3},
		{Consumer: customers.BatchConsumer[Tx](db), BatchSize: 1},
	} {
		runner, err := consumer.New(db.checkpoints, consumer.Config{}, registration)
		if err != nil {
			t.Fatal(err)
		}
		if err := runner.RunUntilCaughtUp(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		got := model(t, db)
		if want == nil {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" || len(got) < 25 {
			t.Errorf("batches of %d (-one by one +got):\n%s", registration.BatchSize, diff)
		}
		if err := runner.Reset(t.Context(), customers.Name, func(ctx context.Context, tx Tx) error { return customers.Clear(ctx, db, tx) }); err != nil {
			t.Fatal(err)
		}
	}
}

// fillOrders appends so many events of orders, four each, faster than a store could.
const fillOrders = `with orders as (
	select gen_random_uuid()::text as id, n from generate_series(1, $1::int / 4) as n
), heads as (
	insert into aggregate_heads (aggregate_type, aggregate_id, aggregate_version) select 'Order', id, 4 from orders
)
insert into events (aggregate_type, aggregate_id, aggregate_version, event_id, event_type, event_version, payload, created_at)
select 'Order', o.id, e.version, gen_random_uuid(), e.type, e.event_version, convert_to(e.payload, 'UTF8'), now()
from orders as o
cross join lateral (values
	(1, 'Placed', 2, format('{"customer": "customer-%s", "currency": "EUR", "placedAt": "2026-03-02T00:00:00Z"}', o.n % 1000)),
	(2, 'ItemAdded', 1, '{"line": {"sku": "tea", "quantity": 3, "price": {"cents": 450, "currency": "EUR"}}}'),
	(3, 'ItemAdded', 1, '{"line": {"sku": "cup", "quantity": 1, "price": {"cents": 1290, "currency": "EUR"}}}'),
	(4, 'Paid', 1, '{"amount": {"cents": 2640, "currency": "EUR"}, "method": "card"}')
) as e (version, type, event_version, payload)
order by o.n, e.version`

// A rebuild of the read model from a million events, by a consumer that takes them one by one, for a while, and by one that
// takes batches. SHOP_EVENTS is another number of events.
func BenchmarkRebuild(b *testing.B) {
	n := 1_000_000
	if text := os.Getenv("SHOP_EVENTS"); text != "" {
		if _, err := fmt.Sscan(text, &n); err != nil {
			b.Fatal(err)
		}
	}
	db, err := openPostgres(b.Context(), pgtest.New(b), true)
	if err != nil {
		b.Fatal(err)
	}
	defer db.close()
	err = db.in(b.Context(), func(tx pgx.Tx) error {
		_, err := tx.Exec(b.Context(), fillOrders, n)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	for _, settle := range []string{"analyze events", "checkpoint"} { // what the filling has left to do is not measured
		if err := db.in(b.Context(), func(tx pgx.Tx) error {
			_, err := tx.Exec(b.Context(), settle)
			return err
		}); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		one, _ := rebuildRate(b, db, consumer.Registration[pgx.Tx]{Consumer: customers.Consumer[pgx.Tx](db)}, 10*time.Second)
		bare, _ := rebuildRate(b, db, consumer.Registration[pgx.Tx]{Consumer: customers.Consumer[pgx.Tx](db), Transactional: true}, 10*time.Second)
		many, heap := rebuildRate(b, db, consumer.Registration[pgx.Tx]{Consumer: customers.BatchConsumer[pgx.Tx](db), BatchSize: 5000}, time.Hour)
		b.ReportMetric(one, "one-by-one-events/s")
		b.ReportMetric(many, "batches-events/s")
		b.ReportMetric(many/one, "ratio")
		b.ReportMetric(bare, "transactional-events/s") // one by one, without savepoints
		b.ReportMetric(many/bare, "ratio-to-transactional")
		b.ReportMetric(heap, "heap-MiB")
	}
	b.ReportMetric(0, "ns/op") // of no meaning here
}

// rebuildRate rebuilds the read model for so long at most and returns how many positions a second that were, and by how many
// MiB the heap grew.
func rebuildRate(b *testing.B, db *database[pgx.Tx], registration consumer.Registration[pgx.Tx], most time.Duration) (rate, heap float64) {
	b.Helper()
	runner, err := consumer.New(db.checkpoints, consumer.Config{}, registration)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.Context(), most)
	defer cancel()
	var before goruntime.MemStats
	goruntime.GC()
	goruntime.ReadMemStats(&before)
	var peak atomic.Uint64
	watching := make(chan struct{})
	go func() {
		for {
			select {
			case <-watching:
				return
			case <-time.After(100 * time.Millisecond):
				var now goruntime.MemStats
				goruntime.ReadMemStats(&now)
				peak.Store(max(peak.Load(), now.HeapInuse))
			}
		}
	}()
	began := time.Now()
	err = runner.RunUntilCaughtUp(ctx, nil)
	took := time.Since(began)
	close(watching)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		b.Fatal(err)
	}
	statuses, err := runner.Status(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	rate = float64(statuses[0].Segments[0].Position) / took.Seconds()
	err = runner.Reset(b.Context(), customers.Name, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "truncate customer_order_lines, customer_orders")
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return rate, (float64(peak.Load()) - float64(before.HeapInuse)) / (1 << 20)
}
