package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// full opens the database once more, with room for so many pages more: SQLite then fails as it does on a full disk.
func (e *env) full(room int64) *sql.DB {
	e.Helper()
	pages := one[int64](e, e.db, "pragma page_count")
	return open(e, fmt.Sprintf("file:%s?_pragma=max_page_count(%d)", e.address, pages+room))
}

// An append that meets a full disk stores nothing, and succeeds with the same events once there is room.
func TestAppend_diskIsFull(t *testing.T) {
	t.Parallel()
	e := newEnv(t, inFile(t))
	e.append(5, 1)
	large := placed("large", 3)
	for i := range large {
		large[i].Payload = []byte(fmt.Sprintf(`"%040000d"`, i))
	}
	tx := begin(t, e.full(2), nil)
	_, err := e.store.Append(t.Context(), tx, runtime.NoStream(), large)
	var state interface{ SQLState() string }
	if !errors.As(err, &state) || state.SQLState() != "53100" {
		t.Fatalf("error is %v, want SQLSTATE 53100", err)
	}
	_ = tx.Rollback()
	tx = begin(t, e.db, nil)
	if s, err := e.store.ReadAggregateStream(t.Context(), tx, "Order", "large", nil, nil); err != nil || s.Len() != 0 {
		t.Errorf("%d events were stored, %v, want none", s.Len(), err)
	}
	if r, err := e.store.Append(t.Context(), tx, runtime.NoStream(), large); err != nil || r.AlreadyStored {
		t.Errorf("with room: %+v, %v", r, err)
	}
	commit(t, tx)
	if err := sqlite.Check(t.Context(), e.db); err != nil {
		t.Error(err)
	}
}

// A disk that fills in the middle of a batch is held against no event; what was handled before it is not handled again.
func TestConsumers_diskFillsInABatch(t *testing.T) {
	t.Parallel()
	e := newEnv(t, inFile(t))
	e.append(40, 4)
	execute(t, e.db, "create table ballast (text text not null)")
	db := e.full(6)
	keeper, err := sqlite.NewConsumers(db)
	if err != nil {
		t.Fatal(err)
	}
	var troubles atomic.Int64
	config := consumer.Config{Logger: runtime.NoOpLogger{}, PollLeast: time.Millisecond, PollMost: 5 * time.Millisecond, Hooks: consumer.Hooks{
		Trouble: func(context.Context, string, error) { troubles.Add(1) },
		Failure: func(_ context.Context, f consumer.FailureInfo) { t.Errorf("failure %+v", f) },
	}}
	fills := consumer.Registration[*sql.Tx]{
		Attempts: 1, BatchSize: 10, Backoff: consumer.Backoff{First: 100 * time.Millisecond, Most: time.Second},
		Consumer: writes("c", func(ctx context.Context, tx *sql.Tx, p runtime.PersistedEvent) error {
			_, err := tx.ExecContext(ctx, "insert into ballast (text) values (hex(zeroblob(800)))")
			return err
		}),
	}
	r, err := consumer.New(keeper, config, fills)
	if err != nil {
		t.Fatal(err)
	}
	stop := e.background(r)
	e.eventually("there is trouble, more than once", func() bool { return troubles.Load() > 1 })
	stop()
	if n := len(e.model("c")); n == 0 || n == 40 {
		t.Errorf("%d of 40 events handled, want the disk to fill between", n)
	}
	e.catchUp(e.runner(config, fills))
	e.wantModel("c", 40)
}

// A clock that was set back puts the time of the next attempt off by years.
func TestConsumers_clockWasSetBack(t *testing.T) {
	t.Parallel()
	e := newEnv(t, inFile(t))
	e.append(3, 1)
	var failed atomic.Bool
	r := e.runner(consumer.Config{}, consumer.Registration[*sql.Tx]{
		Backoff: consumer.Backoff{First: time.Hour, Most: time.Hour},
		Consumer: writes("c", func(_ context.Context, _ *sql.Tx, p runtime.PersistedEvent) error {
			if p.GlobalPosition == 2 && failed.CompareAndSwap(false, true) {
				return errors.New("once")
			}
			return nil
		}),
	})
	stop := e.background(r)
	e.eventually("it waits", func() bool {
		segments := e.status(r).Segments
		return len(segments) == 1 && segments[0].Failures == 1
	})
	stop()
	execute(t, e.db, "update consumer_checkpoints set updated_at = '2999' || substr(updated_at, 5), retry_at = '2999' || substr(retry_at, 5)")
	e.catchUp(r)
	e.wantModel("c", 3)
}
