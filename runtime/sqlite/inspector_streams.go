package sqlite

import (
	"context"
	"database/sql"
	"math"

	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/inspect"
)

// AggregateTypes returns the types of aggregates there are, at most so many.
func (i *Inspector) AggregateTypes(ctx context.Context, limit int) ([]string, error) {
	var types []string
	err := i.read(ctx, "inspect the types of aggregates", func(ctx context.Context, db queryer) (err error) {
		types, err = i.types(ctx, db, limit)
		return err
	})
	return types, err
}

func (i *Inspector) types(ctx context.Context, db queryer, limit int) ([]string, error) {
	var types []string
	err := each(ctx, db, i.sql.types, []any{limit}, func(r *sql.Rows) error {
		var name string
		err := r.Scan(&name)
		types = append(types, name)
		return err
	})
	return types, err
}

// maxTypes is how many types of aggregates are searched for a stream.
const maxTypes = 500

// Streams returns streams, in order.
func (i *Inspector) Streams(ctx context.Context, q inspect.StreamQuery) ([]inspect.Stream, error) {
	var streams []inspect.Stream
	err := i.read(ctx, "inspect the streams", func(ctx context.Context, db queryer) error {
		types := []string{q.AggregateType}
		if q.AggregateType == "" {
			var err error
			if types, err = i.types(ctx, db, maxTypes); err != nil {
				return err
			}
		}
		for _, name := range types {
			after := ""
			switch {
			case len(streams) == q.Limit:
				return nil
			case name < q.After.AggregateType:
				continue
			case name == q.After.AggregateType:
				after = q.After.AggregateID
			}
			args := []any{name, after, q.Prefix, q.Prefix + string(rune(0x10FFFF)), q.Limit - len(streams)}
			err := each(ctx, db, i.sql.streams, args, func(r *sql.Rows) error {
				s := inspect.Stream{Stream: consumer.Stream{AggregateType: name}}
				err := r.Scan(&s.AggregateID, &s.Version)
				streams = append(streams, s)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return streams, err
}

// StreamEvents returns events of one stream, and its head. A stream that does not exist has no events and version 0.
func (i *Inspector) StreamEvents(ctx context.Context, q inspect.StreamEventQuery) (inspect.Stream, []inspect.Event, error) {
	stream := inspect.Stream{Stream: consumer.Stream{AggregateType: q.AggregateType, AggregateID: q.AggregateID}}
	text, before := i.sql.streamBackward, q.Before
	if q.Ascending {
		text = i.sql.streamForward
	}
	if before == 0 {
		before = math.MaxInt64
	}
	var events []inspect.Event
	err := i.read(ctx, "inspect a stream", func(ctx context.Context, db queryer) (err error) {
		if err := queryRow(ctx, db, i.sql.head, []any{q.AggregateType, q.AggregateID}, &stream.Version); err != nil {
			return err
		}
		events, err = collectShown(ctx, db, text, q.Bytes, q.AggregateType, q.AggregateID, q.After, before, q.Limit)
		return err
	})
	return stream, events, err
}
