package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// manyLogs is the schema of the tables of many logs, beside the standard ones.
const manyLogs = "many"

// inLogs are the options of what is in those tables.
var inLogs = postgres.Config{EventsTable: manyLogs + ".events", Layout: postgres.ManyLogs}

// createLogs creates the tables of many logs, and so many of these.
func createLogs(n int) func(ctx context.Context, pool *pgxpool.Pool) error {
	return func(ctx context.Context, pool *pgxpool.Pool) error {
		tables, err := migration.Schema(design.Options{Schema: manyLogs, Logs: "tenant", Snapshots: true})
		if err != nil {
			return err
		}
		_, err = pool.Exec(ctx, tables)
		if err == nil && n > 0 {
			_, err = pool.Exec(ctx, fmt.Sprintf(`insert into %s.event_logs (log) select 'idle-' || i from generate_series(1, %d) as i`, manyLogs, n))
		}
		return err
	}
}

// inOwnLog returns how the goroutines of a crowd append, each to one log of so many.
func inOwnLog(c crowd, logs int) func(*pgxpool.Pool) (appender, func() error, error) {
	return func(pool *pgxpool.Pool) (appender, func() error, error) {
		all, err := postgres.NewLogsPool(inLogs)
		if err != nil {
			return nil, nil, err
		}
		var stores []*postgres.Store[*pgxpool.Pool]
		for i := range logs {
			stores = append(stores, all.Of(fmt.Sprint("log-", i)))
		}
		var appended atomic.Int64
		return func(ctx context.Context, w *writer) error {
			if w.log == 0 {
				w.log = int(appended.Add(1))
			}
			events := w.next(1)
			r, err := stores[w.log%logs].Append(ctx, pool, c.expected(w), events)
			w.version = r.ToVersion()
			return err
		}, func() error { return nil }, nil
	}
}

// logsRate compares appends of one event by writers, over as many logs, with those to the one log.
func logsRate(p plan) comparison {
	c := onOwnStreams(p.writers)
	return comparison{
		name:    fmt.Sprintf("append 1 event, %d writers over %d logs", p.writers, p.writers),
		unit:    "appends/s",
		prepare: createLogs(0),
		sides: []side{
			c.side(p, "eventmap, one log", c.alone, perSecond),
			c.side(p, "eventmap, many logs", inOwnLog(c, p.writers), perSecond),
		},
		goals: []goal{{against: "eventmap, one log", ratio: 0.8}},
	}
}

// logsGroup compares appends of many goroutines to one log, with and without shared commits.
func logsGroup(p plan, goroutines int) comparison {
	c := onOwnStreams(goroutines)
	const pool, group = "one of many logs, a pool", "one of many logs, a group"
	return comparison{
		name:    fmt.Sprintf("group commit on one of many logs, %d goroutines", goroutines),
		unit:    "appends/s",
		prepare: createLogs(0),
		sides: []side{
			c.side(p, pool, inOwnLog(c, 1), perSecond),
			c.side(p, group, func(pool *pgxpool.Pool) (appender, func() error, error) {
				group, err := postgres.NewGroup(pool, inLogs, postgres.WithLog("log-0"))
				if err != nil {
					return nil, nil, err
				}
				return func(ctx context.Context, w *writer) error {
					events := w.next(1)
					r, err := group.Append(ctx, group, c.expected(w), events)
					w.version = r.ToVersion()
					return err
				}, func() error { return group.Close(context.Background()) }, nil
			}, perSecond),
		},
		goals: []goal{{against: pool, ratio: 6}},
	}
}

// logsRead compares reading a log of many with reading the one log.
func logsRead(p plan) comparison {
	n := min(p.events, 200_000)
	reading := func(name string, store *postgres.Store[*pgxpool.Pool], newErr error) side {
		return side{name, func(ctx context.Context, pool *pgxpool.Pool) (float64, string, error) {
			if newErr != nil {
				return 0, "", newErr
			}
			begin := time.Now()
			read := 0
			for position := int64(0); ; {
				page, err := store.ReadEvents(ctx, pool, position, 1000)
				if err != nil {
					return 0, "", err
				}
				if len(page) == 0 {
					break
				}
				read += len(page)
				position = page[len(page)-1].GlobalPosition
			}
			if read != n {
				return 0, "", fmt.Errorf("read %d events of %d", read, n)
			}
			return float64(read) / time.Since(begin).Seconds(), "", nil
		}}
	}
	one, oneErr := postgres.NewPool()
	many, manyErr := postgres.NewPool(inLogs, postgres.WithLog("log-0"))
	return comparison{
		name: fmt.Sprintf("read a log of %d events", n),
		unit: "events/s",
		prepare: func(ctx context.Context, pool *pgxpool.Pool) error {
			if err := errors.Join(fill("", n, 100)(ctx, pool), createLogs(10_000)(ctx, pool)); err != nil {
				return err
			}
			for _, statement := range []string{
				`insert into many.events (log, global_position, aggregate_type, aggregate_id, aggregate_version, event_id, event_type, event_version, payload, correlation_id, created_at)
				select 'log-0', global_position, aggregate_type, aggregate_id, aggregate_version, event_id, event_type, event_version, payload, correlation_id, created_at
				from events order by global_position`,
				`insert into many.event_logs (log, position, settled) select 'log-0', max(global_position), max(global_position) from many.events`,
				`vacuum (analyze) many.events`, `vacuum (analyze) many.event_logs`,
			} {
				if _, err := pool.Exec(ctx, statement); err != nil {
					return err
				}
			}
			return nil
		},
		sides: []side{reading("the one log", one, oneErr), reading("a log of 10,000", many, manyErr)},
		goals: []goal{{against: "the one log", ratio: 0.95}},
	}
}

// logsGrowth compares appends where there are few logs with those where there are ten thousand, which writers take in turn.
func logsGrowth(p plan) comparison {
	c := onOwnStreams(p.writers)
	return comparison{
		name:    "append 1 event, few logs and 10,000",
		unit:    "appends/s",
		prepare: createLogs(10_000),
		sides: []side{
			c.side(p, "among 16 logs", inOwnLog(c, 16), perSecond),
			c.side(p, "among 10,000 logs", func(pool *pgxpool.Pool) (appender, func() error, error) {
				all, err := postgres.NewLogsPool(inLogs)
				if err != nil {
					return nil, nil, err
				}
				var n atomic.Int64
				return func(ctx context.Context, w *writer) error {
					log := all.Of(fmt.Sprint("idle-", n.Add(7919)%10_000+1))
					_, err := log.Append(ctx, pool, runtime.Any(), w.next(1))
					return err
				}, func() error { return nil }, nil
			}, perSecond),
		},
		goals: []goal{{against: "among 16 logs", ratio: 0.8}},
	}
}

// overLogs are the comparisons of many logs.
func overLogs(p plan) []comparison {
	return []comparison{logsRate(p), logsGroup(p, 64), logsRead(p), logsGrowth(p)}
}
