package postgres

import (
	"context"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime/consumer"
)

// A lentTx is a transaction as a handler is given it: it may be used, but not ended.
type lentTx struct {
	pgx.Tx
	conn   *pgxpool.Conn // nil once it is released
	abused atomic.Bool   // the handler has tried to end the transaction
}

// lend begins a transaction.
func lend(ctx context.Context, pool *pgxpool.Pool) (*lentTx, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
	if err != nil {
		conn.Release()
		return nil, err
	}
	return &lentTx{Tx: tx, conn: conn}, nil
}

// Commit is refused.
func (t *lentTx) Commit(context.Context) error { return t.refuse() }

// Rollback is refused.
func (t *lentTx) Rollback(context.Context) error { return t.refuse() }

func (t *lentTx) refuse() error {
	t.abused.Store(true)
	return consumer.ErrTransactionEnded
}

// release gives the connection back, once. The pool closes one that is not in order.
func (t *lentTx) release() {
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
	if err := t.Tx.Commit(ctx); err != nil {
		return err
	}
	t.release()
	return nil
}

// finish runs a statement that gives one row and commits, in one round trip. If the statement fails, the server skips the
// commit, and the transaction still is to be rolled back.
func (t *lentTx) finish(ctx context.Context, last query) error {
	if t.abused.Load() {
		return consumer.ErrTransactionEnded
	}
	var batch pgx.Batch
	batch.Queue(last.sql, last.args...)
	batch.Queue("commit")
	if err := t.Tx.SendBatch(ctx, &batch).Close(); err != nil {
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
	return t.Tx.Rollback(ctx)
}

// querier returns what runs our own statements. They fail once the handler believes that it has ended the transaction:
// what it does not know to be undone must not be committed.
func (t *lentTx) querier() querier {
	if t.abused.Load() {
		return refusedQuerier{}
	}
	return pgxQuerier{t.Tx}
}

// refusedQuerier refuses every statement.
type refusedQuerier struct{}

func (refusedQuerier) query(context.Context, query) (rows, error) {
	return nil, consumer.ErrTransactionEnded
}

func (refusedQuerier) queryAfter(context.Context, query, []any, query) (rows, error) {
	return nil, consumer.ErrTransactionEnded
}
