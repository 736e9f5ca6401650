package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
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
// part of the configuration is invalid; the database is not asked. Of many logs it shows the one that [WithLog] names.
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
	switch one := (&Store[pgx.Tx]{tables: t.tables}).inLog(config.Log); {
	case t.areMany() && config.Log == "":
		return nil, errors.New("an inspector shows one log: give it WithLog; of all of them Status of a runner and List of Logs tell how they stand")
	case one.invalid != nil:
		return nil, one.invalid
	}
	if err := config.Payload.check(); err != nil {
		return nil, err
	}
	texts, err := renderInspect(t, config.Log, config.Payload)
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
