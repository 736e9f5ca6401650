// Package logcheck reads a whole event log and finds what no reader of it expects: streams that are not whole, heads that
// are not at the end of their stream, events that were stored below others or twice. It only reads, in batches, each in a
// read-only transaction of its own, and holds one batch in memory. A log that grows meanwhile is no finding.
package logcheck

import (
	"context"
	"embed"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/pgname"
)

//go:embed sql
var files embed.FS

// batch is how many rows are read at a time.
const batch = 10_000

// shown is how many findings of a kind are told apart. What is beyond is counted.
const shown = 20

// A Log is what is read.
type Log struct {
	Events, Heads pgname.Table
	// Logs is the table of logs, if there are many; the zero value is one log.
	Logs pgname.Table
	// UniqueIDs reports whether a unique key of the table keeps an event from being stored twice.
	UniqueIDs bool
}

// A Finding is something that is wrong with a log.
type Finding struct {
	Object string // what it is about: stream Order "1"
	Reason string // what is wrong: "lacks version 3"
	Remedy string // what to do, in words
	// Statements mend it, where statements can. They end in a semicolon.
	Statements []string
}

// A Progress is told how far a step is: how many rows it has read, of about how many. It is called after each batch, and
// with done when the step ends.
type Progress func(step string, read, estimate int64, done bool)

// Read reads the log and returns what is wrong with it.
func Read(ctx context.Context, conn *pgx.Conn, log Log, progress Progress) ([]Finding, error) {
	c := check{conn: conn, log: log, progress: progress, counts: make(map[string]int)}
	if err := c.each(ctx, "estimate.sql", nil, func(rows pgx.Rows) error { return rows.Scan(&c.estimate) }); err != nil {
		return nil, err
	}
	names := []string{""}
	if c.isOfMany() {
		var err error
		if names, err = c.names(ctx); err != nil {
			return nil, fmt.Errorf("logs: %w", err)
		}
	}
	for _, step := range []struct {
		name string
		read func(context.Context) error
	}{{"streams", c.streams}, {"positions", c.positions}} {
		c.read = 0
		for _, c.name = range names {
			if err := step.read(ctx); err != nil {
				return nil, fmt.Errorf("%s: %w", c.in(step.name), err)
			}
		}
		c.progress(step.name, c.read, c.estimate, true)
	}
	if !log.UniqueIDs {
		if err := c.ids(ctx); err != nil {
			return nil, fmt.Errorf("event IDs: %w", err)
		}
	}
	for _, kind := range c.kinds {
		if more := c.counts[kind] - shown; more > 0 {
			c.findings = append(c.findings, Finding{
				Object: "table " + log.Events.String(),
				Reason: fmt.Sprintf("has %d more of this kind: %s", more, kind),
				Remedy: "look again when those above are mended",
			})
		}
	}
	return c.findings, nil
}

// A check collects the findings of one log.
type check struct {
	conn     *pgx.Conn
	log      Log
	progress Progress
	estimate int64
	name     string // of the log that is read, if there are many
	read     int64  // events of this step
	findings []Finding
	kinds    []string // in the order in which they were met
	counts   map[string]int
}

// isOfMany reports whether there are many logs.
func (c *check) isOfMany() bool { return c.log.Logs.Name != "" }

// in returns what is said of something in the log.
func (c *check) in(object string) string {
	if !c.isOfMany() {
		return object
	}
	return fmt.Sprintf("log %q, %s", c.name, object)
}

// of returns the condition of rows of the log with what joins it to the next, or nothing where there is one log.
func (c *check) of() string {
	if !c.isOfMany() {
		return ""
	}
	return "log = " + quote(c.name) + " and "
}

// names returns the names of the logs, but for those that were dropped.
func (c *check) names(ctx context.Context) (names []string, err error) {
	err = c.each(ctx, "logs.sql", nil, func(r pgx.Rows) error {
		var name string
		err := r.Scan(&name)
		names = append(names, name)
		return err
	})
	return names, err
}

// found notes a finding of a kind, and reports whether it is one of those that are told apart.
func (c *check) found(kind string, f Finding) {
	if c.counts[kind]++; c.counts[kind] == 1 {
		c.kinds = append(c.kinds, kind)
	}
	if c.counts[kind] <= shown {
		c.findings = append(c.findings, f)
	}
}

// each runs one of the embedded queries in a read-only transaction.
func (c *check) each(ctx context.Context, file string, args []any, row func(pgx.Rows) error) error {
	text, err := files.ReadFile("sql/" + file)
	if err != nil {
		return err
	}
	query := strings.NewReplacer("{{events}}", c.log.Events.Quoted(), "{{heads}}", c.log.Heads.Quoted(), "{{logs}}", c.log.Logs.Quoted(), "{{of}}", c.of()).Replace(string(text))
	return pgx.BeginTxFunc(ctx, c.conn, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := row(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// A pager reads rows in batches, each from where the one before ended.
type pager[T any] struct {
	read func(ctx context.Context, after T) ([]T, error) // the next rows; fewer than a batch: there are no more
	rows []T
	next int
	last T
	end  bool
}

// peek returns the next row without taking it, or false if there is none.
func (p *pager[T]) peek(ctx context.Context) (row T, ok bool, err error) {
	if p.next == len(p.rows) && !p.end {
		if p.rows, err = p.read(ctx, p.last); err != nil {
			return row, false, err
		}
		p.next, p.end = 0, len(p.rows) < batch
		if len(p.rows) > 0 {
			p.last = p.rows[len(p.rows)-1]
		}
	}
	if p.next == len(p.rows) {
		return row, false, nil
	}
	return p.rows[p.next], true, nil
}

// take goes on to the row after the one that was peeked at.
func (p *pager[T]) take() { p.next++ }

// all calls row for each row.
func (p *pager[T]) all(ctx context.Context, row func(T)) error {
	for {
		one, ok, err := p.peek(ctx)
		if err != nil || !ok {
			return err
		}
		p.take()
		row(one)
	}
}
