package logcheck

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/jackc/pgx/v5"
)

// A stream is the type and the ID of an aggregate.
type stream struct{ kind, id string }

func (s stream) String() string { return fmt.Sprintf("stream %s %q", s.kind, s.id) }

// before reports whether s is read before other: bytes are compared, as collation "C" does.
func (s stream) before(other stream) bool {
	return s.kind < other.kind || s.kind == other.kind && s.id < other.id
}

// condition returns the SQL that holds for the rows of the stream.
func (s stream) condition() string {
	return "aggregate_type = " + quote(s.kind) + " and aggregate_id = " + quote(s.id)
}

// quote returns a string for SQL, whatever backslashes mean to the session.
func quote(s string) string {
	quoted := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) {
		return " E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}

type event struct {
	stream
	version, position int64
}

type head struct {
	stream
	version int64
}

// errOrder is the error for a log whose streams do not come in the order of their bytes.
var errOrder = errors.New(`aggregate_type and aggregate_id do not have the collation "C"; mend that first`)

// streams reads the log stream by stream, and the heads beside it.
func (c *check) streams(ctx context.Context) error {
	events := pager[event]{read: func(ctx context.Context, after event) (rows []event, err error) {
		err = c.each(ctx, "streams.sql", []any{after.kind, after.id, after.version, batch}, func(r pgx.Rows) error {
			var e event
			err := r.Scan(&e.kind, &e.id, &e.version, &e.position)
			rows = append(rows, e)
			return err
		})
		c.read += int64(len(rows))
		c.progress("streams", c.read, c.estimate, false)
		return rows, err
	}}
	heads := pager[head]{read: func(ctx context.Context, after head) (rows []head, err error) {
		return rows, c.each(ctx, "heads.sql", []any{after.kind, after.id, batch}, func(r pgx.Rows) error {
			var h head
			err := r.Scan(&h.kind, &h.id, &h.version)
			rows = append(rows, h)
			return err
		})
	}}
	var former stream
	for {
		e, hasEvents, err := events.peek(ctx)
		if err != nil {
			return err
		}
		h, hasHead, err := heads.peek(ctx)
		if err != nil {
			return err
		}
		if !hasEvents && !hasHead {
			break
		}
		s := e.stream
		if !hasEvents || hasHead && h.before(s) {
			s = h.stream
		}
		if s.before(former) {
			return errOrder
		}
		former = s
		var last, at int64
		if hasEvents && s == e.stream {
			if last, err = c.versions(ctx, &events); err != nil {
				return err
			}
		}
		if hasHead && s == h.stream {
			heads.take()
			at = h.version
		}
		if at != last {
			if err := c.head(ctx, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// versions reads the events of one stream, and returns the version of the last.
func (c *check) versions(ctx context.Context, events *pager[event]) (last int64, err error) {
	first, _, err := events.peek(ctx)
	if err != nil {
		return 0, err
	}
	former := event{stream: first.stream, position: math.MinInt64}
	for {
		e, ok, err := events.peek(ctx)
		if err != nil || !ok || e.stream != first.stream {
			return former.version, err
		}
		events.take()
		switch {
		case former.version == 0 && e.version > 1:
			c.found("streams that lack their beginning", Finding{
				Object: c.in(e.String()),
				Reason: fmt.Sprintf("begins at version %d", e.version),
				Remedy: "attach the partition, or restore the events, that hold what is before; until then it is read only by what asks for a part",
			})
		case e.version > former.version+1:
			c.found("streams with a hole", Finding{
				Object: c.in(e.String()),
				Reason: fmt.Sprintf("lacks version %s", span(former.version+1, e.version-1)),
				Remedy: "restore the events from a backup, or attach the partition that holds them",
			})
		}
		if e.position < former.position {
			c.found("versions below an earlier one", Finding{
				Object: c.in(e.String()),
				Reason: fmt.Sprintf("has version %d at position %d, below version %d at position %d", e.version, e.position, former.version, former.position),
				Remedy: fmt.Sprintf("a consumer that had passed position %d has not seen it: have it handle the event, or build what it made anew", e.position),
			})
		}
		former = e
	}
}

func span(first, last int64) string {
	if first == last {
		return fmt.Sprint(first)
	}
	return fmt.Sprintf("%d to %d", first, last)
}

// head looks again at the head of a stream and its last event, since an append may have come between the two.
func (c *check) head(ctx context.Context, s stream) error {
	var at, last int64
	err := c.each(ctx, "stream.sql", []any{s.kind, s.id}, func(r pgx.Rows) error { return r.Scan(&at, &last) })
	if err != nil {
		return err
	}
	heads := c.log.Heads.Quoted()
	set := fmt.Sprintf("update %s set aggregate_version = %d where %s%s and aggregate_version = %d;", heads, last, c.of(), s.condition(), at)
	columns, values := "aggregate_version, ", fmt.Sprint(last, ", ")
	if c.isOfMany() {
		columns, values = columns+"log, ", values+quote(c.name)+", "
	}
	switch {
	case at == last:
	case at == 0:
		c.found("streams without a head", Finding{
			Object:     c.in(s.String()),
			Reason:     fmt.Sprintf("has no head, and its last event is version %d", last),
			Statements: []string{fmt.Sprintf("insert into %s (%saggregate_type, aggregate_id) values (%s%s, %s);", heads, columns, values, quote(s.kind), quote(s.id))},
		})
	case last == 0:
		c.found("heads without an event", Finding{
			Object: c.in(s.String()),
			Reason: fmt.Sprintf("has its head at version %d, and no event", at),
			Remedy: "attach the partition, or restore the events, that hold it",
		})
	case at < last:
		c.found("heads behind their stream", Finding{
			Object:     c.in(s.String()),
			Reason:     fmt.Sprintf("has its head at version %d, and its last event is version %d", at, last),
			Statements: []string{set},
		})
	default:
		c.found("heads ahead of their stream", Finding{
			Object:     c.in(s.String()),
			Reason:     fmt.Sprintf("has its head at version %d, and its last event is version %d", at, last),
			Remedy:     "restore the events that are missing; only if they are lost for ever, take the head back",
			Statements: []string{set},
		})
	}
	return nil
}
