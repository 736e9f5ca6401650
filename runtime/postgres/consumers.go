package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/pgname"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// Consumers are the checkpoints and parked events of consumers, beside the events table: the [consumer.Database] that a
// consumer.Runner needs. Tx is what handlers are given: pgx.Tx or *sql.Tx. It is immutable and safe for concurrent use.
//
// It needs a primary server; elsewhere reads return [ErrStandby]. Its transactions are READ COMMITTED and short, one for
// each batch, so it works behind PgBouncer in transaction mode, but for the notify channel: listening needs a session.
type Consumers[Tx any] struct {
	transactions transactions[Tx]
	db           querier // for statements that need no transaction
	reader       querier // of events; nil: the transaction
	tables       consumerTables
	sql          consumerStatements
	channel      string
}

// consumerTables are the tables that consumers use, by their validated names.
type consumerTables struct {
	tables
	checkpoints, parked pgname.Table
}

// WithCheckpointsTable sets the table of the checkpoints of consumers; see [Config].
func WithCheckpointsTable(name string) Option {
	return option(func(c *Config) { c.CheckpointsTable = name })
}

// WithParkedEventsTable sets the table of the parked events of consumers; see [Config].
func WithParkedEventsTable(name string) Option {
	return option(func(c *Config) { c.ParkedEventsTable = name })
}

// NewConsumers returns the consumers of a database for handlers that are given a pgx.Tx. Options are those of [New]; give
// both the same. The error says which part of the configuration is invalid; the database is not asked.
//
// The transaction that a handler is given refuses Commit and Rollback, with [consumer.ErrTransactionEnded].
func NewConsumers(pool *pgxpool.Pool, opts ...Option) (*Consumers[pgx.Tx], error) {
	c := &Consumers[pgx.Tx]{transactions: pgxTransactions{pool, newSavepointName()}, db: pgxQuerier{pool}}
	return c, c.configure(opts)
}

// NewConsumersSQL is [NewConsumers] for handlers that are given a *sql.Tx. The database must have been opened with the
// driver pgx/v5/stdlib. A *sql.Tx cannot refuse to be committed; a handler that does so is found out after the fact, and
// its events are handled again. Each event takes a round trip more than with pgx, for its savepoint.
func NewConsumersSQL(db *sql.DB, opts ...Option) (*Consumers[*sql.Tx], error) {
	c := &Consumers[*sql.Tx]{transactions: sqlTransactions{db, newSavepointName()}, db: sqlQuerier{db}}
	return c, c.configure(opts)
}

func (c *Consumers[Tx]) configure(opts []Option) error {
	var config Config
	for _, o := range opts {
		o.apply(&config)
	}
	t, err := config.consumerTables()
	if err != nil {
		return err
	}
	if err := config.Payload.check(); err != nil {
		return err
	}
	if err := checkChannel(config.NotifyChannel); err != nil {
		return err
	}
	c.tables, c.channel = t, config.NotifyChannel
	if config.Reader != nil {
		switch {
		case !t.areMany():
			return fmt.Errorf("reader: %w, which can be read on its primary only", errOneLog)
		case t.citus:
			return errors.New("reader: not on Citus, whose nodes have standbys of their own; consumers read on the nodes")
		}
		c.reader = pgxQuerier{config.Reader}
	}
	c.sql, err = renderConsumers(t, config.Payload)
	return err
}

// consumerTables returns the names that the configuration stands for, or the first rule that one of them breaks.
func (c *Config) consumerTables() (consumerTables, error) {
	t, err := c.tables()
	if err != nil {
		return consumerTables{}, err
	}
	ct := consumerTables{
		tables:      t,
		checkpoints: t.events.Sibling(pgname.CheckpointsTable),
		parked:      t.events.Sibling(pgname.ParkedEventsTable),
	}
	if c.CheckpointsTable != "" {
		if ct.checkpoints, err = pgname.ParseTable(c.CheckpointsTable); err != nil {
			return consumerTables{}, fmt.Errorf("checkpoints table: %w", err)
		}
	}
	if c.ParkedEventsTable != "" {
		if ct.parked, err = pgname.ParseTable(c.ParkedEventsTable); err != nil {
			return consumerTables{}, fmt.Errorf("parked events table: %w", err)
		}
	}
	return ct, nil
}

// flags returns the options of migrate-gen that make these tables, each after a blank.
func (t consumerTables) flags() string {
	var b strings.Builder
	b.WriteString(t.tables.flags())
	if t.checkpoints != t.events.Sibling(pgname.CheckpointsTable) {
		fmt.Fprintf(&b, " --checkpoints-table %s", t.checkpoints)
	}
	if t.parked != t.events.Sibling(pgname.ParkedEventsTable) {
		fmt.Fprintf(&b, " --parked-events-table %s", t.parked)
	}
	return b.String()
}

// Begin begins a transaction at READ COMMITTED; see [consumer.Transactions].
func (c *Consumers[Tx]) Begin(ctx context.Context) (Tx, error) {
	tx, err := c.transactions.begin(ctx)
	if err != nil {
		return tx, fmt.Errorf("begin: %w", err)
	}
	return tx, nil
}

// Commit commits a transaction; see [consumer.Transactions].
func (c *Consumers[Tx]) Commit(ctx context.Context, tx Tx) error {
	if err := c.transactions.commit(ctx, tx); err != nil {
		return fmt.Errorf("commit: %w", ended(err))
	}
	return nil
}

// Rollback rolls a transaction back; see [consumer.Transactions].
func (c *Consumers[Tx]) Rollback(ctx context.Context, tx Tx) error {
	err := c.transactions.rollback(context.WithoutCancel(ctx), tx)
	if err == nil || errors.Is(err, pgx.ErrTxClosed) || errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return fmt.Errorf("roll back: %w", err)
}

// Savepoint sets the savepoint; see [consumer.Savepoints].
func (c *Consumers[Tx]) Savepoint(ctx context.Context, tx Tx) error {
	return savepointError("set", c.transactions.savepoint(ctx, tx))
}

// RenewSavepoint keeps what was done since the savepoint; see [consumer.Savepoints]. With pgx it takes a round trip only if
// something has failed, and the first statement of the next handler, which needs the savepoint, most often takes it along.
func (c *Consumers[Tx]) RenewSavepoint(ctx context.Context, tx Tx) error {
	return savepointError("renew", c.transactions.renewSavepoint(ctx, tx))
}

// RollbackToSavepoint undoes what was done since the savepoint; see [consumer.Savepoints].
func (c *Consumers[Tx]) RollbackToSavepoint(ctx context.Context, tx Tx) error {
	return savepointError("roll back to", c.transactions.rollbackToSavepoint(ctx, tx))
}

func savepointError(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s the savepoint: %w", what, ended(err))
	}
	return nil
}

// exec runs a statement whose rows, if any, do not matter.
func exec(ctx context.Context, q querier, s query) error {
	r, err := q.query(ctx, s)
	if err != nil {
		return err
	}
	r.Close()
	return r.Err()
}

// ended returns [consumer.ErrTransactionEnded] with err if err says that the transaction is over, or another than the one
// that was begun, and err itself if not.
func ended(err error) error {
	if errors.Is(err, pgx.ErrTxClosed) || errors.Is(err, sql.ErrTxDone) {
		return fmt.Errorf("%w: %w", consumer.ErrTransactionEnded, err)
	}
	var server *pgconn.PgError
	if errors.As(err, &server) && (server.Code == stateNoTransaction || server.Code == stateInvalidSavepoint) {
		return fmt.Errorf("%w: %w", consumer.ErrTransactionEnded, err)
	}
	return err
}

// classify returns err with its meaning for consumers, if it is a server's error that has one, and err itself if not.
func (c *Consumers[Tx]) classify(err error) error {
	if err == nil {
		return nil
	}
	var server *pgconn.PgError
	if errors.As(err, &server) {
		switch t := c.tables; server.Code {
		case stateUndefinedTable, stateInvalidSchema:
			elsewhere := ""
			if t.citus {
				elsewhere = ", if this is the coordinator, where consumers have to connect to"
			}
			return fmt.Errorf("table %s, table %s, table %s or the %s is missing; create them with the SQL that `migrate-gen%s` writes%s: %w",
				t.checkpoints, t.parked, t.events, t.counter(), t.flags(), elsewhere, err)
		case stateUndefinedColumn:
			return fmt.Errorf("table %s, table %s or table %s lacks a column and is older than this runtime; migrate it with the SQL that `migrate-gen%s` writes: %w",
				t.checkpoints, t.parked, t.events, t.flags(), err)
		case stateInsufficientRights:
			return fmt.Errorf("the role needs select, insert, update and delete on %s and %s, and select on %s and on the %s: %w",
				t.checkpoints, t.parked, t.events, t.counter(), err)
		}
	}
	return err
}

// That this is what a runner needs is checked here rather than by its first user.
var (
	_ consumer.Database[pgx.Tx]  = (*Consumers[pgx.Tx])(nil)
	_ consumer.Database[*sql.Tx] = (*Consumers[*sql.Tx])(nil)
)
