package consumer_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// A handler that appends to other logs, which are on nodes, is committed with its checkpoint, or not at all, whatever connections break: each
// event has one copy, in order. It is done in two phases, of which Citus keeps a record until its recovery has looked.
func TestCitus_handlersThatWriteOnNodes(t *testing.T) {
	t.Parallel()
	e := newCitusEnv(t)
	const logs, events = 4, 60
	for i := range logs {
		e.to(fmt.Sprint("log ", i), "s", events)
	}
	stores, err := postgres.NewLogs(postgres.ManyLogs.OnCitus())
	if err != nil {
		t.Fatal(err)
	}
	copies := handler[pgx.Tx]{"copies", func(ctx context.Context, tx pgx.Tx, ev runtime.PersistedEvent) error {
		log := consumer.LogOf(ctx)
		if len(log) > len("log 0") {
			return nil // a copy
		}
		copied := runtime.Event{
			AggregateType: "Copy", AggregateID: "s", EventType: "Copied", EventVersion: 1, EventID: uuid.New(), Payload: fmt.Append(nil, ev.GlobalPosition),
		}
		_, err := stores.Of(log+" copied").Append(ctx, tx, runtime.Exact(ev.GlobalPosition-1), []runtime.Event{copied})
		return err
	}}
	ctx, stop := context.WithCancel(e.ctx())
	r := e.runner(consumer.Registration[pgx.Tx]{Consumer: copies, Workers: 3, BatchSize: 5, Attempts: -1, Backoff: consumer.Backoff{First: time.Millisecond, Most: 10 * time.Millisecond}})
	background(e.env, r)
	if err := r.WaitForLog(ctx, "copies", "log 0", 1); err != nil {
		t.Fatal(err)
	}
	broken := make(chan int)
	phases := 0
	go func() {
		n := 0
		for ; ctx.Err() == nil; n++ {
			var records int
			if err := e.pool.QueryRow(ctx, `select count(*) from pg_dist_transaction`).Scan(&records); err == nil {
				phases = max(phases, records)
			}
			_, _ = e.pool.Exec(ctx, `select pg_terminate_backend(pid) from pg_stat_activity
				where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend' order by random() limit 1`)
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
		}
		broken <- n
	}()
	for i := range logs {
		name := fmt.Sprint("log ", i)
		e.eventually(name+" is handled", func() bool { return r.WaitForLog(ctx, "copies", name, events) == nil })
	}
	stop()
	t.Logf("%d connections were broken", <-broken)
	if phases == 0 {
		t.Error("no transaction was committed in two phases")
	}
	for i := range logs {
		name := fmt.Sprint("log ", i, " copied")
		stored, err := e.logs.Of(name).ReadEvents(e.Context(), e.pool, 0, 2*events)
		if err != nil || len(stored) != events {
			t.Errorf("%s has %d events, %v; want %d", name, len(stored), err, events)
		}
		for n, ev := range stored {
			if string(ev.Payload) != fmt.Sprint(n+1) {
				t.Fatalf("%s: event %d is the copy of event %s", name, n+1, ev.Payload)
			}
		}
	}
}
