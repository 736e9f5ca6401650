package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/eventmap/eventmap/runtime/consumer"
)

// Claim locks the checkpoint of a segment; see [consumer.Segments]. The frontier is read before the claim, and so before
// what is read after it.
func (c *Consumers[Tx]) Claim(ctx context.Context, tx Tx, name string, q consumer.ClaimQuery) (*consumer.Claim, error) {
	if c.tables.citus {
		claim, err := c.claimOnCitus(ctx, c.transactions.bind(tx), name, q)
		if err != nil {
			return nil, fmt.Errorf("claim a log: %w", c.classify(err))
		}
		return claim, nil
	}
	r, err := c.openClaim(ctx, c.transactions.bind(tx), name, q)
	if err != nil {
		return nil, fmt.Errorf("claim a segment: %w", err)
	}
	defer r.Close()
	var claim *consumer.Claim
	if r.Next() {
		claim = new(consumer.Claim)
		claim.Checkpoint, err = scanCheckpoint(r, name, &claim.Frontier, &claim.Transaction)
		if err != nil {
			return nil, fmt.Errorf("claim a segment: %w", err)
		}
	}
	r.Close()
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("claim a segment: %w", c.classify(err))
	}
	return claim, nil
}

// openClaim returns the row of the checkpoint to claim, if there is one. A log of many says itself how far it can be read.
func (c *Consumers[Tx]) openClaim(ctx context.Context, db querier, name string, q consumer.ClaimQuery) (rows, error) {
	anyOne := q.Segment == consumer.AnySegment
	if c.tables.areMany() {
		statement := query{c.sql.claim, []any{name, q.Log}}
		if anyOne {
			statement = query{c.sql.claimAny, []any{name, q.Logs}}
		}
		r, err := db.query(ctx, statement)
		return r, c.classify(err)
	}
	statement := query{c.sql.claim, []any{name, q.Segment}}
	if anyOne {
		statement = query{c.sql.claimAny, []any{name, segmentList(q.Except)}}
	}
	var f frontier
	r, err := db.queryAfter(ctx, query{c.sql.frontier, nil}, f.dest(), statement)
	if err != nil {
		return nil, c.classify(err)
	}
	if err := f.check(c.tables.tables); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// part returns the argument that names what a checkpoint is of.
func (c *Consumers[Tx]) part(checkpoint *consumer.Checkpoint) any {
	if c.tables.areMany() {
		return checkpoint.Log
	}
	return checkpoint.Segment
}

// segmentList returns segments as an argument that is never null.
func segmentList(parts []consumer.Part) []int64 {
	list := make([]int64, len(parts))
	for i, p := range parts {
		list[i] = int64(p.Segment)
	}
	return list
}

// scanCheckpoint reads the columns of a checkpoint, and further ones into more.
func scanCheckpoint(r rows, name string, more ...any) (consumer.Checkpoint, error) {
	checkpoint := consumer.Checkpoint{Consumer: name}
	var handled string
	var retryAt, stoppedAt sql.NullTime
	err := r.Scan(append([]any{
		&checkpoint.Log,
		&checkpoint.Segment,
		&checkpoint.Segments,
		&checkpoint.Position,
		&handled,
		&checkpoint.Failures,
		&checkpoint.FailedPosition,
		&checkpoint.LastError,
		&retryAt,
		&stoppedAt,
		&checkpoint.UpdatedAt,
		&checkpoint.ReplayUntil,
		&checkpoint.Astray,
		&checkpoint.LogEnd,
	}, more...)...)
	if err != nil {
		return consumer.Checkpoint{}, err
	}
	checkpoint.RetryAt, checkpoint.StoppedAt = retryAt.Time, stoppedAt.Time
	if handled != "" {
		for text := range strings.SplitSeq(handled, ",") {
			position, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return consumer.Checkpoint{}, err
			}
			checkpoint.Handled = append(checkpoint.Handled, position)
		}
	}
	return checkpoint, nil
}

// Save writes the checkpoint of a claimed segment and commits; see [consumer.Segments]. With pgx it is one round trip.
func (c *Consumers[Tx]) Save(ctx context.Context, tx Tx, claim *consumer.Claim, retryIn time.Duration) error {
	args := []any{claim.Consumer, c.part(&claim.Checkpoint), claim.Position, claim.Failures, nil, nil, nil, !claim.StoppedAt.IsZero(), claim.Transaction}
	if claim.LastError != "" {
		args[4], args[5] = claim.FailedPosition, claim.LastError
	}
	if retryIn > 0 {
		args[6] = retryIn.Seconds()
	}
	var err error
	if c.tables.citus {
		var named string
		named, err = c.saved(ctx, c.transactions.bind(tx), claim)
		args = append(args, named)
	}
	statements := []query{{c.sql.save, args}}
	if claim.Idle {
		statements = []query{{c.sql.hurry, nil}, {c.sql.save, args}}
	}
	if err == nil {
		err = c.transactions.finish(ctx, tx, statements)
	}
	if err != nil {
		var server *pgconn.PgError
		if errors.As(err, &server) {
			switch server.Code {
			case stateDivisionByZero: // see save.sql
				err = fmt.Errorf("%w, or it has changed its search_path", consumer.ErrTransactionEnded)
			case stateUndefinedTable, stateInvalidSchema, stateInsufficientRights: // the claim had both
				err = fmt.Errorf("the handler has changed the search_path or the role of the transaction and not set it back: %w", err)
			}
		}
		return fmt.Errorf("save the checkpoint: %w", ended(err))
	}
	return nil
}

// Create makes the checkpoints of a consumer; see [consumer.Checkpoints].
func (c *Consumers[Tx]) Create(ctx context.Context, tx Tx, name string, segments int, start consumer.StartPosition) error {
	if err := exec(ctx, c.transactions.bind(tx), query{c.sql.create, []any{name, segments, start.Position, start.ReplayUntil}}); err != nil {
		return fmt.Errorf("create checkpoints: %w", c.classify(err))
	}
	return nil
}

// Checkpoints returns the checkpoints of a consumer; see [consumer.Checkpoints]. Whoever locks them all locks the first
// one first, and then sees them as whoever had it before has left them.
func (c *Consumers[Tx]) Checkpoints(ctx context.Context, tx Tx, name string, lock bool) ([]consumer.Checkpoint, error) {
	q, text := c.transactions.bind(tx), c.sql.checkpoints
	if lock {
		text = c.sql.lockCheckpoints
		if err := exec(ctx, q, query{c.sql.lock, []any{name}}); err != nil {
			return nil, fmt.Errorf("lock checkpoints: %w", c.classify(err))
		}
	}
	var checkpoints []consumer.Checkpoint
	var err error
	if statement := (query{text, []any{name}}); c.tables.citus {
		checkpoints, err = c.checkpointsOnCitus(ctx, q, name, statement)
	} else {
		checkpoints, err = collect(ctx, q, statement, func(r rows) (consumer.Checkpoint, error) { return scanCheckpoint(r, name) })
	}
	if err != nil {
		return nil, fmt.Errorf("read checkpoints: %w", c.classify(err))
	}
	return checkpoints, nil
}

// Stop stops the segments of a consumer; see [consumer.Checkpoints].
func (c *Consumers[Tx]) Stop(ctx context.Context, tx Tx, name, reason string) error {
	if err := exec(ctx, c.transactions.bind(tx), query{c.sql.stop, []any{name, reason}}); err != nil {
		return fmt.Errorf("stop a consumer: %w", ended(c.classify(err)))
	}
	return nil
}

// Replace replaces the checkpoints of a consumer; see [consumer.Checkpoints].
func (c *Consumers[Tx]) Replace(ctx context.Context, tx Tx, name string, checkpoints []consumer.Checkpoint) error {
	q := c.transactions.bind(tx)
	var names []string
	if c.tables.citus {
		var err error
		if names, err = c.namedBy(ctx, q, checkpoints); err != nil {
			return fmt.Errorf("replace checkpoints: %w", ended(c.classify(err)))
		}
	}
	for i, checkpoint := range checkpoints {
		args := []any{name, c.part(&checkpoint), checkpoint.Segments, checkpoint.Position, checkpoint.Handled, checkpoint.ReplayUntil}
		if names != nil {
			args = append(args, names[i])
		}
		if err := exec(ctx, q, query{c.sql.replace, args}); err != nil {
			return fmt.Errorf("replace checkpoints: %w", ended(c.classify(err)))
		}
	}
	if err := exec(ctx, q, query{c.sql.remove, []any{name, len(checkpoints)}}); err != nil {
		return fmt.Errorf("replace checkpoints: %w", ended(c.classify(err)))
	}
	return nil
}

// collect runs a statement and returns what scan makes of its rows.
func collect[T any](ctx context.Context, q querier, s query, scan func(rows) (T, error)) ([]T, error) {
	r, err := q.query(ctx, s)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var all []T
	for r.Next() {
		one, err := scan(r)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	r.Close()
	return all, r.Err()
}
