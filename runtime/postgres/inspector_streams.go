package postgres

import (
	"context"
	"math"

	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/inspect"
)

// AggregateTypes returns the types of aggregates there are, at most so many.
func (i *Inspector) AggregateTypes(ctx context.Context, limit int) ([]string, error) {
	var types []string
	err := i.read(ctx, "inspect the types of aggregates", func(db querier) (err error) {
		types, err = collect(ctx, db, query{i.sql.types, []any{int64(limit)}}, func(r rows) (name string, err error) {
			return name, r.Scan(&name)
		})
		return err
	})
	return types, err
}

// maxTypes is how many types of aggregates are searched for a stream.
const maxTypes = 500

// Streams returns streams, in order.
func (i *Inspector) Streams(ctx context.Context, q inspect.StreamQuery) ([]inspect.Stream, error) {
	text, from, after := i.sql.streams, q.After.AggregateType, q.After.AggregateID
	if q.AggregateType != "" {
		if from > q.AggregateType {
			return nil, nil
		}
		if from < q.AggregateType {
			after = ""
		}
		text, from = i.sql.streamsOfType, q.AggregateType
	}
	var streams []inspect.Stream
	err := i.read(ctx, "inspect the streams", func(db querier) (err error) {
		args := []any{from, after, q.Prefix, q.Prefix + string(rune(0x10FFFF)), int64(q.Limit)}
		if q.AggregateType == "" {
			args = append(args, int64(maxTypes))
		}
		streams, err = collect(ctx, db, query{text, args}, func(r rows) (s inspect.Stream, err error) {
			return s, r.Scan(&s.AggregateType, &s.AggregateID, &s.Version)
		})
		return err
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
	err := i.read(ctx, "inspect a stream", func(db querier) (err error) {
		if err := queryRow(ctx, db, query{i.sql.head, []any{q.AggregateType, q.AggregateID}}, &stream.Version); err != nil {
			return err
		}
		events, err = collect(ctx, db, query{text, []any{
			q.Bytes, q.AggregateType, q.AggregateID, q.After, before, int64(q.Limit),
		}}, scanShown)
		return err
	})
	return stream, events, err
}
