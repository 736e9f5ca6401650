package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/eventmap/eventmap/runtime/consumer"
)

// Consumers are the checkpoints and parked events of consumers, beside the events table: the [consumer.Database] that a
// consumer.Runner needs. It is immutable and safe for concurrent use.
//
// A batch is a transaction that writes, so there is one at a time, whatever the number of segments, workers and processes;
// appends wait for it to end. Keep handlers quick, and BatchSize small where appends must not wait.
type Consumers struct {
	db     *sql.DB
	tables tables
	sql    consumerStatements
}

// NewConsumers returns the consumers of a database from [Open], for handlers that are given a *sql.Tx. Options are those
// of [New]; give both the same. The error says which part of the configuration is invalid; the database is not asked.
//
// A *sql.Tx cannot refuse to be committed; a handler that does so is found out after the fact, and its events are handled
// again.
func NewConsumers(db *sql.DB, opts ...Option) (*Consumers, error) {
	_, t, err := configure(opts)
	if err != nil {
		return nil, err
	}
	texts, err := renderConsumers(t)
	if err != nil {
		return nil, err
	}
	return &Consumers{db: db, tables: t, sql: texts}, nil
}

// Begin begins a transaction that writes; see [consumer.Transactions]. Since nobody else writes until it ends, each of its
// statements sees all that was committed before it.
func (c *Consumers) Begin(ctx context.Context) (*sql.Tx, error) {
	tx, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", withState(err))
	}
	return tx, nil
}

// Commit commits a transaction; see [consumer.Transactions].
func (c *Consumers) Commit(_ context.Context, tx *sql.Tx) error {
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", ended(err))
	}
	return nil
}

// Rollback rolls a transaction back; see [consumer.Transactions].
func (c *Consumers) Rollback(_ context.Context, tx *sql.Tx) error {
	err := tx.Rollback()
	if err == nil || errors.Is(ended(err), consumer.ErrTransactionEnded) {
		return nil
	}
	return fmt.Errorf("roll back: %w", withState(err))
}

// The savepoints: one for a handler, and one that is there as long as the transaction of a claim is. SQLite has no number
// by which a transaction could be told from the next one.
const (
	handlerSavepoint = "eventmap_handler"
	claimSavepoint   = "eventmap_claim"
)

// Savepoint sets the savepoint; see [consumer.Savepoints].
func (c *Consumers) Savepoint(ctx context.Context, tx *sql.Tx) error {
	return savepoint(ctx, tx, "savepoint "+handlerSavepoint)
}

// RenewSavepoint keeps what was done since the savepoint; see [consumer.Savepoints]. A statement that failed has undone
// itself, so it does not keep the others from being kept.
func (c *Consumers) RenewSavepoint(ctx context.Context, tx *sql.Tx) error {
	return savepoint(ctx, tx, "release "+handlerSavepoint+"; savepoint "+handlerSavepoint)
}

// RollbackToSavepoint undoes what was done since the savepoint; see [consumer.Savepoints].
func (c *Consumers) RollbackToSavepoint(ctx context.Context, tx *sql.Tx) error {
	return savepoint(ctx, tx, "rollback to "+handlerSavepoint)
}

func savepoint(ctx context.Context, tx *sql.Tx, statement string) error {
	if _, err := tx.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, ended(err))
	}
	return nil
}

// ended returns [consumer.ErrTransactionEnded] with err if err, of a statement that has to do with transactions only, says
// that the transaction is over. SQLite's code is the one for what is wrong with a statement, and these are not.
func ended(err error) error {
	if errors.Is(err, sql.ErrTxDone) || stateOf(err) == stateSyntaxOrAccess {
		return fmt.Errorf("%w: %w", consumer.ErrTransactionEnded, err)
	}
	return withState(err)
}

// explain returns an error with its meaning for consumers.
func (c *Consumers) explain(ctx context.Context, db queryer, err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return ended(err)
	}
	return c.tables.explain(ctx, db, err, c.tables.needed()...)
}

// Listen returns nil: there is no channel to listen on; see [consumer.Watcher]. A runner polls, and who appends in the same
// process may wake it.
func (c *Consumers) Listen(context.Context, func()) error { return nil }

// Poll looks at the log and at the checkpoints; see [consumer.Watcher]. It is one statement and waits for no other
// transaction, except in memory.
func (c *Consumers) Poll(ctx context.Context, consumers []string) (consumer.LogState, error) {
	var poll consumer.LogState
	names, err := jsonList(consumers)
	now := time.Now()
	if err == nil {
		err = each(ctx, c.db, c.sql.poll, []any{names, timeText(now)}, func(r *sql.Rows) error {
			var s consumer.State
			var behind bool
			var due int64
			var retryAt string
			if err := r.Scan(&poll.Drawn, &behind, &s.Consumer, &s.Lowest, &s.Highest, &due, &s.Stopped, &retryAt); err != nil {
				return err
			}
			if behind {
				return c.tables.behind()
			}
			poll.Frontier = poll.Drawn
			s.Due = due >= 0 && due < poll.Frontier
			s.RetryIn = -1
			if retryAt != "" {
				at, err := parseTime(retryAt)
				if err != nil {
					return err
				}
				s.RetryIn = at.Sub(now)
			}
			if s.Consumer != "" {
				poll.Consumers = append(poll.Consumers, s)
			}
			return nil
		})
	}
	if err != nil {
		return consumer.LogState{}, fmt.Errorf("poll: %w", c.explain(ctx, c.db, err))
	}
	return poll, nil
}

// Holders returns none: an append in flight is the only transaction that writes, so nothing is behind it; see
// [consumer.Watcher].
func (c *Consumers) Holders(context.Context, int) ([]consumer.Holder, error) { return nil, nil }

// That this is what a runner needs is checked here rather than by its first user.
var _ consumer.Database[*sql.Tx] = (*Consumers)(nil)
