package consumer_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// A wire counts what goes over the connections of a pool, by the name in the first line of each statement.
type wire struct {
	mu    sync.Mutex
	sent  map[string]int
	rows  map[string]int64
	first map[*pgx.Conn]string
}

func (w *wire) count(sql string, rows int64) {
	name, _, _ := strings.Cut(sql, "\n")
	name = strings.TrimPrefix(name, "-- eventmap: ")
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent[name]++
	w.rows[name] += rows
}

func (w *wire) TraceQueryStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.first[conn] = data.SQL
	return ctx
}

func (w *wire) TraceQueryEnd(_ context.Context, conn *pgx.Conn, data pgx.TraceQueryEndData) {
	w.mu.Lock()
	statement := w.first[conn]
	w.mu.Unlock()
	w.count(statement, data.CommandTag.RowsAffected())
}

func (w *wire) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

func (w *wire) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	w.count(data.SQL, data.CommandTag.RowsAffected())
}

func (w *wire) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// snapshot returns how often statements were sent, and forgets it.
func (w *wire) take() (sent map[string]int, rows map[string]int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	sent, rows = w.sent, w.rows
	w.sent, w.rows = map[string]int{}, map[string]int64{}
	return sent, rows
}

// traced returns the env with a pool that is counted.
func (e *env) traced() (*env, *wire) {
	e.Helper()
	w := &wire{sent: map[string]int{}, rows: map[string]int64{}, first: map[*pgx.Conn]string{}}
	return e.with(func(c *pgxpool.Config) { c.ConnConfig.Tracer = w }), w
}

// with returns the env with a pool whose configuration is changed.
func (e *env) with(change func(*pgxpool.Config)) *env {
	e.Helper()
	config, err := pgxpool.ParseConfig(e.address)
	if err != nil {
		e.Fatal(err)
	}
	change(config)
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		e.Fatal(err)
	}
	e.Cleanup(pool.Close)
	changed := *e
	changed.pool = pool
	if changed.db, err = postgres.NewConsumers(pool); err != nil {
		e.Fatal(err)
	}
	return &changed
}

// An idle runner sends nothing but one statement for all consumers and workers, and ever more seldom.
func TestIdle_costsOnePoll(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.appendMany(10, 5)
	traced, w := e.traced()
	r, err := consumer.New(traced.db, consumer.Config{PollLeast: time.Millisecond, PollMost: 30 * time.Millisecond},
		consumer.Registration[pgx.Tx]{Consumer: writes("a", nil), Segments: 4},
		consumer.Registration[pgx.Tx]{Consumer: writes("b", nil)},
		consumer.Registration[pgx.Tx]{Consumer: consumer.Scoped("none", []string{"Nothing"}, writes("none", nil).handle)})
	if err != nil {
		t.Fatal(err)
	}
	background(traced, r)
	e.eventually("all is handled", func() bool {
		return one[bool](e, "select count(*) = 6 and min(position) = 10 from consumer_checkpoints")
	})
	const poll = "is there anything to do for consumers"
	e.eventually("the runner is idle", func() bool {
		time.Sleep(100 * time.Millisecond)
		sent, _ := w.take()
		return sent[poll] > 0 && len(sent) == 1
	})
}

// A filtered consumer, and a segment, gets its own events only over the wire.
func TestRead_fetchesNoForeignEvents(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	rare := 0
	for range 10 {
		rare += len(e.append("Rare", "r", 1))
		e.append("Often", "o", 99)
	}
	for _, segments := range []int{1, 3} {
		traced, w := e.traced()
		name := fmt.Sprintf("rare-%d", segments)
		h := consumer.Scoped(name, []string{"Rare"}, writes(name, nil).handle)
		traced.catchUp(traced.runner(consumer.Registration[pgx.Tx]{Consumer: h, Segments: segments, BatchSize: 4}))
		if got := len(e.model(name)); got != rare {
			t.Errorf("%s handled %d events, want %d", name, got, rare)
		}
		if _, rows := w.take(); rows["read the log for a consumer"] != int64(rare) {
			t.Errorf("%s fetched %d of 1000 events, want the %d it wants", name, rows["read the log for a consumer"], rare)
		}
	}
}

// sleepy returns a runner that looks at the log once an hour.
func sleepy[Tx any](e *env, db consumer.Database[Tx], h consumer.Consumer[Tx]) *consumer.Runner[Tx] {
	e.Helper()
	r, err := consumer.New(db, consumer.Config{PollLeast: time.Hour, PollMost: time.Hour}, consumer.Registration[Tx]{Consumer: h})
	if err != nil {
		e.Fatal(err)
	}
	return r
}

func TestWake_looksAtOnce(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	r := sleepy(e, e.db, writes("c", nil))
	background(e, r)
	for range 3 {
		e.append("Order", "o", 2)
		want := len(e.logPositions())
		e.eventually("the events are handled", func() bool { r.Wake(); return len(e.model("c")) == want })
	}
	e.wantModel("c", e.logPositions())
}

// One segment of many has something to do: no more workers are troubled than needed.
func TestWorkers_areSignalledOneByOne(t *testing.T) {
	t.Parallel()
	e, w := newEnv(t).traced()
	e.append("Order", idIn(0, 16), 1)
	e.exec("select setval(pg_get_serial_sequence('events', 'global_position'), 1000)")
	e.exec("insert into consumer_checkpoints (consumer, segment, segments, position) select 'c', s, 16, case s when 0 then 0 else 1000 end from generate_series(0, 15) as s")
	r, err := consumer.New(e.db, consumer.Config{PollLeast: time.Hour}, consumer.Registration[pgx.Tx]{
		Consumer: writes("c", nil), Segments: 16, Workers: 12,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.take()
	stop := background(e, r)
	e.eventually("the event is handled", func() bool { return len(e.model("c")) == 1 })
	stop()
	sent, _ := w.take()
	// One that was signalled, another that this one signalled, and the first again.
	if claims := sent["claim the segment of a consumer that is furthest behind"]; claims > 3 {
		t.Errorf("%d claims by 12 workers for an event in one of 16 segments", claims)
	}
}

// Being woken all the time does not mean to look all the time.
func TestWake_storm(t *testing.T) {
	t.Parallel()
	e, w := newEnv(t).traced()
	r := sleepy(e, e.db, writes("c", nil))
	began := time.Now()
	stop := background(e, r)
	polls, most := 0, 0
	look := func() {
		sent, _ := w.take()
		polls += sent["is there anything to do for consumers"]
		most = int(time.Since(began).Milliseconds()) + 3
	}
	for deadline := began.Add(patience); polls < 20 && time.Now().Before(deadline); look() {
		for range 1000 {
			r.Wake()
		}
	}
	stop()
	if look(); polls > most || polls < 20 {
		t.Errorf("it looked %d times in %d ms", polls, most)
	}
}

func TestListen_wakesTheRunner(t *testing.T) {
	t.Parallel()
	const channel = `Events "of" shop`
	listens := map[string]func(t *testing.T, e *env){
		"pgx": func(t *testing.T, e *env) {
			db, err := postgres.NewConsumers(e.pool, postgres.WithNotifyChannel(channel))
			if err != nil {
				t.Fatal(err)
			}
			background(e, sleepy(e, consumer.Database[pgx.Tx](db), writes("c", nil)))
		},
		"sql": func(t *testing.T, e *env) {
			db, err := postgres.NewConsumersSQL(e.sql(), postgres.WithNotifyChannel(channel))
			if err != nil {
				t.Fatal(err)
			}
			h := handler[*sql.Tx]{"c", func(ctx context.Context, tx *sql.Tx, p runtime.PersistedEvent) error {
				_, err := tx.ExecContext(ctx, insertRow, "c", p.GlobalPosition, p.AggregateID, p.AggregateVersion)
				return err
			}}
			background(e, sleepy(e, consumer.Database[*sql.Tx](db), h))
		},
	}
	for name, listen := range listens {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			store, err := postgres.NewPool(postgres.WithNotifyChannel(channel))
			if err != nil {
				t.Fatal(err)
			}
			e.store = store
			listen(t, e)
			listener := func() int64 {
				return one[int64](e, "select count(*) from pg_stat_activity where query like 'listen %' and datname = current_database()")
			}
			e.eventually("the runner listens", func() bool { return listener() == 1 })
			for range 3 {
				e.append("Order", "o", 2)
				want := len(e.logPositions())
				e.eventually("the events are handled", func() bool { return len(e.model("c")) == want })
			}
			// A listener that was cut off comes back, and has missed nothing.
			e.exec("select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen %' and datname = current_database()")
			e.append("Order", "o", 1)
			e.eventually("the events are handled", func() bool { return len(e.model("c")) == 7 })
			e.wantModel("c", e.logPositions())
		})
	}
}

// What a poll says of the log is what the store says.
func TestPoll_frontierIsTheStores(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	check := func(drawn int64) {
		t.Helper()
		want, err := e.store.SafeGlobalPosition(t.Context(), e.pool)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.db.Poll(t.Context(), []string{"c"})
		if err != nil {
			t.Fatal(err)
		}
		if got.Frontier != want || got.Drawn != drawn || len(got.Consumers) != 0 {
			t.Errorf("poll %+v, want frontier %d, drawn %d and no consumers", got, want, drawn)
		}
	}
	check(0)
	e.append("Order", "a", 3)
	check(3)
	tx, err := e.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	store, err := postgres.New()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Append(t.Context(), tx, runtime.NoStream(), events("Order", "b", 2)); err != nil {
		t.Fatal(err)
	}
	e.append("Order", "c", 1)
	check(6)
}

// An append in flight holds consumers up at its position, and none of its events is lost. A rollback holds nobody up.
func TestRunner_waitsForAppendsInFlight(t *testing.T) {
	t.Parallel()
	for _, commits := range []bool{true, false} {
		t.Run(fmt.Sprintf("commits %t", commits), func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			store, err := postgres.New()
			if err != nil {
				t.Fatal(err)
			}
			before := e.append("Order", "a", 2)
			tx, err := e.pool.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tx.Rollback(context.Background()) }()
			if _, err := store.Append(t.Context(), tx, runtime.NoStream(), events("Order", "b", 2)); err != nil {
				t.Fatal(err)
			}
			e.append("Order", "c", 2)

			r := e.runner(consumer.Registration[pgx.Tx]{Consumer: writes("c", nil)})
			var told atomic.Int64 // while the append is in flight
			ctx, cancel := context.WithCancel(e.ctx())
			defer cancel()
			done := make(chan error, 1)
			go func() {
				done <- r.RunUntilCaughtUp(ctx, func(p consumer.Progress) {
					if p.Frontier == before[1] && p.Target == 6 {
						told.Add(1)
					}
				})
			}()
			e.eventually("what is before it is handled", func() bool { return len(e.model("c")) == 2 && told.Load() > 0 })
			select {
			case err := <-done:
				t.Fatalf("RunUntilCaughtUp = %v before the append has ended", err)
			default:
			}
			if commits {
				err = tx.Commit(t.Context())
			} else {
				err = tx.Rollback(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			e.wantModel("c", e.logPositions())
		})
	}
}
