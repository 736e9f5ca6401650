package postgres_test

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

// examplePool returns a pool on a database of its own with the standard tables and that of keys, and what drops it.
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
	tables, err := migration.Schema(design.Options{SubjectKeys: "here"})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := pool.Exec(ctx, tables); err != nil {
		log.Fatal(err)
	}
	return pool, func() {
		pool.Close()
		admin("drop database " + name + " with (force)")
	}
}
