package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/inspect"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// Of many logs an inspector shows one: its events, streams, checkpoints and parked events, and nothing of the others.
func TestInspector_ofOneOfManyLogs(t *testing.T) {
	t.Parallel()
	logs, pool := logsPool(t)
	stored(t, logs.Of("a"), pool, placed("first", 3))
	stored(t, logs.Of("a"), pool, placed("second", 2))
	stored(t, logs.Of("b"), pool, placed("other", 9))
	db, err := postgres.NewConsumers(pool, postgres.ManyLogs)
	if err != nil {
		t.Fatal(err)
	}
	runner, err := consumer.New[pgx.Tx](db, consumer.Config{Logger: runtime.NoOpLogger{}, PollLeast: time.Millisecond}, consumer.Registration[pgx.Tx]{
		Consumer: consumer.Scoped("c", []string{"Order"}, func(_ context.Context, _ pgx.Tx, e runtime.PersistedEvent) error {
			if e.AggregateID == "second" || e.AggregateID == "other" {
				return errors.New("is parked")
			}
			return nil
		}), Logs: consumer.AllLogs(), Attempts: 1, Policy: consumer.Park,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := runner.RunUntilCaughtUp(ctx, nil); err != nil {
		t.Fatal(err)
	}
	stored(t, logs.Of("a"), pool, placed("first", 1))

	i, err := postgres.NewInspector(pool, postgres.ManyLogs, postgres.WithLog("a"))
	if err != nil {
		t.Fatal(err)
	}
	page, err := i.Events(ctx, inspect.EventQuery{Limit: 50, Bytes: 100})
	if err != nil || len(page.Events) != 6 {
		t.Errorf("%d events, %v; want those of the log, which are 6", len(page.Events), err)
	}
	if f, err := i.Frontier(ctx); err != nil || f.Drawn != 6 || f.Frontier != 6 {
		t.Errorf("frontier %+v, %v; want 6", f, err)
	}
	checkpoints, err := i.Checkpoints(ctx, inspect.CheckpointQuery{Limit: 10})
	if err != nil || len(checkpoints) != 1 || checkpoints[0].Position != 5 || checkpoints[0].Consumer != "c" {
		t.Errorf("checkpoints %+v, %v; want that of the log, at 5", checkpoints, err)
	}
	parked, err := i.Parked(ctx, inspect.ParkedQuery{Limit: 10})
	if err != nil || len(parked) != 2 || parked[0].AggregateID != "second" || parked[0].EventType != "Placed" {
		t.Errorf("parked %+v, %v; want the two of the log", parked, err)
	}
	if counts, err := i.CountParked(ctx); err != nil || counts["c"] != 2 {
		t.Errorf("parked of consumers: %v, %v; want 2", counts, err)
	}
	summary, err := i.Summary(ctx)
	if err != nil || summary.Drawn != 6 || len(summary.Consumers) != 1 || summary.Consumers[0].Behind != 1 || summary.Consumers[0].Parked != 2 {
		t.Errorf("summary %+v, %v; want one consumer, 1 behind, with 2 parked", summary, err)
	}
	streams, err := i.Streams(ctx, inspect.StreamQuery{Limit: 10})
	if err != nil || len(streams) != 2 {
		t.Errorf("streams %+v, %v; want 2", streams, err)
	}

	unknown, err := postgres.NewInspector(pool, postgres.ManyLogs, postgres.WithLog("nobody's"))
	if err != nil {
		t.Fatal(err)
	}
	if s, err := unknown.Summary(ctx); err != nil || s.Drawn != 0 || len(s.Consumers) != 0 {
		t.Errorf("a log that does not exist: %+v, %v; want it to be empty", s, err)
	}
	if _, err := postgres.NewInspector(pool, postgres.ManyLogs); err == nil || !strings.Contains(err.Error(), "WithLog") {
		t.Errorf("without a log: %v", err)
	}
	if _, err := postgres.NewInspector(pool, postgres.HashedLogs(4), postgres.WithLog("4")); err == nil {
		t.Error("a log that there is not: want an error")
	}
}
