package consumer_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// An administrator maintains the tables while appends and consumers run: no event is lost, blamed, or handled twice.
func TestMaintenance_whileAppendsAndConsumersRun(t *testing.T) {
	t.Parallel()
	for name, statements := range map[string][]string{
		"reindex":         {"reindex table concurrently events", "reindex table concurrently aggregate_heads", "reindex table concurrently consumer_checkpoints"},
		"vacuum full":     {"vacuum full events", "vacuum full aggregate_heads", "vacuum full consumer_checkpoints"},
		"cluster":         {"cluster events using events_pkey", "cluster aggregate_heads using aggregate_heads_pkey"},
		"column":          {"alter table events add column note text default ''", "alter table events drop column note"},
		"analyze":         {"alter table events alter column event_type set statistics 500", "vacuum (freeze, analyze) events"},
		"autovacuum":      {"alter table events set (autovacuum_enabled = off, fillfactor = 70)"},
		"end of sessions": {terminate, terminate, terminate},
		"cancellations": {
			`select pg_cancel_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
			`select pg_cancel_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			o := newOperator(e)
			r, err := consumer.New(e.db, consumer.Config{
				Logger: runtime.NoOpLogger{}, PollLeast: time.Millisecond, PollMost: 20 * time.Millisecond,
			}, consumer.Registration[pgx.Tx]{
				Segments: 3, BatchSize: 4, Backoff: consumer.Backoff{First: time.Millisecond, Most: 10 * time.Millisecond}, Consumer: writes("c", nil),
			})
			if err != nil {
				t.Fatal(err)
			}
			background(e, r)
			var appended atomic.Int64
			var done atomic.Bool
			var group sync.WaitGroup
			for w := range 3 {
				group.Go(func() {
					for n := int64(0); !done.Load() && !t.Failed(); n++ {
						more := events("Order", fmt.Sprintf("order-%d", w), 1)
						for { // with the same events, until they are stored
							_, err := e.store.Append(t.Context(), e.pool, runtime.Exact(n), more)
							if err == nil {
								break
							}
							if t.Context().Err() != nil || errors.Is(err, runtime.ErrOptimisticConcurrency) || errors.Is(err, runtime.ErrDuplicateEvent) {
								t.Error(err)
								return
							}
						}
						appended.Add(1)
					}
				})
			}
			for _, statement := range statements {
				before, handled := appended.Load(), len(e.handledRetried("c"))
				e.eventually("work goes on", func() bool { return appended.Load() > before+5 && len(e.handledRetried("c")) > handled })
				o.exec(statement)
			}
			before := appended.Load()
			e.eventually("appends go on", func() bool { return appended.Load() > before+5 })
			done.Store(true)
			group.Wait()
			e.eventually("all is handled", func() bool { return int64(len(e.handledRetried("c"))) == appended.Load() })
			e.wantModel("c", e.logPositions())
			if err := postgres.Check(t.Context(), o.conn); err != nil {
				t.Error(err)
			}
		})
	}
}

// handledRetried returns the positions that a consumer has handled. It reads again where its own session was ended.
func (e *env) handledRetried(name string) (positions []int64) {
	e.Helper()
	e.eventually("the model can be read", func() bool {
		rows, err := e.pool.Query(e.Context(), "select global_position from read_model where consumer = $1", name)
		if err == nil {
			positions, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		}
		return err == nil
	})
	return positions
}

// Somebody empties the log, or sets its sequence back, while a consumer runs. It is said, to who appends, who reads, and who looks
// at the consumer.
func TestMaintenance_logIsDamaged(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		damage  string
		more    int   // events that are appended in the transaction that does it
		refused error // of the append
		lacks   bool  // a stream lacks its events
		trouble error // of the consumer, or nil if it goes on behind what is gone
	}{
		"truncate":                    {damage: "truncate events", more: 1, lacks: true},
		"truncate, restart":           {damage: "truncate events restart identity", more: 1, lacks: true, trouble: consumer.ErrCheckpointAhead},
		"truncate all":                {damage: "truncate events, aggregate_heads restart identity", more: 1, trouble: consumer.ErrCheckpointAhead},
		"truncate all, and grow past": {damage: "truncate events, aggregate_heads restart identity", more: 30, trouble: consumer.ErrCheckpointAhead},
		"sequence restart":            {damage: "alter sequence events_global_position_seq restart", more: 1, refused: postgres.ErrSequenceBehind, trouble: postgres.ErrSequenceBehind},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			r := e.runner(consumer.Registration[pgx.Tx]{Consumer: writes("c", nil)})
			background(e, r)
			e.appendMany(20, 4)
			e.eventually("all is handled", func() bool { return len(e.model("c")) == 20 })
			e.eventually("the damage is done", func() bool { // it may lose a deadlock with the consumer
				tx, err := e.pool.Begin(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = tx.Rollback(context.Background()) }()
				if _, err := tx.Exec(t.Context(), row.damage); err != nil {
					return false
				}
				store, err := postgres.New()
				if err != nil {
					t.Fatal(err)
				}
				if row.refused == nil {
					if _, err := store.Append(t.Context(), tx, runtime.Any(), events("Order", "order-1", row.more)); err != nil {
						t.Fatal(err)
					}
				}
				return tx.Commit(t.Context()) == nil
			})
			if row.refused != nil {
				if _, err := e.store.Append(t.Context(), e.pool, runtime.Any(), events("Order", "order-1", row.more)); !errors.Is(err, row.refused) {
					t.Errorf("append: error is %v, want %v", err, row.refused)
				}
			}
			var incomplete *runtime.IncompleteStreamError
			_, err := e.store.ReadAggregateStream(t.Context(), e.pool, "Order", "order-2", nil, nil)
			if errors.As(err, &incomplete) != row.lacks {
				t.Errorf("a stream: error is %v, want one of an incomplete stream: %t", err, row.lacks)
			}
			if row.trouble == nil {
				e.eventually("what is appended is handled", func() bool { return len(e.model("c")) == 20+row.more })
				return
			}
			e.eventually("the consumer says so", func() bool {
				status, err := r.Status(t.Context())
				return errors.Is(err, row.trouble) || err == nil && len(status) == 1 && errors.Is(status[0].Trouble, row.trouble)
			})
			if n := len(e.model("c")); n != 20 {
				t.Errorf("%d events are handled, want 20", n)
			}
		})
	}
}
