package consumer_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// A read model says how many orders there are in each state. Its rows and the checkpoint of the consumer change in one
// transaction, so each event counts exactly once.
func Example() {
	ctx := context.Background()
	pool, drop := examplePool()
	defer drop()
	if _, err := pool.Exec(ctx, "create table orders (id text primary key, state text not null)"); err != nil {
		log.Fatal(err)
	}

	states := consumer.Scoped("order-states", []string{"Order"}, func(ctx context.Context, tx pgx.Tx, e runtime.PersistedEvent) error {
		_, err := tx.Exec(ctx, "insert into orders values ($1, $2) on conflict (id) do update set state = excluded.state", e.AggregateID, e.EventType)
		return err
	})
	db, err := postgres.NewConsumers(pool)
	if err != nil {
		log.Fatal(err)
	}
	runner, err := consumer.New(db, consumer.Config{}, consumer.Registration[pgx.Tx]{Consumer: states})
	if err != nil {
		log.Fatal(err)
	}
	if err := runner.RunUntilCaughtUp(ctx, nil); err != nil { // a service calls Run
		log.Fatal(err)
	}

	rows, _ := pool.Query(ctx, "select id, state from orders order by id")
	var id, state string
	if _, err := pgx.ForEachRow(rows, []any{&id, &state}, func() error {
		fmt.Println(id, state)
		return nil
	}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 1 Shipped
	// 2 Paid
	// 3 Placed
}

// Handlers of users of database/sql are given a *sql.Tx.
func Example_databaseSQL() {
	ctx := context.Background()
	pool, drop := examplePool()
	defer drop()
	shop := stdlib.OpenDBFromPool(pool)
	defer func() { _ = shop.Close() }()
	if _, err := shop.ExecContext(ctx, "create table mails (event_id uuid primary key, order_id text not null)"); err != nil {
		log.Fatal(err)
	}

	mails := consumer.Scoped("mails", []string{"Order"}, func(ctx context.Context, tx *sql.Tx, e runtime.PersistedEvent) error {
		if e.EventType != "Paid" {
			return nil
		}
		_, err := tx.ExecContext(ctx, "insert into mails values ($1, $2)", e.EventID, e.AggregateID)
		return err
	})
	db, err := postgres.NewConsumersSQL(shop)
	if err != nil {
		log.Fatal(err)
	}
	runner, err := consumer.New(db, consumer.Config{}, consumer.Registration[*sql.Tx]{Consumer: mails})
	if err != nil {
		log.Fatal(err)
	}
	if err := runner.RunUntilCaughtUp(ctx, nil); err != nil {
		log.Fatal(err)
	}
	var n int
	if err := shop.QueryRowContext(ctx, "select count(*) from mails").Scan(&n); err != nil {
		log.Fatal(err)
	}
	fmt.Println(n, "mails to send")
	// Output:
	// 2 mails to send
}

// A service drives its consumers until it is told to stop, and wakes them after its own appends.
func ExampleRunner_Run() {
	ctx, stop := context.WithCancel(context.Background())
	pool, drop := examplePool()
	defer drop()
	db, err := postgres.NewConsumers(pool)
	if err != nil {
		log.Fatal(err)
	}
	seen := make(chan string, 6)
	runner, err := consumer.New(db,
		consumer.Config{PollMost: time.Minute}, // what other processes append is seen within a minute
		consumer.Registration[pgx.Tx]{
			Consumer: consumer.Scoped("printer", []string{"Order"}, func(_ context.Context, _ pgx.Tx, e runtime.PersistedEvent) error {
				seen <- e.EventType
				return nil
			}),
		})
	if err != nil {
		log.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- runner.Run(ctx) }()

	placeOrders(pool)
	runner.Wake()
	for range 12 {
		<-seen
	}
	stop()
	fmt.Println("stopped:", <-done)
	// Output:
	// stopped: <nil>
}

// An event that cannot be handled is parked, and what follows in its stream behind it. Once the cause is gone, the stream is
// handled in order.
func ExampleRunner_RetryParked() {
	ctx := context.Background()
	pool, drop := examplePool()
	defer drop()
	db, err := postgres.NewConsumers(pool)
	if err != nil {
		log.Fatal(err)
	}
	open := false
	warehouse := consumer.Scoped("warehouse", []string{"Order"}, func(_ context.Context, _ pgx.Tx, e runtime.PersistedEvent) error {
		if e.AggregateID == "1" && e.EventType == "Paid" && !open {
			return errors.New("the warehouse is closed")
		}
		return nil
	})
	runner, err := consumer.New(db, consumer.Config{}, consumer.Registration[pgx.Tx]{
		Consumer: warehouse,
		Policy:   consumer.Park,
		Attempts: 3,
		Backoff:  consumer.Backoff{First: time.Millisecond},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := runner.RunUntilCaughtUp(ctx, nil); err != nil {
		log.Fatal(err)
	}
	parked, err := runner.Parked(ctx, "warehouse", 0, 100)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range parked {
		fmt.Printf("event %d of order %s: %d attempts, %q\n", p.GlobalPosition, p.AggregateID, p.Attempts, p.Error)
	}
	open = true
	handled, err := runner.RetryParked(ctx, "warehouse", parked[0].Stream)
	fmt.Println("handled:", handled, err)
	// Output:
	// event 3 of order 1: 3 attempts, "the warehouse is closed"
	// event 6 of order 1: 0 attempts, ""
	// handled: 2 <nil>
}

// A read model is emptied and built again, in place.
func ExampleRunner_Reset() {
	ctx := context.Background()
	pool, drop := examplePool()
	defer drop()
	if _, err := pool.Exec(ctx, "create table handled (position bigint primary key)"); err != nil {
		log.Fatal(err)
	}
	db, err := postgres.NewConsumers(pool)
	if err != nil {
		log.Fatal(err)
	}
	runner, err := consumer.New(db, consumer.Config{}, consumer.Registration[pgx.Tx]{
		Consumer: consumer.Scoped("handled", []string{"Order"}, func(ctx context.Context, tx pgx.Tx, e runtime.PersistedEvent) error {
			_, err := tx.Exec(ctx, "insert into handled values ($1)", e.GlobalPosition)
			return err
		}),
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := runner.RunUntilCaughtUp(ctx, nil); err != nil {
		log.Fatal(err)
	}

	err = runner.Reset(ctx, "handled", func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "truncate handled")
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	err = runner.RunUntilCaughtUp(ctx, func(p consumer.Progress) {
		if p.Done() {
			fmt.Printf("%s: %d of %d\n", p.Consumer, p.Position, p.Target)
		}
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// handled: 6 of 6
}

// How far a consumer is, and how many segments share its work from now on.
func ExampleRunner_Status() {
	ctx := context.Background()
	pool, drop := examplePool()
	defer drop()
	db, err := postgres.NewConsumers(pool)
	if err != nil {
		log.Fatal(err)
	}
	runner, err := consumer.New(db, consumer.Config{}, consumer.Registration[pgx.Tx]{
		Consumer: consumer.Scoped("orders", []string{"Order"}, func(context.Context, pgx.Tx, runtime.PersistedEvent) error { return nil }),
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := runner.RunUntilCaughtUp(ctx, nil); err != nil {
		log.Fatal(err)
	}
	placeOrders(pool)
	if err := runner.Resize(ctx, "orders", 2); err != nil {
		log.Fatal(err)
	}
	statuses, err := runner.Status(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range statuses {
		fmt.Printf("%s: %d events to go in %d segments, %d parked, stopped: %t, trouble: %v\n",
			s.Consumer, s.Lag().Events, len(s.Segments), s.Parked, s.Stopped(), s.Trouble)
	}
	// Output:
	// orders: 6 events to go in 2 segments, 0 parked, stopped: false, trouble: <nil>
}
