package postgres

import (
	"context"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime/consumer"
)

// A lentTx is a transaction as a handler is given it: it may be used, but not ended. Once it is over, every use of it fails
// with pgx.ErrTxClosed: its connection may be somebody else's by then.
//
// Its savepoint is set by the next statement of a handler, if there is one: a handler that does not use the transaction costs
// nothing.
type lentTx struct {
	tx     pgx.Tx        // nil before its first statement, which begins it on the way
	conn   *pgxpool.Conn // nil once it is released
	over   atomic.Bool
	abused atomic.Bool // the handler has tried to end the transaction

	name savepointName
	set  bool            // the server has the savepoint
	due  bool            // it is to be set, or set anew, before the next statement
	sent map[string]bool // statements that the connection has prepared, if it prepares any
}

// readCommitted is how transactions of consumers begin.
var readCommitted = pgx.TxOptions{IsoLevel: pgx.ReadCommitted}

// lend returns a transaction, for which it only takes a connection yet.
func lend(ctx context.Context, pool *pgxpool.Pool, name savepointName) (*lentTx, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	return &lentTx{conn: conn, name: name}, nil
}

// begin begins the transaction, unless it has begun.
func (t *lentTx) begin(ctx context.Context) error {
	if t.tx != nil {
		return nil
	}
	tx, err := t.conn.BeginTx(ctx, readCommitted)
	if err == nil {
		t.tx = tx
	}
	return err
}

// current returns the transaction, with its savepoint, or one on which everything fails: once it is over, if it cannot
// begin, or if the savepoint cannot be set.
func (t *lentTx) current(ctx context.Context) pgx.Tx {
	if t.over.Load() || t.begin(ctx) != nil {
		return failedTx(pgx.ErrTxClosed)
	}
	if err := t.mark(ctx); err != nil {
		return failedTx(err)
	}
	return t.tx
}

// failedTx returns a transaction on which everything fails, of pgx's own making.
func failedTx(err error) pgx.Tx {
	var b pgx.Batch
	b.BeginTx(pgx.TxOptions{})
	return pgx.FailedBatchResults(&b, err).Tx()
}

// savepoint has the savepoint set before the next statement.
func (t *lentTx) savepoint() error {
	t.due = true
	return nil
}

// renewSavepoint has the savepoint set anew before the next statement. Whether a statement since then has failed, the
// connection knows from the server's last answer.
func (t *lentTx) renewSavepoint(ctx context.Context) error {
	switch {
	case t.abused.Load():
		return consumer.ErrTransactionEnded
	case t.due || t.isHealthy():
		t.due = true
		return nil
	}
	_, err := t.tx.Exec(ctx, t.name.release()) // fails, and says why
	return err
}

// isHealthy reports whether the connection is in a transaction in which no statement has failed.
func (t *lentTx) isHealthy() bool {
	conn := t.tx.Conn().PgConn()
	return !conn.IsClosed() && conn.TxStatus() == 'T'
}

// rollbackToSavepoint rolls back to the savepoint, if anything was done since. What a handler did that believes that it has
// ended the transaction is undone with that.
func (t *lentTx) rollbackToSavepoint(ctx context.Context) error {
	if !t.due || !t.isHealthy() {
		t.due = false
		if _, err := t.tx.Exec(ctx, t.name.rollback()); err != nil {
			return err
		}
	}
	t.abused.Store(false)
	return nil
}

// mark sets the savepoint, if it is due.
func (t *lentTx) mark(ctx context.Context) error {
	if !t.due {
		return nil
	}
	statement := t.name.set()
	if t.set {
		statement = t.name.release() + "; " + statement
	}
	if _, err := t.tx.Exec(ctx, statement); err != nil { // one round trip: without arguments they go as one text
		return err
	}
	t.set, t.due = true, false
	return nil
}

// markAndExec sets the savepoint, which is due, and runs a statement in the same round trip.
func (t *lentTx) markAndExec(ctx context.Context, sql string, arguments []any) (tag pgconn.CommandTag, err error) {
	var batch pgx.Batch
	if t.set {
		batch.Queue(t.name.release())
	}
	batch.Queue(t.name.set())
	batch.Queue(sql, arguments...)
	results := t.tx.SendBatch(ctx, &batch)
	for n := batch.Len(); n > 0 && err == nil; n-- {
		tag, err = results.Exec()
		if n == 2 && err == nil {
			t.set, t.due = true, false
		}
	}
	if closeErr := results.Close(); err == nil { // else it says the same again
		err = closeErr
	}
	return tag, err
}

// takesAlong reports whether a statement can take the savepoint along. A statement that the connection has yet to prepare
// cannot: if it is wrong, it fails before the savepoint is set. Nor can one without arguments, which may be several, or with
// options of pgx instead.
func (t *lentTx) takesAlong(sql string, arguments []any) bool {
	if len(arguments) == 0 {
		return false
	}
	switch arguments[0].(type) {
	case pgx.QueryExecMode, pgx.QueryResultFormats, pgx.QueryResultFormatsByOID, pgx.QueryRewriter:
		return false
	}
	if !t.sent[sql] {
		if t.sent == nil {
			t.sent = make(map[string]bool)
		}
		t.sent[sql] = true
		return false
	}
	return t.due && !t.over.Load()
}

// Begin sets a savepoint, which is the handler's own to end.
func (t *lentTx) Begin(ctx context.Context) (pgx.Tx, error) { return t.current(ctx).Begin(ctx) }

// Commit is refused.
func (t *lentTx) Commit(context.Context) error { return t.refuse() }

// Rollback is refused.
func (t *lentTx) Rollback(context.Context) error { return t.refuse() }

func (t *lentTx) refuse() error {
	t.abused.Store(true)
	return consumer.ErrTransactionEnded
}

// CopyFrom is that of pgx.Tx.
func (t *lentTx) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, source pgx.CopyFromSource) (int64, error) {
	return t.current(ctx).CopyFrom(ctx, table, columns, source)
}

// SendBatch is that of pgx.Tx.
func (t *lentTx) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	return t.current(ctx).SendBatch(ctx, b)
}

// LargeObjects is that of pgx.Tx.
func (t *lentTx) LargeObjects() pgx.LargeObjects {
	return t.current(context.Background()).LargeObjects()
}

// Prepare is that of pgx.Tx.
func (t *lentTx) Prepare(ctx context.Context, name, sql string) (*pgconn.StatementDescription, error) {
	return t.current(ctx).Prepare(ctx, name, sql)
}

// Exec is that of pgx.Tx.
func (t *lentTx) Exec(ctx context.Context, sql string, arguments ...any) (pgconn.CommandTag, error) {
	if t.takesAlong(sql, arguments) {
		return t.markAndExec(ctx, sql, arguments)
	}
	return t.current(ctx).Exec(ctx, sql, arguments...)
}

// Query is that of pgx.Tx.
func (t *lentTx) Query(ctx context.Context, sql string, arguments ...any) (pgx.Rows, error) {
	return t.current(ctx).Query(ctx, sql, arguments...)
}

// QueryRow is that of pgx.Tx.
func (t *lentTx) QueryRow(ctx context.Context, sql string, arguments ...any) pgx.Row {
	return t.current(ctx).QueryRow(ctx, sql, arguments...)
}

// Conn is that of pgx.Tx: nil once the transaction is over.
func (t *lentTx) Conn() *pgx.Conn { return t.current(context.Background()).Conn() }

// release gives the connection back, once. The pool closes one that is not in order.
func (t *lentTx) release() {
	t.over.Store(true)
	if t.conn != nil {
		t.conn.Release()
		t.conn = nil
	}
}

// commit commits. If it fails, the transaction still is to be rolled back.
func (t *lentTx) commit(ctx context.Context) error {
	if t.abused.Load() {
		return consumer.ErrTransactionEnded
	}
	if t.tx != nil {
		if err := t.tx.Commit(ctx); err != nil {
			return err
		}
	}
	t.release()
	return nil
}

// finish runs statements and commits, in one round trip. If one fails, the server skips the commit, and the transaction
// still is to be rolled back.
func (t *lentTx) finish(ctx context.Context, last []query) error {
	if t.abused.Load() {
		return consumer.ErrTransactionEnded
	}
	var batch pgx.Batch
	for _, statement := range last {
		batch.Queue(statement.sql, statement.args...)
	}
	batch.Queue("commit")
	if err := t.begin(ctx); err != nil {
		return err
	}
	if err := t.tx.SendBatch(ctx, &batch).Close(); err != nil {
		return err
	}
	t.release()
	return nil
}

// rollback rolls back, unless the transaction is over.
func (t *lentTx) rollback(ctx context.Context) error {
	if t.conn == nil {
		return nil
	}
	defer t.release()
	if t.tx == nil {
		return nil
	}
	return t.tx.Rollback(ctx)
}

// querier returns what runs our own statements. They fail once the handler believes that it has ended the transaction:
// what it does not know to be undone must not be committed.
func (t *lentTx) querier() querier {
	if t.abused.Load() {
		return refusedQuerier{}
	}
	return lentQuerier{t}
}

// lentQuerier runs statements in a transaction, which it begins if need be.
type lentQuerier struct{ t *lentTx }

func (q lentQuerier) query(ctx context.Context, s query) (rows, error) {
	if err := q.t.begin(ctx); err != nil {
		return nil, err
	}
	return pgxQuerier{q.t.tx}.query(ctx, s)
}

// queryAfter begins the transaction in the same round trip.
func (q lentQuerier) queryAfter(ctx context.Context, first query, dest []any, second query) (rows, error) {
	if q.t.tx != nil {
		return pgxQuerier{q.t.tx}.queryAfter(ctx, first, dest, second)
	}
	var batch pgx.Batch
	batch.BeginTx(readCommitted)
	results := q.t.conn.SendBatch(ctx, queueAfter(&batch, first, second))
	q.t.tx = results.Tx()
	if _, err := results.Exec(); err != nil {
		_ = results.Close() // says the same again
		return nil, err
	}
	return rowsAfter(results, dest)
}

func (q lentQuerier) queryBefore(ctx context.Context, first, second query) (rows, error) {
	if err := q.t.begin(ctx); err != nil {
		return nil, err
	}
	return pgxQuerier{q.t.tx}.queryBefore(ctx, first, second)
}

// refusedQuerier refuses every statement.
type refusedQuerier struct{}

func (refusedQuerier) query(context.Context, query) (rows, error) {
	return nil, consumer.ErrTransactionEnded
}

func (refusedQuerier) queryAfter(context.Context, query, []any, query) (rows, error) {
	return nil, consumer.ErrTransactionEnded
}

func (refusedQuerier) queryBefore(context.Context, query, query) (rows, error) {
	return nil, consumer.ErrTransactionEnded
}
