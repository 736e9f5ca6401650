package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"time"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// Read returns the events of a selection; see [consumer.Log]. The selection's segment is computed in SQL, so events of
// others do not leave the server.
func (c *Consumers[Tx]) Read(ctx context.Context, tx Tx, s consumer.Selection, buffer []runtime.PersistedEvent) (consumer.Page, error) {
	if c.reader != nil {
		return c.readElsewhere(ctx, tx, s, buffer)
	}
	var page consumer.Page
	r, err := c.transactions.bind(tx).queryAfter(ctx,
		query{c.sql.anyParked, []any{s.Consumer}}, []any{&page.Parked},
		c.in(s.Log, c.sql.read, append(selected(s), pageBytes(s))...))
	if err == nil {
		err = c.collect(&page, r, s, buffer)
	}
	if err != nil {
		return consumer.Page{}, fmt.Errorf("read the log: %w", c.classify(err))
	}
	return page, nil
}

// readElsewhere is Read on the reader, which may not be as far as the primary: the page ends where it is.
func (c *Consumers[Tx]) readElsewhere(ctx context.Context, tx Tx, s consumer.Selection, buffer []runtime.PersistedEvent) (consumer.Page, error) {
	var page consumer.Page
	var position int64
	err := queryRow(ctx, c.transactions.bind(tx), query{c.sql.anyParked, []any{s.Consumer}}, &page.Parked)
	if err == nil {
		err = queryRow(ctx, c.reader, query{c.sql.logs.end, []any{s.Log}}, &position)
	}
	if err == nil {
		page.Behind, page.Through = position < s.Through, position
		s.Through = min(s.Through, position)
		var r rows
		if r, err = c.reader.query(ctx, c.in(s.Log, c.sql.read, append(selected(s), pageBytes(s))...)); err == nil {
			err = c.collect(&page, r, s, buffer)
		}
	}
	if err != nil {
		return consumer.Page{}, fmt.Errorf("read the log: %w", c.classify(err))
	}
	return page, nil
}

// collect reads the events of a page, of which a log of many lacks none.
func (c *Consumers[Tx]) collect(page *consumer.Page, r rows, s consumer.Selection, buffer []runtime.PersistedEvent) (err error) {
	page.Events, err = newDecoder().collect(buffer[:0], r, s.Limit)
	if err == nil && s.IsWhole() {
		err = c.tables.checkConsecutive(s.Log, s.After, page.Events)
	}
	if err != nil {
		return err
	}
	page.More = len(page.Events) == s.Limit || sizeOf(page.Events) > pageBytes(s)/sizeRatio
	if s.IsWhole() && !page.More && c.tables.areMany() && int64(len(page.Events)) < s.Through-s.After {
		return fmt.Errorf("%w: log %q has no event at position %d", ErrGap, s.Log, s.After+int64(len(page.Events))+1)
	}
	return nil
}

// pageBytes returns how many bytes a page may hold.
func pageBytes(s consumer.Selection) int64 {
	if s.Bytes == 0 {
		return math.MaxInt64
	}
	return s.Bytes
}

// The server ends a page by how much its events take up there, and does not say that it has. A document takes up at most
// six times as much as jsonb as it does as text, a number of one digit being the worst; a few bytes come to each value. So a
// page that the server has ended holds, with what each event takes up beside, at least a sixteenth of the limit.
const (
	sizeRatio = 16
	eventSize = 256
)

// sizeOf returns how many bytes events take up.
func sizeOf(events []runtime.PersistedEvent) int64 {
	size := int64(0)
	for i := range events {
		size += int64(len(events[i].Payload)+len(events[i].Metadata)) + eventSize
	}
	return size
}

// selected returns a selection as arguments.
func selected(s consumer.Selection) []any {
	return []any{s.After, s.Through, int64(s.Limit), anyOf(s.AggregateTypes), int64(s.Segments), int64(s.Segment), s.Handled}
}

// Lag counts the events of a selection; see [consumer.Log].
func (c *Consumers[Tx]) Lag(ctx context.Context, tx Tx, s consumer.Selection) (consumer.Lag, error) {
	var lag consumer.Lag
	var age float64
	if err := queryRow(ctx, c.transactions.bind(tx), c.in(s.Log, c.sql.lag, selected(s)...), &lag.Events, &age); err != nil {
		return consumer.Lag{}, fmt.Errorf("count the lag: %w", c.classify(err))
	}
	lag.Age = max(seconds(age), 0)
	return lag, nil
}

// Events returns the events at the positions; see [consumer.Log].
func (c *Consumers[Tx]) Events(ctx context.Context, tx Tx, log string, positions []int64) ([]runtime.PersistedEvent, error) {
	r, err := c.transactions.bind(tx).query(ctx, c.in(log, c.sql.events, positions))
	var events []runtime.PersistedEvent
	if err == nil {
		events, err = newDecoder().collect(nil, r, len(positions))
	}
	if err != nil {
		return nil, fmt.Errorf("read events: %w", c.classify(err))
	}
	return events, nil
}

// PositionAt returns the position of the last event before a time; see [consumer.Log]. The log is searched by halves.
func (c *Consumers[Tx]) PositionAt(ctx context.Context, tx Tx, at time.Time) (int64, error) {
	var position int64
	err := queryRow(ctx, c.transactions.bind(tx), query{c.sql.positionAt, []any{[]time.Time{at}}}, new(time.Time), &position)
	if err != nil {
		return 0, fmt.Errorf("find a position by time: %w", c.classify(err))
	}
	return position, nil
}

// in returns a statement about a log. The name of the log is its last argument where there are many.
func (c *Consumers[Tx]) in(log, text string, args ...any) query {
	if c.tables.areMany() {
		args = append(args, log)
	}
	return query{text, args}
}

// Poll looks at the log and at the checkpoints; see [consumer.Watcher]. It is one statement and takes no lock.
func (c *Consumers[Tx]) Poll(ctx context.Context, consumers []string) (consumer.LogState, error) {
	var poll consumer.LogState
	var standby, behind bool
	states, err := collect(ctx, c.db, query{c.sql.poll, []any{consumers}}, func(r rows) (consumer.State, error) {
		var s consumer.State
		var retryIn float64
		err := r.Scan(&poll.Drawn, &poll.Frontier, &standby, &behind, &s.Consumer, &s.Lowest, &s.Highest, &s.Due, &s.Stopped, &retryIn)
		s.RetryIn = seconds(retryIn)
		return s, err
	})
	if err == nil && standby {
		err = ErrStandby
	}
	if err == nil && behind {
		err = c.tables.behind()
	}
	if err != nil {
		return consumer.LogState{}, fmt.Errorf("poll: %w", c.classify(err))
	}
	for _, s := range states {
		if s.Consumer != "" {
			poll.Consumers = append(poll.Consumers, s)
		}
	}
	return poll, nil
}

// Holders returns the transactions whose appends are in flight; see [consumer.Watcher]. Of transactions of other roles it
// knows little more than the process ID, unless the role is a member of pg_read_all_stats. A prepared transaction has no
// process; its name stands in the state.
func (c *Consumers[Tx]) Holders(ctx context.Context, limit int) ([]consumer.Holder, error) {
	holders, err := collect(ctx, c.db, query{c.sql.holders, []any{int64(limit)}}, scanHolder)
	if err != nil {
		return nil, fmt.Errorf("who holds the frontier back: %w", c.classify(err))
	}
	return holders, nil
}

func scanHolder(r rows) (consumer.Holder, error) {
	var h consumer.Holder
	var since sql.NullTime
	err := r.Scan(&h.After, &h.PID, &h.Application, &h.User, &h.State, &since)
	h.Since = since.Time
	return h, err
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
