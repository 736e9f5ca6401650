package consumer_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// smallDisk returns a folder on a disk of 4 MiB that the server can write to.
func smallDisk(t *testing.T, server *pgtest.Server) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("no small disk can be made here: %v", err)
	}
	t.Cleanup(func() {
		_ = server.Close() // which keeps the disk in use
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	data, err := os.Stat(server.DataDir())
	if err != nil {
		t.Fatal(err)
	}
	owner, ok := data.Sys().(*syscall.Stat_t)
	if !ok {
		t.Fatalf("%T has no owner", data.Sys())
	}
	if err := errors.Join(os.Chown(dir, int(owner.Uid), int(owner.Gid)), os.Chmod(filepath.Dir(dir), 0o755)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// The disk of the log and the read model fills: appends fail whole and succeed once there is room, and the consumer waits,
// whatever its handler met, without holding it against an event.
func TestOutage_diskIsFull(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t)
	dir := smallDisk(t, server)
	e := connect(t, server.NewDatabase(t, schema(t)...))
	o := newOperator(e)
	o.exec(
		fmt.Sprintf("create tablespace small location '%s'", dir),
		"alter table events set tablespace small", "alter table read_model set tablespace small",
		"alter table read_model add column ballast text not null default ''", "alter table read_model alter column ballast set storage plain",
	)
	e.appendMany(20, 5)
	var troubles atomic.Int64
	r, err := consumer.New(e.db, consumer.Config{
		Logger: runtime.NoOpLogger{}, PollLeast: time.Millisecond, PollMost: 20 * time.Millisecond,
		Hooks: consumer.Hooks{
			Trouble: func(context.Context, string, error) { troubles.Add(1) },
			Failure: func(_ context.Context, f consumer.FailureInfo) { t.Errorf("failure %+v", f) },
		},
	}, consumer.Registration[pgx.Tx]{
		Attempts: 1, BatchSize: 4, Backoff: consumer.Backoff{First: time.Millisecond, Most: 10 * time.Millisecond},
		Consumer: handler[pgx.Tx]{"c", func(ctx context.Context, tx pgx.Tx, p runtime.PersistedEvent) error {
			if err := write(ctx, tx, "c", p); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "update read_model set ballast = repeat('x', 7000) where global_position = $1", p.GlobalPosition)
			return err
		}},
	})
	if err != nil {
		t.Fatal(err)
	}

	large := events("Order", "large", 2)
	noise := rand.New(rand.NewPCG(1, 2))
	for i := range large { // so that the server cannot compress it
		var digits strings.Builder
		for digits.Len() < 100<<10 {
			fmt.Fprintf(&digits, "%016x", noise.Uint64())
		}
		large[i].Payload = fmt.Appendf(nil, `"%s"`, digits.String())
	}
	filler := filepath.Join(dir, "filler")
	fill(t, filler)
	for n := range 2 {
		_, err := e.store.Append(t.Context(), e.pool, runtime.NoStream(), large)
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != "53100" {
			t.Errorf("append %d: error is %v, want SQLSTATE 53100", n, err)
		}
	}
	if s, err := e.store.ReadAggregateStream(t.Context(), e.pool, "Order", "large", nil, nil); err != nil || s.Len() != 0 {
		t.Errorf("the stream has %d events, %v, want none", s.Len(), err)
	}
	background(e, r)
	e.eventually("the consumer meets the full disk, more than once", func() bool { return troubles.Load() > 1 })
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if a, err := e.store.Append(t.Context(), e.pool, runtime.NoStream(), large); err != nil || a.AlreadyStored {
		t.Errorf("with room: %+v, %v", a, err)
	}
	e.eventually("all is handled", func() bool { return len(e.model("c")) == 22 })
	e.wantModel("c", e.logPositions())
	if err := postgres.Check(t.Context(), e.pool); err != nil {
		t.Error(err)
	}
}

// fill writes to a file until its disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	page := make([]byte, 4<<10)
	for err == nil {
		_, err = f.Write(page)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
