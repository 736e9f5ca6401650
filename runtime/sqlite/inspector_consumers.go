package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/eventmap/eventmap/runtime/inspect"
	"github.com/eventmap/eventmap/runtime/internal/paging"
)

// Frontier returns how far the log is. It can always be read to its end.
func (i *Inspector) Frontier(ctx context.Context) (inspect.Frontier, error) {
	f := inspect.Frontier{Now: time.Now().UTC()}
	err := i.read(ctx, "inspect the frontier", func(ctx context.Context, db queryer) error {
		return queryRow(ctx, db, i.sql.frontier, nil, &f.Drawn)
	})
	f.Frontier = f.Drawn
	return f, err
}

// Checkpoints returns the checkpoints of consumers, in order, without their workers.
func (i *Inspector) Checkpoints(ctx context.Context, q inspect.CheckpointQuery) ([]inspect.Checkpoint, error) {
	var checkpoints []inspect.Checkpoint
	err := i.read(ctx, "inspect the checkpoints", func(ctx context.Context, db queryer) error {
		return each(ctx, db, i.sql.checkpoints, []any{paging.OrNull(q.Consumer), q.Limit}, func(r *sql.Rows) error {
			c, err := scanInspected(r)
			checkpoints = append(checkpoints, c)
			return err
		})
	})
	return checkpoints, err
}

func scanInspected(r *sql.Rows) (c inspect.Checkpoint, err error) {
	var name, oldest string
	if c.Checkpoint, err = scanCheckpoint(r, "", &name, &oldest); err != nil {
		return inspect.Checkpoint{}, err
	}
	c.Consumer = name
	if oldest != "" {
		c.Oldest, err = parseTime(oldest)
	}
	return c, err
}

// Parked returns parked events, in order.
func (i *Inspector) Parked(ctx context.Context, q inspect.ParkedQuery) ([]inspect.Parked, error) {
	text, from, after := i.sql.parked, q.AfterConsumer, q.AfterPosition
	if q.Consumer != "" {
		if text = i.sql.parkedOf; from != q.Consumer {
			from, after = q.Consumer, 0
		}
	}
	var position any
	if q.Position != 0 {
		position = q.Position
	}
	var parked []inspect.Parked
	err := i.read(ctx, "inspect the parked events", func(ctx context.Context, db queryer) error {
		return each(ctx, db, text, []any{from, after, q.Limit, position}, func(r *sql.Rows) error {
			var p inspect.Parked
			var parkedAt, created string
			err := r.Scan(&p.Consumer, &p.AggregateType, &p.AggregateID, &p.GlobalPosition, &p.Attempts, &p.Error, &parkedAt,
				&p.EventType, &p.EventVersion, &p.Version, &created)
			if err != nil {
				return err
			}
			if p.ParkedAt, err = parseTime(parkedAt); err != nil {
				return err
			}
			if created != "" {
				p.CreatedAt, err = parseTime(created)
			}
			parked = append(parked, p)
			return err
		})
	})
	return parked, err
}

// CountParked returns how many events of each consumer are parked, counted up to [inspect.MaxCount]; no consumer that has
// none.
func (i *Inspector) CountParked(ctx context.Context) (map[string]int, error) {
	counts := make(map[string]int)
	err := i.read(ctx, "count the parked events", func(ctx context.Context, db queryer) error {
		return each(ctx, db, i.sql.countParked, []any{inspect.MaxCount}, func(r *sql.Rows) error {
			var name string
			var n int
			err := r.Scan(&name, &n)
			counts[name] = n
			return err
		})
	})
	return counts, err
}

// Summary returns how all consumers are. It is one statement, which waits for nobody, except in memory.
func (i *Inspector) Summary(ctx context.Context) (inspect.Summary, error) {
	ctx, cancel := context.WithTimeout(ctx, inspectPatience)
	defer cancel()
	s := inspect.Summary{Now: time.Now().UTC()}
	err := each(ctx, i.db, i.sql.summary, []any{inspect.MaxCount}, func(r *sql.Rows) error {
		var c inspect.ConsumerSummary
		var oldest string
		err := r.Scan(&s.Drawn, &c.Consumer, &c.Behind, &oldest, &c.Failing, &c.Stopped, &c.Parked)
		if err == nil && oldest != "" {
			c.Oldest, err = parseTime(oldest)
		}
		if c.Consumer != "" { // without consumers there is one row, of the log
			s.Consumers = append(s.Consumers, c)
		}
		return err
	})
	s.Frontier = s.Drawn
	if err != nil {
		return inspect.Summary{}, fmt.Errorf("inspect all consumers: %w", i.tables.explain(ctx, i.db, err, i.tables.needed()...))
	}
	return s, nil
}
