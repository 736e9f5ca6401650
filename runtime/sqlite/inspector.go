package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"time"
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
