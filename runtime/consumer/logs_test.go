package consumer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// logsModel is the read model of consumers of many logs. That an event is handled twice is an error there.
const logsModel = `create table read_model (
	seq bigint generated always as identity,
	consumer text not null,
	log text not null,
	global_position bigint not null,
	replayed boolean not null,
	primary key (consumer, log, global_position)
)`

// A logsEnv is a database of many logs.
type logsEnv struct {
	*env
	logs *postgres.Logs[*pgxpool.Pool]
}

func newLogsEnv(t testing.TB) *logsEnv {
	t.Helper()
	return logsOn(t, design.Options{Logs: "tenant"}, postgres.ManyLogs, func(tables string) string { return pgtest.New(t, tables, logsModel) })
}

// newCitusEnv returns a database of many logs on a cluster.
func newCitusEnv(t testing.TB) *logsEnv {
	t.Helper()
	return logsOn(t, design.Options{Logs: "tenant", Citus: true}, postgres.ManyLogs.OnCitus(), func(tables string) string {
		return pgtest.NewCitus(t, nil, tables, logsModel)
	})
}

func logsOn(t testing.TB, o design.Options, layout postgres.Layout, database func(tables string) string) *logsEnv {
	t.Helper()
	tables, err := migration.Schema(o)
	if err != nil {
		t.Fatal(err)
	}
	e := &logsEnv{env: connect(t, database(tables))}
	if e.db, err = postgres.NewConsumers(e.pool, layout); err != nil {
		t.Fatal(err)
	}
	if e.logs, err = postgres.NewLogsPool(layout); err != nil {
		t.Fatal(err)
	}
	return e
}

// onEachEngine runs a test on PostgreSQL, and on a Citus cluster where there is one.
func onEachEngine(t *testing.T, test func(t *testing.T, e *logsEnv)) {
	t.Helper()
	for name, newEnv := range map[string]func(testing.TB) *logsEnv{"PostgreSQL": newLogsEnv, "Citus": newCitusEnv} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newEnv(t))
		})
	}
}

// store appends n events to a stream of a log.
func (e *logsEnv) to(log, id string, n int) {
	e.Helper()
	if _, err := e.logs.Of(log).Append(e.Context(), e.pool, runtime.Any(), events("Order", id, n)); err != nil {
		e.Fatal(err)
	}
}

// writesOf returns a consumer that writes each event to the read model, after check has returned nil.
func writesOf(name string, check func(ctx context.Context, e runtime.PersistedEvent) error) handler[pgx.Tx] {
	return handler[pgx.Tx]{name, func(ctx context.Context, tx pgx.Tx, e runtime.PersistedEvent) error {
		if check != nil {
			if err := check(ctx, e); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `insert into read_model (consumer, log, global_position, replayed) values ($1, $2, $3, $4)`,
			name, consumer.LogOf(ctx), e.GlobalPosition, consumer.Replaying(ctx))
		return err
	}}
}

// wantHandled checks how many events of each log a consumer has handled, in order and without gaps.
func (e *logsEnv) wantHandled(name string, want map[string]int64) {
	e.Helper()
	rows, err := e.pool.Query(e.Context(), `select log, count(*), max(global_position) = count(*),
		bool_and(coalesce(global_position > before, true))
		from (select *, lag(global_position) over (partition by log order by seq) as before from read_model where consumer = $1) as m group by log`, name)
	if err != nil {
		e.Fatal(err)
	}
	got := make(map[string]int64)
	var log string
	var n int64
	var whole, ordered bool
	if _, err := pgx.ForEachRow(rows, []any{&log, &n, &whole, &ordered}, func() error {
		got[log] = n
		if !whole || !ordered {
			e.Errorf("%s: log %q: handled without gaps: %t, in order: %t", name, log, whole, ordered)
		}
		return nil
	}); err != nil {
		e.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		e.Errorf("events that %s handled (-want +got):\n%s", name, diff)
	}
}

// Several runners share the logs, in whatever process, and find new ones while they run.
func TestLogs_runnersShareThem(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, e *logsEnv) {
		want := make(map[string]int64)
		var mu sync.Mutex
		add := func(log string, n int) {
			mu.Lock()
			defer mu.Unlock()
			e.to(log, "s", n)
			want[log] += int64(n)
		}
		for i := range 20 {
			add(fmt.Sprint("tenant-", i), 1+i%4)
		}
		var runners [3]*consumer.Runner[pgx.Tx]
		for i := range runners {
			r := e.runner(consumer.Registration[pgx.Tx]{Consumer: writesOf("c", nil), Logs: consumer.AllLogs(), Workers: 3, BatchSize: 2})
			runners[i] = r
			background(e.env, r)
		}
		for i := range 60 {
			add(fmt.Sprint("tenant-", i%30), 1)
		}
		r := runners[0]
		for log, position := range want {
			if err := r.WaitForLog(e.ctx(), "c", log, position); err != nil {
				t.Fatal(err)
			}
		}
		e.wantHandled("c", want)
		s := status(e.env, r, "c")
		if s.Logs.Logs != 30 || s.Logs.Behind != 0 || s.Lag().Events != 0 || len(s.Segments) != 30 {
			t.Errorf("status is %+v, want 30 logs and none behind", s.Logs)
		}
	})
}

func TestLogs_onlyThoseNamed(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, e *logsEnv) {
		for _, log := range []string{"a", "b", "c"} {
			e.to(log, "s", 3)
		}
		r := e.runner(
			consumer.Registration[pgx.Tx]{Consumer: writesOf("some", nil), Logs: consumer.OnlyLogs("a", "c", "later")},
			consumer.Registration[pgx.Tx]{Consumer: writesOf("all", nil)})
		e.catchUp(r)
		e.wantHandled("some", map[string]int64{"a": 3, "c": 3})
		e.to("later", "s", 2)
		e.catchUp(r)
		e.wantHandled("some", map[string]int64{"a": 3, "c": 3, "later": 2})
		e.wantHandled("all", map[string]int64{"a": 3, "b": 3, "c": 3, "later": 2})
	})
}

// Where a consumer starts holds for the logs that there are; a later one is new as a whole.
func TestLogs_start(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, e *logsEnv) {
		e.to("old", "s", 3)
		middle := one[time.Time](e.env, `select clock_timestamp()`)
		e.exec(`update events set created_at = $1`, middle.Add(-time.Hour))
		e.to("old", "s", 2)
		middle = middle.Add(-time.Minute)
		r := e.runner(
			consumer.Registration[pgx.Tx]{Consumer: writesOf("now", nil), From: consumer.Now},
			consumer.Registration[pgx.Tx]{Consumer: writesOf("time", nil), From: consumer.FromTime(middle)},
			consumer.Registration[pgx.Tx]{Consumer: writesOf("beginning", nil)})
		e.catchUp(r)
		e.to("old", "s", 1)
		e.to("new", "s", 2)
		e.catchUp(r)
		count := func(name string) map[string][]int64 {
			rows, err := e.pool.Query(e.Context(), `select log || case when replayed then ' replayed' else '' end, array_agg(global_position order by seq)
			from read_model where consumer = $1 group by 1`, name)
			if err != nil {
				t.Fatal(err)
			}
			got := make(map[string][]int64)
			var log string
			var positions []int64
			if _, err := pgx.ForEachRow(rows, []any{&log, &positions}, func() error {
				got[log] = append([]int64{}, positions...)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			return got
		}
		for name, want := range map[string]map[string][]int64{
			"now":       {"old": {6}, "new": {1, 2}},
			"time":      {"old replayed": {4, 5}, "old": {6}, "new": {1, 2}},
			"beginning": {"old replayed": {1, 2, 3, 4, 5}, "old": {6}, "new": {1, 2}},
		} {
			if diff := cmp.Diff(want, count(name)); diff != "" {
				t.Errorf("from %s (-want +got):\n%s", name, diff)
			}
		}
	})
}

// A log whose event fails, and one that has a gap, stop nobody else.
func TestLogs_failuresStayInTheirLog(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, e *logsEnv) {
		for _, log := range []string{"fails", "gap", "parks", "well"} {
			e.to(log, "s", 3)
		}
		e.exec(`delete from events where log = 'gap' and global_position = 2`)
		broken := errors.New("broken")
		failing := func(of string) func(context.Context, runtime.PersistedEvent) error {
			return func(ctx context.Context, ev runtime.PersistedEvent) error {
				if consumer.LogOf(ctx) == of && ev.GlobalPosition == 2 {
					return broken
				}
				return nil
			}
		}
		r := e.runner(
			consumer.Registration[pgx.Tx]{Consumer: writesOf("stops", failing("fails")), Attempts: 1, Workers: 2},
			consumer.Registration[pgx.Tx]{Consumer: writesOf("parks", failing("parks")), Attempts: 1, Policy: consumer.Park})
		stop := background(e.env, r)
		for _, name := range []string{"stops", "parks"} {
			if err := r.WaitForLog(e.ctx(), name, "well", 3); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.WaitForLog(e.ctx(), "parks", "parks", 3); err != nil {
			t.Fatal(err)
		}
		wantError(t, r.WaitForLog(e.ctx(), "stops", "fails", 3), consumer.ErrStopped)
		e.eventually("the gap is seen", func() bool { return errors.Is(status(e.env, r, "stops").Trouble, consumer.ErrGap) })
		s := status(e.env, r, "stops")
		if !s.Stopped() || s.Logs.Stopped != 1 || s.Segments[0].Log != "fails" || s.Segments[0].State() != consumer.SegmentStopped {
			t.Errorf("status is %+v, want the log fails to be stopped, and the first that is told", s)
		}
		parked, err := r.Parked(e.ctx(), "parks", 0, 10)
		if err != nil || len(parked) != 2 || parked[0].Log != "parks" || parked[0].GlobalPosition != 2 {
			t.Errorf("parked: %+v, %v; want events 2 and 3 of the log parks", parked, err)
		}
		if _, err := r.DropParked(e.ctx(), "parks", 2); !errors.Is(err, consumer.ErrLogs) {
			t.Errorf("a drop that names no log: got %v, want %v", err, consumer.ErrLogs)
		}
		if dropped, err := r.DropParkedIn(e.ctx(), "parks", "parks", 2); err != nil || !dropped {
			t.Errorf("drop: %t, %v", dropped, err)
		}
		if n, err := r.RetryParked(e.ctx(), "parks", consumer.Stream{AggregateType: "Order", AggregateID: "s", Log: "parks"}); n != 1 || err != nil {
			t.Errorf("retried %d, %v; want 1", n, err)
		}
		stop()
	})
}

// Pause holds for logs that come while it lasts; Reset, Resume and Forget are for all logs.
func TestLogs_operations(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, e *logsEnv) {
		e.to("a", "s", 2)
		e.to("b", "s", 2)
		r := e.runner(consumer.Registration[pgx.Tx]{Consumer: writesOf("c", nil)})
		e.catchUp(r)
		if err := r.Pause(e.ctx(), "c", "a while"); err != nil {
			t.Fatal(err)
		}
		e.to("a", "s", 1)
		e.to("later", "s", 1)
		wantError(t, r.RunUntilCaughtUp(e.ctx(), nil), consumer.ErrStopped)
		e.wantHandled("c", map[string]int64{"a": 2, "b": 2})
		if err := r.Resume(e.ctx(), "c"); err != nil {
			t.Fatal(err)
		}
		e.catchUp(r)
		e.wantHandled("c", map[string]int64{"a": 3, "b": 2, "later": 1})
		if err := r.Reset(e.ctx(), "c", func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `truncate read_model`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		e.catchUp(r)
		e.wantHandled("c", map[string]int64{"a": 3, "b": 2, "later": 1})
		if n := one[int64](e.env, `select count(*) from read_model where replayed`); n != 6 {
			t.Errorf("%d events were replayed after a reset, want 6", n)
		}
		wantError(t, r.Resize(e.ctx(), "c", 2), consumer.ErrLogs)
		wantError(t, r.Accept(e.ctx(), "c", 2), consumer.ErrLogs)
		wantError(t, r.WaitFor(e.ctx(), "c", 2), consumer.ErrLogs)

		// A log that was restored to an older state.
		e.exec(`delete from events where log = 'a' and global_position > 1`)
		e.exec(`update event_logs set position = 1 where log = 'a'`)
		wantError(t, r.Run(e.ctx()), consumer.ErrCheckpointAhead, `"a"`)
		if err := r.AcceptLog(e.ctx(), "c", "a", 1); err != nil {
			t.Fatal(err)
		}
		e.exec(`delete from read_model where log = 'a' and global_position > 1`)
		e.to("a", "s2", 2)
		e.catchUp(r)
		e.wantHandled("c", map[string]int64{"a": 3, "b": 2, "later": 1})

		if err := e.logs.Drop(e.ctx(), e.pool, "b"); err != nil {
			t.Fatal(err)
		}
		e.catchUp(r)
		if s := status(e.env, r, "c"); s.Logs.Logs != 2 {
			t.Errorf("%d logs are left after a drop, want 2", s.Logs.Logs)
		}
		if err := e.runner().Forget(e.ctx(), "c"); err != nil {
			t.Fatal(err)
		}
		if n := one[int64](e.env, `select count(*) from consumer_checkpoints`); n != 0 {
			t.Errorf("%d checkpoints are left, want none", n)
		}
	})
}

func TestLogs_registrationsAreChecked(t *testing.T) {
	t.Parallel()
	many, single := newLogsEnv(t), newEnv(t)
	c := writesOf("c", nil)
	for name, tt := range map[string]struct {
		db consumer.Database[pgx.Tx]
		r  consumer.Registration[pgx.Tx]
	}{
		"segments":            {many.db, consumer.Registration[pgx.Tx]{Consumer: c, Segments: 4}},
		"a position":          {many.db, consumer.Registration[pgx.Tx]{Consumer: c, From: consumer.FromPosition(3)}},
		"all logs of the one": {single.db, consumer.Registration[pgx.Tx]{Consumer: c, Logs: consumer.AllLogs()}},
		"logs of the one":     {single.db, consumer.Registration[pgx.Tx]{Consumer: c, Logs: consumer.OnlyLogs("a")}},
		"no logs":             {many.db, consumer.Registration[pgx.Tx]{Consumer: c, Logs: consumer.OnlyLogs()}},
		"a log without name":  {many.db, consumer.Registration[pgx.Tx]{Consumer: c, Logs: consumer.OnlyLogs("")}},
	} {
		if _, err := consumer.New(tt.db, consumer.Config{}, tt.r); err == nil {
			t.Errorf("%s: want an error", name)
		}
	}
}

// Ten thousand idle logs cost one query for each look, and one with something to do is found among them.
func TestLogs_tenThousand(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, e *logsEnv) {
		e.exec(`insert into event_logs (log) select 'idle-' || i from generate_series(1, 10000) as i`)
		r := e.runner(consumer.Registration[pgx.Tx]{Consumer: writesOf("c", nil), Workers: 2})
		e.catchUp(r)
		background(e.env, r)
		for i := range 300 {
			e.to(fmt.Sprint("idle-", 1+i*7), "s", 1)
		}
		for i := range 300 {
			if err := r.WaitForLog(e.ctx(), "c", fmt.Sprint("idle-", 1+i*7), 1); err != nil {
				t.Fatal(err)
			}
		}
		if n := one[int64](e.env, `select count(*) from read_model`); n != 300 {
			t.Errorf("%d events were handled, want 300", n)
		}
		if s := status(e.env, r, "c"); s.Logs.Logs != 10000 || len(s.Segments) != 100 {
			t.Errorf("status tells %d of %d logs, want 100 of 10,000", len(s.Segments), s.Logs.Logs)
		}
	})
}

// statements counts the statements of a name that a pool is given.
type statements struct {
	name string
	n    atomic.Int64
}

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if strings.HasPrefix(data.SQL, s.name) {
		s.n.Add(1)
	}
	return ctx
}

func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// Consumers read on a standby and keep their checkpoints on the primary, however far the standby is behind.
func TestLogs_readOnAStandby(t *testing.T) {
	t.Parallel()
	tables, err := migration.Schema(design.Options{Logs: "tenant"})
	if err != nil {
		t.Fatal(err)
	}
	primary := pgtest.NewServer(t)
	name, err := pgx.ParseConfig(primary.NewDatabase(t, tables, logsModel))
	if err != nil {
		t.Fatal(err)
	}
	e := &logsEnv{env: connect(t, primary.URL(name.Database))}
	if e.logs, err = postgres.NewLogsPool(); err != nil {
		t.Fatal(err)
	}
	standby := primary.NewStandby(t)
	config, err := pgxpool.ParseConfig(standby.URL(name.Database))
	if err != nil {
		t.Fatal(err)
	}
	reads := &statements{name: "-- eventmap: read the log for a consumer"}
	config.ConnConfig.Tracer = reads
	reader, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(reader.Close)
	if e.db, err = postgres.NewConsumers(e.pool, postgres.ManyLogs, postgres.WithReader(reader)); err != nil {
		t.Fatal(err)
	}
	r := e.runner(
		consumer.Registration[pgx.Tx]{Consumer: writesOf("c", nil), Workers: 2, BatchSize: 3},
		consumer.Registration[pgx.Tx]{Consumer: consumer.Scoped("scoped", []string{"Order"}, writesOf("scoped", nil).handle)})
	background(e.env, r)
	replay := func(what string) {
		if _, err := reader.Exec(t.Context(), "select pg_wal_replay_"+what+"()"); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]int64{"a": 20, "b": 20}
	for i := range 10 {
		e.to("a", "s", 2)
		e.to("b", "s", 2)
		if i == 5 {
			replay("pause")
		}
	}
	e.eventually("the standby is asked, which is behind", func() bool { return reads.n.Load() > 0 })
	replay("resume")
	for log, position := range want {
		for _, name := range []string{"c", "scoped"} {
			if err := r.WaitForLog(e.ctx(), name, log, position); err != nil {
				t.Fatal(err)
			}
		}
	}
	e.wantHandled("c", want)
	e.wantHandled("scoped", want)
	if reads.n.Load() == 0 {
		t.Error("nothing was read on the standby")
	}
	if _, err := postgres.NewConsumers(e.pool, postgres.WithReader(reader)); err == nil {
		t.Error("a reader of one log was taken")
	}
}
