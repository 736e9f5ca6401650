package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// An env is a database with a read model: a row for each event that is handled. That an event is handled twice is an error
// there, and the order of the rows is the order they were handled in.
type env struct {
	testing.TB
	address string
	db      *sql.DB
	store   *sqlite.Store
	keeper  *sqlite.Consumers
}

const readModel = `create table if not exists read_model (
	seq integer primary key autoincrement,
	consumer text not null,
	global_position integer not null,
	aggregate_id text not null,
	aggregate_version integer not null,
	unique (consumer, global_position)
)`

func newEnv(t testing.TB, address string) *env {
	t.Helper()
	db := migrated(t, address)
	execute(t, db, readModel)
	keeper, err := sqlite.NewConsumers(db)
	if err != nil {
		t.Fatal(err)
	}
	return &env{TB: t, address: address, db: db, store: newStore(t), keeper: keeper}
}

// patience is how long a test waits for what is sure to come on a busy machine.
const patience = 5 * time.Minute

// ctx returns a context that ends when the test has run for too long.
func (e *env) ctx() context.Context {
	ctx, cancel := context.WithTimeout(e.Context(), patience)
	e.Cleanup(cancel)
	return ctx
}

// append appends n events, one to each of so many streams in turn.
func (e *env) append(n, streams int) {
	e.Helper()
	tx := begin(e, e.db, nil)
	for i := range n {
		if _, err := e.store.Append(e.Context(), tx, runtime.Any(), placed(fmt.Sprintf("order-%d", i%streams), 1)); err != nil {
			e.Fatal(err)
		}
	}
	commit(e, tx)
}

// A handler is a consumer of all events.
type handler struct {
	name   string
	handle func(ctx context.Context, tx *sql.Tx, e runtime.PersistedEvent) error
}

func (h handler) Name() string { return h.name }

func (h handler) Handle(ctx context.Context, tx *sql.Tx, e runtime.PersistedEvent) error {
	return h.handle(ctx, tx, e)
}

// writes returns a consumer that writes each event to the read model, and then does what check does.
func writes(name string, check func(ctx context.Context, tx *sql.Tx, e runtime.PersistedEvent) error) handler {
	return handler{name, func(ctx context.Context, tx *sql.Tx, e runtime.PersistedEvent) error {
		_, err := tx.ExecContext(ctx, `insert into read_model (consumer, global_position, aggregate_id, aggregate_version) values (?, ?, ?, ?)`,
			name, e.GlobalPosition, e.AggregateID, e.AggregateVersion)
		if err != nil || check == nil {
			return err
		}
		return check(ctx, tx, e)
	}}
}

func (e *env) runner(config consumer.Config, registrations ...consumer.Registration[*sql.Tx]) *consumer.Runner[*sql.Tx] {
	e.Helper()
	config.PollLeast, config.PollMost = time.Millisecond, 20*time.Millisecond
	r, err := consumer.New(e.keeper, config, registrations...)
	if err != nil {
		e.Fatal(err)
	}
	return r
}

// catchUp runs the runner until it has caught up.
func (e *env) catchUp(r *consumer.Runner[*sql.Tx]) {
	e.Helper()
	if err := r.RunUntilCaughtUp(e.ctx(), nil); err != nil {
		e.Fatal(err)
	}
}

// background runs the runner until the returned function is called, which waits for it.
func (e *env) background(r *consumer.Runner[*sql.Tx]) (stop func()) {
	ctx, cancel := context.WithCancel(e.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			e.Errorf("Run: %v", err)
		}
	})
	e.Cleanup(stop)
	return stop
}

func (e *env) eventually(what string, condition func() bool) {
	e.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			e.Fatalf("waited for too long: %s", what)
		}
	}
}

func (e *env) status(r *consumer.Runner[*sql.Tx]) consumer.Status {
	e.Helper()
	all, err := r.Status(e.ctx())
	if err != nil {
		e.Fatal(err)
	}
	return all[0]
}

// model returns the positions in the read model of a consumer.
func (e *env) model(name string) (positions []int64) {
	e.Helper()
	rows, err := e.db.QueryContext(e.Context(), `select global_position from read_model where consumer = ? order by global_position`, name)
	if err != nil {
		e.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var position int64
		if err := rows.Scan(&position); err != nil {
			e.Fatal(err)
		}
		positions = append(positions, position)
	}
	return positions
}

// wantModel checks that the consumer handled exactly the events up to the last one but for some, those of each stream in
// order.
func (e *env) wantModel(name string, last int64, without ...int64) {
	e.Helper()
	var want []int64
	for position := int64(1); position <= last; position++ {
		if !slices.Contains(without, position) {
			want = append(want, position)
		}
	}
	if diff := cmp.Diff(want, e.model(name)); diff != "" {
		e.Errorf("events that %s handled (-want +got):\n%s", name, diff)
	}
	disorder := one[int64](e, e.db, `select count(*) from (
		select aggregate_version < lag(aggregate_version) over (partition by aggregate_id order by seq) as wrong
		from read_model where consumer = ?
	) where wrong`, name)
	if disorder != 0 {
		e.Errorf("%s handled %d events after a later one of the same stream", name, disorder)
	}
}

// quick is a backoff that tests can wait for.
func quick() consumer.Backoff {
	return consumer.Backoff{First: time.Millisecond, Most: 5 * time.Millisecond}
}
