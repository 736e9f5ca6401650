package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// Each tenant has a file, with a log and consumers of its own. A tenant that leaves takes its file along.
func ExampleOpen_tenants() {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "tenants")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	store, err := sqlite.New() // one for all files
	if err != nil {
		log.Fatal(err)
	}
	for _, tenant := range []string{"north", "south", "north"} {
		file := filepath.Join(folder, tenant+".db")
		if err := serve(ctx, store, file, tenant); err != nil {
			log.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(folder, "south.db")); err != nil {
		log.Fatal(err)
	}
	// Output:
	// north: event 1
	// south: event 1
	// north: event 2
}

// serve appends an event for a tenant and lets its consumer handle it.
func serve(ctx context.Context, store *sqlite.Store, file, tenant string) error {
	db, err := sqlite.Open(ctx, file)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if err := sqlite.Migrate(ctx, db); err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	event := runtime.Event{AggregateType: "Order", AggregateID: "42", EventType: "Placed", EventVersion: 1, EventID: uuid.New(), Payload: []byte("{}")}
	if _, err := store.Append(ctx, tx, runtime.Any(), []runtime.Event{event}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	consumers, err := sqlite.NewConsumers(db)
	if err != nil {
		return err
	}
	told := consumer.Scoped("told", []string{"Order"}, func(_ context.Context, _ *sql.Tx, e runtime.PersistedEvent) error {
		fmt.Printf("%s: event %d\n", tenant, e.GlobalPosition)
		return nil
	})
	runner, err := consumer.New(consumers, consumer.Config{Logger: runtime.NoOpLogger{}}, consumer.Registration[*sql.Tx]{Consumer: told})
	if err != nil {
		return err
	}
	return runner.RunUntilCaughtUp(ctx, nil)
}
