package postgres

import (
	"context"
	"crypto/rand"
	"database/sql"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// transactions are the transactions of consumers. It is the only place where those of pgx and of database/sql differ.
type transactions[Tx any] interface {
	begin(ctx context.Context) (Tx, error)
	commit(ctx context.Context, tx Tx) error
	finish(ctx context.Context, tx Tx, last []query) error // runs statements and commits
	rollback(ctx context.Context, tx Tx) error
	savepoint(ctx context.Context, tx Tx) error
	renewSavepoint(ctx context.Context, tx Tx) error
	rollbackToSavepoint(ctx context.Context, tx Tx) error
	bind(tx Tx) querier
	listen(ctx context.Context, statement string, notify func()) error
}

// A savepointName is the name of the savepoint. No handler can have one of the same name, which would be taken for it.
type savepointName string

func newSavepointName() savepointName {
	return savepointName("eventmap_" + strings.ToLower(rand.Text()))
}

func (n savepointName) set() string      { return "savepoint " + string(n) }
func (n savepointName) release() string  { return "release savepoint " + string(n) }
func (n savepointName) rollback() string { return "rollback to savepoint " + string(n) }

// pgxTransactions are transactions of pgx, as a handler is lent them.
type pgxTransactions struct {
	pool *pgxpool.Pool
	name savepointName
}

func (p pgxTransactions) begin(ctx context.Context) (pgx.Tx, error) { return lend(ctx, p.pool, p.name) }

func (pgxTransactions) commit(ctx context.Context, tx pgx.Tx) error { return tx.(*lentTx).commit(ctx) }

func (pgxTransactions) finish(ctx context.Context, tx pgx.Tx, last []query) error {
	return tx.(*lentTx).finish(ctx, last)
}

func (pgxTransactions) rollback(ctx context.Context, tx pgx.Tx) error {
	return tx.(*lentTx).rollback(ctx)
}

func (pgxTransactions) savepoint(_ context.Context, tx pgx.Tx) error {
	return tx.(*lentTx).savepoint()
}

func (pgxTransactions) renewSavepoint(ctx context.Context, tx pgx.Tx) error {
	return tx.(*lentTx).renewSavepoint(ctx)
}

func (pgxTransactions) rollbackToSavepoint(ctx context.Context, tx pgx.Tx) error {
	return tx.(*lentTx).rollbackToSavepoint(ctx)
}

func (pgxTransactions) bind(tx pgx.Tx) querier { return tx.(*lentTx).querier() }

func (p pgxTransactions) listen(ctx context.Context, statement string, notify func()) error {
	return listenPool(ctx, p.pool, statement, notify)
}

// sqlTransactions are transactions of database/sql.
type sqlTransactions struct {
	db   *sql.DB
	name savepointName
}

func (s sqlTransactions) begin(ctx context.Context) (*sql.Tx, error) {
	return s.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
}

func (sqlTransactions) commit(_ context.Context, tx *sql.Tx) error { return tx.Commit() }

func (s sqlTransactions) finish(ctx context.Context, tx *sql.Tx, last []query) error {
	for _, statement := range last {
		if err := exec(ctx, s.bind(tx), statement); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (sqlTransactions) rollback(_ context.Context, tx *sql.Tx) error { return tx.Rollback() }

func (s sqlTransactions) savepoint(ctx context.Context, tx *sql.Tx) error {
	return s.exec(ctx, tx, s.name.set())
}

// renewSavepoint takes one round trip for both: without arguments they go as one text.
func (s sqlTransactions) renewSavepoint(ctx context.Context, tx *sql.Tx) error {
	return s.exec(ctx, tx, s.name.release()+"; "+s.name.set())
}

func (s sqlTransactions) rollbackToSavepoint(ctx context.Context, tx *sql.Tx) error {
	return s.exec(ctx, tx, s.name.rollback())
}

func (sqlTransactions) exec(ctx context.Context, tx *sql.Tx, statement string) error {
	_, err := tx.ExecContext(ctx, statement)
	return err
}

func (sqlTransactions) bind(tx *sql.Tx) querier { return sqlQuerier{tx} }

func (s sqlTransactions) listen(ctx context.Context, statement string, notify func()) error {
	return listenSQL(ctx, s.db, statement, notify)
}
