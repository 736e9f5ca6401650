package postgres

import (
	"context"
	"database/sql"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime/inspect"
)

// Events returns a page of the log. With a filter that an index answers, whose columns are the filter's and the position,
// the page is full or the last; else at most query.Scan events are looked at.
func (i *Inspector) Events(ctx context.Context, q inspect.EventQuery) (inspect.EventPage, error) {
	var page inspect.EventPage
	err := i.read(ctx, "inspect the log", func(db querier) error {
		texts, key, scan, err := i.eventTexts(ctx, db, q)
		if err != nil {
			return err
		}
		before := q.Before
		if before == 0 {
			before = math.MaxInt64
		}
		page.Events, err = collect(ctx, db, query{texts.events, []any{
			q.Bytes, q.After, before, int64(q.Limit),
			orNull(q.AggregateType), orNull(q.EventType), orNull(q.CorrelationID), orNull(q.CausationID), scan,
		}}, scanShown)
		if err != nil {
			return err
		}
		if n := len(page.Events); n == q.Limit {
			page.Next = page.Events[n-1].GlobalPosition
			return nil
		}
		var looked, end int64
		err = queryRow(ctx, db, query{texts.window, append([]any{q.After, before, scan}, key...)}, &looked, &end)
		if err == nil && looked == scan {
			page.Next, page.Scanned = end, int(looked)
		}
		return err
	})
	return page, err
}

// eventTexts returns the statements for a query, what they look for in an index, if they do, and how many events they look
// at.
func (i *Inspector) eventTexts(ctx context.Context, db querier, q inspect.EventQuery) (texts eventStatements, key []any, scan int64, err error) {
	if q.AggregateType == "" && q.EventType == "" && q.CorrelationID == "" && q.CausationID == "" {
		return i.sql.log[logOrder{ascending: q.Ascending}], nil, int64(q.Limit), nil
	}
	scan = int64(max(q.Scan, q.Limit))
	for _, c := range []struct{ column, value, name string }{
		{"correlation_id", q.CorrelationID, byCorrelationID},
		{"event_type", q.EventType, byEventType},
	} {
		indexed := false
		if c.value == "" {
			continue
		}
		if err := queryRow(ctx, db, query{i.sql.indexed, []any{c.column}}, &indexed); err != nil {
			return eventStatements{}, nil, 0, err
		}
		if indexed {
			return i.sql.log[logOrder{c.name, q.Ascending}], []any{c.value}, scan, nil
		}
	}
	return i.sql.log[logOrder{ascending: q.Ascending}], nil, scan, nil
}

// orNull returns a filter as an argument in which none is NULL.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// scanShown reads an event as it is shown.
func scanShown(r rows) (inspect.Event, error) {
	var e inspect.Event
	var id string
	var metadata sql.NullString
	err := r.Scan(
		&e.GlobalPosition,
		&e.AggregateType,
		&e.AggregateID,
		&e.AggregateVersion,
		&id,
		&e.EventType,
		&e.EventVersion,
		&e.Payload,
		&e.PayloadSize,
		&e.TraceID,
		&e.CorrelationID,
		&e.CausationID,
		&metadata,
		&e.MetadataSize,
		&e.CreatedAt,
	)
	if err != nil {
		return inspect.Event{}, err
	}
	if metadata.Valid {
		e.Metadata = []byte(metadata.String)
	}
	e.CreatedAt = e.CreatedAt.UTC()
	e.EventID, err = uuid.Parse(id)
	return e, err
}

// Event returns the event at a position, with at most so many bytes of its payload; nil if there is none.
func (i *Inspector) Event(ctx context.Context, position int64, bytes int) (*inspect.Event, error) {
	return i.event(ctx, query{i.sql.event, []any{bytes, position}})
}

// EventByID returns the event of an ID, with at most so many bytes of its payload; nil if there is none.
func (i *Inspector) EventByID(ctx context.Context, id uuid.UUID, bytes int) (*inspect.Event, error) {
	return i.event(ctx, query{i.sql.eventByID, []any{bytes, id.String()}})
}

func (i *Inspector) event(ctx context.Context, statement query) (*inspect.Event, error) {
	var found []inspect.Event
	err := i.read(ctx, "inspect an event", func(db querier) (err error) {
		found, err = collect(ctx, db, statement, scanShown)
		return err
	})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// PositionsAt returns for each of the times, which rise, the position of the last event before it, or 0. The log is
// searched by halves, so the answer is exact as far as events were stored in the order of their times.
func (i *Inspector) PositionsAt(ctx context.Context, times []time.Time) ([]int64, error) {
	var positions []int64
	err := i.read(ctx, "find positions by time", func(db querier) (err error) {
		positions, err = collect(ctx, db, query{i.sql.positionAt, []any{times}}, func(r rows) (position int64, err error) {
			return position, r.Scan(new(time.Time), &position)
		})
		return err
	})
	return positions, err
}
