package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

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
	log     int // which of many logs, from 1
}

// next returns the next events to append. They follow the stream's version.
func (w *writer) next(n int) []runtime.Event {
	if w.left == 0 {
		*w = writer{stream: fmt.Sprintf("order-%d", streamNumber.Add(1)), left: appendsPerStream, log: w.log}
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
			// database/sql is what the stores of this shape are written for; the same through pgx is beside it.
			{"statement per event", func(ctx context.Context, pool *pgxpool.Pool) (float64, string, error) {
				rate, err := writeForSQL(ctx, p, pool, n)
				return rate, "through database/sql", err
			}},
			writing("the same through pgx", func(ctx context.Context, tx pgx.Tx, w *writer) error {
				return statementPerEvent(ctx, throughPgx(tx), w, n)
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
	return repeat(p, func(until func() bool, done func()) error {
		conn, err := pool.Acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		for w := new(writer); !until(); done() {
			if err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return append(ctx, tx, w) }); err != nil {
				return err
			}
		}
		return nil
	})
}

// writeForSQL is writeFor for a statement per event, through database/sql.
func writeForSQL(ctx context.Context, p plan, pool *pgxpool.Pool, n int) (float64, error) {
	db := stdlib.OpenDBFromPool(pool)
	defer func() { _ = db.Close() }()
	return repeat(p, func(until func() bool, done func()) error {
		conn, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
		for w := new(writer); !until(); done() {
			tx, err := conn.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			if err := statementPerEvent(ctx, throughSQL(tx), w, n); err != nil {
				return errors.Join(err, tx.Rollback())
			}
			if err := tx.Commit(); err != nil {
				return err
			}
		}
		return nil
	})
}

// repeat runs write in every writer until the round is over, and returns how often in a second done was called.
func repeat(p plan, write func(until func() bool, done func()) error) (float64, error) {
	var wg sync.WaitGroup
	var count atomic.Int64
	failures := make([]error, p.writers)
	begin := time.Now()
	for i := range p.writers {
		wg.Go(func() {
			failures[i] = write(func() bool { return time.Since(begin) >= p.round }, func() { count.Add(1) })
		})
	}
	wg.Wait()
	return float64(count.Load()) / time.Since(begin).Seconds(), errors.Join(failures...)
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

// A queryRow runs a statement that gives one row, through either driver.
type queryRow func(ctx context.Context, sql string, args ...any) interface{ Scan(dest ...any) error }

func throughPgx(tx pgx.Tx) queryRow {
	return func(ctx context.Context, sql string, args ...any) interface{ Scan(dest ...any) error } {
		return tx.QueryRow(ctx, sql, args...)
	}
}

func throughSQL(tx *sql.Tx) queryRow {
	return func(ctx context.Context, sql string, args ...any) interface{ Scan(dest ...any) error } {
		return tx.QueryRowContext(ctx, sql, args...)
	}
}

// statementPerEvent is how most Go stores append: read the head, insert event by event, write the head.
func statementPerEvent(ctx context.Context, query queryRow, w *writer, n int) error {
	events := w.next(n)
	var head int64
	err := query(ctx, "select coalesce(max(aggregate_version), 0) from aggregate_heads where aggregate_type = $1 and aggregate_id = $2",
		events[0].AggregateType, events[0].AggregateID).Scan(&head)
	if err != nil {
		return err
	}
	if head != w.version {
		return fmt.Errorf("stream is at %d, not %d", head, w.version)
	}
	for i := range events {
		var position int64
		if err := query(ctx, insertOne, appendRow(nil, &events[i], head+int64(i)+1)...).Scan(&position); err != nil {
			return err
		}
	}
	return query(ctx, `insert into aggregate_heads (aggregate_type, aggregate_id, aggregate_version) values ($1, $2, $3)
		on conflict (aggregate_type, aggregate_id) do update set aggregate_version = excluded.aggregate_version
		returning aggregate_version`,
		events[0].AggregateType, events[0].AggregateID, head+int64(n)).Scan(&w.version)
}
