package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// The sides of the comparisons of groups.
const (
	bareInsert = "limit: bare insert"
	withPool   = "eventmap, NewPool"
	withGroup  = "eventmap, NewGroup"
)

// groups compare appends that share commits with appends that have one each. On all sides many goroutines share a pool of
// connections, and each append is of one event and committed when it returns.
func groups(p plan) []comparison {
	return []comparison{
		groupRate(p, 16, goal{against: withPool, ratio: 1.3}, goal{against: bareInsert, ratio: 1.1}),
		groupRate(p, 64, goal{against: withPool, ratio: 3}, goal{against: bareInsert, ratio: 2.5}),
		groupRate(p, 256, goal{against: withPool, ratio: 6}, goal{against: bareInsert, ratio: 4.5}),
		groupHotStream(p, 64, goal{against: withPool, ratio: 8}),
		groupLatency(p, 1, 50, goal{against: withPool, ratio: 1.05, atMost: true}),
		groupLatency(p, 64, 99, goal{against: withPool, ratio: 1, atMost: true}),
	}
}

// A crowd is goroutines that append one event after the other.
type crowd struct {
	goroutines int
	writer     func() *writer
	expected   func(*writer) runtime.ExpectedVersion
}

// onOwnStreams returns a crowd each of which appends to streams of its own, where it has left them.
func onOwnStreams(goroutines int) crowd {
	return crowd{
		goroutines: goroutines,
		writer:     func() *writer { return new(writer) },
		expected:   func(w *writer) runtime.ExpectedVersion { return runtime.Exact(w.version) },
	}
}

// An appender appends the next event of a writer.
type appender func(ctx context.Context, w *writer) error

// The sides, each by what it makes an appender of, and what ends it.
func (c crowd) inserting(pool *pgxpool.Pool) (appender, func() error, error) {
	return func(ctx context.Context, w *writer) error {
		events := w.next(1)
		var position int64
		err := pool.QueryRow(ctx, insertOne, appendRow(nil, &events[0], w.version+1)...).Scan(&position)
		w.version++
		return err
	}, func() error { return nil }, nil
}

func (c crowd) alone(pool *pgxpool.Pool) (appender, func() error, error) {
	store, err := postgres.NewPool()
	return func(ctx context.Context, w *writer) error {
		events := w.next(1)
		r, err := store.Append(ctx, pool, c.expected(w), events)
		w.version = r.ToVersion()
		return err
	}, func() error { return nil }, err
}

func (c crowd) together(pool *pgxpool.Pool) (appender, func() error, error) {
	group, err := postgres.NewGroup(pool)
	if err != nil {
		return nil, nil, err
	}
	return func(ctx context.Context, w *writer) error {
		events := w.next(1)
		r, err := group.Append(ctx, group, c.expected(w), events)
		w.version = r.ToVersion()
		return err
	}, func() error { return group.Close(context.Background()) }, nil
}

// side returns a side whose figure is made of how long the appends of a round took.
func (c crowd) side(p plan, name string, begin func(*pgxpool.Pool) (appender, func() error, error), figure func(took []time.Duration, round time.Duration) float64) side {
	return side{name, func(ctx context.Context, pool *pgxpool.Pool) (float64, string, error) {
		append, end, err := begin(pool)
		if err != nil {
			return 0, "", err
		}
		took, round, err := c.run(ctx, p, append)
		slices.Sort(took)
		remark := fmt.Sprintf("median %v, p99 %v", percentile(took, 50).Round(time.Microsecond), percentile(took, 99).Round(time.Microsecond))
		return figure(took, round), remark, errors.Join(err, end())
	}}
}

// run has all goroutines append for a round and returns how long each append took.
func (c crowd) run(ctx context.Context, p plan, appendNext appender) ([]time.Duration, time.Duration, error) {
	var wg sync.WaitGroup
	took := make([][]time.Duration, c.goroutines)
	failures := make([]error, c.goroutines)
	begin := time.Now()
	for i := range c.goroutines {
		wg.Go(func() {
			w := c.writer()
			for before := time.Now(); before.Sub(begin) < p.round && failures[i] == nil; {
				failures[i] = appendNext(ctx, w)
				now := time.Now()
				took[i] = append(took[i], now.Sub(before))
				before = now
			}
		})
	}
	wg.Wait()
	return slices.Concat(took...), time.Since(begin), errors.Join(failures...)
}

// percentile returns the duration that so many of a hundred sorted ones do not exceed.
func percentile(sorted []time.Duration, n int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)-1)*n/100]
}

// perSecond returns how many appends were made in a second.
func perSecond(took []time.Duration, round time.Duration) float64 {
	return float64(len(took)) / round.Seconds()
}

func groupRate(p plan, goroutines int, goals ...goal) comparison {
	c := onOwnStreams(goroutines)
	return comparison{
		name: fmt.Sprintf("group commit, %d goroutines", goroutines),
		unit: "appends/s",
		sides: []side{
			c.side(p, bareInsert, c.inserting, perSecond),
			c.side(p, withPool, c.alone, perSecond),
			c.side(p, withGroup, c.together, perSecond),
		},
		goals: goals,
	}
}

// groupHotStream compares appends of all goroutines to one stream, at any version.
func groupHotStream(p plan, goroutines int, goals ...goal) comparison {
	c := crowd{
		goroutines: goroutines,
		writer:     func() *writer { return &writer{stream: "hot", left: math.MaxInt} },
		expected:   func(*writer) runtime.ExpectedVersion { return runtime.Any() },
	}
	return comparison{
		name: fmt.Sprintf("group commit, hot stream, %d goroutines", goroutines),
		unit: "appends/s",
		sides: []side{
			c.side(p, withPool, c.alone, perSecond),
			c.side(p, withGroup, c.together, perSecond),
		},
		goals: goals,
	}
}

// groupLatency compares how long an append takes its caller: the percentile, in milliseconds.
func groupLatency(p plan, goroutines, of int, goals ...goal) comparison {
	c := onOwnStreams(goroutines)
	milliseconds := func(took []time.Duration, _ time.Duration) float64 {
		return float64(percentile(took, of)) / float64(time.Millisecond)
	}
	return comparison{
		name: fmt.Sprintf("group commit, percentile %d of latency, %d goroutines", of, goroutines),
		unit: "ms",
		sides: []side{
			c.side(p, bareInsert, c.inserting, milliseconds),
			c.side(p, withPool, c.alone, milliseconds),
			c.side(p, withGroup, c.together, milliseconds),
		},
		goals: goals,
	}
}
