package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/examples/shop/customers"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// The shop moves to 16 logs, step by step as docs/scale.md says, and goes on trading.
func TestShop_movesToSixteenLogs(t *testing.T) {
	t.Parallel()
	address := pgtest.New(t)
	if err := run(t.Context(), address, true, "", io.Discard); err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.New(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	old, err := openPostgres(t.Context(), address, false) // a process of the old release, which goes on running
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(old.close)
	oldShop := open(old, io.Discard)
	if err := oldShop.sell(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	before := streamsOf(t, pool)

	// 2. Write the migration, and read it.
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("migrations")); err != nil {
		t.Fatal(err)
	}
	written := migrateGen(t, "--output", folder, "--logs", "hash", "--hashed-logs", "16", "--from", "one-log")
	move, err := os.ReadFile(filepath.Join(folder, "0002_eventmap_change.sql"))
	if err != nil {
		t.Fatalf("%v; it wrote\n%s", err, written)
	}

	// 3. The new release.
	layout := postgres.HashedLogs(16)
	db, err := openPostgres(t.Context(), address, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.close)
	if db.events, err = postgres.New(layout); err != nil {
		t.Fatal(err)
	}
	if db.checkpoints, err = postgres.NewConsumers(pool, layout); err != nil {
		t.Fatal(err)
	}
	s := open(db, io.Discard)
	runner, err := consumer.New(db.checkpoints, consumer.Config{}, consumer.Registration[pgx.Tx]{
		Consumer: customers.BatchConsumer[pgx.Tx](db), Logs: consumer.AllLogs(), Workers: 2, BatchSize: 2000,
	})
	if err != nil {
		t.Fatal(err)
	}

	// 4. Run the migration.
	if _, err := pool.Exec(t.Context(), "begin;"+string(move)+";commit"); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(before, streamsOf(t, pool)); d != "" {
		t.Errorf("streams by their last versions (-before +after):\n%s", d)
	}
	if err := oldShop.sell(t.Context(), 2); err == nil {
		t.Error("the old release sells on the tables of the new one")
	}
	const more = 20
	for n := range more {
		if err := s.sell(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	if err := runner.RunUntilCaughtUp(t.Context(), nil); err != nil {
		t.Fatal(err)
	}

	// 5. Look whether all is well.
	if out := migrateGen(t, "--output", folder, "--doctor", "--deep", "--dsn", address); out != "" {
		t.Errorf("the doctor says:\n%s", out)
	}
	record, err := os.ReadFile(filepath.Join(folder, "eventmap.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := postgres.Check(t.Context(), pool, layout, postgres.WithRecord(record)); err != nil {
		t.Error(err)
	}
	status, err := runner.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if logs := status[0].Logs; logs.Logs != 16 || logs.Behind != 0 || logs.Stopped != 0 {
		t.Errorf("status is %+v, want 16 logs and none behind", logs)
	}
	var placed, inModel int
	if err := pool.QueryRow(t.Context(), "select count(*) from events where aggregate_type = 'Order' and event_type = 'Placed'").Scan(&placed); err != nil {
		t.Fatal(err)
	}
	if err := pool.QueryRow(t.Context(), "select count(*) from customer_orders").Scan(&inModel); err != nil || inModel != placed {
		t.Errorf("the read model has %d orders, %v; want each of the %d placed", inModel, err, placed)
	}
}

// migrateGen runs the tool of this module and returns what it prints.
func migrateGen(t *testing.T, flags ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", append([]string{"tool", "migrate-gen"}, flags...)...)
	var problems strings.Builder
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		t.Fatalf("migrate-gen %s: %v\n%s%s", flags, err, out, &problems)
	}
	return string(out)
}

// streamsOf returns the last version of each stream.
func streamsOf(t *testing.T, pool *pgxpool.Pool) map[string]int64 {
	t.Helper()
	rows, err := pool.Query(t.Context(), "select aggregate_type || '/' || aggregate_id, max(aggregate_version) from events group by 1")
	if err != nil {
		t.Fatal(err)
	}
	streams := make(map[string]int64)
	var name string
	var version int64
	if _, err := pgx.ForEachRow(rows, []any{&name, &version}, func() error {
		streams[name] = version
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return streams
}
