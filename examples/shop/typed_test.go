package main

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/examples/shop/domain/order"
	"github.com/eventmap/eventmap/examples/shop/shopstore"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// newShop returns a pool on a database with the shop's tables.
func newShop(t testing.TB) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(context.Background(), pgtest.New(t, postgresMigration))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// A generated store takes a group like any other store: it is its own transaction.
func TestOrderStore_takesAGroup(t *testing.T) {
	t.Parallel()
	group, err := postgres.NewGroup(newShop(t))
	if err != nil {
		t.Fatal(err)
	}
	const customers = 20
	orders := shopstore.NewOrderStore(group, runtime.WithMaxAttempts(customers+1)) // the slowest loses to all others
	var wg sync.WaitGroup
	for range customers {
		wg.Go(func() {
			_, err := orders.Execute(t.Context(), group, "42", func(o order.Order) ([]order.Event, error) {
				if o.Customer == "" {
					return order.Place("ada", "EUR", time.Now(), order.Line{SKU: "tea", Quantity: 1}), nil
				}
				return []order.Event{order.ItemAdded{Line: order.Line{SKU: "cup", Quantity: 1}}}, nil
			}, runtime.WithCorrelationID("request"))
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := group.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	state, version, err := orders.Load(t.Context(), group, "42")
	if err != nil || version != customers+1 || state.Customer != "ada" {
		t.Errorf("version %d, %+v, %v; want version %d", version, state, err, customers+1)
	}
}

// BenchmarkTyped compares what is read and handled by generated JSON with the same by encoding/json, alternating, and reports
// the median of how many times as fast it is.
func BenchmarkTyped(b *testing.B) {
	const length = 1000
	pool := newShop(b)
	store, err := postgres.NewPool()
	if err != nil {
		b.Fatal(err)
	}
	events := []order.Event{order.Placed{Customer: "c-104857", Currency: "EUR", PlacedAt: time.Date(2026, 3, 1, 12, 30, 15, 123456000, time.UTC)}}
	for len(events) < length {
		events = append(events,
			order.ItemAdded{Line: order.Line{SKU: "A-1", Quantity: 2, Price: order.Money{Cents: 1995, Currency: "EUR"}}},
			order.Paid{Amount: order.Money{Cents: 3990, Currency: "EUR"}, Method: "card"},
			order.Shipped{Carrier: "DHL", Parcel: "JJD0001", To: order.Address{Street: "Main Street 1", City: "Berlin", Country: "DE"}})
	}
	if _, err := shopstore.NewOrderStore(store).Append(b.Context(), pool, "42", runtime.NoStream(), events[:length]); err != nil {
		b.Fatal(err)
	}
	log, err := store.ReadEvents(b.Context(), pool, 0, length)
	if err != nil || len(log) != length {
		b.Fatal(len(log), err)
	}
	read := func(opts ...runtime.Option) func() {
		orders := shopstore.NewOrderStore(store, opts...)
		return func() {
			if s, err := orders.Read(b.Context(), pool, "42"); err != nil || s.Len() != length {
				b.Fatal(s.Len(), err)
			}
		}
	}
	handle := func(opts ...runtime.Option) func() {
		h := shopstore.OrderHandlerFuncs[*pgxpool.Pool]{}
		return func() {
			for i := range log {
				if err := shopstore.HandleOrder(b.Context(), pool, log[i], h, opts...); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	byJSON := runtime.WithCodec(runtime.JSONCodec{})
	for _, row := range []struct {
		name            string
		generated, json func()
	}{
		{"read", read(), read(byJSON)},
		{"handle", handle(), handle(byJSON)},
	} {
		b.Run(row.name, func(b *testing.B) {
			measure := func(side func()) float64 {
				start := time.Now()
				side()
				return float64(time.Since(start)) / length
			}
			var ours, theirs, ratios []float64
			for b.Loop() {
				g, j := measure(row.generated), measure(row.json)
				ours, theirs, ratios = append(ours, g), append(theirs, j), append(ratios, j/g)
			}
			for unit, figures := range map[string][]float64{"ns/generated": ours, "ns/encoding-json": theirs, "x-encoding-json": ratios} {
				slices.Sort(figures)
				b.ReportMetric(figures[len(figures)/2], unit)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}
