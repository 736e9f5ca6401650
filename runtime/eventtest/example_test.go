package eventtest_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/eventtest"
)

// What a program appends is handed to its consumer, without a database. Programs call the stores that are generated; this
// is what those do.
func Example() {
	ctx := context.Background()
	var tx eventtest.NoTx
	store := eventtest.NewStore[eventtest.NoTx]()
	clock, ids := eventtest.NewClock(time.Date(2026, time.March, 1, 9, 0, 0, 0, time.UTC)), eventtest.IDs("example")
	for _, order := range []string{"1", "2"} {
		clock.Advance(time.Minute)
		_, err := store.Append(ctx, tx, runtime.NoStream(), []runtime.Event{{
			AggregateType: "Order", AggregateID: order, EventType: "Placed", EventVersion: 1,
			EventID: ids(), CreatedAt: clock.Now(), Payload: []byte("{}"),
		}})
		if err != nil {
			log.Fatal(err)
		}
	}
	mails := consumer.Scoped("mails", []string{"Order"}, func(_ context.Context, _ eventtest.NoTx, e runtime.PersistedEvent) error {
		fmt.Println("mail about order", e.AggregateID, "of", e.CreatedAt.Format(time.TimeOnly))
		return nil
	})
	if err := eventtest.Deliver(ctx, tx, mails, store.Events()); err != nil {
		log.Fatal(err)
	}
	// Output:
	// mail about order 1 of 09:01:00
	// mail about order 2 of 09:02:00
}
