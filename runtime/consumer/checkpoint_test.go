package consumer_test

import (
	"context"
	"errors"
	"fmt"
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

func TestReset_handlesTheLogAgain(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.appendMany(40, 4)
	runs := 0
	r := e.runner(consumer.Registration[pgx.Tx]{
		Segments: 2, Policy: consumer.Park, Attempts: 1,
		Consumer: writes("c", func(_ context.Context, _ pgx.Tx, p runtime.PersistedEvent) error {
			if runs == 0 && p.GlobalPosition == 7 {
				return fmt.Errorf("the first time it fails")
			}
			return nil
		}),
	})
	e.catchUp(r)
	if s := status(e, r, "c"); s.Parked == 0 {
		t.Fatal("nothing is parked")
	}
	wantError(t, r.Reset(e.ctx(), "c", func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "delete from no_such_table")
		return err
	}), nil, "reset consumer c", "no_such_table")
	if len(e.model("c")) == 0 || status(e, r, "c").Parked == 0 {
		t.Error("a reset that failed has changed something")
	}
	runs++
	if err := r.Reset(e.ctx(), "c", func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "delete from read_model where consumer = 'c'")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	s := status(e, r, "c")
	if s.Parked != 0 || s.Lag().Events != 40 {
		t.Errorf("status %+v, want nothing parked and all 40 events to be handled", s)
	}
	e.catchUp(r)
	e.wantModel("c", e.logPositions())
	wantError(t, r.Reset(e.ctx(), "d", nil), consumer.ErrUnknownConsumer)
}

// A reset while workers run, here and in another process, begins anew and once.
func TestReset_whileRunning(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.appendMany(200, 10)
	registration := consumer.Registration[pgx.Tx]{Consumer: writes("c", nil), Segments: 2, BatchSize: 10}
	r := e.runner(registration)
	background(e, r)
	background(e, connectAgain(e).runner(registration))
	e.eventually("there is something to reset", func() bool { return len(e.model("c")) > 50 })
	if err := r.Reset(e.ctx(), "c", func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "delete from read_model where consumer = 'c'")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	e.eventually("all is handled", func() bool { return len(e.model("c")) == 200 })
	e.wantModel("c", e.logPositions())
}

// A rebuild without downtime: the new version catches up beside the old one, then they are swapped.
func TestRebuild_besideTheOldOne(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.appendMany(1000, 10)
	old := e.runner(consumer.Registration[pgx.Tx]{Consumer: writes("model", nil)})
	background(e, old)
	next := e.runner(consumer.Registration[pgx.Tx]{Consumer: writes("model-2", nil), BatchSize: 100})
	var told []consumer.Progress
	if err := next.RunUntilCaughtUp(e.ctx(), func(p consumer.Progress) { told = append(told, p) }); err != nil {
		t.Fatal(err)
	}
	e.wantModel("model-2", e.logPositions())
	first, last := told[0], told[len(told)-1]
	if first.Target != 1000 || first.Consumer != "model-2" || last.Position != 1000 || !last.Done() || last.Left != 0 {
		t.Errorf("progress from %+v to %+v, want it to end at 1000", first, last)
	}
	if moved := last.Position > first.Position; moved != (last.Rate > 0) { // all may be done when it is first looked at
		t.Errorf("progress from %+v to %+v, want a rate if it moved in between", first, last)
	}
	wantError(t, next.Forget(e.ctx(), "model-2"), nil, "it is registered with this runner")
	if err := next.Forget(e.ctx(), "model"); err != nil {
		t.Fatal(err)
	}
	wantError(t, next.Forget(e.ctx(), "model"), consumer.ErrUnknownConsumer)
	if s := status(e, old, "model"); len(s.Segments) != 0 {
		t.Errorf("segments %+v of a consumer that is forgotten", s.Segments)
	}
}

func TestStatus_beforeAndAfterTheFirstRun(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.append("Order", "o", 3)
	e.append("User", "u", 2)
	r := e.runner(
		consumer.Registration[pgx.Tx]{Consumer: writes("a", nil), Segments: 2},
		consumer.Registration[pgx.Tx]{Consumer: consumer.Scoped("users", []string{"User"}, writes("users", nil).handle)},
	)
	if got, want := status(e, r, "a"), (consumer.Status{Consumer: "a", Frontier: 5, LogEnd: 5}); !cmp.Equal(want, got) {
		t.Errorf("status %+v, want %+v", got, want)
	}
	e.catchUp(r)
	e.append("Order", "o", 1)
	e.append("User", "u", 1)
	lag := map[string]int64{}
	for _, name := range []string{"a", "users"} {
		s := status(e, r, name)
		lag[name] = s.Lag().Events
		if s.Lag().Age <= 0 || s.Lag().Age > time.Hour || s.Trouble != nil {
			t.Errorf("status %+v, want a lag that has an age and no trouble", s)
		}
	}
	if diff := cmp.Diff(map[string]int64{"a": 2, "users": 1}, lag); diff != "" {
		t.Errorf("lag (-want +got):\n%s", diff)
	}
}

func TestRun_checkpointAheadOfTheLog(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.append("Order", "o", 3)
	r := e.runner(consumer.Registration[pgx.Tx]{Consumer: writes("c", nil)})
	e.catchUp(r)
	// The log was restored from a backup that is older than the checkpoint.
	e.exec("truncate events, aggregate_heads restart identity")
	e.exec("truncate read_model")
	e.append("Order", "o", 2)
	texts := []string{"consumer c", "it is at position 3 and the log ends at 2"}
	wantError(t, r.Run(e.ctx()), consumer.ErrCheckpointAhead, texts...)
	wantError(t, r.RunUntilCaughtUp(e.ctx(), nil), consumer.ErrCheckpointAhead, texts...)
	e.wantModel("c", []int64{})
	if err := r.Reset(e.ctx(), "c", nil); err != nil {
		t.Fatal(err)
	}
	e.catchUp(r)
	e.wantModel("c", e.logPositions())
}

// A log that is cut while the runner runs stops the consumer, not the runner.
func TestRun_logIsCutWhileRunning(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.append("Order", "o", 3)
	r := e.runner(consumer.Registration[pgx.Tx]{Consumer: writes("c", nil)})
	background(e, r)
	e.eventually("the events are handled", func() bool { return len(e.model("c")) == 3 })
	e.eventually("the log is cut", func() bool { // a look of the worker, which has locked the sequence first, is in the way at times
		_, err := e.pool.Exec(t.Context(), "truncate events, aggregate_heads restart identity; truncate read_model")
		return err == nil
	})
	e.append("Order", "o", 2)
	e.eventually("the status says so", func() bool { return errors.Is(status(e, r, "c").Trouble, consumer.ErrCheckpointAhead) })
	e.wantModel("c", []int64{})
	if err := r.Reset(e.ctx(), "c", nil); err != nil {
		t.Fatal(err)
	}
	e.eventually("it goes on after a reset", func() bool { return len(e.model("c")) == 2 })
}

func TestRun_missingTables(t *testing.T) {
	t.Parallel()
	e := connect(t, pgtest.New(t))
	r := e.runner(consumer.Registration[pgx.Tx]{Consumer: writes("c", nil)})
	wantError(t, r.Run(e.ctx()), nil, "table consumer_checkpoints", "is missing; create them with the SQL that `migrate-gen` writes")
	_, err := r.Status(e.ctx())
	wantError(t, err, nil, "`migrate-gen`")

	db, err := postgres.NewConsumers(e.pool, postgres.WithEventsTable("shop.log"), postgres.WithCheckpointsTable("shop.done"))
	if err != nil {
		t.Fatal(err)
	}
	err = runnerOf(t, consumer.Database[pgx.Tx](db), consumer.Registration[pgx.Tx]{Consumer: writes("c", nil)}).Run(e.ctx())
	wantError(t, err, nil, "table shop.done", "`migrate-gen --events-table shop.log", "--checkpoints-table shop.done`")
}

func TestRun_standbyIsRefused(t *testing.T) {
	t.Parallel()
	primary := pgtest.NewServer(t)
	e := connect(t, primary.NewDatabase(t, schema(t)...))
	database, err := pgx.ParseConfig(e.address)
	if err != nil {
		t.Fatal(err)
	}
	standby := connect(t, primary.NewStandby(t).URL(database.Database))
	r := standby.runner(consumer.Registration[pgx.Tx]{Consumer: writes("c", nil)})
	wantError(t, r.Run(e.ctx()), postgres.ErrStandby)
}

func TestNewConsumers_badConfiguration(t *testing.T) {
	t.Parallel()
	for option, want := range map[string]postgres.Option{
		"checkpoints table":   postgres.WithCheckpointsTable("a b"),
		"parked events table": postgres.WithParkedEventsTable("a.b.c"),
		"table name":          postgres.WithEventsTable("1"),
		"notify channel":      postgres.WithNotifyChannel("\x00"),
	} {
		_, err := postgres.NewConsumers(nil, want)
		wantError(t, err, nil, option)
	}
}

// Tables with names of the user's choice, in every mode of pgx: nothing is left in a session that a pooler could give to
// another.
func TestConsumers_everyModeAndCustomTables(t *testing.T) {
	t.Parallel()
	tables, err := migration.Schema(design.Options{
		Schema: "My-Shop", EventsTable: "Event-Log", CheckpointsTable: "select", ParkedEventsTable: "other.événements",
	})
	if err != nil {
		t.Fatal(err)
	}
	address := pgtest.New(t, tables, readModel)
	options := []postgres.Option{postgres.Config{
		EventsTable: "My-Shop.Event-Log", CheckpointsTable: "My-Shop.select", ParkedEventsTable: "other.événements",
	}}
	store, err := postgres.NewPool(options...)
	if err != nil {
		t.Fatal(err)
	}
	e := connect(t, address)
	e.store = store
	for i := range 4 {
		e.append("Order", fmt.Sprintf("o%d", i), 5)
	}
	var want []int64
	for _, p := range one[[]int64](e, `select array_agg(global_position order by global_position) from "My-Shop"."Event-Log"`) {
		if p != 7 {
			want = append(want, p)
		}
	}
	for _, mode := range []pgx.QueryExecMode{
		pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
		pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
	} {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			e := connect(t, address).with(func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode })
			db, err := postgres.NewConsumers(e.pool, options...)
			if err != nil {
				t.Fatal(err)
			}
			name := mode.String()
			dropped := false
			r := runnerOf(t, consumer.Database[pgx.Tx](db), consumer.Registration[pgx.Tx]{
				Segments: 3, BatchSize: 4, Policy: consumer.Park, Attempts: 2, Backoff: quick(),
				Consumer: consumer.Scoped(name, []string{"Order", "User"}, writes(name, func(_ context.Context, _ pgx.Tx, p runtime.PersistedEvent) error {
					if p.GlobalPosition == 7 && !dropped {
						return fmt.Errorf("event 7")
					}
					return nil
				}).handle),
			})
			e.catchUp(r)
			if err := r.Resize(e.ctx(), name, 2); err != nil {
				t.Fatal(err)
			}
			parked, err := r.Parked(e.ctx(), name, 0, 10)
			if err != nil || len(parked) != 4 {
				t.Fatalf("parked %+v, %v, want 4 events", parked, err)
			}
			if _, err := r.RetryParked(e.ctx(), name, parked[0].Stream); err == nil {
				t.Error("RetryParked of a handler that still fails succeeded")
			}
			if _, err := r.DropParked(e.ctx(), name, 7); err != nil {
				t.Fatal(err)
			}
			if n, err := r.RetryParked(e.ctx(), name, parked[0].Stream); n != 3 || err != nil {
				t.Errorf("RetryParked = %d, %v, want 3", n, err)
			}
			e.wantModel(name, want)
			if s := status(e, r, name); len(s.Segments) != 2 || s.Parked != 0 || s.Lag().Events != 0 {
				t.Errorf("status %+v", s)
			}
		})
	}
}

func TestRun_onceAtATime(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	r := e.runner(consumer.Registration[pgx.Tx]{Consumer: writes("c", nil)})
	stop := background(e, r)
	e.eventually("it runs", func() bool { return len(status(e, r, "c").Segments) == 1 })
	wantError(t, r.Run(e.ctx()), consumer.ErrRunning)
	stop()
	e.catchUp(r)
}

// Whatever goes wrong, a commit included, the connection goes back to the pool, which closes it if need be.
func TestReset_givesItsConnectionBack(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.append("Order", "o", 1)
	r := e.runner(consumer.Registration[pgx.Tx]{Consumer: writes("c", nil)})
	e.catchUp(r)
	clears := map[string]func(ctx context.Context, tx pgx.Tx) error{
		"error": func(context.Context, pgx.Tx) error { return errors.New("clear") },
		"commit": func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `create table once (id int unique deferrable initially deferred); insert into once values (1), (1)`)
			return err
		},
		"end":  func(ctx context.Context, tx pgx.Tx) error { _ = tx.Commit(ctx); return nil },
		"kill": func(ctx context.Context, tx pgx.Tx) error { return tx.Conn().Close(ctx) },
	}
	for name, clear := range clears {
		if err := r.Reset(e.ctx(), "c", clear); err == nil {
			t.Errorf("%s: no error", name)
		}
		e.eventually(name+": the connection is given back", func() bool { return e.pool.Stat().AcquiredConns() == 0 })
	}
	func() {
		defer func() { _ = recover() }()
		_ = r.Reset(e.ctx(), "c", func(context.Context, pgx.Tx) error { panic("clear") })
	}()
	e.eventually("panic: the connection is given back", func() bool { return e.pool.Stat().AcquiredConns() == 0 })
	if s := status(e, r, "c"); s.Segments[0].Position != 1 {
		t.Errorf("position %d after resets that failed, want 1", s.Segments[0].Position)
	}
}

func TestRunUntilCaughtUp_endsWithItsContext(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.append("Order", "o", 1)
	ctx, cancel := context.WithCancel(e.ctx())
	r, err := consumer.New(e.db, consumer.Config{StopGrace: -1}, consumer.Registration[pgx.Tx]{Consumer: writes("c", func(ctx context.Context, _ pgx.Tx, _ runtime.PersistedEvent) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	})})
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, r.RunUntilCaughtUp(ctx, nil), context.Canceled, "run until caught up")
	e.wantModel("c", []int64{})
}
