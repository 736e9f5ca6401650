package inspect_test

import (
	"context"
	"fmt"
	"log"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/inspect"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// The log is read newest first, a page at a time.
func Example() {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, ":memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := sqlite.Migrate(ctx, db); err != nil {
		log.Fatal(err)
	}
	store, err := sqlite.New()
	if err != nil {
		log.Fatal(err)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, order := range []string{"1", "2", "3"} {
		_, err := store.Append(ctx, tx, runtime.NoStream(), []runtime.Event{{
			AggregateType: "Order", AggregateID: order, EventType: "Placed", EventVersion: 1, EventID: uuid.New(), Payload: []byte("{}"),
		}})
		if err != nil {
			log.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		log.Fatal(err)
	}

	inspector, err := sqlite.NewInspector(db)
	if err != nil {
		log.Fatal(err)
	}
	query := inspect.EventQuery{AggregateType: "Order", Limit: 2, Scan: 1000, Bytes: 1024}
	for {
		page, err := inspector.Events(ctx, query)
		if err != nil {
			log.Fatal(err)
		}
		for _, e := range page.Events {
			fmt.Println(e.GlobalPosition, e.EventType, "of", e.AggregateID)
		}
		if page.Next == 0 {
			break
		}
		query.Before = page.Next
	}
	// Output:
	// 3 Placed of 3
	// 2 Placed of 2
	// 1 Placed of 1
}
