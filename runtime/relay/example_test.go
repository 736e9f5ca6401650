package relay_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/relay"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// A printer is a broker that prints; that of NATS JetStream is in runtime/relay/nats.
type printer struct{}

func (printer) Publish(_ context.Context, messages []relay.Message) error {
	for _, m := range messages {
		fmt.Println(m.Attributes["type"], m.Attributes["subject"], m.ContentType, string(m.Data))
	}
	return nil
}

// A relay is a consumer: a runner drives it, and its checkpoint says what was published.
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
	_, err = store.Append(ctx, tx, runtime.NoStream(), []runtime.Event{{
		AggregateType: "Order", AggregateID: "42", EventType: "Placed", EventVersion: 1,
		EventID: uuid.New(), CreatedAt: time.Date(2026, time.March, 1, 9, 0, 0, 0, time.UTC), Payload: []byte(`{"cents":1290}`),
	}})
	if err != nil {
		log.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		log.Fatal(err)
	}

	orders, err := relay.New[*sql.Tx]("orders-to-printer", printer{}, relay.Config{
		Source: "https://shop.example", AggregateTypes: []string{"Order"}, Format: relay.Stored,
	})
	if err != nil {
		log.Fatal(err)
	}
	checkpoints, err := sqlite.NewConsumers(db)
	if err != nil {
		log.Fatal(err)
	}
	runner, err := consumer.New(checkpoints, consumer.Config{}, consumer.Registration[*sql.Tx]{Consumer: orders})
	if err != nil {
		log.Fatal(err)
	}
	if err := runner.RunUntilCaughtUp(ctx, nil); err != nil { // a service calls Run
		log.Fatal(err)
	}
	// Output:
	// Order.Placed 42 application/json {"cents":1290}
}
