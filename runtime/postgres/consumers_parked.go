package postgres

import (
	"context"
	"fmt"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// Park adds or changes a parked event; see [consumer.ParkedEvents].
func (c *Consumers[Tx]) Park(ctx context.Context, tx Tx, name string, p consumer.ParkedEvent) error {
	err := exec(ctx, c.transactions.bind(tx), c.in(p.Log, c.sql.park,
		name, p.GlobalPosition, p.AggregateType, p.AggregateID, p.Attempts, p.Error))
	if err != nil {
		return fmt.Errorf("park event %d: %w", p.GlobalPosition, ended(c.classify(err)))
	}
	return nil
}

// Unpark removes parked events; see [consumer.ParkedEvents].
func (c *Consumers[Tx]) Unpark(ctx context.Context, tx Tx, name, log string, positions []int64) (int64, error) {
	var n int64
	if err := queryRow(ctx, c.transactions.bind(tx), c.in(log, c.sql.unpark, name, positions), &n); err != nil {
		return 0, fmt.Errorf("remove parked events: %w", ended(c.classify(err)))
	}
	return n, nil
}

// Parked returns parked events; see [consumer.ParkedEvents].
func (c *Consumers[Tx]) Parked(ctx context.Context, tx Tx, name string, q consumer.ParkedQuery) ([]consumer.ParkedEvent, error) {
	args := []any{name, q.After, int64(q.Limit), nil, nil}
	if q.Stream != nil {
		args[3], args[4] = q.Stream.AggregateType, q.Stream.AggregateID
	}
	if c.tables.areMany() {
		args = append(args, nil, q.AfterLog)
		if q.Log != "" {
			args[5], args[6] = q.Log, max(q.AfterLog, q.Log)
		}
	}
	parked, err := collect(ctx, c.transactions.bind(tx), query{c.sql.parked, args}, func(r rows) (consumer.ParkedEvent, error) {
		var p consumer.ParkedEvent
		err := r.Scan(&p.Log, &p.AggregateType, &p.AggregateID, &p.GlobalPosition, &p.Attempts, &p.Error, &p.ParkedAt)
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("read parked events: %w", c.classify(err))
	}
	return parked, nil
}

// CountParked returns how many events are parked; see [consumer.ParkedEvents].
func (c *Consumers[Tx]) CountParked(ctx context.Context, tx Tx, name string) (int64, error) {
	var n int64
	if err := queryRow(ctx, c.transactions.bind(tx), query{c.sql.countParked, []any{name}}, &n); err != nil {
		return 0, fmt.Errorf("count parked events: %w", c.classify(err))
	}
	return n, nil
}

// ParkedStreams returns which streams have parked events; see [consumer.ParkedEvents].
func (c *Consumers[Tx]) ParkedStreams(ctx context.Context, tx Tx, name, log string, events []runtime.PersistedEvent) ([]consumer.Stream, error) {
	types, ids := make([]string, len(events)), make([]string, len(events))
	for i := range events {
		types[i], ids[i] = events[i].AggregateType, events[i].AggregateID
	}
	streams, err := collect(ctx, c.transactions.bind(tx), c.in(log, c.sql.parkedStreams, name, types, ids), func(r rows) (consumer.Stream, error) {
		s := consumer.Stream{Log: log}
		err := r.Scan(&s.AggregateType, &s.AggregateID)
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("look for parked events: %w", c.classify(err))
	}
	return streams, nil
}
