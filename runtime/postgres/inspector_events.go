package postgres

import (
	"context"
	"database/sql"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime/inspect"
	"github.com/eventmap/eventmap/runtime/internal/paging"
)

// Events returns a page of the log. With a filter that an index answers, whose columns are the filter's and the position,
// the page is full or the last; else at most query.Scan events are looked at.
func (i *Inspector) Events(ctx context.Context, q inspect.EventQuery) (page inspect.EventPage, err error) {
	err = i.read(ctx, "inspect the log", func(db querier) (err error) {
		page, err = i.sql.log.Page(paging.Database{
			Events: func(text string, args ...any) ([]inspect.Event, error) {
				return collect(ctx, db, query{text, args}, scanShown)
			},
			Row: func(text string, args []any, dest ...any) error { return queryRow(ctx, db, query{text, args}, dest...) },
		}, q)
		return err
	})
	return page, err
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
