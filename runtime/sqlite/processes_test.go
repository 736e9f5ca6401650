package sqlite_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// The program of a process that these tests start: "writer" or "handler" with the address of a database.
const (
	programVariable = "EVENTMAP_SQLITE_PROGRAM"
	addressVariable = "EVENTMAP_SQLITE_ADDRESS"
)

func TestMain(m *testing.M) {
	var err error
	switch address := os.Getenv(addressVariable); os.Getenv(programVariable) {
	case "":
		os.Exit(m.Run())
	case "writer":
		err = writeForEver(context.Background(), address)
	case "handler":
		err = handleForEver(context.Background(), address)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// each of these appends has so many events.
const eventsEach = 3

// writeForEver appends to one of three streams after the other and prints the IDs of the events that are committed.
func writeForEver(ctx context.Context, address string) error {
	db, err := sqlite.Open(ctx, address)
	if err != nil {
		return err
	}
	store, err := sqlite.New()
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		events := placed(fmt.Sprintf("shared-%d", i%3), eventsEach)
		tx, err := db.BeginTx(ctx, nil)
		if runtime.Retryable(err) {
			continue // SQLite is not fair to those who wait
		}
		if err != nil {
			return err
		}
		if _, err := store.Append(ctx, tx, runtime.Any(), events); err != nil {
			return err
		}
		if err := tx.Commit(); err != nil {
			return err
		}
		for _, e := range events {
			fmt.Println(e.EventID)
		}
	}
}

// handleForEver drives a consumer that writes the read model.
func handleForEver(ctx context.Context, address string) error {
	db, err := sqlite.Open(ctx, address)
	if err != nil {
		return err
	}
	keeper, err := sqlite.NewConsumers(db)
	if err != nil {
		return err
	}
	r, err := consumer.New(keeper, consumer.Config{}, consumer.Registration[*sql.Tx]{Consumer: writes("c", nil), Segments: 2, BatchSize: 5})
	if err != nil {
		return err
	}
	return r.Run(ctx)
}

// A process is this program once more.
type process struct {
	cmd    *exec.Cmd
	lines  *bufio.Scanner
	stderr bytes.Buffer
}

func start(t testing.TB, program, address string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), programVariable+"="+program, addressVariable+"="+address)
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.lines = bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.kill() })
	return p
}

// kill ends the process with SIGKILL and returns the IDs that it had printed and nobody had read.
func (p *process) kill() (ids []string) {
	_ = p.cmd.Process.Kill() // it may be gone already
	for p.lines.Scan() {
		if _, err := uuid.Parse(p.lines.Text()); err == nil { // the last line may not be whole
			ids = append(ids, p.lines.Text())
		}
	}
	_ = p.cmd.Wait() // it was killed
	return ids
}

// read returns the next n IDs that the process prints.
func (p *process) read(t testing.TB, n int) (ids []string) {
	t.Helper()
	for range n {
		if !p.lines.Scan() {
			t.Fatalf("a process ended: %s", p.stderr.String())
		}
		ids = append(ids, p.lines.Text())
	}
	return ids
}

// Several processes append to the same streams in one file, and are killed in the middle: no event that was acknowledged is
// lost, none is there twice, no append is half there, and versions and positions have no gap. Meanwhile a reader goes by
// position alone, and has seen every event in the end.
func TestProcesses_nothingAcknowledgedIsLost(t *testing.T) {
	t.Parallel()
	address := inFile(t)
	db := migrated(t, address)
	store := newStore(t)
	stop, read := make(chan struct{}), make(chan []runtime.PersistedEvent, 1)
	go func() {
		var seen []runtime.PersistedEvent
		for last := false; ; {
			select {
			case <-stop:
				last = true
			default:
			}
			page, err := readAfter(t.Context(), db, store, seen)
			if err != nil {
				t.Error(err)
			}
			seen = append(seen, page...)
			if err != nil || last && len(page) == 0 {
				read <- seen
				return
			}
		}
	}()
	var acknowledged []string
	for range 4 {
		writers := []*process{start(t, "writer", address), start(t, "writer", address)}
		for _, p := range writers {
			acknowledged = append(acknowledged, p.read(t, 10*eventsEach)...)
		}
		for _, p := range writers {
			acknowledged = append(acknowledged, p.kill()...)
		}
	}
	close(stop)
	seen := <-read
	stored := make(map[string]bool, len(seen))
	versions := make(map[string]int64)
	for i, e := range seen {
		stored[e.EventID.String()] = true
		versions[e.AggregateID]++
		if e.GlobalPosition != int64(i+1) || e.AggregateVersion != versions[e.AggregateID] {
			t.Fatalf("event %d is at position %d, version %d of %s", i, e.GlobalPosition, e.AggregateVersion, e.AggregateID)
		}
	}
	if len(stored) != len(seen) {
		t.Errorf("%d events have %d IDs", len(seen), len(stored))
	}
	for _, id := range acknowledged {
		if !stored[id] {
			t.Errorf("event %s was acknowledged and is lost", id)
		}
	}
	for stream, version := range versions {
		if version%eventsEach != 0 {
			t.Errorf("%s is at version %d: an append is half there", stream, version)
		}
	}
	if check := one[string](t, db, "pragma integrity_check"); check != "ok" {
		t.Errorf("the file is damaged: %s", check)
	}
}

// readAfter reads a page after what was seen.
func readAfter(ctx context.Context, db *sql.DB, store *sqlite.Store, seen []runtime.PersistedEvent) ([]runtime.PersistedEvent, error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // it only reads
	position := int64(0)
	if len(seen) > 0 {
		position = seen[len(seen)-1].GlobalPosition
	}
	return store.ReadEvents(ctx, tx, position, 50)
}

// Processes share a consumer, and are killed in the middle of a batch: every event is handled once, those of a stream in
// order.
func TestProcesses_shareAConsumer(t *testing.T) {
	t.Parallel()
	e := newEnv(t, inFile(t))
	handlers := []*process{start(t, "handler", e.address), start(t, "handler", e.address)}
	for i := range 6 {
		e.append(40, 7)
		e.eventually("half of them are handled", func() bool { return len(e.model("c")) >= i*40+20 })
		handlers[i%2].kill()
		handlers[i%2] = start(t, "handler", e.address)
	}
	e.eventually("all is handled", func() bool { return len(e.model("c")) == 240 })
	for _, p := range handlers {
		p.kill()
	}
	e.wantModel("c", 240)
}
