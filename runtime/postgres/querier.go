package postgres

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5"
)

// A querier runs statements in a transaction of one kind. It is the only place where the kinds differ.
type querier interface {
	// query runs one statement. Its errors may also come from the rows.
	query(ctx context.Context, q query) (rows, error)
	// queryAfter runs first, which gives one row, and scans that into dest; then it runs second. Each has a snapshot of
	// its own in READ COMMITTED, second's being the later. Where the driver can, both make one round trip.
	queryAfter(ctx context.Context, first query, dest []any, second query) (rows, error)
	// queryBefore runs first, whose rows it returns, and then second, which gives none and which has run without an error
	// when the rows are closed and have none, even if ctx is done by then. Where the driver can, both make one round trip,
	// and one transaction where each statement is one by itself.
	queryBefore(ctx context.Context, first, second query) (rows, error)
}

// A query is a statement with its arguments.
type query struct {
	sql  string
	args []any
}

// rows are the rows of a statement, in the common form of both drivers. Close may be called at any time and more than
// once; what is left unread is then dropped. Err is complete after Close.
type rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close()
}

// pgxQuerier runs statements through pgx.
type pgxQuerier struct {
	db interface {
		Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
		SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
	}
}

func (q pgxQuerier) query(ctx context.Context, s query) (rows, error) {
	return q.db.Query(ctx, s.sql, s.args...)
}

func (q pgxQuerier) queryAfter(ctx context.Context, first query, dest []any, second query) (rows, error) {
	return rowsAfter(q.db.SendBatch(ctx, queueAfter(new(pgx.Batch), first, second)), dest)
}

func (q pgxQuerier) queryBefore(ctx context.Context, first, second query) (rows, error) {
	results := q.db.SendBatch(ctx, queueAfter(new(pgx.Batch), first, second))
	r, err := results.Query()
	if err != nil {
		_ = results.Close() // says the same again
		return nil, err
	}
	return &batchRows{Rows: r, results: results, more: true}, nil
}

// queueAfter queues two statements.
func queueAfter(batch *pgx.Batch, first, second query) *pgx.Batch {
	batch.Queue(first.sql, first.args...)
	batch.Queue(second.sql, second.args...)
	return batch
}

// rowsAfter scans the one row of the statement that is next into dest and returns the rows of the one after it, with which
// the batch ends.
func rowsAfter(results pgx.BatchResults, dest []any) (rows, error) {
	if err := results.QueryRow().Scan(dest...); err != nil {
		_ = results.Close() // says the same again
		return nil, err
	}
	r, err := results.Query()
	if err != nil {
		_ = results.Close()
		return nil, err
	}
	return &batchRows{Rows: r, results: results}, nil
}

// batchRows are the rows of a batch's last statement, or of its last but one; the batch ends with them.
type batchRows struct {
	pgx.Rows
	results  pgx.BatchResults
	more     bool // a statement without rows is left
	closeErr error
}

func (r *batchRows) Close() {
	r.Rows.Close()
	if r.more && r.Rows.Err() == nil {
		r.more = false
		_, r.closeErr = r.results.Exec()
	}
	r.closeErr = errors.Join(r.closeErr, r.results.Close())
}

func (r *batchRows) Err() error {
	if err := r.Rows.Err(); err != nil {
		return err
	}
	return r.closeErr
}

// sqlQuerier runs statements through database/sql.
type sqlQuerier struct {
	db interface {
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	}
}

func (q sqlQuerier) query(ctx context.Context, s query) (rows, error) {
	r, err := q.db.QueryContext(ctx, s.sql, s.args...)
	if err != nil {
		return nil, err
	}
	return &sqlRows{Rows: r}, nil
}

func (q sqlQuerier) queryAfter(ctx context.Context, first query, dest []any, second query) (rows, error) {
	if err := queryRow(ctx, q, first, dest...); err != nil {
		return nil, err
	}
	return q.query(ctx, second)
}

func (q sqlQuerier) queryBefore(ctx context.Context, first, second query) (rows, error) {
	r, err := q.db.QueryContext(ctx, first.sql, first.args...)
	if err != nil {
		return nil, err
	}
	return &sqlRows{Rows: r, then: func() error { return exec(context.WithoutCancel(ctx), q, second) }}, nil
}

// sqlRows give Close of *sql.Rows the form that pgx has.
type sqlRows struct {
	*sql.Rows
	then     func() error // what is to be done after the rows, or nil
	closeErr error
}

func (r *sqlRows) Close() {
	r.closeErr = errors.Join(r.closeErr, r.Rows.Close())
	if then := r.then; then != nil && r.Rows.Err() == nil && r.closeErr == nil {
		r.then = nil
		r.closeErr = then()
	}
}

func (r *sqlRows) Err() error {
	if err := r.Rows.Err(); err != nil {
		return err
	}
	return r.closeErr
}

// queryRow runs a statement that gives one row and scans it into dest.
func queryRow(ctx context.Context, q querier, s query, dest ...any) error {
	r, err := q.query(ctx, s)
	if err != nil {
		return err
	}
	defer r.Close()
	if r.Next() {
		if err := r.Scan(dest...); err != nil {
			return err
		}
	} else if r.Err() == nil {
		return sql.ErrNoRows
	}
	r.Close()
	return r.Err()
}
