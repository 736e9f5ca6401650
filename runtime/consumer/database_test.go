package consumer_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// A runner never holds a connection while it waits for another: one is enough, for any number of consumers and workers.
func TestRunner_poolOfOneConnection(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.appendMany(120, 12)
	var failed atomic.Int64
	sometimes := func() error {
		if failed.Add(1)%17 == 0 {
			return errors.New("now and then")
		}
		return nil
	}
	t.Run("pgx", func(t *testing.T) {
		t.Parallel()
		single := e.with(func(c *pgxpool.Config) { c.MaxConns = 1 })
		db, err := postgres.NewConsumers(single.pool, postgres.WithNotifyChannel("events")) // listening takes none of the pool's
		if err != nil {
			t.Fatal(err)
		}
		var registrations []consumer.Registration[pgx.Tx]
		for _, name := range []string{"a", "b", "c"} {
			registrations = append(registrations, consumer.Registration[pgx.Tx]{
				Segments: 4, BatchSize: 10, Attempts: 2, Policy: consumer.Park, Backoff: quick(),
				Consumer: writes(name, func(context.Context, pgx.Tx, runtime.PersistedEvent) error { return sometimes() }),
			})
		}
		r := runnerOf(t, consumer.Database[pgx.Tx](db), registrations...)
		ended := make(chan struct{})
		go func() { // somebody else uses the pool, too
			defer close(ended)
			for e.Context().Err() == nil && r.RunUntilCaughtUp(e.ctx(), nil) != nil {
			}
		}()
		for running := true; running; {
			select {
			case <-ended:
				running = false
			default:
				status(single, r, "b")
			}
		}
		if err := r.Resize(e.ctx(), "a", 2); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a", "b", "c"} {
			retryAll(single, r, name)
			e.wantModel(name, e.logPositions())
		}
	})
	t.Run("sql", func(t *testing.T) {
		t.Parallel()
		single := e.sql()
		single.SetMaxOpenConns(1)
		db, err := postgres.NewConsumersSQL(single)
		if err != nil {
			t.Fatal(err)
		}
		h := handler[*sql.Tx]{"sql", func(ctx context.Context, tx *sql.Tx, p runtime.PersistedEvent) error {
			if _, err := tx.ExecContext(ctx, insertRow, "sql", p.GlobalPosition, p.AggregateID, p.AggregateVersion); err != nil {
				return err
			}
			return sometimes()
		}}
		r := runnerOf(t, consumer.Database[*sql.Tx](db), consumer.Registration[*sql.Tx]{Consumer: h, Segments: 4, BatchSize: 10, Attempts: -1, Backoff: quick()})
		if err := r.RunUntilCaughtUp(e.ctx(), nil); err != nil {
			t.Fatal(err)
		}
		e.wantModel("sql", e.logPositions())

		listening, err := postgres.NewConsumersSQL(single, postgres.WithNotifyChannel("events"))
		if err != nil {
			t.Fatal(err)
		}
		wantError(t, listening.Listen(e.ctx(), func() {}), nil, "MaxOpenConns")
	})
}

// retryAll retries what is parked until nothing is.
func retryAll[Tx any](e *env, r *consumer.Runner[Tx], name string) {
	e.Helper()
	e.eventually("nothing is parked", func() bool {
		parked, err := r.Parked(e.ctx(), name, 0, 1)
		if err != nil {
			e.Fatal(err)
		}
		if len(parked) == 0 {
			return true
		}
		_, _ = r.RetryParked(e.ctx(), name, parked[0].Stream) // its handler may fail again
		return false
	})
}

// A forgetful database commits, and then loses the answer, every second time.
type forgetful struct {
	consumer.Database[pgx.Tx]
	saves *atomic.Int64
}

func (f forgetful) Save(ctx context.Context, tx pgx.Tx, c *consumer.Claim, retryIn time.Duration) error {
	if err := f.Database.Save(ctx, tx, c, retryIn); err != nil || f.saves.Add(1)%2 == 0 {
		return err
	}
	return fmt.Errorf("save the checkpoint: %w", io.ErrUnexpectedEOF)
}

// Whether a commit went through is not known when the connection breaks in the middle of it. No event is handled twice, nor
// is a failure counted twice.
func TestRunner_commitWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	log := e.append("Order", "o", 6)
	db := forgetful{e.db, new(atomic.Int64)}
	rec := new(recorder)
	r, err := consumer.New[pgx.Tx](db, consumer.Config{PollLeast: time.Millisecond, Hooks: rec.hooks()}, consumer.Registration[pgx.Tx]{
		BatchSize: 2, Attempts: 2, Policy: consumer.Park, Backoff: quick(),
		Consumer: writes("c", func(_ context.Context, _ pgx.Tx, p runtime.PersistedEvent) error {
			if p.GlobalPosition == log[4] {
				return errors.New("never")
			}
			return nil
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	e.catchUp(r)
	e.wantModel("c", log[:4])
	parked, err := r.Parked(e.ctx(), "c", 0, 10)
	if err != nil || len(parked) != 2 || parked[0].Attempts != 2 || parked[1].Attempts != 0 {
		t.Errorf("parked %+v, %v, want one after two attempts and one that waits", parked, err)
	}
}

// More segments than connections or streams, and a transaction for each event.
func TestRunner_manySegmentsAndSmallBatches(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.appendMany(200, 100)
	registration := consumer.Registration[pgx.Tx]{Consumer: writes("c", nil), Segments: 256, Workers: 20, BatchSize: 1}
	r := e.runner(registration)
	background(e, r)
	e.eventually("some is handled", func() bool { return len(e.model("c")) > 20 })
	// Another release has another idea of how many there are. It goes by the database.
	registration.Segments, registration.Workers = 3, 2
	background(e, connectAgain(e).runner(registration))
	e.eventually("the number changes", func() bool { return !errors.Is(r.Resize(e.ctx(), "c", 255), consumer.ErrResizing) })
	e.appendMany(100, 50)
	e.eventually("all is handled", func() bool { return len(e.model("c")) == 300 })
	e.wantModel("c", e.logPositions())
	if n := len(status(e, r, "c").Segments); n != 255 {
		t.Errorf("%d segments, want 255", n)
	}
}

// Positions that appends have drawn and not used are none to wait for, also at the end of the log.
func TestRunUntilCaughtUp_gapsAtTheEndOfTheLog(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	log := e.append("Order", "o", 3)
	store, err := postgres.New()
	if err != nil {
		t.Fatal(err)
	}
	errNever := errors.New("never mind")
	err = pgx.BeginFunc(e.ctx(), e.pool, func(tx pgx.Tx) error {
		if _, err := store.Append(e.ctx(), tx, runtime.Any(), events("Order", "p", 5)); err != nil {
			return err
		}
		return errNever
	})
	if !errors.Is(err, errNever) {
		t.Fatal(err)
	}
	for _, segments := range []int{1, 3} {
		name := fmt.Sprint("c", segments)
		r := e.runner(consumer.Registration[pgx.Tx]{Consumer: consumer.Scoped(name, []string{"Order"}, writes(name, nil).handle), Segments: segments})
		var last consumer.Progress
		if err := r.RunUntilCaughtUp(e.ctx(), func(p consumer.Progress) { last = p }); err != nil {
			t.Fatal(err)
		}
		e.wantModel(name, log)
		if !last.Done() || last.Target != 8 {
			t.Errorf("progress %+v, want it to end at 8", last)
		}
		s := status(e, r, name)
		if s.Frontier != 8 || s.Lag() != (consumer.Lag{}) || s.More() {
			t.Errorf("status %+v, want no lag at position 8", s)
		}
	}
}

// RunUntilCaughtUp ends although events are appended faster than they are handled.
func TestRunUntilCaughtUp_whileAppendsGoOn(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	target := e.append("Order", "o", 20)[19]
	r := e.runner(consumer.Registration[pgx.Tx]{BatchSize: 5, Consumer: writes("c", func(context.Context, pgx.Tx, runtime.PersistedEvent) error {
		_, err := e.store.Append(e.ctx(), e.pool, runtime.Any(), events("Order", "p", 2))
		return err
	})})
	e.catchUp(r)
	if n := one[int64](e, "select count(*) from read_model where global_position <= $1", target); n != 20 {
		t.Errorf("handled %d of the 20 events that were there", n)
	}
}

// How much a look at the lag reads does not grow with how far a consumer is behind.
func TestStatus_readsABoundedPartOfTheLog(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.append("Rare", "r", 1)
	db := &looking{Database: e.db}
	r := runnerOf(t, consumer.Database[pgx.Tx](db), consumer.Registration[pgx.Tx]{
		Consumer: consumer.Scoped("c", []string{"Rare"}, writes("c", nil).handle), Segments: 4,
	})
	e.catchUp(e.runner(consumer.Registration[pgx.Tx]{
		Consumer: consumer.Scoped("c", []string{"Rare"}, writes("c", nil).handle), Segments: 4,
	}))
	e.exec(`select setval(pg_get_serial_sequence('events', 'global_position'), 5000000)`)
	e.append("Rare", "r", 1)
	s := status(e, r, "c")
	if s.Frontier != 5000001 || !s.More() || len(db.lags) != 4 {
		t.Errorf("status %+v after %d looks, want frontier 5000001 and more than was counted", s, len(db.lags))
	}
	read := int64(0)
	for _, l := range db.lags {
		read += l.Through - l.After
	}
	if read > 100_000 {
		t.Errorf("the lag was counted among %d positions, want at most 100000", read)
	}
	e.catchUp(r)
	if s := status(e, r, "c"); s.More() || s.Lag().Events != 0 {
		t.Errorf("status %+v, want no lag", s)
	}
}

// looking notes which selections are counted.
type looking struct {
	consumer.Database[pgx.Tx]
	lags []consumer.Selection
}

func (l *looking) Lag(ctx context.Context, tx pgx.Tx, s consumer.Selection) (consumer.Lag, error) {
	l.lags = append(l.lags, s)
	return l.Database.Lag(ctx, tx, s)
}
