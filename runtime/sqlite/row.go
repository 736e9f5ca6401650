package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/internal/reading"
)

// A decoder turns the rows of one read into events. Names that are those of the row before share its memory.
type decoder struct {
	event       runtime.PersistedEvent
	id, created string
	dest        []any
}

// newDecoder returns a decoder for the columns of the read statements, in their order.
func newDecoder() *decoder {
	d := new(decoder)
	e := &d.event
	d.dest = []any{
		&e.GlobalPosition,
		&name{&e.AggregateType},
		&name{&e.AggregateID},
		&e.AggregateVersion,
		&d.id,
		&name{&e.EventType},
		&e.EventVersion,
		&e.Payload,
		&e.TraceID,
		&e.CorrelationID,
		&e.CausationID,
		&e.Metadata,
		&d.created,
	}
	return d
}

// decode reads the current row.
func (d *decoder) decode(r *sql.Rows) (runtime.PersistedEvent, error) {
	if err := r.Scan(d.dest...); err != nil {
		return runtime.PersistedEvent{}, err
	}
	var err error
	if d.event.EventID, err = uuid.Parse(d.id); err != nil {
		return runtime.PersistedEvent{}, fmt.Errorf("event ID at position %d: %w", d.event.GlobalPosition, err)
	}
	if d.event.CreatedAt, err = parseTime(d.created); err != nil {
		return runtime.PersistedEvent{}, fmt.Errorf("time at position %d: %w", d.event.GlobalPosition, err)
	}
	if d.event.Payload == nil {
		d.event.Payload = []byte{} // the driver makes no difference, and the column is never NULL
	}
	return d.event, nil
}

// collectEvents appends the events that a statement returns to events.
func collectEvents(ctx context.Context, db queryer, events []runtime.PersistedEvent, text string, args ...any) ([]runtime.PersistedEvent, error) {
	return collectParts(ctx, db, events, nil, text, args...)
}

// collectParts is collectEvents that shows what it has read, if show is not nil.
func collectParts(
	ctx context.Context, db queryer, events []runtime.PersistedEvent, show func([]runtime.PersistedEvent), text string, args ...any,
) ([]runtime.PersistedEvent, error) {
	d := newDecoder()
	err := each(ctx, db, text, args, func(r *sql.Rows) error {
		e, err := d.decode(r)
		if err != nil {
			return err
		}
		events = append(events, e)
		reading.Show(events, show)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return events, nil
}

// each runs a statement and calls row for each of its rows.
func each(ctx context.Context, db queryer, text string, args []any, row func(*sql.Rows) error) error {
	r, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	for r.Next() {
		if err := row(r); err != nil {
			return err
		}
	}
	if err := r.Close(); err != nil {
		return err
	}
	return r.Err()
}

// execute runs a statement that returns nothing.
func execute(ctx context.Context, tx *sql.Tx, text string, args ...any) error {
	_, err := tx.ExecContext(ctx, text, args...)
	return err
}

// queryRow runs a statement that gives one row and scans it into dest.
func queryRow(ctx context.Context, db queryer, text string, args []any, dest ...any) error {
	found := false
	err := each(ctx, db, text, args, func(r *sql.Rows) error {
		found = true
		return r.Scan(dest...)
	})
	if err == nil && !found {
		return sql.ErrNoRows
	}
	return err
}

// name is a text that often equals that of the row before.
type name struct{ to *string }

// Scan implements [sql.Scanner].
func (n *name) Scan(src any) error {
	text, ok := src.(string)
	if !ok {
		return fmt.Errorf("cannot take %T as text", src)
	}
	if text != *n.to {
		*n.to = text
	}
	return nil
}

// timeLayout is how times are kept: in UTC, all of one length, so that their order is that of their texts.
const timeLayout = "2006-01-02T15:04:05.000000Z"

func timeText(t time.Time) string { return t.UTC().Format(timeLayout) }

// parseTime reads a time as it is kept. The layout of the standard library that takes it is the quicker one.
func parseTime(text string) (time.Time, error) { return time.Parse(time.RFC3339Nano, text) }
