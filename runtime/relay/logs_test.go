package relay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
	"github.com/eventmap/eventmap/runtime/relay"
)

// A sharedBroker is a broker for several workers.
type sharedBroker struct {
	mu sync.Mutex
	broker
}

func (b *sharedBroker) Publish(ctx context.Context, messages []relay.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.broker.Publish(ctx, messages)
}

// A relay publishes every log, each in its order, and says of each event in which it is.
func TestRelay_manyLogs(t *testing.T) {
	t.Parallel()
	tables, err := migration.Schema(design.Options{Logs: "tenant"})
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.New(t.Context(), pgtest.New(t, tables))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	logs, err := postgres.NewLogsPool()
	if err != nil {
		t.Fatal(err)
	}
	const tenants, events = 5, 20
	for n := range events {
		for i := range tenants {
			e := event(0, "Placed", fmt.Sprintf(`{"n":%d}`, n)).Event
			e.EventID = uuid.NewSHA1(uuid.Nil, fmt.Append(nil, n)) // the same in each log
			if _, err := logs.Of(fmt.Sprint("tenant-", i)).Append(t.Context(), pool, runtime.Any(), []runtime.Event{e}); err != nil {
				t.Fatal(err)
			}
		}
	}
	b := &sharedBroker{}
	published, err := relay.New[pgx.Tx]("r", b, relay.Config{Source: "https://shop.example"})
	if err != nil {
		t.Fatal(err)
	}
	db, err := postgres.NewConsumers(pool, postgres.ManyLogs)
	if err != nil {
		t.Fatal(err)
	}
	runner, err := consumer.New[pgx.Tx](db, consumer.Config{}, consumer.Registration[pgx.Tx]{Consumer: published, Logs: consumer.AllLogs(), Workers: 3, BatchSize: 7})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := runner.RunUntilCaughtUp(ctx, nil); err != nil {
		t.Fatal(err)
	}
	reached := make(map[string]int64)
	for _, m := range b.messages {
		if reached[m.Log]++; m.Position != reached[m.Log] || m.Version != m.Position {
			t.Errorf("log %q: position %d, version %d, want %d", m.Log, m.Position, m.Version, reached[m.Log])
		}
		var cloud struct{ EventLog, Sequence string }
		if err := json.Unmarshal(m.Data, &cloud); err != nil || cloud.EventLog != m.Log {
			t.Errorf("the CloudEvent is of log %q, %v; want %q", cloud.EventLog, err, m.Log)
		}
	}
	if len(reached) != tenants || len(b.messages) != tenants*events {
		t.Errorf("%d messages of %d logs; want %d of %d", len(b.messages), len(reached), tenants*events, tenants)
	}
}

// A broker is away for longer than a registration has attempts. Nothing is parked, and every event is published when it is back. The waits of
// an hour are compressed: with the Backoff of production an hour has 70 attempts.
func TestRelay_brokerIsAwayForAnHour(t *testing.T) {
	t.Parallel()
	tables, err := migration.Schema(design.Options{})
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.New(t.Context(), pgtest.New(t, tables))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	store, err := postgres.NewPool()
	if err != nil {
		t.Fatal(err)
	}
	const events = 30
	for range events {
		e := event(0, "Placed", `{}`).Event
		e.EventID = uuid.New()
		if _, err := store.Append(t.Context(), pool, runtime.Any(), []runtime.Event{e}); err != nil {
			t.Fatal(err)
		}
	}
	b := &awayBroker{away: 100}
	published, err := relay.New[pgx.Tx]("r", b, relay.Config{Source: "https://shop.example"})
	if err != nil {
		t.Fatal(err)
	}
	db, err := postgres.NewConsumers(pool)
	if err != nil {
		t.Fatal(err)
	}
	runner, err := consumer.New[pgx.Tx](db, consumer.Config{PollLeast: time.Millisecond}, consumer.Registration[pgx.Tx]{
		Consumer: published, BatchSize: 7, Attempts: 2, Policy: consumer.Park, Backoff: consumer.Backoff{First: time.Millisecond, Most: time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := runner.RunUntilCaughtUp(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if b.away > 0 || len(b.messages) != events {
		t.Errorf("%d messages, and the broker is away %d more times; want %d", len(b.messages), b.away, events)
	}
	for i, position := range b.positions() {
		if position != int64(i)+1 {
			t.Errorf("message %d is of position %d", i, position)
		}
	}
	status, err := runner.Status(t.Context())
	if err != nil || status[0].Parked != 0 {
		t.Errorf("%d events are parked, %v; want none", status[0].Parked, err)
	}
}

// awayBroker is away for a number of calls.
type awayBroker struct {
	sharedBroker
	away int
}

func (b *awayBroker) Publish(ctx context.Context, messages []relay.Message) error {
	if b.away > 0 {
		b.away--
		return fmt.Errorf("no route to the broker: %w", consumer.ErrUnavailable)
	}
	return b.sharedBroker.Publish(ctx, messages)
}
