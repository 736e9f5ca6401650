package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// orderEvent returns an event of an order, as generated code makes it.
func orderEvent(id, eventType, payload string) runtime.Event {
	return runtime.Event{
		AggregateType: "Order",
		AggregateID:   id,
		EventType:     eventType,
		EventVersion:  1,
		EventID:       uuid.New(),
		Payload:       []byte(payload),
	}
}

// Events are appended and read in the caller's transaction.
func Example() {
	ctx := context.Background()
	pool, drop := examplePool()
	defer drop()

	store, err := postgres.New()
	if err != nil {
		log.Fatal(err)
	}
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		_, err := store.Append(ctx, tx, runtime.NoStream(), []runtime.Event{
			orderEvent("42", "Placed", `{"customer":"Ada"}`),
			orderEvent("42", "Paid", `{"amount":1995}`),
		})
		return err // nil commits
	})
	if err != nil {
		log.Fatal(err)
	}
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		stream, err := store.ReadAggregateStream(ctx, tx, "Order", "42", nil, nil)
		for _, e := range stream.Events {
			fmt.Println(e.AggregateVersion, e.EventType, string(e.Payload))
		}
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// 1 Placed {"customer":"Ada"}
	// 2 Paid {"amount":1995}
}

// A conflict says where the stream is, and the transaction goes on.
func ExampleStore_Append_conflict() {
	ctx := context.Background()
	pool, drop := examplePool()
	defer drop()
	store, err := postgres.New()
	if err != nil {
		log.Fatal(err)
	}
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := store.Append(ctx, tx, runtime.NoStream(), []runtime.Event{orderEvent("42", "Placed", "{}")}); err != nil {
			return err
		}
		_, err := store.Append(ctx, tx, runtime.NoStream(), []runtime.Event{orderEvent("42", "Placed", "{}")})
		fmt.Println(err)

		var conflict *runtime.ConflictError
		if errors.As(err, &conflict) {
			_, err = store.Append(ctx, tx, runtime.Exact(conflict.Actual), []runtime.Event{orderEvent("42", "Amended", "{}")})
		}
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// append to Order "42": Order "42" is at version 1, expected no stream
}

// When the connection is lost during the commit, nobody knows whether the events are stored. They are appended again, the
// same ones with the same IDs at the same expected version, and are stored once either way.
func Example_lostCommit() {
	ctx := context.Background()
	pool, drop := examplePool()
	defer drop()
	store, err := postgres.New()
	if err != nil {
		log.Fatal(err)
	}

	// Made before the loop, so that each attempt appends the same.
	events := []runtime.Event{orderEvent("42", "Placed", "{}")}
	for attempt := 1; ; attempt++ {
		err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			result, err := store.Append(ctx, tx, runtime.NoStream(), events)
			fmt.Printf("attempt %d: version %d, already stored: %v\n", attempt, result.ToVersion(), result.AlreadyStored)
			return err
		})
		if attempt == 1 {
			err = errors.New("connection lost") // as if the answer to the commit had not come
		}
		if err == nil {
			break
		}
	}
	// Output:
	// attempt 1: version 1, already stored: false
	// attempt 2: version 1, already stored: true
}

// A consumer keeps the position of the last event that it has handled, in the transaction in which it handles it.
func ExampleStore_ReadEvents() {
	ctx := context.Background()
	pool, drop := examplePool()
	defer drop()
	store, err := postgres.NewPool()
	if err != nil {
		log.Fatal(err)
	}
	for _, id := range []string{"1", "2", "3"} {
		if _, err := store.Append(ctx, pool, runtime.NoStream(), []runtime.Event{orderEvent(id, "Placed", "{}")}); err != nil {
			log.Fatal(err)
		}
	}
	checkpoint := int64(0)
	for {
		events, err := store.ReadEvents(ctx, pool, checkpoint, 2)
		if err != nil {
			log.Fatal(err)
		}
		if len(events) == 0 {
			break // nothing more for now
		}
		for _, e := range events {
			fmt.Println(e.GlobalPosition, e.AggregateID, e.EventType)
			checkpoint = e.GlobalPosition
		}
	}
	// Output:
	// 1 1 Placed
	// 2 2 Placed
	// 3 3 Placed
}

// Iterators read logs of any length in flat memory.
func ExampleStore_LogEvents() {
	ctx := context.Background()
	pool, drop := examplePool()
	defer drop()
	store, err := postgres.NewPool()
	if err != nil {
		log.Fatal(err)
	}
	for _, eventType := range []string{"Placed", "Paid", "Shipped"} {
		if _, err := store.Append(ctx, pool, runtime.Any(), []runtime.Event{orderEvent("42", eventType, "{}")}); err != nil {
			log.Fatal(err)
		}
	}
	for e, err := range store.LogEvents(ctx, pool, runtime.LogQuery{EventTypes: []string{"Placed", "Shipped"}}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(e.EventType)
	}
	// Output:
	// Placed
	// Shipped
}

// Several streams change together or not at all.
func ExampleStore_AppendStreams() {
	ctx := context.Background()
	pool, drop := examplePool()
	defer drop()
	store, err := postgres.NewPool()
	if err != nil {
		log.Fatal(err)
	}
	order, invoice := orderEvent("42", "Paid", "{}"), orderEvent("7", "Issued", "{}")
	invoice.AggregateType = "Invoice"
	results, err := store.AppendStreams(ctx, pool,
		runtime.StreamAppend{Expected: runtime.Any(), Events: []runtime.Event{order}},
		runtime.StreamAppend{Expected: runtime.NoStream(), Events: []runtime.Event{invoice}},
	)
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range results {
		e := r.Events[0]
		fmt.Println(e.AggregateType, e.AggregateID, e.EventType, "at version", r.ToVersion())
	}
	// Output:
	// Order 42 Paid at version 1
	// Invoice 7 Issued at version 1
}

// An order is discounted because a customer is who she is. Should she change meanwhile, the discount is not stored.
func ExampleStore_AppendStreams_guard() {
	ctx := context.Background()
	pool, drop := examplePool()
	defer drop()
	store, err := postgres.NewPool()
	if err != nil {
		log.Fatal(err)
	}
	change := func(name string) runtime.Event {
		e := orderEvent("ada", name, "{}")
		e.AggregateType = "Customer"
		return e
	}
	registered, err := store.Append(ctx, pool, runtime.NoStream(), []runtime.Event{change("Registered")})
	if err != nil {
		log.Fatal(err)
	}
	discount := func(order string) error {
		_, err := store.AppendStreams(ctx, pool,
			runtime.StreamAppend{Expected: runtime.NoStream(), Events: []runtime.Event{orderEvent(order, "Discounted", "{}")}},
			runtime.Guard("Customer", "ada", runtime.Exact(registered.ToVersion())),
		)
		return err
	}
	fmt.Println(discount("42"))
	if _, err := store.Append(ctx, pool, runtime.Any(), []runtime.Event{change("Blocked")}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(discount("43"))
	// Output:
	// <nil>
	// append to 2 streams: Customer "ada" is at version 2, expected version 1
}

// The same store serves database/sql.
func ExampleNewSQL() {
	ctx := context.Background()
	pool, drop := examplePool()
	defer drop()
	db := stdlib.OpenDBFromPool(pool) // or sql.Open("pgx", address)
	defer func() { _ = db.Close() }()

	store, err := postgres.NewSQL()
	if err != nil {
		log.Fatal(err)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	result, err := store.Append(ctx, tx, runtime.Any(), []runtime.Event{orderEvent("42", "Placed", "{}")})
	if err != nil {
		log.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		log.Fatal(err)
	}
	fmt.Println("version", result.ToVersion())
	// Output:
	// version 1
}

// Check says at start-up what would else go wrong at the first append.
func ExampleCheck() {
	ctx := context.Background()
	pool, drop := examplePool()
	defer drop()
	fmt.Println(postgres.Check(ctx, pool))
	fmt.Println(postgres.Check(ctx, pool, postgres.WithEventsTable("shop.events")))
	// Output:
	// <nil>
	// table shop.events is missing; create it with the SQL that `migrate-gen --events-table shop.events --aggregate-heads-table shop.aggregate_heads` writes
	// table shop.aggregate_heads is missing; create it with the SQL that `migrate-gen --events-table shop.events --aggregate-heads-table shop.aggregate_heads` writes
}
