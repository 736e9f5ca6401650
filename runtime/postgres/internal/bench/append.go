package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// payload is of the size that events mostly have.
var payload = []byte(`{"order":"7f0c1f0e-4a","customer":"c-104857","items":[{"sku":"A-1","qty":2,"price":1995}],"total":3990,"currency":"EUR"}`)

// appendsPerStream is how many times a writer appends to a stream before it begins the next.
const appendsPerStream = 10

var streamNumber atomic.Int64

// A writer appends to streams of its own, one after the other.
type writer struct {
	stream  string
	version int64
	left    int
}

// next returns the next events to append. They follow the stream's version.
func (w *writer) next(n int) []runtime.Event {
	if w.left == 0 {
		*w = writer{stream: fmt.Sprintf("order-%d", streamNumber.Add(1)), left: appendsPerStream}
	}
	w.left--
	events := make([]runtime.Event, n)
	now := time.Now().UTC().Truncate(time.Microsecond)
	for i := range events {
		events[i] = runtime.Event{
			CreatedAt:     now,
			AggregateType: "Order",
			AggregateID:   w.stream,
			EventType:     "ItemAdded",
			EventVersion:  1,
			EventID:       uuid.Must(uuid.NewV7()),
			Payload:       payload,
			CorrelationID: runtime.SomeString("request-1"),
		}
	}
	return events
}

// appends compares appends of n events in the caller's transaction.
func appends(p plan, n int) comparison {
	store, err := postgres.New()
	writing := func(name string, append func(ctx context.Context, tx pgx.Tx, w *writer) error) side {
		return side{name, func(ctx context.Context, pool *pgxpool.Pool) (float64, string, error) {
			if err != nil {
				return 0, "", err
			}
			rate, err := writeFor(ctx, p, pool, append)
			return rate, "", err
		}}
	}
	bare := insertValues(n)
	goals := map[int][]goal{
		1:   {{against: "limit: bare insert", ratio: 0.85}, {against: "statement per event", ratio: 1.3}},
		10:  {{against: "limit: bare insert", ratio: 0.85}, {against: "statement per event", ratio: 2}},
		100: {{against: "limit: bare insert", ratio: 0.9}, {against: "statement per event", ratio: 4}},
	}
	return comparison{
		name: fmt.Sprintf("append %d events, %d writers", n, p.writers),
		unit: "appends/s",
		sides: []side{
			writing("statement per event", func(ctx context.Context, tx pgx.Tx, w *writer) error {
				return statementPerEvent(ctx, tx, w, n)
			}),
			writing("limit: bare insert", func(ctx context.Context, tx pgx.Tx, w *writer) error {
				events := w.next(n)
				args := make([]any, 0, n*len(eventColumns))
				for i := range events {
					args = appendRow(args, &events[i], w.version+int64(i)+1)
				}
				_, err := tx.Exec(ctx, bare, args...)
				w.version += int64(n)
				return err
			}),
			writing("eventmap", func(ctx context.Context, tx pgx.Tx, w *writer) error {
				events := w.next(n)
				r, err := store.Append(ctx, tx, runtime.Exact(w.version), events)
				w.version = r.ToVersion()
				return err
			}),
		},
		goals: goals[n],
	}
}

// writeFor has all writers append, each in a transaction of its own, for a round, and returns how many appends they
// committed each second.
func writeFor(ctx context.Context, p plan, pool *pgxpool.Pool, append func(ctx context.Context, tx pgx.Tx, w *writer) error) (float64, error) {
	var wg sync.WaitGroup
	var done atomic.Int64
	failures := make([]error, p.writers)
	begin := time.Now()
	for i := range p.writers {
		wg.Go(func() {
			conn, err := pool.Acquire(ctx)
			if err != nil {
				failures[i] = err
				return
			}
			defer conn.Release()
			var w writer
			for time.Since(begin) < p.round {
				if failures[i] = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return append(ctx, tx, &w) }); failures[i] != nil {
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(done.Load()) / time.Since(begin).Seconds(), errors.Join(failures...)
}

// eventColumns are the columns that an insert gives, in this order.
var eventColumns = []string{
	"aggregate_type", "aggregate_id", "aggregate_version", "event_id", "event_type", "event_version",
	"payload", "trace_id", "correlation_id", "causation_id", "metadata", "created_at",
}

// insertValues returns the bare multi-row insert of n events.
func insertValues(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "insert into events (%s) values ", strings.Join(eventColumns, ", "))
	for row := range n {
		if row > 0 {
			b.WriteString(", ")
		}
		for column := range eventColumns {
			separator := ", "
			if column == 0 {
				separator = "("
			}
			fmt.Fprintf(&b, "%s$%d", separator, row*len(eventColumns)+column+1)
		}
		b.WriteByte(')')
	}
	b.WriteString(" returning global_position")
	return b.String()
}

func appendRow(args []any, e *runtime.Event, version int64) []any {
	return append(args,
		e.AggregateType, e.AggregateID, version, e.EventID, e.EventType, e.EventVersion,
		e.Payload, text(e.TraceID), text(e.CorrelationID), text(e.CausationID), e.Metadata, e.CreatedAt)
}

func text(n runtime.NullString) *string {
	if !n.Valid {
		return nil
	}
	return &n.String
}

var insertOne = insertValues(1)

// statementPerEvent is how most Go stores append: read the head, insert event by event, write the head.
func statementPerEvent(ctx context.Context, tx pgx.Tx, w *writer, n int) error {
	events := w.next(n)
	var head int64
	err := tx.QueryRow(ctx, "select aggregate_version from aggregate_heads where aggregate_type = $1 and aggregate_id = $2",
		events[0].AggregateType, events[0].AggregateID).Scan(&head)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	if head != w.version {
		return fmt.Errorf("stream is at %d, not %d", head, w.version)
	}
	for i := range events {
		var position int64
		err := tx.QueryRow(ctx, insertOne, appendRow(nil, &events[i], head+int64(i)+1)...).Scan(&position)
		if err != nil {
			return err
		}
	}
	w.version += int64(n)
	_, err = tx.Exec(ctx, `insert into aggregate_heads (aggregate_type, aggregate_id, aggregate_version) values ($1, $2, $3)
		on conflict (aggregate_type, aggregate_id) do update set aggregate_version = excluded.aggregate_version`,
		events[0].AggregateType, events[0].AggregateID, w.version)
	return err
}
