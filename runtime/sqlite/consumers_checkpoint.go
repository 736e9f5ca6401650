package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/eventmap/eventmap/runtime/consumer"
)

// Claim returns the checkpoint of a segment; see [consumer.Segments]. Nobody else can have claimed one: the transaction
// itself is the lock, and it is waited for when it begins.
func (c *Consumers) Claim(ctx context.Context, tx *sql.Tx, name string, q consumer.ClaimQuery) (*consumer.Claim, error) {
	segments := []int{} // [] for none, not null
	for _, part := range q.Except {
		segments = append(segments, part.Segment)
	}
	except, err := json.Marshal(segments)
	if err != nil {
		return nil, fmt.Errorf("claim a segment: %w", err)
	}
	text, args := c.sql.claimAny, []any{name, timeText(time.Now()), string(except)}
	if q.Segment != consumer.AnySegment {
		text, args = c.sql.claim, []any{name, q.Segment}
	}
	var claim *consumer.Claim
	err = each(ctx, tx, text, args, func(r *sql.Rows) (err error) {
		claim = &consumer.Claim{Transaction: claimSavepoint}
		claim.Checkpoint, err = scanCheckpoint(r, name, &claim.Frontier)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim a segment: %w", c.explain(ctx, tx, err))
	}
	if claim == nil {
		return nil, nil
	}
	if err := savepoint(ctx, tx, "savepoint "+claimSavepoint); err != nil {
		return nil, fmt.Errorf("claim a segment: %w", err)
	}
	return claim, nil
}

// scanCheckpoint reads the columns of a checkpoint, and further ones into more.
func scanCheckpoint(r *sql.Rows, name string, more ...any) (consumer.Checkpoint, error) {
	checkpoint := consumer.Checkpoint{Consumer: name}
	var handled string
	var retryAt, stoppedAt, updatedAt string
	err := r.Scan(append([]any{
		&checkpoint.Segment,
		&checkpoint.Segments,
		&checkpoint.Position,
		&handled,
		&checkpoint.Failures,
		&checkpoint.FailedPosition,
		&checkpoint.LastError,
		&retryAt,
		&stoppedAt,
		&updatedAt,
		&checkpoint.ReplayUntil,
		&checkpoint.Astray,
	}, more...)...)
	if err != nil {
		return consumer.Checkpoint{}, err
	}
	for _, at := range []struct {
		text string
		to   *time.Time
	}{{retryAt, &checkpoint.RetryAt}, {stoppedAt, &checkpoint.StoppedAt}, {updatedAt, &checkpoint.UpdatedAt}} {
		if at.text == "" {
			continue
		}
		if *at.to, err = parseTime(at.text); err != nil {
			return consumer.Checkpoint{}, err
		}
	}
	if handled != "" {
		if err := json.Unmarshal([]byte(handled), &checkpoint.Handled); err != nil {
			return consumer.Checkpoint{}, fmt.Errorf("handled: %w", err)
		}
	}
	return checkpoint, nil
}

// Save writes the checkpoint of a claimed segment and commits; see [consumer.Segments].
func (c *Consumers) Save(ctx context.Context, tx *sql.Tx, claim *consumer.Claim, retryIn time.Duration) error {
	// Released first: if the transaction of the claim is over, so is its savepoint, and nothing must be written.
	if err := savepoint(ctx, tx, "release "+claim.Transaction); err != nil {
		return fmt.Errorf("save the checkpoint: %w", err)
	}
	now := time.Now()
	args := []any{claim.Consumer, claim.Segment, claim.Position, claim.Failures, nil, nil, nil, nil, timeText(now)}
	if claim.LastError != "" {
		args[4], args[5] = claim.FailedPosition, claim.LastError
	}
	if retryIn > 0 {
		args[6] = timeText(now.Add(retryIn))
	}
	if !claim.StoppedAt.IsZero() {
		args[7] = timeText(now)
	}
	if err := execute(ctx, tx, c.sql.save, args...); err != nil {
		return fmt.Errorf("save the checkpoint: %w", c.explain(ctx, tx, err))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("save the checkpoint: %w", ended(err))
	}
	return nil
}

// Create makes the checkpoints of a consumer; see [consumer.Checkpoints].
func (c *Consumers) Create(ctx context.Context, tx *sql.Tx, name string, segments int, start consumer.StartPosition) error {
	there, err := c.Checkpoints(ctx, tx, name, false)
	for segment := 0; segment < segments && err == nil && len(there) == 0; segment++ {
		err = execute(ctx, tx, c.sql.create, name, segment, segments, timeText(time.Now()), start.Position, start.ReplayUntil)
	}
	if err != nil {
		return fmt.Errorf("create checkpoints: %w", c.explain(ctx, tx, err))
	}
	return nil
}

// Checkpoints returns the checkpoints of a consumer; see [consumer.Checkpoints]. The transaction has them locked anyway.
func (c *Consumers) Checkpoints(ctx context.Context, tx *sql.Tx, name string, _ bool) ([]consumer.Checkpoint, error) {
	var checkpoints []consumer.Checkpoint
	err := each(ctx, tx, c.sql.checkpoints, []any{name}, func(r *sql.Rows) error {
		checkpoint, err := scanCheckpoint(r, name)
		checkpoints = append(checkpoints, checkpoint)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read checkpoints: %w", c.explain(ctx, tx, err))
	}
	return checkpoints, nil
}

// Stop stops the segments of a consumer; see [consumer.Checkpoints].
func (c *Consumers) Stop(ctx context.Context, tx *sql.Tx, name, reason string) error {
	if err := execute(ctx, tx, c.sql.stop, name, reason, timeText(time.Now())); err != nil {
		return fmt.Errorf("stop a consumer: %w", c.explain(ctx, tx, err))
	}
	return nil
}

// Replace replaces the checkpoints of a consumer; see [consumer.Checkpoints].
func (c *Consumers) Replace(ctx context.Context, tx *sql.Tx, name string, checkpoints []consumer.Checkpoint) error {
	now := timeText(time.Now())
	for _, checkpoint := range checkpoints {
		handled, err := jsonList(checkpoint.Handled)
		if err == nil {
			err = execute(ctx, tx, c.sql.replace, name, checkpoint.Segment, checkpoint.Segments, checkpoint.Position, handled, now, checkpoint.ReplayUntil)
		}
		if err != nil {
			return fmt.Errorf("replace checkpoints: %w", c.explain(ctx, tx, err))
		}
	}
	if err := execute(ctx, tx, c.sql.remove, name, len(checkpoints)); err != nil {
		return fmt.Errorf("replace checkpoints: %w", c.explain(ctx, tx, err))
	}
	return nil
}
