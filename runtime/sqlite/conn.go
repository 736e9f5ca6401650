package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"strings"
	"time"
)

// A connector opens the connections of a database, and has its writers take turns: SQLite lets those who wait try again
// every now and then, whoever comes first, and here they need not.
type connector struct {
	driver.Connector
	turn chan struct{} // full while a transaction of this process writes
}

// Connect implements [driver.Connector].
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, withState(err)
	}
	return &conn{engine: inner.(engine), connector: c, prepared: make(map[string]*statement)}, nil
}

// begin waits for the turn to write.
func (c *connector) begin(ctx context.Context) error {
	select {
	case c.turn <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case c.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return &stateError{stateSerializationFailure, errWaited}
	}
}

// errWaited: another transaction of the same process did not end. It may be one of the same goroutine.
var errWaited = errors.New("database is locked: another transaction of this process has been open for " + patience.String())

func (c *connector) end() { <-c.turn }

// engine is what a connection of modernc.org/sqlite implements.
type engine interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// A conn is a connection whose errors have their SQLSTATE, which keeps the statements of stores prepared, and which does
// not let a transaction go on that SQLite has rolled back. Like every connection it is used by one goroutine at a time.
type conn struct {
	engine
	connector *connector
	prepared  map[string]*statement
	inside    bool  // a transaction
	broken    error // what made SQLite roll it back
}

// Unwrap returns the connection of modernc.org/sqlite, for sql.Conn.Raw and that package.
func (c *conn) Unwrap() driver.Conn { return c.engine }

// A statement is prepared once and used by one query at a time.
type statement struct {
	driver.Stmt
	busy bool
}

// BeginTx implements [driver.ConnBeginTx].
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if opts.ReadOnly {
		inner, err := c.engine.BeginTx(ctx, opts)
		if err != nil {
			return nil, withState(err)
		}
		c.inside = true
		return &transaction{Tx: inner, conn: c}, nil
	}
	if err := c.connector.begin(ctx); err != nil {
		return nil, err
	}
	inner, err := c.engine.BeginTx(ctx, opts)
	if err != nil {
		c.connector.end()
		return nil, withState(err)
	}
	c.inside = true
	return &transaction{Tx: inner, conn: c, writes: true}, nil
}

// A transaction ends the turn of its writer.
type transaction struct {
	driver.Tx
	conn   *conn
	writes bool
}

// Commit implements [driver.Tx].
func (t *transaction) Commit() error {
	if broken := t.conn.broken; broken != nil {
		_ = t.Rollback() // there may be nothing to roll back
		return broken
	}
	defer t.end()
	return withState(t.Tx.Commit())
}

// Rollback implements [driver.Tx].
func (t *transaction) Rollback() error {
	defer t.end()
	if t.conn.broken != nil {
		_ = t.Tx.Rollback() // SQLite has, or has not yet
		return nil
	}
	return withState(t.Tx.Rollback())
}

func (t *transaction) end() {
	t.conn.inside, t.conn.broken = false, nil
	if t.writes {
		t.writes = false
		t.conn.connector.end()
	}
}

// ExecContext implements [driver.ExecerContext].
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if c.broken != nil {
		return nil, c.broken
	}
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, c.failed(err)
	}
	if s == nil {
		result, err := c.engine.ExecContext(ctx, query, args)
		return result, c.failed(err)
	}
	result, err := s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
	return result, c.failed(err)
}

// QueryContext implements [driver.QueryerContext].
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if c.broken != nil {
		return nil, c.broken
	}
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, c.failed(err)
	}
	if s == nil {
		inner, err := c.engine.QueryContext(ctx, query, args)
		if err != nil {
			return nil, c.failed(err)
		}
		return &rows{engineRows: inner.(engineRows), conn: c}, nil
	}
	inner, err := s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		return nil, c.failed(err)
	}
	s.busy = true
	return &rows{engineRows: inner.(engineRows), conn: c, statement: s}, nil
}

// statement returns the prepared statement of a text that is a store's, and nil for others, of which nobody knows how many
// there are, and for one that is being read.
func (c *conn) statement(ctx context.Context, query string) (*statement, error) {
	if s, ok := c.prepared[query]; ok {
		if s.busy {
			return nil, nil
		}
		return s, nil
	}
	if !strings.HasPrefix(query, mark) {
		return nil, nil
	}
	inner, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s := &statement{Stmt: inner}
	c.prepared[query] = s
	return s, nil
}

// Close implements [driver.Conn].
func (c *conn) Close() error {
	for _, s := range c.prepared {
		_ = s.Close() // it goes with the connection
	}
	c.prepared = nil
	return c.engine.Close()
}

// failed returns an error with its SQLSTATE, and notes if SQLite rolls back the transaction for it, or may have:
// sqlite.org/lang_transaction.html, "Response To Errors Within A Transaction".
func (c *conn) failed(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	err = withState(err)
	if !c.inside {
		return err
	}
	switch state := stateOf(err); {
	case state == "53100" && c.goesOn():
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded),
		state == "57014", state == "53200", state == "53100", state == "58030":
		c.broken = &stateError{stateRolledBack, errors.Join(errRolledBack, err)}
	}
	return err
}

// goesOn reports whether the transaction is still there. After a full disk it is if the statement could be undone alone, which
// SQLite prepares only for statements that may fail in the middle.
func (c *conn) goesOn() bool {
	ctx := context.Background() // the statement's may have ended
	if _, err := c.engine.ExecContext(ctx, "begin", nil); err != nil {
		return true // one within another is refused
	}
	_, _ = c.engine.ExecContext(ctx, "rollback", nil)
	return false
}

// engineRows is what the rows of modernc.org/sqlite implement.
type engineRows interface {
	driver.Rows
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypeNullable
	driver.RowsColumnTypePrecisionScale
	driver.RowsColumnTypeScanType
}

// rows are rows whose errors have their SQLSTATE.
type rows struct {
	engineRows
	conn      *conn
	statement *statement // or nil
}

// Next implements [driver.Rows].
func (r *rows) Next(dest []driver.Value) error { return r.conn.failed(r.engineRows.Next(dest)) }

// Close implements [driver.Rows].
func (r *rows) Close() error {
	err := r.engineRows.Close()
	if r.statement != nil {
		r.statement.busy = false
	}
	return withState(err)
}
