package otel_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/otel"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// statements counts what is sent to a server.
type statements struct{ sent atomic.Int64 }

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	s.sent.Add(1)
	return ctx
}

func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// connect returns a pool on a database of its own with the tables, and what counts its statements.
func connect(t testing.TB) (*pgxpool.Pool, *statements) {
	t.Helper()
	c, err := pgxpool.ParseConfig(pgtest.New(t, schema(t)))
	if err != nil {
		t.Fatal(err)
	}
	counted := new(statements)
	c.ConnConfig.Tracer = counted
	c.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false } // which would be counted, after a second
	pool, err := pgxpool.NewWithConfig(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool, counted
}

// However many consumers there are, and however often metrics are collected: one statement.
func TestWatch_isOneStatementForAllConsumers(t *testing.T) {
	t.Parallel()
	pool, counted := connect(t)
	store, err := postgres.NewPool()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Append(t.Context(), pool, runtime.NoStream(), []runtime.Event{placed("1")}); err != nil {
		t.Fatal(err)
	}
	db, err := postgres.NewConsumers(pool)
	if err != nil {
		t.Fatal(err)
	}
	var registrations []consumer.Registration[pgx.Tx]
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		registrations = append(registrations, consumer.Registration[pgx.Tx]{Segments: 3, Consumer: consumer.Scoped(name, []string{"Order"},
			func(context.Context, pgx.Tx, runtime.PersistedEvent) error { return nil })})
	}
	runner, err := consumer.New(db, consumer.Config{}, registrations...)
	if err != nil {
		t.Fatal(err)
	}
	if err := runner.RunUntilCaughtUp(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	inspector, err := postgres.NewInspector(pool)
	if err != nil {
		t.Fatal(err)
	}
	l := newLab(t, sdktrace.AlwaysSample())
	if _, err := otel.Watch(inspector, append(l.opts, otel.WithInterval(time.Hour))...); err != nil {
		t.Fatal(err)
	}
	before := counted.sent.Load()
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() { l.metrics() })
	}
	group.Wait()
	if n := counted.sent.Load() - before; n != 1 {
		t.Errorf("%d statements, want 1", n)
	}
}

// The age of the frontier is that of the transaction that holds it.
func TestWatch_heldFrontier(t *testing.T) {
	t.Parallel()
	pool, _ := connect(t)
	store, err := postgres.New()
	if err != nil {
		t.Fatal(err)
	}
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := store.Append(t.Context(), tx, runtime.NoStream(), []runtime.Event{placed("1")}); err != nil {
		t.Fatal(err)
	}
	inspector, err := postgres.NewInspector(pool)
	if err != nil {
		t.Fatal(err)
	}
	s, err := inspector.Summary(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.Drawn != 1 || s.Frontier != 0 || s.HeldSince.IsZero() || s.HeldSince.After(s.Now) || s.Consumers != nil {
		t.Errorf("summary: %+v", s)
	}
}

// Appends that share a statement are measured as a group.
func TestGroupHook_measuresGroups(t *testing.T) {
	t.Parallel()
	l := newLab(t, sdktrace.AlwaysSample()) // for its meter
	pool, _ := connect(t)
	group, err := postgres.NewGroup(pool, postgres.WithGroupHook(otel.GroupHook(l.opts...)))
	if err != nil {
		t.Fatal(err)
	}
	store := otel.Store[*postgres.Group](group, l.opts...)
	var appending sync.WaitGroup
	for i := range 40 {
		appending.Go(func() {
			id := fmt.Sprint(i)
			if _, err := store.Append(t.Context(), group, runtime.NoStream(), []runtime.Event{placed(id), placed(id)}); err != nil {
				t.Error(err)
			}
		})
	}
	appending.Wait()
	if err := group.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int64{"eventmap.group.appends": 40, "eventmap.group.events": 80} {
		h, _ := l.metrics()[name].(metricdata.Histogram[int64])
		if len(h.DataPoints) != 1 || h.DataPoints[0].Sum != want || h.DataPoints[0].Count > 40 {
			t.Errorf("%s: %+v, want a sum of %d", name, h.DataPoints, want)
		}
	}
}

// schema returns the SQL of the tables, as the migration of examples/shop has them.
func schema(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("../../examples/bank/migrations/0001_eventmap.sql")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// benchmarkPool returns a pool on a server of its own that waits for its disk, as in production.
func benchmarkPool(b *testing.B) *pgxpool.Pool {
	b.Helper()
	server, err := pgtest.Launch(pgtest.Setting("fsync", "on"), pgtest.Setting("full_page_writes", "on"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = server.Close() })
	pool, err := pgxpool.New(context.Background(), server.URL("postgres"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	if _, err := pool.Exec(context.Background(), schema(b)); err != nil {
		b.Fatal(err)
	}
	return pool
}
