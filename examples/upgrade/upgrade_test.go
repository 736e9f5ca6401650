package upgrade_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	order1 "github.com/eventmap/eventmap/examples/upgrade/release1/domain/order"
	store1 "github.com/eventmap/eventmap/examples/upgrade/release1/orderstore"
	order2 "github.com/eventmap/eventmap/examples/upgrade/release2/domain/order"
	store2 "github.com/eventmap/eventmap/examples/upgrade/release2/orderstore"
	order3 "github.com/eventmap/eventmap/examples/upgrade/release3/domain/order"
	store3 "github.com/eventmap/eventmap/examples/upgrade/release3/orderstore"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// connect returns a store on a database of its own.
func connect(t *testing.T) (*pgxpool.Pool, runtime.Store[*pgxpool.Pool]) {
	t.Helper()
	tables, err := migration.Schema(design.Options{})
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.New(t.Context(), pgtest.New(t, tables))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	store, err := postgres.NewPool()
	if err != nil {
		t.Fatal(err)
	}
	return pool, store
}

func TestUpgrade_thirdReleaseReadsWhatAllStored(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	pool, store := connect(t)
	appended := func(_ runtime.AppendResult, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	first, second, third := store1.NewOrderStore(store), store2.NewOrderStore(store), store3.NewOrderStore(store)

	// One stream lives through all releases.
	appended(first.Append(ctx, pool, "long", runtime.NoStream(), []order1.Event{
		order1.Placed{Customer: "c-1", Street: "Old Street 1", City: "Bonn"},
		order1.ItemAdded{SKU: "tea", Cents: 1000},
		order1.Discounted{Percent: 10},
	}))
	appended(second.Append(ctx, pool, "long", runtime.Exact(3), []order2.Event{
		order2.ItemAdded{SKU: "cup", Cents: 500, Quantity: 2},
		order2.Paid{Cents: 900},
	}))
	appended(third.Append(ctx, pool, "long", runtime.Exact(5), []order3.Event{
		order3.DeliveryChosen{Street: "New Street 2", City: "Köln"},
		order3.PaymentReceived{Cents: 1000},
	}))
	// Others begin with release 2 and 3.
	appended(second.Append(ctx, pool, "later", runtime.NoStream(), []order2.Event{
		order2.Placed{CustomerID: "c-2", Street: "Street 3", City: "Aachen"},
	}))
	appended(third.Append(ctx, pool, "new", runtime.NoStream(), []order3.Event{order3.Placed{CustomerID: "c-3"}}))

	for _, tt := range []struct {
		id      string
		version int64
		want    order3.Order
	}{
		{"long", 7, order3.Order{CustomerID: "c-1", Street: "New Street 2", City: "Köln", Pieces: 3, Cents: 1900, Paid: 1900}},
		{"later", 1, order3.Order{CustomerID: "c-2", Street: "Street 3", City: "Aachen"}},
		{"new", 1, order3.Order{CustomerID: "c-3"}},
	} {
		got, version, err := third.Load(ctx, pool, tt.id)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(tt.want, got); d != "" || version != tt.version {
			t.Errorf("%s: version %d, want %d; order (-want +got):\n%s", tt.id, version, tt.version, d)
		}
	}

	stream, err := third.Read(ctx, pool, "long")
	if err != nil {
		t.Fatal(err)
	}
	var got []order3.Event
	for _, e := range stream.Events {
		got = append(got, e.Event)
	}
	want := []order3.Event{
		order3.PlacedWithAddress{CustomerID: "c-1", Street: "Old Street 1", City: "Bonn"}, // version 1, upcast
		order3.ItemAdded{SKU: "tea", Cents: 1000},
		order3.Discounted{Percent: 10},
		order3.ItemAdded{SKU: "cup", Cents: 500, Quantity: 2},
		order3.PaymentReceived{Cents: 900},
		order3.DeliveryChosen{Street: "New Street 2", City: "Köln"},
		order3.PaymentReceived{Cents: 1000},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
}

// A sample payload is carried from release to release as it was.
func TestUpgrade_samplesAreThoseOfTheReleaseThatAddedTheEvent(t *testing.T) {
	t.Parallel()
	for release, next := range map[string]string{"release1": "release2", "release2": "release3"} {
		samples, err := filepath.Glob(filepath.Join(release, "orderstore/testdata/payloads/*/*.json"))
		if err != nil || len(samples) == 0 {
			t.Fatalf("no samples of %s: %v", release, err)
		}
		for _, sample := range samples {
			then, err := os.ReadFile(sample)
			if err != nil {
				t.Fatal(err)
			}
			now, err := os.ReadFile(next + sample[len(release):])
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(then), string(now)); d != "" {
				t.Errorf("%s in %s (-%s +%s):\n%s", sample, next, release, next, d)
			}
		}
	}
}
