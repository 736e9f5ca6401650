package consumer

import (
	"context"
	"fmt"
)

// checkAstray returns [ErrCheckpointAhead] if the log does not have the event that a checkpoint names.
func checkAstray(checkpoints []Checkpoint) error {
	for _, c := range checkpoints {
		if c.Astray {
			return fmt.Errorf("consumer %s: %w: the log has another event at position %d, where %s is, than was handled there; "+
				"reset the consumer, or accept the log, once you know why", c.Consumer, ErrCheckpointAhead, c.Position, c.Part())
		}
	}
	return nil
}

// verify returns [ErrCheckpointAhead] if the log is not the one that the consumer has handled.
func (r *Runner[Tx]) verify(ctx context.Context, name string) error {
	checkpoints, err := r.checkpoints(ctx, name)
	if err != nil {
		return err
	}
	return checkAstray(checkpoints)
}

// checkpoints returns the checkpoints of a consumer as they are.
func (r *Runner[Tx]) checkpoints(ctx context.Context, name string) (checkpoints []Checkpoint, err error) {
	err = r.in(ctx, func(tx Tx) (err error) {
		checkpoints, err = r.db.Checkpoints(ctx, tx, name, false)
		return err
	})
	return checkpoints, err
}

// checkClaim returns [ErrCheckpointAhead] if the log does not have the event that the claimed checkpoint names. What the claim
// says of it was read before the lock was held, so it is asked again.
func (b *batch[Tx]) checkClaim(ctx context.Context) error {
	if !b.claim.Astray {
		return nil
	}
	checkpoints, err := b.runner.db.Checkpoints(ctx, b.tx, b.consumer.name, false)
	if err == nil {
		err = checkAstray(checkpoints)
	}
	if err != nil {
		b.consumer.health.mistrust(err)
	}
	return err
}

// Accept declares that a consumer whose checkpoint is ahead of the log has handled the events of the log, as it is now, up to
// a position, and none after it: [ErrCheckpointAhead] is over, and the consumer goes on from there. It is for a log that was
// restored to an older state; the position is where it ended then. Parked events stay. Workers, in whatever process, are
// waited for before.
//
// What the consumer has done for events that are lost is not undone; [Runner.Reset] does that.
func (r *Runner[Tx]) Accept(ctx context.Context, name string, position int64) error {
	if err := r.one("AcceptLog"); err != nil {
		return fmt.Errorf("accept the log for consumer %s: %w", name, err)
	}
	log, err := r.db.Poll(ctx, nil)
	if err != nil {
		return fmt.Errorf("accept the log for consumer %s: %w", name, err)
	}
	if position < 0 || position > log.Frontier {
		return fmt.Errorf("accept the log for consumer %s: position %d is not in the log, which can be read to %d", name, position, log.Frontier)
	}
	return r.change(ctx, "accept the log for", name, func(_ Tx, checkpoints []Checkpoint) ([]Checkpoint, error) {
		for i := range checkpoints {
			checkpoints[i].Position, checkpoints[i].Handled, checkpoints[i].Astray = position, nil, false
		}
		return checkpoints, nil
	})
}

// AcceptLog is [Runner.Accept] for one of many logs. Other logs of the consumer stay as they are.
func (r *Runner[Tx]) AcceptLog(ctx context.Context, name, log string, position int64) error {
	if r.logs == nil {
		return fmt.Errorf("accept the log for consumer %s: %w: there is one log; call Accept", name, ErrLogs)
	}
	ends, err := r.logs.Ends(ctx, []string{log})
	if err != nil {
		return fmt.Errorf("accept the log for consumer %s: %w", name, err)
	}
	if position < 0 || position > ends[log] {
		return fmt.Errorf("accept the log for consumer %s: position %d is not in log %q, which ends at %d", name, position, log, ends[log])
	}
	return r.change(ctx, "accept the log for", name, func(_ Tx, checkpoints []Checkpoint) ([]Checkpoint, error) {
		for i := range checkpoints {
			if checkpoints[i].Log == log {
				checkpoints[i].Position, checkpoints[i].Handled, checkpoints[i].Astray = position, nil, false
			}
		}
		return checkpoints, nil
	})
}
