package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

const aggregateType = "Order"

// errRollback ends a transaction that is to be rolled back.
var errRollback = errors.New("meant to be rolled back")

// A writer appends until its shift is over.
type writer struct {
	random  *rand.Rand
	streams int
	history *history
	store   *postgres.Store[pgx.Tx]
	deploy  func() *postgres.Store[pgx.Tx] // returns the store of the release that runs; nil: there is one release
}

func newWriter(p Plan, number int, h *history) *writer {
	return &writer{random: rand.New(rand.NewPCG(p.Seed, uint64(number))), streams: p.Streams, history: h}
}

func (w *writer) run(ctx context.Context, pool *pgxpool.Pool, over <-chan struct{}) (err error) {
	if w.store, err = postgres.New(); err != nil {
		return err
	}
	for !isOver(over) && ctx.Err() == nil {
		if err := w.once(ctx, pool); err != nil {
			return err
		}
		pause(ctx, time.Duration(w.random.IntN(30))*time.Millisecond)
	}
	return ctx.Err()
}

func isOver(over <-chan struct{}) bool {
	select {
	case <-over:
		return true
	default:
		return false
	}
}

// restart takes the store of the release that runs.
func (w *writer) restart() {
	if w.deploy != nil {
		w.store = w.deploy()
	}
}

// isRefused reports whether err is what the tables of the next release say to a store of this one.
func (w *writer) isRefused(err error) bool {
	var server *pgconn.PgError
	const undefinedTable = "42P01" // the sequence of the one log
	return w.deploy != nil && errors.As(err, &server) && server.Code == undefinedTable
}

// An attempt is one transaction, decided before it begins, so that it can be repeated.
type attempt struct {
	events   []runtime.Event
	other    bool            // another table is written first
	undone   []runtime.Event // appended in a savepoint that is rolled back
	rollback bool
	pause    time.Duration   // between the append and its end
	compare  bool            // append at the version that was read; else at any
	second   []runtime.Event // appended after the first, in the same transaction
}

func (w *writer) decide() attempt {
	stream := func() string { return fmt.Sprint("stream-", w.random.IntN(w.streams)) }
	a := attempt{
		events:   placed(stream(), 1+w.random.IntN(3)),
		other:    w.random.IntN(100) < 30,
		rollback: w.random.IntN(100) < 10,
		compare:  w.random.IntN(100) < 30,
	}
	if w.random.IntN(100) < 20 {
		a.undone = placed(a.events[0].AggregateID, 1+w.random.IntN(2))
	}
	if w.random.IntN(100) < 10 {
		a.second = placed(a.events[0].AggregateID, 1) // of the same stream: two writers never wait for each other
	}
	if w.random.IntN(4) == 0 {
		a.pause = time.Duration(w.random.IntN(20)) * time.Millisecond
	}
	return a
}

// placed returns events for a stream.
func placed(stream string, n int) []runtime.Event {
	events := make([]runtime.Event, n)
	for i := range events {
		events[i] = runtime.Event{
			AggregateType: aggregateType, AggregateID: stream, EventType: "Placed", EventVersion: 1,
			EventID: uuid.Must(uuid.NewV7()), Payload: []byte(`{"n":1}`),
		}
	}
	return events
}

// once runs one transaction and notes how it ended.
func (w *writer) once(ctx context.Context, pool *pgxpool.Pool) error {
	a := w.decide()
	w.restart()
	w.history.note(rolledBack, a.undone)
	expected := runtime.Any()
	if a.compare {
		// Read in a transaction of its own, so that the same append can be tried again when the answer is lost.
		var version int64
		err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			stream, err := w.store.ReadAggregateStream(ctx, tx, aggregateType, a.events[0].AggregateID, nil, nil)
			version = stream.Version()
			return err
		})
		if err != nil {
			pause(ctx, 10*time.Millisecond) // the server is away
			return nil
		}
		expected = runtime.Exact(version)
	}
	all := append(append([]runtime.Event(nil), a.events...), a.second...)
	committing := false
	err := w.transaction(ctx, pool, a, expected, &committing)
	switch {
	case err == nil:
		w.history.note(acknowledged, all)
	case errors.Is(err, errRollback), errors.Is(err, runtime.ErrOptimisticConcurrency), !committing:
		w.history.note(rolledBack, all)
	case a.compare && a.second == nil:
		w.resolve(ctx, pool, expected, a.events)
	default:
		w.history.note(unknown, all)
	}
	if err != nil && !errors.Is(err, errRollback) && !errors.Is(err, runtime.ErrOptimisticConcurrency) {
		if !isFault(err) && !w.isRefused(err) {
			return fmt.Errorf("writer: %w", err)
		}
		pause(ctx, 10*time.Millisecond)
	}
	return nil
}

// transaction runs the attempt. It sets committing when only the commit is left.
func (w *writer) transaction(ctx context.Context, pool *pgxpool.Pool, a attempt, expected runtime.ExpectedVersion, committing *bool) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if a.other {
			if _, err := tx.Exec(ctx, "insert into other values (1)"); err != nil {
				return err
			}
		}
		if a.undone != nil {
			err := pgx.BeginFunc(ctx, tx, func(savepoint pgx.Tx) error {
				if _, err := w.store.Append(ctx, savepoint, runtime.Any(), a.undone); err != nil {
					return err
				}
				return errRollback
			})
			if !errors.Is(err, errRollback) {
				return err
			}
		}
		if _, err := w.store.Append(ctx, tx, expected, a.events); err != nil {
			return err
		}
		if a.second != nil {
			if _, err := w.store.Append(ctx, tx, runtime.StreamExists(), a.second); err != nil {
				return err
			}
		}
		pause(ctx, a.pause)
		if a.rollback {
			return errRollback
		}
		*committing = true
		return nil
	})
}

// resolve finds out what became of an append whose commit was not answered, by making it again until there is an answer:
// the same events at the same version, so that they are stored once whatever had happened.
func (w *writer) resolve(ctx context.Context, pool *pgxpool.Pool, expected runtime.ExpectedVersion, events []runtime.Event) {
	for ctx.Err() == nil {
		w.restart()
		err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			_, err := w.store.Append(ctx, tx, expected, events)
			return err
		})
		switch {
		case err == nil:
			w.history.note(acknowledged, events)
			return
		case errors.Is(err, runtime.ErrOptimisticConcurrency):
			w.history.note(rolledBack, events) // it was not stored, and others came first
			return
		}
		pause(ctx, 10*time.Millisecond)
	}
}
