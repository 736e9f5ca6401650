package logcheck

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// tolerance is how far the clocks of applications may be apart.
const tolerance = time.Hour

// positions reads the log in the order of positions. An event that is much later than the one behind it may have been
// stored below positions that consumers had passed: into a gap, after a restore without the sequence. In a log of many there is no gap.
func (c *check) positions(ctx context.Context) error {
	type event struct {
		position int64
		made     time.Time
	}
	events := pager[event]{last: event{position: math.MinInt64}, read: func(ctx context.Context, after event) (rows []event, err error) {
		err = c.each(ctx, "positions.sql", []any{after.position, batch}, func(r pgx.Rows) error {
			var e event
			err := r.Scan(&e.position, &e.made)
			rows = append(rows, e)
			return err
		})
		c.read += int64(len(rows))
		c.progress("positions", c.read, c.estimate, false)
		return rows, err
	}}
	var former event
	return events.all(ctx, func(e event) {
		if e.position < 1 {
			c.found("events before position 1", Finding{
				Object: c.in(fmt.Sprintf("position %d", e.position)),
				Reason: "is before 1, where no consumer looks",
				Remedy: "restore the event from a backup that has its position",
			})
		}
		if c.isOfMany() && e.position > former.position+1 {
			c.found("gaps in logs", Finding{
				Object: c.in("position " + span(former.position+1, e.position-1)),
				Reason: "is missing: readers and consumers of the log stop before it",
				Remedy: "restore the events from a backup",
			})
		}
		if !former.made.IsZero() && former.made.Sub(e.made) > tolerance {
			c.found("events much later than the one behind them", Finding{
				Object: c.in(fmt.Sprintf("position %d", former.position)),
				Reason: fmt.Sprintf("was created %s after the event behind it, at position %d, so it may have been stored below what consumers had passed",
					former.made.Sub(e.made).Round(time.Minute), e.position),
				Remedy: "if no import or clock explains it, have consumers handle the event, or build what they made anew",
			})
		}
		former = e
	})
}

// ids reads the log in the order of event IDs, where a layout cannot have a unique key on them.
func (c *check) ids(ctx context.Context) error {
	type event struct {
		id       uuid.UUID
		position int64
	}
	var read int64
	events := pager[event]{last: event{position: math.MinInt64}, read: func(ctx context.Context, after event) (rows []event, err error) {
		err = c.each(ctx, "ids.sql", []any{after.id.String(), after.position, batch}, func(r pgx.Rows) error {
			var e event
			err := r.Scan((*[16]byte)(&e.id), &e.position)
			rows = append(rows, e)
			return err
		})
		read += int64(len(rows))
		c.progress("event IDs", read, c.estimate, false)
		return rows, err
	}}
	var former event
	err := events.all(ctx, func(e event) {
		if e.id == former.id && former.position != 0 {
			c.found("events that are stored twice", Finding{
				Object: "event " + e.id.String(),
				Reason: fmt.Sprintf("is stored twice, at positions %d and %d", former.position, e.position),
				Remedy: "handlers that are keyed by event ID have its effect once; others had it twice",
			})
		}
		former = e
	})
	c.progress("event IDs", read, c.estimate, true)
	return err
}
