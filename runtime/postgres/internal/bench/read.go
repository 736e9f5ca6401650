package main

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	events "github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

const bareColumns = `global_position, aggregate_type, aggregate_id, aggregate_version, event_id, event_type, event_version,
	payload, trace_id, correlation_id, causation_id, metadata, created_at`

// bareScan reads rows into the same struct as the store does, through pgx alone.
func bareScan(rows pgx.Rows, each func(events.PersistedEvent)) error {
	defer rows.Close()
	for rows.Next() {
		var e events.PersistedEvent
		var trace, correlation, causation *string
		err := rows.Scan(&e.GlobalPosition, &e.AggregateType, &e.AggregateID, &e.AggregateVersion, &e.EventID, &e.EventType,
			&e.EventVersion, &e.Payload, &trace, &correlation, &causation, &e.Metadata, &e.CreatedAt)
		if err != nil {
			return err
		}
		e.TraceID, e.CorrelationID, e.CausationID = null(trace), null(correlation), null(causation)
		each(e)
	}
	return rows.Err()
}

func null(s *string) events.NullString {
	if s == nil {
		return events.NullString{}
	}
	return events.SomeString(*s)
}

// fill stores n events in streams of the given length, without the store, in tables whose names begin with schema.
func fill(schema string, n, length int) func(ctx context.Context, pool *pgxpool.Pool) error {
	return func(ctx context.Context, pool *pgxpool.Pool) error {
		for _, statement := range []struct {
			sql  string
			args []any
		}{
			// Event IDs rise, as UUIDv7 do.
			{`insert into ` + schema + `events (` + strings.Join(eventColumns, ", ") + `)
				select 'Order', 'filled-' || (i / $2::bigint), i % $2 + 1,
					(lpad(to_hex(i), 12, '0') || '7' || substr(md5(i::text), 1, 19))::uuid, 'Event' || i % 20, 1,
					$3::bytea, null, 'request-' || i % 1000, null, null, now()
				from generate_series(0, $1::bigint - 1) i`, []any{n, length, payload}},
			{`insert into ` + schema + `aggregate_heads (aggregate_type, aggregate_id, aggregate_version)
				select 'Order', 'filled-' || i, least($2::bigint, $1::bigint - i * $2::bigint)
				from generate_series(0, ($1::bigint - 1) / $2::bigint) i`, []any{n, length}},
			{`vacuum (analyze) ` + schema + `events`, nil},
			{`vacuum (analyze) ` + schema + `aggregate_heads`, nil},
			{`checkpoint`, nil},
		} {
			if _, err := pool.Exec(ctx, statement.sql, statement.args...); err != nil {
				return err
			}
		}
		return nil
	}
}

// readsStreams returns a side that reads streams of a length, filled before, for a round.
func readsStreams(p plan, length int, name string, read func(ctx context.Context, tx pgx.Tx, stream string) (int, error)) side {
	return side{name, func(ctx context.Context, pool *pgxpool.Pool) (float64, string, error) {
		tx, err := pool.Begin(ctx)
		if err != nil {
			return 0, "", err
		}
		defer func() { _ = tx.Rollback(ctx) }()
		reads := 0
		runtime.GC()
		allocated := allocations()
		begin := time.Now()
		for ; time.Since(begin) < p.round; reads++ {
			n, err := read(ctx, tx, "filled-"+strconv.Itoa(reads%20))
			if err != nil {
				return 0, "", err
			}
			if n != length {
				return 0, "", fmt.Errorf("read %d events of %d", n, length)
			}
		}
		perEvent := float64(allocations()-allocated) / float64(reads*length)
		return float64(reads) / time.Since(begin).Seconds(), fmt.Sprintf("%.2f allocations/event", perEvent), nil
	}}
}

// readStream compares reading a stream of 1,000 events whole.
func readStream(p plan) comparison {
	const length = 1000
	store, newErr := postgres.New()
	reads := func(ctx context.Context, tx pgx.Tx, stream string) (int, error) {
		if newErr != nil {
			return 0, newErr
		}
		s, err := store.ReadAggregateStream(ctx, tx, "Order", stream, nil, nil)
		return s.Len(), err
	}
	return comparison{
		name:    "read a stream of 1,000 events",
		unit:    "streams/s",
		prepare: fill("", 20*length, length),
		sides: []side{
			readsStreams(p, length, "bare pgx scan", func(ctx context.Context, tx pgx.Tx, stream string) (int, error) {
				rows, err := tx.Query(ctx, "select "+bareColumns+" from events where aggregate_type = $1 and aggregate_id = $2 order by aggregate_version",
					"Order", stream)
				if err != nil {
					return 0, err
				}
				var all []events.PersistedEvent
				err = bareScan(rows, func(e events.PersistedEvent) { all = append(all, e) })
				return len(all), err
			}),
			readsStreams(p, length, "eventmap", reads),
		},
		goals: []goal{{against: "bare pgx scan", ratio: 0.9}},
	}
}

// readLog compares reading the whole log in order.
func readLog(p plan) comparison {
	store, newErr := postgres.New()
	timed := func(name string, read func(ctx context.Context, tx pgx.Tx, each func(events.PersistedEvent)) error) side {
		return side{name, func(ctx context.Context, pool *pgxpool.Pool) (float64, string, error) {
			if newErr != nil {
				return 0, "", newErr
			}
			tx, err := pool.Begin(ctx)
			if err != nil {
				return 0, "", err
			}
			defer func() { _ = tx.Rollback(ctx) }()
			n, last := 0, int64(0)
			memory := watchHeap()
			allocated := allocations()
			begin := time.Now()
			err = read(ctx, tx, func(e events.PersistedEvent) {
				n++
				if e.GlobalPosition <= last {
					panic("log is out of order")
				}
				last = e.GlobalPosition
			})
			took := time.Since(begin)
			perEvent := float64(allocations()-allocated) / float64(max(n, 1))
			peak := memory()
			if err == nil && n != p.events {
				err = fmt.Errorf("read %d events of %d", n, p.events)
			}
			return float64(n) / took.Seconds(), fmt.Sprintf("%.2f allocations/event, heap +%.1f MiB", perEvent, peak), err
		}}
	}
	return comparison{
		name:    fmt.Sprintf("read a log of %d events", p.events),
		unit:    "events/s",
		prepare: fill("", p.events, 100),
		sides: []side{
			timed("bare pgx scan", func(ctx context.Context, tx pgx.Tx, each func(events.PersistedEvent)) error {
				rows, err := tx.Query(ctx, "select "+bareColumns+" from events where global_position > $1 order by global_position", 0)
				if err != nil {
					return err
				}
				return bareScan(rows, each)
			}),
			timed("eventmap, pages of 1000", func(ctx context.Context, tx pgx.Tx, each func(events.PersistedEvent)) error {
				for position := int64(0); ; {
					page, err := store.ReadEvents(ctx, tx, position, 1000)
					if err != nil || len(page) == 0 {
						return err
					}
					for _, e := range page {
						each(e)
					}
					position = page[len(page)-1].GlobalPosition
				}
			}),
			timed("eventmap, iterator", func(ctx context.Context, tx pgx.Tx, each func(events.PersistedEvent)) error {
				for e, err := range store.LogEvents(ctx, tx, events.LogQuery{}) {
					if err != nil {
						return err
					}
					each(e)
				}
				return nil
			}),
		},
		goals: []goal{{against: "bare pgx scan", ratio: 0.9}},
	}
}
