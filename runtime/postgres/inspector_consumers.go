package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/eventmap/eventmap/runtime/inspect"
	"github.com/eventmap/eventmap/runtime/internal/paging"
)

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
		checkpoints, err = collect(ctx, db, query{i.sql.checkpoints, []any{paging.OrNull(q.Consumer), int64(q.Limit)}}, scanInspected)
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
