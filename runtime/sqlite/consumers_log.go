package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// Read returns the events of a selection; see [consumer.Log]. SQLite cannot compute the segment of an event, so events of
// other segments are read and left out here, where they have not come over a network.
func (c *Consumers) Read(ctx context.Context, tx *sql.Tx, s consumer.Selection, buffer []runtime.PersistedEvent) (consumer.Page, error) {
	page := consumer.Page{Events: buffer[:0]}
	err := queryRow(ctx, tx, c.sql.anyParked, []any{s.Consumer}, &page.Parked)
	if err == nil {
		d := newDecoder()
		size := int64(0)
		err = c.selected(ctx, tx, c.sql.read, s, func(r *sql.Rows) (bool, error) {
			e, err := d.decode(r)
			if err != nil || !s.Selects(e.AggregateID, e.GlobalPosition) {
				return false, err
			}
			size += int64(len(e.Payload) + len(e.Metadata))
			if s.Bytes > 0 && size > s.Bytes && len(page.Events) > 0 {
				page.More = true
				return false, errFull
			}
			page.Events = append(page.Events, e)
			return true, nil
		})
		if errors.Is(err, errFull) {
			err = nil
		}
	}
	page.More = page.More || len(page.Events) == s.Limit
	if err != nil {
		return consumer.Page{}, fmt.Errorf("read the log: %w", c.explain(ctx, tx, err))
	}
	return page, nil
}

// errFull ends a page that is full.
var errFull = errors.New("the page is full")

// selected runs a statement over a selection and calls take with its rows until it has taken as many as the selection
// wants.
func (c *Consumers) selected(ctx context.Context, db queryer, text string, s consumer.Selection, take func(*sql.Rows) (bool, error)) error {
	types, err := anyOf(s.AggregateTypes)
	if err != nil {
		return err
	}
	limit := int64(s.Limit)
	if s.Segments > 1 || s.Handled != nil {
		limit = math.MaxInt64
	}
	r, err := db.QueryContext(ctx, text, s.After, s.Through, limit, types)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	for n := 0; n < s.Limit && r.Next(); {
		taken, err := take(r)
		if err != nil {
			return err
		}
		if taken {
			n++
		}
	}
	if err := r.Close(); err != nil {
		return err
	}
	return r.Err()
}

// Lag counts the events of a selection; see [consumer.Log].
func (c *Consumers) Lag(ctx context.Context, tx *sql.Tx, s consumer.Selection) (consumer.Lag, error) {
	var lag consumer.Lag
	var position int64
	var id, created string
	var first time.Time
	err := c.selected(ctx, tx, c.sql.lag, s, func(r *sql.Rows) (bool, error) {
		if err := r.Scan(&position, &id, &created); err != nil || !s.Selects(id, position) {
			return false, err
		}
		at, err := parseTime(created)
		if lag.Events == 0 || at.Before(first) {
			first = at
		}
		lag.Events++
		return true, err
	})
	if err != nil {
		return consumer.Lag{}, fmt.Errorf("count the lag: %w", c.explain(ctx, tx, err))
	}
	if lag.Events > 0 {
		lag.Age = max(time.Since(first), 0)
	}
	return lag, nil
}

// PositionAt returns the position of the last event before a time; see [consumer.Log]. The log is searched by halves.
func (c *Consumers) PositionAt(ctx context.Context, tx *sql.Tx, at time.Time) (int64, error) {
	var position int64
	list, err := jsonList([]string{timeText(at)})
	if err == nil {
		err = queryRow(ctx, tx, c.sql.positionAt, []any{list}, new(string), &position)
	}
	if err != nil {
		return 0, fmt.Errorf("find a position by time: %w", c.explain(ctx, tx, err))
	}
	return position, nil
}

// Events returns the events at the positions; see [consumer.Log].
func (c *Consumers) Events(ctx context.Context, tx *sql.Tx, _ string, positions []int64) ([]runtime.PersistedEvent, error) {
	list, err := jsonList(positions)
	var events []runtime.PersistedEvent
	if err == nil {
		events, err = collectEvents(ctx, tx, nil, c.sql.events, list)
	}
	if err != nil {
		return nil, fmt.Errorf("read events: %w", c.explain(ctx, tx, err))
	}
	return events, nil
}
