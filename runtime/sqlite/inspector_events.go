package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime/inspect"
	"github.com/eventmap/eventmap/runtime/internal/paging"
)

// Events returns a page of the log. With a filter that an index answers, whose columns are the filter's and the position,
// the page is full or the last; else at most query.Scan events are looked at.
func (i *Inspector) Events(ctx context.Context, q inspect.EventQuery) (page inspect.EventPage, err error) {
	err = i.read(ctx, "inspect the log", func(ctx context.Context, db queryer) (err error) {
		page, err = i.sql.log.Page(paging.Database{
			Events: func(text string, args ...any) ([]inspect.Event, error) { return collectShown(ctx, db, text, args...) },
			Row:    func(text string, args []any, dest ...any) error { return queryRow(ctx, db, text, args, dest...) },
		}, q)
		return err
	})
	return page, err
}

// collectShown returns the events of a statement as they are shown.
func collectShown(ctx context.Context, db queryer, text string, args ...any) ([]inspect.Event, error) {
	var events []inspect.Event
	err := each(ctx, db, text, args, func(r *sql.Rows) error {
		var e inspect.Event
		var id, created string
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
			&created,
		)
		if err != nil {
			return err
		}
		if metadata.Valid {
			e.Metadata = []byte(metadata.String)
		}
		if e.CreatedAt, err = parseTime(created); err != nil {
			return fmt.Errorf("time at position %d: %w", e.GlobalPosition, err)
		}
		if e.EventID, err = uuid.Parse(id); err != nil {
			return fmt.Errorf("event ID at position %d: %w", e.GlobalPosition, err)
		}
		events = append(events, e)
		return nil
	})
	return events, err
}

// Event returns the event at a position, with at most so many bytes of its payload; nil if there is none.
func (i *Inspector) Event(ctx context.Context, position int64, bytes int) (*inspect.Event, error) {
	return i.event(ctx, i.sql.event, bytes, position)
}

// EventByID returns the event of an ID, with at most so many bytes of its payload; nil if there is none.
func (i *Inspector) EventByID(ctx context.Context, id uuid.UUID, bytes int) (*inspect.Event, error) {
	return i.event(ctx, i.sql.eventByID, bytes, id.String())
}

func (i *Inspector) event(ctx context.Context, text string, args ...any) (*inspect.Event, error) {
	var found []inspect.Event
	err := i.read(ctx, "inspect an event", func(ctx context.Context, db queryer) (err error) {
		found, err = collectShown(ctx, db, text, args...)
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
	texts := make([]string, len(times))
	for n, t := range times {
		texts[n] = timeText(t)
	}
	var positions []int64
	err := i.read(ctx, "find positions by time", func(ctx context.Context, db queryer) error {
		list, err := jsonList(texts)
		if err != nil {
			return err
		}
		return each(ctx, db, i.sql.positionAt, []any{list}, func(r *sql.Rows) error {
			var at string
			var position int64
			err := r.Scan(&at, &position)
			positions = append(positions, position)
			return err
		})
	})
	return positions, err
}
