package consumer_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// patience is how long a test waits for what is sure to come on a busy machine.
const patience = 5 * time.Minute

// readModel is what the handlers of these tests write: a row for each event they handle. That an event is handled twice
// is an error there, and the order of the rows is the order they were handled in.
const readModel = `create table read_model (
	seq bigint generated always as identity,
	consumer text not null,
	global_position bigint not null,
	aggregate_id text not null,
	aggregate_version bigint not null,
	primary key (consumer, global_position)
)`

// schema returns the SQL of the tables, as migrate-gen writes it, and of the read model.
func schema(t testing.TB) []string {
	t.Helper()
	tables, err := migration.Schema(design.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return []string{tables, readModel}
}

// An env is a database of its own with the means to use it.
type env struct {
	testing.TB
	address string
	pool    *pgxpool.Pool
	store   *postgres.Store[*pgxpool.Pool]
	db      consumer.Database[pgx.Tx]
}

func newEnv(t testing.TB) *env {
	t.Helper()
	return connect(t, pgtest.New(t, schema(t)...))
}

// connect returns the env of a database.
func connect(t testing.TB, address string) *env {
	t.Helper()
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 16
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	store, err := postgres.NewPool()
	if err != nil {
		t.Fatal(err)
	}
	db, err := postgres.NewConsumers(pool)
	if err != nil {
		t.Fatal(err)
	}
	return &env{TB: t, address: address, pool: pool, store: store, db: db}
}

// ctx returns a context that ends when the test has run for too long.
func (e *env) ctx() context.Context {
	ctx, cancel := context.WithTimeout(e.Context(), patience)
	e.Cleanup(cancel)
	return ctx
}

// sql returns the database as database/sql sees it.
func (e *env) sql() *sql.DB {
	e.Helper()
	config, err := pgx.ParseConfig(e.address)
	if err != nil {
		e.Fatal(err)
	}
	db := stdlib.OpenDB(*config)
	e.Cleanup(func() { _ = db.Close() })
	return db
}

// exec runs a statement.
func (e *env) exec(statement string, args ...any) {
	e.Helper()
	if _, err := e.pool.Exec(e.Context(), statement, args...); err != nil {
		e.Fatalf("%s: %v", statement, err)
	}
}

// one returns the only value that a statement returns.
func one[T any](e *env, statement string, args ...any) T {
	e.Helper()
	rows, err := e.pool.Query(e.Context(), statement, args...)
	if err != nil {
		e.Fatalf("%s: %v", statement, err)
	}
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	if err != nil {
		e.Fatalf("%s: %v", statement, err)
	}
	return v
}

// append appends n events to a stream and returns their positions.
func (e *env) append(aggregateType, id string, n int) []int64 {
	e.Helper()
	result, err := e.store.Append(e.Context(), e.pool, runtime.Any(), events(aggregateType, id, n))
	if err != nil {
		e.Fatal(err)
	}
	return result.GlobalPositions
}

// appendMany appends n events, one to each of so many streams in turn.
func (e *env) appendMany(n, streams int) {
	e.Helper()
	for i := 0; i < n; i += streams {
		batch := make([]runtime.StreamAppend, min(streams, n-i))
		for j := range batch {
			batch[j] = runtime.StreamAppend{Expected: runtime.Any(), Events: events("Order", fmt.Sprintf("order-%d", j), 1)}
		}
		if _, err := e.store.AppendStreams(e.Context(), e.pool, batch...); err != nil {
			e.Fatal(err)
		}
	}
}

func events(aggregateType, id string, n int) []runtime.Event {
	events := make([]runtime.Event, n)
	for i := range events {
		events[i] = runtime.Event{
			AggregateType: aggregateType,
			AggregateID:   id,
			EventType:     "Happened",
			EventVersion:  1,
			EventID:       uuid.New(),
			Payload:       []byte(`{}`),
		}
	}
	return events
}

// new returns a runner that polls often, with its consumers.
func (e *env) runner(consumers ...consumer.Registration[pgx.Tx]) *consumer.Runner[pgx.Tx] {
	e.Helper()
	return runnerOf(e, e.db, consumers...)
}

func runnerOf[Tx any](t testing.TB, db consumer.Database[Tx], consumers ...consumer.Registration[Tx]) *consumer.Runner[Tx] {
	t.Helper()
	for i := range consumers {
		consumers[i] = unhurried(consumers[i])
	}
	r, err := consumer.New(db, consumer.Config{Logger: runtime.NoOpLogger{}, PollLeast: time.Millisecond, PollMost: 50 * time.Millisecond}, consumers...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// unhurried returns the registration with batches that no slow machine cuts short: what a test says of batches goes by their
// events and bytes.
func unhurried[Tx any](r consumer.Registration[Tx]) consumer.Registration[Tx] {
	if r.BatchTime == 0 {
		r.BatchTime = time.Hour
	}
	return r
}

// catchUp runs the runner until it has caught up.
func (e *env) catchUp(r *consumer.Runner[pgx.Tx]) {
	e.Helper()
	if err := r.RunUntilCaughtUp(e.ctx(), nil); err != nil {
		e.Fatal(err)
	}
}

// A handler is a consumer of all events.
type handler[Tx any] struct {
	name   string
	handle func(ctx context.Context, tx Tx, e runtime.PersistedEvent) error
}

func (h handler[Tx]) Name() string { return h.name }

func (h handler[Tx]) Handle(ctx context.Context, tx Tx, e runtime.PersistedEvent) error {
	return h.handle(ctx, tx, e)
}

// writes returns a consumer that writes each event to the read model, after check has returned nil.
func writes(name string, check func(ctx context.Context, tx pgx.Tx, e runtime.PersistedEvent) error) handler[pgx.Tx] {
	return handler[pgx.Tx]{name, func(ctx context.Context, tx pgx.Tx, e runtime.PersistedEvent) error {
		if err := write(ctx, tx, name, e); err != nil {
			return err
		}
		if check == nil {
			return nil
		}
		return check(ctx, tx, e)
	}}
}

func write(ctx context.Context, tx pgx.Tx, name string, e runtime.PersistedEvent) error {
	_, err := tx.Exec(ctx, insertRow, name, e.GlobalPosition, e.AggregateID, e.AggregateVersion)
	return err
}

const insertRow = `insert into read_model (consumer, global_position, aggregate_id, aggregate_version) values ($1, $2, $3, $4)`

// logPositions returns the positions of all events.
func (e *env) logPositions() []int64 {
	e.Helper()
	return one[[]int64](e, `select coalesce(array_agg(global_position order by global_position), '{}') from events`)
}

// model returns the positions in the read model of a consumer.
func (e *env) model(name string) []int64 {
	e.Helper()
	return one[[]int64](e, `select coalesce(array_agg(global_position order by global_position), '{}') from read_model where consumer = $1`, name)
}

// wantModel checks that the consumer handled exactly the events at the positions, and those of each stream in order.
func (e *env) wantModel(name string, want []int64) {
	e.Helper()
	if diff := cmp.Diff(want, e.model(name)); diff != "" {
		e.Errorf("events that %s handled (-want +got):\n%s", name, diff)
	}
	disorder := one[int64](e, `select count(*) from (
		select aggregate_version < lag(aggregate_version) over (partition by aggregate_id order by seq) as wrong
		from read_model where consumer = $1
	) as m where wrong`, name)
	if disorder != 0 {
		e.Errorf("%s handled %d events after a later one of the same stream", name, disorder)
	}
}

// status returns how a consumer stands.
func status[Tx any](e *env, r *consumer.Runner[Tx], name string) consumer.Status {
	e.Helper()
	all, err := r.Status(e.ctx())
	if err != nil {
		e.Fatal(err)
	}
	for _, s := range all {
		if s.Consumer == name {
			return s
		}
	}
	e.Fatalf("no status of %s", name)
	return consumer.Status{}
}

// hasCaughtUp reports whether a consumer has passed every event. One that has not begun lags behind none.
func hasCaughtUp[Tx any](e *env, r *consumer.Runner[Tx], name string) bool {
	e.Helper()
	s := status(e, r, name)
	return len(s.Segments) > 0 && s.Lag().Events == 0
}

// background runs the runner until the test ends or the returned function is called, which waits for it.
func background[Tx any](e *env, r *consumer.Runner[Tx]) (stop func()) {
	ctx, cancel := context.WithCancel(e.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	var stopped atomic.Bool
	stop = func() {
		cancel()
		if stopped.CompareAndSwap(false, true) {
			if err := <-done; err != nil {
				e.Errorf("Run: %v", err)
			}
		}
	}
	e.Cleanup(stop)
	return stop
}

// eventually waits until the condition holds.
func (e *env) eventually(what string, condition func() bool) {
	e.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			e.Fatalf("waited for too long: %s", what)
		}
	}
}

// wantError checks that err is target, if one is given, and says all of the texts.
func wantError(t testing.TB, err, target error, texts ...string) {
	t.Helper()
	if err == nil || target != nil && !errors.Is(err, target) {
		t.Errorf("err = %v, want %v", err, target)
		return
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("err = %q, want it to say %q", err, text)
		}
	}
}
