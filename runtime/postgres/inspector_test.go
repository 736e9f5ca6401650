package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/inspect"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// On every layout and with either driver an inspector sees the same.
func TestInspector_onEveryLayout(t *testing.T) {
	t.Parallel()
	for name, layout := range map[string]struct {
		options design.Options
		store   []postgres.Option
	}{
		"plain":        {},
		"jsonb":        {design.Options{Payload: "jsonb"}, []postgres.Option{postgres.WithPayload(postgres.JSONB)}},
		"json":         {design.Options{Payload: "json"}, []postgres.Option{postgres.WithPayload(postgres.JSON)}},
		"other names":  {design.Options{EventsTable: "Odd-Events", Indexes: []string{"event-type", "correlation"}}, []postgres.Option{postgres.WithEventsTable("Odd-Events")}},
		"partitioned":  {design.Options{Partition: "range", Indexes: []string{"event-type"}}, nil},
		"by aggregate": {design.Options{Partition: "hash"}, nil},
		"one of many":  {design.Options{Logs: "tenant", Indexes: []string{"event-type"}}, []postgres.Option{postgres.ManyLogs, postgres.WithLog(`it's "a" \log`)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := pgtest.New(t, schema(t, layout.options))
			pool := connect(t, address)
			store, err := postgres.NewPool(layout.store...)
			if err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			for i := range 40 {
				e := runtime.Event{
					AggregateType: []string{"Order", "User"}[i%2], AggregateID: fmt.Sprint(i % 5), EventType: []string{"A", "B", "C"}[i%3], EventVersion: 1,
					EventID: uuid.New(), Payload: []byte(`{"n":` + fmt.Sprint(i) + `}`), Metadata: []byte(`{"m":1}`),
					CorrelationID: runtime.SomeString(fmt.Sprint("c", i%4)),
				}
				if _, err := store.Append(t.Context(), pool, runtime.Any(), []runtime.Event{e}); err != nil {
					t.Fatal(err)
				}
			}
			withPool, err := postgres.NewInspector(pool, layout.store...)
			if err != nil {
				t.Fatal(err)
			}
			withSQL, err := postgres.NewInspectorSQL(stdlib.OpenDBFromPool(pool), layout.store...)
			if err != nil {
				t.Fatal(err)
			}
			for driver, i := range map[string]*postgres.Inspector{"pgx": withPool, "database/sql": withSQL} {
				checkInspector(t, driver, i, begin)
			}
		})
	}
}

func checkInspector(t *testing.T, driver string, i *postgres.Inspector, begin time.Time) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", driver, err)
		}
	}
	ctx := t.Context()
	types, err := i.AggregateTypes(ctx, 10)
	must(err)
	if want := []string{"Order", "User"}; !cmp.Equal(types, want) {
		t.Errorf("%s: types %v, want %v", driver, types, want)
	}
	streams, err := i.Streams(ctx, inspect.StreamQuery{Limit: 100})
	must(err)
	if len(streams) != 10 || streams[0].Stream != (consumer.Stream{AggregateType: "Order", AggregateID: "0"}) || streams[0].Version != 4 {
		t.Errorf("%s: streams %v", driver, streams)
	}
	page, err := i.Events(ctx, inspect.EventQuery{EventType: "B", CorrelationID: "c1", Limit: 2, Scan: 20, Bytes: 4})
	must(err)
	var positions []int64
	for _, e := range page.Events {
		positions = append(positions, e.GlobalPosition)
		if string(e.Payload) != `{"n"` && string(e.Payload) != `{"n":`[:4] || e.PayloadSize < 7 {
			t.Errorf("%s: payload %q of %d bytes", driver, e.Payload, e.PayloadSize)
		}
	}
	all, err := i.Events(ctx, inspect.EventQuery{Limit: 100, Bytes: 100})
	must(err)
	if len(all.Events) != 40 || all.Next != 0 || all.Events[0].GlobalPosition < all.Events[39].GlobalPosition {
		t.Errorf("%s: %d events, next %d", driver, len(all.Events), all.Next)
	}
	var want []int64
	for _, e := range all.Events {
		if e.EventType == "B" && e.CorrelationID.String == "c1" && len(want) < 2 {
			want = append(want, e.GlobalPosition)
		}
	}
	if d := cmp.Diff(want, positions); d != "" {
		t.Errorf("%s: filtered (-want +got):\n%s", driver, d)
	}
	last := all.Events[0]
	one, err := i.EventByID(ctx, last.EventID, 100)
	must(err)
	if d := cmp.Diff(&last, one); d != "" {
		t.Errorf("%s: by ID (-want +got):\n%s", driver, d)
	}
	if one, err = i.Event(ctx, last.GlobalPosition+1, 100); err != nil || one != nil {
		t.Errorf("%s: beyond the end: %v, %v", driver, one, err)
	}
	at, err := i.PositionsAt(ctx, []time.Time{begin.Add(-time.Hour), time.Now().Add(time.Hour)})
	must(err)
	if want := []int64{0, last.GlobalPosition}; !cmp.Equal(at, want) {
		t.Errorf("%s: positions %v, want %v", driver, at, want)
	}
	head, events, err := i.StreamEvents(ctx, inspect.StreamEventQuery{AggregateType: "Order", AggregateID: "0", After: 1, Limit: 2, Ascending: true, Bytes: 100})
	must(err)
	if head.Version != 4 || len(events) != 2 || events[0].AggregateVersion != 2 {
		t.Errorf("%s: stream at %d, %v", driver, head.Version, events)
	}
	f, err := i.Frontier(ctx)
	must(err)
	if f.Frontier != last.GlobalPosition || f.Drawn != f.Frontier || time.Since(f.Now).Abs() > time.Hour {
		t.Errorf("%s: frontier %+v", driver, f)
	}
}

// A segment that a worker has claimed names the worker's session.
func TestInspector_namesTheWorker(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	ctx := t.Context()
	consumers, err := postgres.NewConsumers(pool)
	if err != nil {
		t.Fatal(err)
	}
	store, err := postgres.NewPool()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Append(ctx, pool, runtime.Any(), []runtime.Event{{
		AggregateType: "Order", AggregateID: "1", EventType: "Placed", EventVersion: 1, EventID: uuid.New(),
	}}); err != nil {
		t.Fatal(err)
	}
	handling, done := make(chan struct{}), make(chan struct{})
	runner, err := consumer.New(consumers, consumer.Config{}, consumer.Registration[pgx.Tx]{
		Consumer: consumer.Scoped("slow", []string{"Order"}, func(context.Context, pgx.Tx, runtime.PersistedEvent) error {
			close(handling)
			<-done
			return nil
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	inspector, err := postgres.NewInspector(pool)
	if err != nil {
		t.Fatal(err)
	}
	finished := make(chan error, 1)
	go func() { finished <- runner.RunUntilCaughtUp(ctx, nil) }()
	<-handling
	checkpoints, err := inspector.Checkpoints(ctx, inspect.CheckpointQuery{Limit: 10})
	close(done)
	if err != nil {
		t.Fatal(err)
	}
	if len(checkpoints) != 1 || checkpoints[0].Worker == nil || checkpoints[0].Worker.PID == 0 || checkpoints[0].Worker.State == "" || checkpoints[0].Oldest.IsZero() {
		t.Errorf("checkpoints while the worker works: %+v", checkpoints)
	}
	if err := <-finished; err != nil {
		t.Fatal(err)
	}
	checkpoints, err = inspector.Checkpoints(ctx, inspect.CheckpointQuery{Consumer: "slow", Limit: 10})
	if err != nil || len(checkpoints) != 1 || checkpoints[0].Worker != nil || checkpoints[0].Position != 1 {
		t.Errorf("checkpoints after: %+v, %v", checkpoints, err)
	}
}

// The server ends a statement before the context does, so the connection lives on.
func TestInspector_timeout(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	inspector, err := postgres.NewInspector(pool)
	if err != nil {
		t.Fatal(err)
	}
	lock, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Rollback(context.Background()) }()
	if _, err := lock.Exec(t.Context(), "lock table events in access exclusive mode"); err != nil {
		t.Fatal(err)
	}
	// On a slow machine the answer may come too late for the shorter ones.
	for timeout := 2 * time.Second; timeout < patience; timeout *= 3 {
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		_, err = inspector.Events(ctx, inspect.EventQuery{Limit: 1})
		cancel()
		var state interface{ SQLState() string }
		if errors.As(err, &state) && state.SQLState() == "57014" {
			return
		}
	}
	t.Errorf("error %v, want the server's statement timeout", err)
}
