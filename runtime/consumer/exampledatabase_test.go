package consumer_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"sync"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// exampleServer is the server of the examples, which have no test to ask pgtest with.
var exampleServer = sync.OnceValue(func() *pgtest.Server {
	if address := os.Getenv("TEST_DATABASE_URL"); address != "" {
		return pgtest.Connect(address)
	}
	server, err := pgtest.Launch()
	if err != nil {
		log.Fatal(err)
	}
	return server
})

// examplePool returns a pool on a database of its own with the standard tables and a few events of orders, and what drops
// it.
func examplePool() (*pgxpool.Pool, func()) {
	ctx := context.Background()
	name := "example_" + fmt.Sprintf("%x", uuid.New())
	admin := func(statement string) {
		conn, err := pgx.Connect(ctx, exampleServer().URL("postgres"))
		if err != nil {
			log.Fatal(err)
		}
		defer func() { _ = conn.Close(ctx) }()
		if _, err := conn.Exec(ctx, statement); err != nil {
			log.Fatal(err)
		}
	}
	admin("create database " + name)
	pool, err := pgxpool.New(ctx, exampleServer().URL(name))
	if err != nil {
		log.Fatal(err)
	}
	tables, err := migration.Schema(design.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := pool.Exec(ctx, tables); err != nil {
		log.Fatal(err)
	}
	placeOrders(pool)
	return pool, func() {
		pool.Close()
		admin("drop database " + name + " with (force)")
	}
}

// placeOrders appends what three orders went through.
func placeOrders(pool *pgxpool.Pool) {
	store, err := postgres.NewPool()
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range []struct{ id, what string }{
		{"1", "Placed"}, {"2", "Placed"}, {"1", "Paid"}, {"3", "Placed"}, {"2", "Paid"}, {"1", "Shipped"},
	} {
		_, err := store.Append(context.Background(), pool, runtime.Any(), []runtime.Event{{
			AggregateType: "Order",
			AggregateID:   e.id,
			EventType:     e.what,
			EventVersion:  1,
			EventID:       uuid.New(),
			Payload:       []byte("{}"),
		}})
		if err != nil {
			log.Fatal(err)
		}
	}
}
