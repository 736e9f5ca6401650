package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/inspect"
)

// An Inspector answers what an operator asks about a log and its consumers; see package inspect. Each call is a read-only
// transaction of its own on a connection of the pool, which it needs for a few milliseconds, and which the server ends
// when four fifths of the time that ctx leaves are over, or five seconds. It is safe for concurrent use.
//
// The role needs select on the tables of the events, heads, checkpoints and parked events, and on the sequence. To see who
// holds the frontier or a segment where that is another role, it needs pg_read_all_stats.
type Inspector struct {
	view   func(ctx context.Context, f func(querier) error) error
	db     querier // for a statement that needs no transaction
	tables consumerTables
	sql    inspectStatements
}

// NewInspector returns the inspector of a database. Options are those of [New] and [NewConsumers]. The error says which
// part of the configuration is invalid, such as a [Layout] of many logs; the database is not asked.
func NewInspector(pool *pgxpool.Pool, opts ...Option) (*Inspector, error) {
	readOnly := pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadOnly}
	return newInspector(pgxQuerier{pool}, func(ctx context.Context, f func(querier) error) error {
		return pgx.BeginTxFunc(ctx, pool, readOnly, func(tx pgx.Tx) error { return f(pgxQuerier{tx}) })
	}, opts)
}

// NewInspectorSQL is [NewInspector] for a database that was opened with the driver pgx/v5/stdlib.
func NewInspectorSQL(db *sql.DB, opts ...Option) (*Inspector, error) {
	return newInspector(sqlQuerier{db}, func(ctx context.Context, f func(querier) error) error {
		tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted, ReadOnly: true})
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }() // nothing was written
		return f(sqlQuerier{tx})
	}, opts)
}

func newInspector(db querier, view func(context.Context, func(querier) error) error, opts []Option) (*Inspector, error) {
	var config Config
	for _, o := range opts {
		o.apply(&config)
	}
	t, err := config.consumerTables()
	if err != nil {
		return nil, err
	}
	if t.areMany() {
		return nil, errors.New("an inspector shows one log; of many, Status of a runner and List of Logs tell how they stand")
	}
	if err := config.Payload.check(); err != nil {
		return nil, err
	}
	texts, err := renderInspect(t, config.Payload)
	if err != nil {
		return nil, err
	}
	return &Inspector{view: view, db: db, tables: t, sql: texts}, nil
}

// inspectPatience is how long the statements of a call may take if its context does not say.
const inspectPatience = 5 * time.Second

// read runs f in a read-only transaction whose statements the server ends before ctx does: pgx would close the connection.
func (i *Inspector) read(ctx context.Context, what string, f func(querier) error) error {
	patience := inspectPatience
	if deadline, ok := ctx.Deadline(); ok {
		patience = max(time.Until(deadline)*4/5, time.Millisecond)
	}
	err := i.view(ctx, func(q querier) error {
		if err := exec(ctx, q, query{i.sql.limits, []any{strconv.FormatInt(patience.Milliseconds(), 10)}}); err != nil {
			return err
		}
		return f(q)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, i.classify(err))
	}
	return nil
}

func (i *Inspector) classify(err error) error {
	c := Consumers[pgx.Tx]{tables: i.tables}
	return c.classify(err)
}

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

// Frontier returns how far the log is, and who holds the frontier back. On a standby the error is [ErrStandby].
func (i *Inspector) Frontier(ctx context.Context) (inspect.Frontier, error) {
	var f inspect.Frontier
	err := i.read(ctx, "inspect the frontier", func(db querier) error {
		standby := false
		if err := queryRow(ctx, db, query{i.sql.frontier, nil}, &f.Drawn, &f.Frontier, &standby, &f.Now); err != nil {
			return err
		}
		f.Now = f.Now.UTC()
		if standby {
			return ErrStandby
		}
		if f.Frontier == f.Drawn {
			return nil
		}
		var err error
		f.Holders, err = collect(ctx, db, query{i.sql.holders, []any{int64(maxHolders)}}, scanHolder)
		return err
	})
	return f, err
}

// maxHolders is how many of those who hold the frontier are told.
const maxHolders = 10

// A session is a session as it is read; its columns are NULL where there is none.
type session struct {
	pid   sql.NullInt32
	since sql.NullTime
	inspect.Session
}

func (s *session) dest() []any {
	return []any{&s.pid, &s.User, &s.Application, &s.Client, &s.State, &s.since}
}

// session returns the session, or nil if there is none.
func (s *session) session() *inspect.Session {
	if !s.pid.Valid {
		return nil
	}
	s.PID, s.Since = int(s.pid.Int32), utc(s.since)
	return &s.Session
}

// Checkpoints returns the checkpoints of consumers, in order. The worker of a segment is whoever has locked its row, which
// the row itself tells (xmax).
func (i *Inspector) Checkpoints(ctx context.Context, q inspect.CheckpointQuery) ([]inspect.Checkpoint, error) {
	var checkpoints []inspect.Checkpoint
	err := i.read(ctx, "inspect the checkpoints", func(db querier) (err error) {
		checkpoints, err = collect(ctx, db, query{i.sql.checkpoints, []any{orNull(q.Consumer), int64(q.Limit)}}, scanInspected)
		return err
	})
	return checkpoints, err
}

func scanInspected(r rows) (inspect.Checkpoint, error) {
	var c inspect.Checkpoint
	var name string
	var oldest sql.NullTime
	var worker session
	var err error
	c.Checkpoint, err = scanCheckpoint(named{r, &name}, "", append([]any{&oldest}, worker.dest()...)...)
	c.Consumer = name
	c.Oldest = utc(oldest)
	c.Worker = worker.session()
	return c, err
}

// named is rows whose first column is a name, before the columns of a checkpoint.
type named struct {
	rows
	name *string
}

// Scan reads the name and then the rest.
func (n named) Scan(dest ...any) error { return n.rows.Scan(append([]any{n.name}, dest...)...) }

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
	err := i.read(ctx, "inspect the parked events", func(db querier) (err error) {
		parked, err = collect(ctx, db, query{text, []any{from, after, int64(q.Limit), position}}, func(r rows) (inspect.Parked, error) {
			var p inspect.Parked
			var created sql.NullTime
			err := r.Scan(&p.Consumer, &p.AggregateType, &p.AggregateID, &p.GlobalPosition, &p.Attempts, &p.Error, &p.ParkedAt,
				&p.EventType, &p.EventVersion, &p.Version, &created)
			p.ParkedAt, p.CreatedAt = p.ParkedAt.UTC(), utc(created)
			return p, err
		})
		return err
	})
	return parked, err
}

// CountParked returns how many events of each consumer are parked, counted up to [inspect.MaxCount]; no consumer that has
// none.
func (i *Inspector) CountParked(ctx context.Context) (map[string]int, error) {
	counts := make(map[string]int)
	err := i.read(ctx, "count the parked events", func(db querier) error {
		r, err := db.query(ctx, query{i.sql.countParked, []any{int64(inspect.MaxCount)}})
		if err != nil {
			return err
		}
		defer r.Close()
		for r.Next() {
			var name string
			var n int
			if err := r.Scan(&name, &n); err != nil {
				return err
			}
			counts[name] = n
		}
		r.Close()
		return r.Err()
	})
	return counts, err
}

// Summary returns how all consumers are. It is one statement, in a transaction of its own, whose time ctx limits. On a
// standby the error is [ErrStandby].
func (i *Inspector) Summary(ctx context.Context) (inspect.Summary, error) {
	ctx, cancel := context.WithTimeout(ctx, inspectPatience)
	defer cancel()
	var s inspect.Summary
	standby := false
	consumers, err := collect(ctx, i.db, query{i.sql.summary, []any{int64(inspect.MaxCount)}}, func(r rows) (inspect.ConsumerSummary, error) {
		var c inspect.ConsumerSummary
		var name sql.NullString
		var behind, failing, stopped sql.NullInt64
		var held, oldest sql.NullTime
		err := r.Scan(&s.Drawn, &s.Frontier, &standby, &s.Now, &held, &name, &behind, &oldest, &failing, &stopped, &c.Parked)
		s.Now, s.HeldSince = s.Now.UTC(), utc(held)
		c.Consumer, c.Behind, c.Oldest = name.String, behind.Int64, utc(oldest)
		c.Failing, c.Stopped = int(failing.Int64), int(stopped.Int64)
		return c, err
	})
	if err == nil && standby {
		err = ErrStandby
	}
	if err != nil {
		return inspect.Summary{}, fmt.Errorf("inspect all consumers: %w", i.classify(err))
	}
	for _, c := range consumers {
		if c.Consumer != "" { // without consumers there is one row, of the log
			s.Consumers = append(s.Consumers, c)
		}
	}
	return s, nil
}

// utc returns a time in UTC, or zero for NULL.
func utc(t sql.NullTime) time.Time {
	if !t.Valid {
		return time.Time{}
	}
	return t.Time.UTC()
}
