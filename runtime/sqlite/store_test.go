package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	modernc "modernc.org/sqlite"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

func TestNew_refusesNames(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		config sqlite.Config
		want   string
	}{
		{sqlite.Config{EventsTable: "shop.events"}, "events table: table name \"shop.events\": names a schema"},
		{sqlite.Config{CheckpointsTable: "sqlite_c"}, "checkpoints table: table name \"sqlite_c\": begins with sqlite_"},
		{sqlite.Config{ParkedEventsTable: "EVENTS"}, "is named twice"},
	} {
		if _, err := sqlite.New(tt.config); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("New(%+v): %v, want %q", tt.config, err, tt.want)
		}
	}
}

// All or nothing, also where an append takes several statements, and the transaction goes on after a duplicate.
func TestAppend_duplicateKeepsTransaction(t *testing.T) {
	t.Parallel()
	db, store := migrated(t, ":memory:"), newStore(t)
	stored := placed(newStream(), 1)
	appendTo(t, db, store, stored)
	for _, n := range []int{1, 2, 5, 100} {
		stream := newStream()
		events := placed(stream, n)
		events[n-1].EventID = stored[0].EventID
		tx := begin(t, db, nil)
		if _, err := store.Append(t.Context(), tx, runtime.NoStream(), events); !errors.Is(err, runtime.ErrDuplicateEvent) {
			t.Errorf("%d events: error is %v, want %v", n, err, runtime.ErrDuplicateEvent)
		}
		r, err := store.Append(t.Context(), tx, runtime.NoStream(), placed(stream, n))
		if err != nil || r.ToVersion() != int64(n) {
			t.Errorf("%d events: after the duplicate: version %d, %v", n, r.ToVersion(), err)
		}
		commit(t, tx)
	}
}

// A transaction that began by reading cannot write once another has written: it says so, and can be run again.
func TestAppend_staleTransactionIsRetryable(t *testing.T) {
	t.Parallel()
	db, store := migrated(t, inFile(t)), newStore(t)
	stream := newStream()
	stale := begin(t, db, &sql.TxOptions{ReadOnly: true})
	if _, err := store.ReadAggregateStream(t.Context(), stale, "Order", stream, nil, nil); err != nil {
		t.Fatal(err)
	}
	appendTo(t, db, store, placed(stream, 1))
	_, err := store.Append(t.Context(), stale, runtime.Any(), placed(stream, 1))
	var engine *modernc.Error
	if !runtime.Retryable(err) || !errors.As(err, &engine) || errors.Is(err, runtime.ErrOptimisticConcurrency) {
		t.Errorf("error is %v, want one that is retryable, with the driver's", err)
	}
}

// A busy database is retryable, wherever it is met.
func TestBegin_busyIsRetryable(t *testing.T) {
	t.Parallel()
	address := inFile(t)
	migrated(t, address)
	one := open(t, "file:"+address+"?_pragma=busy_timeout(1)")
	two := open(t, "file:"+address+"?_pragma=busy_timeout(1)")
	begin(t, one, nil)
	if _, err := two.BeginTx(t.Context(), nil); !runtime.Retryable(err) {
		t.Errorf("error is %v, want one that is retryable", err)
	}
}

// Whoever waits for another transaction of the process stops when its context ends.
func TestBegin_contextEndsTheWait(t *testing.T) {
	t.Parallel()
	db := migrated(t, inFile(t))
	begin(t, db, nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := db.BeginTx(ctx, nil)
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want %v", err, context.Canceled)
	}
}

// SQLite rolls back a transaction one of whose statements is interrupted. What comes after it must not be kept.
func TestTransaction_interruptedIsOver(t *testing.T) {
	t.Parallel()
	db, store := migrated(t, inFile(t)), newStore(t)
	execute(t, db, "create table numbers (n integer)")
	tx := begin(t, db, nil)
	execute(t, tx, "insert into numbers values (1)")
	ctx, cancel := context.WithCancel(t.Context())
	running := make(chan error, 1)
	go func() {
		_, err := tx.ExecContext(ctx, "insert into numbers with recursive s (n) as (select 1 union all select n + 1 from s) select n from s")
		running <- err
	}()
	cancel()
	if err := <-running; !errors.Is(err, context.Canceled) {
		t.Fatalf("error is %v, want %v", err, context.Canceled)
	}
	// Whether the statement had begun when its context ended or not: all or nothing.
	_, err := store.Append(t.Context(), tx, runtime.NoStream(), placed("o", 1))
	committed := tx.Commit()
	if (err == nil) != (committed == nil) {
		t.Errorf("append: %v; commit: %v", err, committed)
	}
	want := 0
	if committed == nil {
		want = 1
	}
	if n := one[int](t, db, "select count(*) from events"); n != want {
		t.Errorf("%d events, want %d", n, want)
	}
	if n := one[int](t, db, "select count(*) from numbers"); n != want {
		t.Errorf("%d rows, want %d", n, want)
	}
	appendTo(t, db, store, placed("p", 1)) // the connection is fine, and it is somebody's turn
}

// A transaction does not read from the log what it has appended; afterwards everybody does.
func TestReadEvents_ownAppendsInLaterTransactions(t *testing.T) {
	t.Parallel()
	db, store := migrated(t, ":memory:"), newStore(t)
	for i := range 20 {
		tx := begin(t, db, nil)
		for range 2 {
			if _, err := store.Append(t.Context(), tx, runtime.Any(), placed("o", 1)); err != nil {
				t.Fatal(err)
			}
			events, err := store.ReadEvents(t.Context(), tx, 0, 100)
			if err != nil || len(events) != 2*i {
				t.Fatalf("%d events are read in the transaction, want %d: %v", len(events), 2*i, err)
			}
		}
		commit(t, tx)
	}
}

func TestAppend_missingTables(t *testing.T) {
	t.Parallel()
	db := open(t, ":memory:")
	store := newStore(t, sqlite.WithEventsTable("log"))
	tx := begin(t, db, nil)
	want := "table log is missing; migrate the database with sqlite.Migrate, or with the SQL that `migrate-gen --dialect sqlite --events-table log` writes"
	if _, err := store.Append(t.Context(), tx, runtime.Any(), placed("o", 1)); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error is %v, want %q", err, want)
	}
	execute(t, tx, "create table log (global_position integer primary key autoincrement)")
	if _, err := store.ReadEvents(t.Context(), tx, 0, 1); err == nil || !strings.Contains(err.Error(), "table log lacks the column aggregate_type") {
		t.Errorf("error is %v, want it to say what the table lacks", err)
	}
}

func TestOpen_addresses(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, address := range []string{
		filepath.Join(folder, "plain.db"),
		filepath.Join(folder, "odd ?#%&=é.db"),
		"file:" + filepath.Join(folder, "uri.db") + "?_pragma=synchronous(normal)",
		":memory:",
		"file::memory:",
	} {
		db := migrated(t, address)
		store := newStore(t)
		appendTo(t, db, store, placed("o", 2))
		if strings.HasPrefix(address, folder) {
			if _, err := os.Stat(address); err != nil {
				t.Error(err)
			}
		}
		if strings.Contains(address, "normal") {
			if got := one[int](t, db, "pragma synchronous"); got != 1 {
				t.Errorf("synchronous is %d, and the address says normal", got)
			}
		}
	}
	for address, want := range map[string]string{
		"": "is empty; give a file, or :memory: for none",
		filepath.Join(folder, "missing", "file.db"): "unable to open database file",
		folder: "unable to open database file",
	} {
		if _, err := sqlite.Open(t.Context(), address); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%q): %v, want %q", address, err, want)
		}
	}
}

func TestMigrate_keepsWhatIsThere(t *testing.T) {
	t.Parallel()
	address := inFile(t)
	db, store := migrated(t, address), newStore(t)
	appendTo(t, db, store, placed("o", 1))
	execute(t, db, "drop table parked_events")
	done := make(chan error, 4)
	for range cap(done) {
		go func() { done <- sqlite.Migrate(t.Context(), db) }()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := one[int](t, db, "select count(*) from events"); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
}

func TestCheck_findsEverything(t *testing.T) {
	t.Parallel()
	db, err := sql.Open("sqlite", inFile(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	execute(t, db, `pragma synchronous = off;
		create table events ( -- The event log. eventmap schema 9
			global_position integer primary key,
			created_at text not null, event_id text not null, aggregate_version integer not null,
			event_version integer not null, aggregate_type text not null, aggregate_id text not null,
			event_type text not null, payload text not null, metadata text not null, trace_id text,
			correlation_id text, extra text not null
		);
		create table parked_events (
			consumer text not null, global_position integer not null, aggregate_type text not null, aggregate_id text not null,
			attempts integer not null, error text not null, parked_at text not null, unique (consumer, global_position)
		)`)
	var problems *runtime.CheckError
	if err := sqlite.Check(t.Context(), db); !errors.As(err, &problems) {
		t.Fatalf("error is %v, want a CheckError", err)
	}
	var got []string
	for _, p := range problems.Problems {
		got = append(got, p.Object+" "+p.Reason)
		if p.Remedy == "" {
			t.Errorf("%s %s: nothing is said about what to do", p.Object, p.Reason)
		}
	}
	want := []string{
		"busy_timeout is 0, so that a transaction fails where it could wait for another",
		"journal_mode is delete, in which readers and the writer keep each other waiting",
		"synchronous is off, so that a power cut can damage the file",
		"table events has schema version 9; this runtime needs 2",
		"column global_position of events is not autoincrement, so that a position could be given twice",
		"column payload of events is text, not blob",
		"column metadata of events is not null, but may have to be",
		"column extra of events is not null and has no default, so that no append succeeds",
		"column causation_id of events is missing",
		"table events has no unique key on (aggregate_type, aggregate_id, aggregate_version)",
		"table events has no unique key on (event_id)",
		"table consumer_checkpoints is missing",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if err := sqlite.Check(t.Context(), migrated(t, inFile(t))); err != nil {
		t.Errorf("a database of Open and Migrate: %v", err)
	}
}

// Whoever does not import this package does not compile SQLite.
func TestPackage_isInNobodysWay(t *testing.T) {
	t.Parallel()
	list := exec.Command("go", "list", "-deps", "./runtime", "./runtime/postgres", "./runtime/consumer", "./runtime/eventtest", "./cmd/...")
	list.Dir = filepath.Join("..", "..")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for dependency := range bytes.Lines(out) {
		if bytes.HasPrefix(dependency, []byte("modernc.org/")) {
			t.Errorf("something depends on %s", dependency)
		}
	}
}

func ExampleOpen() {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, ":memory:")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = db.Close() }()
	fmt.Println(sqlite.Migrate(ctx, db))
	// Output: <nil>
}
