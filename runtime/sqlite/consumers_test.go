package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

func TestConsumers_handleEveryEventOnce(t *testing.T) {
	t.Parallel()
	for _, address := range []string{":memory:", inFile(t)} {
		t.Run(strings.Trim(address[len(address)-8:], ":"), func(t *testing.T) {
			t.Parallel()
			e := newEnv(t, address)
			e.append(100, 7)
			r := e.runner(consumer.Config{},
				consumer.Registration[*sql.Tx]{Consumer: writes("a", nil), BatchSize: 7},
				consumer.Registration[*sql.Tx]{Consumer: writes("b", nil), Segments: 4, Workers: 2, BatchSize: 9})
			stop := e.background(r)
			e.append(100, 7)
			e.eventually("all is handled", func() bool { return len(e.model("a")) == 200 && len(e.model("b")) == 200 })
			stop()
			e.wantModel("a", 200)
			e.wantModel("b", 200)
			if lag := e.status(r).Lag(); lag.Events != 0 {
				t.Errorf("%d events are still to be handled", lag.Events)
			}
		})
	}
}

func TestConsumers_scopedOneSeesItsTypesOnly(t *testing.T) {
	t.Parallel()
	e := newEnv(t, ":memory:")
	e.append(6, 2)
	invoice := placed("invoice", 2)
	for i := range invoice {
		invoice[i].AggregateType = "Invoice"
	}
	appendTo(t, e.db, e.store, invoice)
	var seen []string
	scoped := consumer.Scoped("c", []string{"Invoice", "Other"}, func(_ context.Context, _ *sql.Tx, p runtime.PersistedEvent) error {
		seen = append(seen, fmt.Sprint(p.AggregateType, p.GlobalPosition))
		return nil
	})
	e.catchUp(e.runner(consumer.Config{}, consumer.Registration[*sql.Tx]{Consumer: scoped}))
	if diff := cmp.Diff([]string{"Invoice7", "Invoice8"}, seen); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// What fails is undone and tried again, whatever it is; what was done before it stays.
func TestConsumers_failuresAreTriedAgain(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(ctx context.Context, tx *sql.Tx, e runtime.PersistedEvent) error{
		"an error": func(context.Context, *sql.Tx, runtime.PersistedEvent) error { return errors.New("broken") },
		"a panic":  func(context.Context, *sql.Tx, runtime.PersistedEvent) error { panic("broken") },
		"a timeout": func(ctx context.Context, _ *sql.Tx, _ runtime.PersistedEvent) error {
			<-ctx.Done()
			return ctx.Err()
		},
		"a statement that is broken off": func(ctx context.Context, tx *sql.Tx, _ runtime.PersistedEvent) error {
			_, err := tx.ExecContext(ctx, `with recursive n (i) as (select 1 union all select i + 1 from n) insert into read_model select i, '', i, '', i from n`)
			return err
		},
		"a rollback": func(_ context.Context, tx *sql.Tx, _ runtime.PersistedEvent) error { return tx.Rollback() },
		"a rollback by SQL": func(ctx context.Context, tx *sql.Tx, _ runtime.PersistedEvent) error {
			_, err := tx.ExecContext(ctx, "rollback")
			return err
		},
		"a rollback and another transaction": func(ctx context.Context, tx *sql.Tx, _ runtime.PersistedEvent) error {
			_, err := tx.ExecContext(ctx, "rollback; begin immediate")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t, inFile(t))
			e.append(10, 3)
			batch := 0
			if strings.HasSuffix(name, "by SQL") {
				batch = 1 // what comes after it would be outside any transaction, and stay
			}
			var mu sync.Mutex
			failures := map[int64]int{}
			h := writes("c", func(ctx context.Context, tx *sql.Tx, p runtime.PersistedEvent) error {
				mu.Lock()
				n := failures[p.GlobalPosition]
				if p.GlobalPosition%4 == 0 {
					failures[p.GlobalPosition]++
				}
				mu.Unlock()
				if p.GlobalPosition%4 != 0 || n >= 4 {
					return nil
				}
				return fail(ctx, tx, p)
			})
			r := e.runner(consumer.Config{}, consumer.Registration[*sql.Tx]{
				Consumer: h, Timeout: 50 * time.Millisecond, Backoff: quick(), Attempts: -1, BatchSize: batch,
			})
			e.catchUp(r)
			e.wantModel("c", 10)
		})
	}
}

func TestConsumers_stopAndResume(t *testing.T) {
	t.Parallel()
	e := newEnv(t, inFile(t))
	e.append(10, 3)
	broken := new(atomic.Bool)
	broken.Store(true)
	h := writes("c", func(_ context.Context, _ *sql.Tx, p runtime.PersistedEvent) error {
		if broken.Load() && p.GlobalPosition == 5 {
			return errors.New("cannot handle it")
		}
		return nil
	})
	r := e.runner(consumer.Config{}, consumer.Registration[*sql.Tx]{Consumer: h, Attempts: 2, Backoff: quick()})
	if err := r.RunUntilCaughtUp(e.ctx(), nil); !errors.Is(err, consumer.ErrStopped) || !strings.Contains(err.Error(), "cannot handle it") {
		t.Fatalf("error is %v, want %v with that of the event", err, consumer.ErrStopped)
	}
	e.wantModel("c", 4)
	s := e.status(r).Segments[0]
	if s.StoppedAt.IsZero() || s.Failures != 2 || s.FailedPosition != 5 || s.LastError != "cannot handle it" || s.Lag.Events != 6 {
		t.Errorf("status is %+v", s)
	}
	broken.Store(false)
	if err := r.Resume(e.ctx(), "c"); err != nil {
		t.Fatal(err)
	}
	e.catchUp(r)
	e.wantModel("c", 10)
}

func TestConsumers_park(t *testing.T) {
	t.Parallel()
	e := newEnv(t, inFile(t))
	e.append(12, 3) // position 4 is the second of its stream; 7 and 10 follow it
	broken := new(atomic.Bool)
	broken.Store(true)
	h := writes("c", func(_ context.Context, _ *sql.Tx, p runtime.PersistedEvent) error {
		if broken.Load() && p.GlobalPosition == 4 {
			return errors.New("cannot handle it")
		}
		return nil
	})
	r := e.runner(consumer.Config{}, consumer.Registration[*sql.Tx]{
		Consumer: h, Attempts: 2, Backoff: quick(), Policy: consumer.Park, BatchSize: 2,
	})
	e.catchUp(r)
	e.wantModel("c", 12, 4, 7, 10)
	parked, err := r.Parked(e.ctx(), "c", 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range parked {
		got = append(got, fmt.Sprint(p.GlobalPosition, " ", p.AggregateID, " ", p.Attempts, " ", p.Error))
		if p.ParkedAt.IsZero() {
			t.Errorf("event %d was parked at no time", p.GlobalPosition)
		}
	}
	if diff := cmp.Diff([]string{"4 order-0 2 cannot handle it", "7 order-0 0 ", "10 order-0 0 "}, got); diff != "" {
		t.Errorf("parked events (-want +got):\n%s", diff)
	}
	stream := parked[0].Stream
	if n, err := r.RetryParked(e.ctx(), "c", stream); n != 0 || err == nil {
		t.Errorf("RetryParked handled %d: %v", n, err)
	}
	if p, err := r.Parked(e.ctx(), "c", 0, 1); err != nil || p[0].Attempts != 3 {
		t.Errorf("after another attempt: %+v, %v", p, err)
	}
	broken.Store(false)
	if dropped, err := r.DropParked(e.ctx(), "c", 7); !dropped || err != nil {
		t.Errorf("DropParked: %t, %v", dropped, err)
	}
	if n, err := r.RetryParked(e.ctx(), "c", stream); n != 2 || err != nil {
		t.Errorf("RetryParked handled %d: %v", n, err)
	}
	if s := e.status(r); s.Parked != 0 {
		t.Errorf("%d events are still parked", s.Parked)
	}
	e.append(3, 3)
	e.catchUp(r)
	e.wantModel("c", 15, 7)
}

func TestConsumers_resetResizeForget(t *testing.T) {
	t.Parallel()
	e := newEnv(t, inFile(t))
	e.append(60, 11)
	r := e.runner(consumer.Config{}, consumer.Registration[*sql.Tx]{Consumer: writes("c", nil), Segments: 3, BatchSize: 4})
	stop := e.background(r)
	e.eventually("there are segments", func() bool { return len(e.status(r).Segments) == 3 })
	for _, n := range []int{5, 1, 2} {
		e.append(40, 11)
		e.eventually("the segments change", func() bool {
			err := r.Resize(e.ctx(), "c", n)
			if err != nil && !errors.Is(err, consumer.ErrResizing) {
				t.Fatal(err)
			}
			return err == nil
		})
		if got := len(e.status(r).Segments); got != n {
			t.Errorf("%d segments, want %d", got, n)
		}
	}
	e.eventually("all is handled", func() bool { return len(e.model("c")) == 180 })
	stop()
	e.wantModel("c", 180)
	err := r.Reset(e.ctx(), "c", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "delete from read_model")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	e.wantModel("c", 0)
	var last consumer.Progress
	if err := r.RunUntilCaughtUp(e.ctx(), func(p consumer.Progress) { last = p }); err != nil {
		t.Fatal(err)
	}
	e.wantModel("c", 180)
	if !last.Done() || last.Target != 180 || last.Frontier != 180 {
		t.Errorf("the last progress is %+v", last)
	}
	if err := e.runner(consumer.Config{}).Forget(e.ctx(), "c"); err != nil {
		t.Error(err)
	}
	if n := one[int](t, e.db, "select count(*) from consumer_checkpoints"); n != 0 {
		t.Errorf("%d checkpoints are left", n)
	}
}

func TestConsumers_checkpointAheadOfTheLog(t *testing.T) {
	t.Parallel()
	e := newEnv(t, ":memory:")
	e.append(3, 1)
	r := e.runner(consumer.Config{}, consumer.Registration[*sql.Tx]{Consumer: writes("c", nil)})
	e.catchUp(r)
	execute(t, e.db, "delete from events; delete from sqlite_sequence")
	if err := r.Run(e.ctx()); !errors.Is(err, consumer.ErrCheckpointAhead) {
		t.Errorf("error is %v, want %v", err, consumer.ErrCheckpointAhead)
	}
}

func TestConsumers_missingTables(t *testing.T) {
	t.Parallel()
	db := open(t, ":memory:")
	keeper, err := sqlite.NewConsumers(db, sqlite.WithCheckpointsTable("progress"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = keeper.Poll(t.Context(), []string{"c"})
	for _, text := range []string{"table events is missing", "table progress is missing", "migrate-gen --dialect sqlite --checkpoints-table progress"} {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("error is %v, want it to say %q", err, text)
		}
	}
}

// A failing event does not repeat the effects of those before it, and a batch is limited in bytes.
func TestConsumers_effectsBeforeAFailureHappenOnce(t *testing.T) {
	t.Parallel()
	e := newEnv(t, ":memory:")
	e.append(12, 3)
	times := make(map[int64]int)
	r := e.runner(consumer.Config{}, consumer.Registration[*sql.Tx]{
		Attempts: 3, Backoff: consumer.Backoff{First: time.Millisecond, Most: time.Millisecond},
		Consumer: writes("c", func(_ context.Context, _ *sql.Tx, p runtime.PersistedEvent) error {
			if p.GlobalPosition == 6 {
				return errors.New("never")
			}
			times[p.GlobalPosition]++
			return nil
		}),
	})
	if err := r.RunUntilCaughtUp(e.ctx(), nil); !errors.Is(err, consumer.ErrStopped) {
		t.Errorf("err = %v, want it to stop", err)
	}
	if diff := cmp.Diff(map[int64]int{1: 1, 2: 1, 3: 1, 4: 1, 5: 1}, times); diff != "" {
		t.Errorf("how often the effects of each event happened (-want +got):\n%s", diff)
	}
}

func TestConsumers_drainAndBytes(t *testing.T) {
	t.Parallel()
	e := newEnv(t, ":memory:")
	e.append(10, 3)
	var sizes []int
	ctx, stop := context.WithCancel(e.ctx())
	handled := 0
	config := consumer.Config{Hooks: consumer.Hooks{Batch: func(_ context.Context, b consumer.BatchInfo) { sizes = append(sizes, b.Events) }}}
	r := e.runner(config, consumer.Registration[*sql.Tx]{BatchBytes: 1, Consumer: writes("c", func(context.Context, *sql.Tx, runtime.PersistedEvent) error {
		if handled++; handled == 4 {
			stop()
		}
		return nil
	})})
	if err := r.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{1, 1, 1, 1}, sizes); diff != "" {
		t.Errorf("events of each batch (-want +got):\n%s", diff)
	}
}

// A restored file that has grown past the checkpoint is found out; From, Replaying and WaitFor work here too.
func TestConsumers_checkpointNamesItsEvent(t *testing.T) {
	t.Parallel()
	e := newEnv(t, ":memory:")
	e.append(6, 2)
	r := e.runner(consumer.Config{}, consumer.Registration[*sql.Tx]{Consumer: writes("c", nil), Segments: 2})
	e.catchUp(r)
	execute(t, e.db, "delete from events where global_position > 4")
	execute(t, e.db, "update sqlite_sequence set seq = 4 where name = 'events'")
	e.append(5, 3)
	if err := r.RunUntilCaughtUp(e.ctx(), nil); !errors.Is(err, consumer.ErrCheckpointAhead) {
		t.Errorf("err = %v, want it to be ahead", err)
	}
	execute(t, e.db, "delete from read_model where global_position > 4")
	if err := r.Accept(e.ctx(), "c", 4); err != nil {
		t.Fatal(err)
	}
	e.catchUp(r)
	if err := r.WaitFor(e.ctx(), "c", 9); err != nil {
		t.Error(err)
	}
	replayed := make(map[int64]bool)
	late := e.runner(consumer.Config{}, consumer.Registration[*sql.Tx]{From: consumer.FromTime(time.Now().Add(-time.Hour)), Consumer: writes("late", func(ctx context.Context, _ *sql.Tx, p runtime.PersistedEvent) error {
		replayed[p.GlobalPosition] = consumer.Replaying(ctx)
		return nil
	})})
	e.catchUp(late)
	e.append(1, 1)
	e.catchUp(late)
	if diff := cmp.Diff(map[int64]bool{1: true, 2: true, 3: true, 4: true, 5: true, 6: true, 7: true, 8: true, 9: true, 10: false}, replayed); diff != "" {
		t.Errorf("replayed (-want +got):\n%s", diff)
	}
}
