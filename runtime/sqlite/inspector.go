package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/inspect"
)

// An Inspector answers what an operator asks about a log and its consumers; see package inspect. Each call is a
// transaction of its own on a connection that refuses to write meanwhile (query_only), and ends after five seconds if ctx
// does not end before. It is safe for concurrent use.
//
// One transaction writes at a time, so nobody holds the frontier back, and the database does not say who works on a segment.
type Inspector struct {
	db     *sql.DB
	tables tables
	sql    inspectStatements
}

// NewInspector returns the inspector of a database from [Open]. Options are those of [New]; give both the same. The error
// says which part of the configuration is invalid; the database is not asked.
func NewInspector(db *sql.DB, opts ...Option) (*Inspector, error) {
	_, t, err := configure(opts)
	if err != nil {
		return nil, err
	}
	texts, err := renderInspect(t)
	if err != nil {
		return nil, err
	}
	return &Inspector{db: db, tables: t, sql: texts}, nil
}

// inspectPatience is how long a call may take.
const inspectPatience = 5 * time.Second

// read runs f in a transaction that cannot write.
func (i *Inspector) read(ctx context.Context, what string, f func(context.Context, queryer) error) error {
	ctx, cancel := context.WithTimeout(ctx, inspectPatience)
	defer cancel()
	if err := i.view(ctx, f); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func (i *Inspector) view(ctx context.Context, f func(context.Context, queryer) error) error {
	conn, err := i.db.Conn(ctx)
	if err != nil {
		return withState(err)
	}
	defer func() { _ = conn.Close() }() // gives it back
	if _, err := conn.ExecContext(ctx, "pragma query_only = on"); err != nil {
		return withState(err)
	}
	defer allowWriting(conn)
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return withState(err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	if err := f(ctx, tx); err != nil {
		return i.tables.explain(ctx, tx, err, i.tables.needed()...)
	}
	return nil
}

// allowWriting lets a connection write again, or gives it up.
func allowWriting(conn *sql.Conn) {
	if _, err := conn.ExecContext(context.Background(), "pragma query_only = off"); err != nil {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // closes it
	}
}

// Events returns a page of the log. With a filter that an index answers, whose columns are the filter's and the position,
// the page is full or the last; else at most query.Scan events are looked at.
func (i *Inspector) Events(ctx context.Context, q inspect.EventQuery) (inspect.EventPage, error) {
	var page inspect.EventPage
	err := i.read(ctx, "inspect the log", func(ctx context.Context, db queryer) error {
		texts, key, scan, err := i.eventTexts(ctx, db, q)
		if err != nil {
			return err
		}
		before := q.Before
		if before == 0 {
			before = math.MaxInt64
		}
		page.Events, err = collectShown(ctx, db, texts.events, q.Bytes, q.After, before, q.Limit,
			orNull(q.AggregateType), orNull(q.EventType), orNull(q.CorrelationID), orNull(q.CausationID), scan)
		if err != nil {
			return err
		}
		if n := len(page.Events); n == q.Limit {
			page.Next = page.Events[n-1].GlobalPosition
			return nil
		}
		var looked, end int64
		err = queryRow(ctx, db, texts.window, append([]any{q.After, before, scan}, key...), &looked, &end)
		if err == nil && looked == scan {
			page.Next, page.Scanned = end, int(looked)
		}
		return err
	})
	return page, err
}

// eventTexts returns the statements for a query, what they look for in an index, if they do, and how many events they look
// at.
func (i *Inspector) eventTexts(ctx context.Context, db queryer, q inspect.EventQuery) (texts eventStatements, key []any, scan int64, err error) {
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
		if err := queryRow(ctx, db, i.sql.indexed, []any{c.column}, &indexed); err != nil {
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

// Frontier returns how far the log is. It can always be read to its end.
func (i *Inspector) Frontier(ctx context.Context) (inspect.Frontier, error) {
	f := inspect.Frontier{Now: time.Now().UTC()}
	err := i.read(ctx, "inspect the frontier", func(ctx context.Context, db queryer) error {
		return queryRow(ctx, db, i.sql.frontier, nil, &f.Drawn)
	})
	f.Frontier = f.Drawn
	return f, err
}

// Checkpoints returns the checkpoints of consumers, in order, without their workers.
func (i *Inspector) Checkpoints(ctx context.Context, q inspect.CheckpointQuery) ([]inspect.Checkpoint, error) {
	var checkpoints []inspect.Checkpoint
	err := i.read(ctx, "inspect the checkpoints", func(ctx context.Context, db queryer) error {
		return each(ctx, db, i.sql.checkpoints, []any{orNull(q.Consumer), q.Limit}, func(r *sql.Rows) error {
			c, err := scanInspected(r)
			checkpoints = append(checkpoints, c)
			return err
		})
	})
	return checkpoints, err
}

func scanInspected(r *sql.Rows) (c inspect.Checkpoint, err error) {
	var name, oldest string
	if c.Checkpoint, err = scanCheckpoint(r, "", &name, &oldest); err != nil {
		return inspect.Checkpoint{}, err
	}
	c.Consumer = name
	if oldest != "" {
		c.Oldest, err = parseTime(oldest)
	}
	return c, err
}

// Parked returns parked events, in order.
func (i *Inspector) Parked(ctx context.Context, q inspect.ParkedQuery) ([]inspect.Parked, error) {
	text, from, after := i.sql.parked, q.AfterConsumer, q.AfterPosition
	if q.Consumer != "" {
		if text = i.sql.parkedOf; from != q.Consumer {
			from, after = q.Consumer, 0
		}
	}
	var position any
	if q.Position != 0 {
		position = q.Position
	}
	var parked []inspect.Parked
	err := i.read(ctx, "inspect the parked events", func(ctx context.Context, db queryer) error {
		return each(ctx, db, text, []any{from, after, q.Limit, position}, func(r *sql.Rows) error {
			var p inspect.Parked
			var parkedAt, created string
			err := r.Scan(&p.Consumer, &p.AggregateType, &p.AggregateID, &p.GlobalPosition, &p.Attempts, &p.Error, &parkedAt,
				&p.EventType, &p.EventVersion, &p.Version, &created)
			if err != nil {
				return err
			}
			if p.ParkedAt, err = parseTime(parkedAt); err != nil {
				return err
			}
			if created != "" {
				p.CreatedAt, err = parseTime(created)
			}
			parked = append(parked, p)
			return err
		})
	})
	return parked, err
}

// CountParked returns how many events of each consumer are parked, counted up to [inspect.MaxCount]; no consumer that has
// none.
func (i *Inspector) CountParked(ctx context.Context) (map[string]int, error) {
	counts := make(map[string]int)
	err := i.read(ctx, "count the parked events", func(ctx context.Context, db queryer) error {
		return each(ctx, db, i.sql.countParked, []any{inspect.MaxCount}, func(r *sql.Rows) error {
			var name string
			var n int
			err := r.Scan(&name, &n)
			counts[name] = n
			return err
		})
	})
	return counts, err
}

// Summary returns how all consumers are. It is one statement, which waits for nobody, except in memory.
func (i *Inspector) Summary(ctx context.Context) (inspect.Summary, error) {
	ctx, cancel := context.WithTimeout(ctx, inspectPatience)
	defer cancel()
	s := inspect.Summary{Now: time.Now().UTC()}
	err := each(ctx, i.db, i.sql.summary, []any{inspect.MaxCount}, func(r *sql.Rows) error {
		var c inspect.ConsumerSummary
		var oldest string
		err := r.Scan(&s.Drawn, &c.Consumer, &c.Behind, &oldest, &c.Failing, &c.Stopped, &c.Parked)
		if err == nil && oldest != "" {
			c.Oldest, err = parseTime(oldest)
		}
		if c.Consumer != "" { // without consumers there is one row, of the log
			s.Consumers = append(s.Consumers, c)
		}
		return err
	})
	s.Frontier = s.Drawn
	if err != nil {
		return inspect.Summary{}, fmt.Errorf("inspect all consumers: %w", i.tables.explain(ctx, i.db, err, i.tables.needed()...))
	}
	return s, nil
}
