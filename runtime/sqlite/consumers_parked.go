package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// Park adds or changes a parked event; see [consumer.ParkedEvents].
func (c *Consumers) Park(ctx context.Context, tx *sql.Tx, name string, p consumer.ParkedEvent) error {
	err := execute(ctx, tx, c.sql.park,
		name, p.GlobalPosition, p.AggregateType, p.AggregateID, p.Attempts, p.Error, timeText(time.Now()))
	if err != nil {
		return fmt.Errorf("park event %d: %w", p.GlobalPosition, c.explain(ctx, tx, err))
	}
	return nil
}

// Unpark removes parked events; see [consumer.ParkedEvents].
func (c *Consumers) Unpark(ctx context.Context, tx *sql.Tx, name, _ string, positions []int64) (int64, error) {
	list, err := jsonList(positions)
	n := int64(0)
	if err == nil {
		err = each(ctx, tx, c.sql.unpark, []any{name, list}, func(*sql.Rows) error {
			n++
			return nil
		})
	}
	if err != nil {
		return 0, fmt.Errorf("remove parked events: %w", c.explain(ctx, tx, err))
	}
	return n, nil
}

// Parked returns parked events; see [consumer.ParkedEvents].
func (c *Consumers) Parked(ctx context.Context, tx *sql.Tx, name string, q consumer.ParkedQuery) ([]consumer.ParkedEvent, error) {
	args := []any{name, q.After, int64(q.Limit), nil, nil}
	if q.Stream != nil {
		args[3], args[4] = q.Stream.AggregateType, q.Stream.AggregateID
	}
	var parked []consumer.ParkedEvent
	err := each(ctx, tx, c.sql.parked, args, func(r *sql.Rows) (err error) {
		var p consumer.ParkedEvent
		var at string
		if err := r.Scan(&p.AggregateType, &p.AggregateID, &p.GlobalPosition, &p.Attempts, &p.Error, &at); err != nil {
			return err
		}
		p.ParkedAt, err = parseTime(at)
		parked = append(parked, p)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read parked events: %w", c.explain(ctx, tx, err))
	}
	return parked, nil
}

// CountParked returns how many events are parked; see [consumer.ParkedEvents].
func (c *Consumers) CountParked(ctx context.Context, tx *sql.Tx, name string) (int64, error) {
	var n int64
	if err := queryRow(ctx, tx, c.sql.countParked, []any{name}, &n); err != nil {
		return 0, fmt.Errorf("count parked events: %w", c.explain(ctx, tx, err))
	}
	return n, nil
}

// ParkedStreams returns which streams have parked events; see [consumer.ParkedEvents].
func (c *Consumers) ParkedStreams(ctx context.Context, tx *sql.Tx, name, _ string, events []runtime.PersistedEvent) ([]consumer.Stream, error) {
	wanted := make(map[consumer.Stream]bool, len(events))
	ids := make([]string, len(events))
	for i := range events {
		ids[i] = events[i].AggregateID
		wanted[consumer.Stream{AggregateType: events[i].AggregateType, AggregateID: ids[i]}] = true
	}
	slices.Sort(ids)
	list, err := jsonList(slices.Compact(ids))
	var streams []consumer.Stream
	if err == nil {
		err = each(ctx, tx, c.sql.parkedStreams, []any{name, list}, func(r *sql.Rows) error {
			var s consumer.Stream
			err := r.Scan(&s.AggregateType, &s.AggregateID)
			if wanted[s] {
				streams = append(streams, s)
			}
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("look for parked events: %w", c.explain(ctx, tx, err))
	}
	return streams, nil
}
