package consumer_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// An operator has one session, which what is done to all others does not concern.
type operator struct {
	testing.TB
	conn *pgx.Conn
}

func newOperator(e *env) operator {
	e.Helper()
	conn, err := pgx.Connect(e.Context(), e.address)
	if err != nil {
		e.Fatal(err)
	}
	e.Cleanup(func() { _ = conn.Close(context.Background()) })
	return operator{e, conn}
}

func (o operator) exec(statements ...string) {
	o.Helper()
	for _, statement := range statements {
		if _, err := o.conn.Exec(o.Context(), statement); err != nil {
			o.Fatalf("%s: %v", statement, err)
		}
	}
}

// append appends n events to a stream.
func (o operator) append(id string, n int) {
	o.Helper()
	store, err := postgres.New()
	if err != nil {
		o.Fatal(err)
	}
	err = pgx.BeginFunc(o.Context(), o.conn, func(tx pgx.Tx) error {
		_, err := store.Append(o.Context(), tx, runtime.Any(), events("Order", id, n))
		return err
	})
	if err != nil {
		o.Fatal(err)
	}
}

// majorVersion returns that of the server.
func (e *env) majorVersion() (v int) {
	e.Helper()
	if err := e.pool.QueryRow(e.Context(), "select current_setting('server_version_num')::int / 10000").Scan(&v); err != nil {
		e.Fatal(err)
	}
	return v
}

// terminate ends all other sessions of the database, so that new ones have new settings.
const terminate = `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`

// set sets a parameter for new sessions of the database.
func set(assignment string) string {
	return `do $$ begin execute format('alter database %I set ` + assignment + `', current_database()); end $$`
}

// allow says whether anybody may connect to the database.
func allow(whether string) string {
	return `update pg_database set datallowconn = ` + whether + ` where datname = current_database()`
}

// What an operator does to all sessions for a while is held against no event, and nothing is handled twice.
func TestOutage_isNotHeldAgainstEvents(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		begin, end string
		since      int // the major version of PostgreSQL that has it; 0: all
	}{
		"read-only":                          {begin: set("default_transaction_read_only = on"), end: set("default_transaction_read_only = off")},
		"sessions idle in a transaction end": {begin: set("idle_in_transaction_session_timeout = 1"), end: set("idle_in_transaction_session_timeout = 0")},
		"transactions that take long end":    {begin: set("transaction_timeout = 10"), end: set("transaction_timeout = 0"), since: 17},
		"no connections":                     {begin: allow("false"), end: allow("true")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			if has := e.majorVersion(); has < row.since {
				t.Skipf("PostgreSQL %d has no such setting; make test-postgres runs this on a later one", has)
			}
			o := newOperator(e)
			e.appendMany(20, 5)
			var idle atomic.Bool
			var troubles, failures atomic.Int64
			r, err := consumer.New(e.db, consumer.Config{
				Logger: runtime.NoOpLogger{}, PollLeast: time.Millisecond, PollMost: 20 * time.Millisecond,
				Hooks: consumer.Hooks{
					Trouble: func(context.Context, string, error) { troubles.Add(1) },
					Failure: func(_ context.Context, f consumer.FailureInfo) {
						t.Errorf("failure %+v", f)
						failures.Add(1)
					},
				},
			}, consumer.Registration[pgx.Tx]{
				Attempts: 1, BatchSize: 4, Backoff: consumer.Backoff{First: 200 * time.Millisecond, Most: time.Second},
				Consumer: handler[pgx.Tx]{"c", func(ctx context.Context, tx pgx.Tx, p runtime.PersistedEvent) error {
					if idle.Load() {
						time.Sleep(20 * time.Millisecond) // as a handler that calls somebody
					}
					return write(ctx, tx, "c", p)
				}},
			})
			if err != nil {
				t.Fatal(err)
			}
			background(e, r)
			e.eventually("all is handled", func() bool { return len(e.model("c")) == 20 })
			idle.Store(true)
			o.exec(row.begin, terminate)
			o.append("order-1", 10)
			before := troubles.Load()
			e.eventually("there is trouble, more than once", func() bool { return troubles.Load()+failures.Load() > before+1 })
			idle.Store(false)
			o.exec(row.end, terminate)
			e.pool.Reset() // its connections are gone
			e.eventually("the database is back", func() bool { return e.pool.Ping(t.Context()) == nil })
			e.eventually("all is handled", func() bool { return len(e.model("c")) == 30 })
			e.wantModel("c", e.logPositions())
		})
	}
}

// A whole database is restored to an older state while consumers run: what is in it, checkpoints and read models
// included, is as of one moment, and they go on from there.
func TestOutage_databaseIsRestored(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t)
	e := connect(t, server.NewDatabase(t, schema(t)...))
	admin, err := pgx.Connect(t.Context(), server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close(context.Background()) })
	name := e.pool.Config().ConnConfig.Database
	o := operator{t, admin}
	quoted := pgx.Identifier{name}.Sanitize()

	e.appendMany(20, 5)
	e.catchUp(e.runner(consumer.Registration[pgx.Tx]{Consumer: writes("c", nil), Segments: 3}))
	e.appendMany(5, 5) // not handled when the backup is made
	e.pool.Reset()
	e.eventually("nobody is connected", func() bool {
		var n int
		if err := admin.QueryRow(t.Context(), "select count(*) from pg_stat_activity where datname = $1", name).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n == 0
	})
	o.exec("create database backup template " + quoted)

	background(e, e.runner(consumer.Registration[pgx.Tx]{Consumer: writes("c", nil), Segments: 3}))
	e.appendMany(40, 5)
	e.eventually("all is handled", func() bool { return len(e.model("c")) == 65 })
	o.exec("drop database "+quoted+" with (force)", "create database "+quoted+" template backup")
	e.pool.Reset() // its connections are gone
	e.eventually("the database is back", func() bool { return e.pool.Ping(t.Context()) == nil })
	e.eventually("what was not handled is", func() bool { return len(e.model("c")) == 25 })
	e.appendMany(10, 5)
	e.eventually("all is handled", func() bool { return len(e.model("c")) == 35 })
	e.wantModel("c", e.logPositions())
	if err := postgres.Check(t.Context(), e.pool); err != nil {
		t.Error(err)
	}
}
