package consumer

import (
	"context"
	"fmt"
)

// maxParked is how many parked events one transaction reads.
const maxParked = 1000

// Parked returns parked events of a registered consumer in the order of their positions: at most limit, and only those
// after the position. Those with Attempts 0 wait behind an earlier event of their stream. Where there are many logs, it returns the
// first ones of all, in the order of the logs' names, and takes no position; see [Runner.ParkedIn].
func (r *Runner[Tx]) Parked(ctx context.Context, name string, after int64, limit int) ([]ParkedEvent, error) {
	if after != 0 {
		if err := r.one("ParkedIn"); err != nil {
			return nil, fmt.Errorf("parked events of %s: %w", name, err)
		}
	}
	return r.parked(ctx, name, ParkedQuery{After: after, Limit: limit})
}

// ParkedIn is [Runner.Parked] for one of many logs.
func (r *Runner[Tx]) ParkedIn(ctx context.Context, name, log string, after int64, limit int) ([]ParkedEvent, error) {
	return r.parked(ctx, name, ParkedQuery{Log: log, After: after, Limit: limit})
}

func (r *Runner[Tx]) parked(ctx context.Context, name string, q ParkedQuery) ([]ParkedEvent, error) {
	if _, err := r.find(name); err != nil {
		return nil, fmt.Errorf("parked events: %w", err)
	}
	if q.Limit < 1 {
		return nil, fmt.Errorf("parked events of %s: limit is less than 1: %d", name, q.Limit)
	}
	var parked []ParkedEvent
	err := r.in(ctx, func(tx Tx) (err error) {
		parked, err = r.db.Parked(ctx, tx, name, q)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("parked events of %s: %w", name, err)
	}
	return parked, nil
}

// RetryParked handles the parked events of a stream, in order, until one fails, and returns how many it has handled. They
// are parked no more and their effects committed, even if a later one fails: its error, which is returned, and its
// attempts are then on record, and the rest keep waiting. Once none is left, the consumer goes on with the stream by
// itself. Workers are waited for before, and wait meanwhile.
func (r *Runner[Tx]) RetryParked(ctx context.Context, name string, s Stream) (handled int, err error) {
	c, err := r.find(name)
	if err != nil {
		return 0, fmt.Errorf("retry parked events: %w", err)
	}
	for {
		n, more, err := r.retryParked(ctx, c, s)
		handled += n
		if err != nil {
			return handled, fmt.Errorf("retry parked events of %s, %s %q: %w", name, s.AggregateType, s.AggregateID, err)
		}
		if !more {
			r.Wake()
			return handled, nil
		}
	}
}

// retryParked is a transaction of RetryParked. It reports whether there may be more.
func (r *Runner[Tx]) retryParked(ctx context.Context, c *registered[Tx], s Stream) (handled int, more bool, err error) {
	var failed error
	err = r.in(ctx, func(tx Tx) error {
		if _, err := r.lock(ctx, tx, c.name); err != nil { // no worker parks another one meanwhile
			return err
		}
		parked, err := r.db.Parked(ctx, tx, c.name, ParkedQuery{Limit: maxParked, Stream: &s, Log: s.Log})
		if err != nil {
			return err
		}
		mark := r.db.Savepoint
		for i := range parked {
			if err := mark(ctx, tx); err != nil {
				return err
			}
			mark = r.db.RenewSavepoint
			if failed, err = r.retry(ctx, tx, c, &parked[i]); failed != nil || err != nil {
				return err
			}
			handled++
		}
		more = len(parked) == maxParked
		return nil
	})
	if err != nil {
		return 0, false, err
	}
	return handled, more, failed
}

// retry handles a parked event, behind a savepoint, and removes it from the parked ones, or notes why it failed again. The
// event is read on its own: there may be many, and large ones.
func (r *Runner[Tx]) retry(ctx context.Context, tx Tx, c *registered[Tx], p *ParkedEvent) (failed, err error) {
	events, err := r.db.Events(ctx, tx, p.Log, []int64{p.GlobalPosition})
	if err != nil {
		return nil, err
	}
	if len(events) == 0 {
		return nil, fmt.Errorf("event %d is not in the log any more", p.GlobalPosition)
	}
	failed = c.call(withLog(ctx, p.Log), tx, events)
	if failed == nil {
		failed = r.db.RenewSavepoint(ctx, tx)
	}
	if failed == nil {
		_, err := r.db.Unpark(ctx, tx, c.name, p.Log, []int64{p.GlobalPosition})
		return nil, err
	}
	if err := r.db.RollbackToSavepoint(ctx, tx); err != nil {
		return nil, fmt.Errorf("event %d: %w", p.GlobalPosition, failed) // the transaction is lost, and with it the note
	}
	p.Attempts, p.Error = p.Attempts+1, text(failed)
	return fmt.Errorf("event %d: %w", p.GlobalPosition, failed), r.db.Park(ctx, tx, c.name, *p)
}

// DropParked removes the parked event at the position for good: the consumer never handles it. Events of its stream that
// wait behind it stay parked until [Runner.RetryParked]. It reports whether there was one.
func (r *Runner[Tx]) DropParked(ctx context.Context, name string, position int64) (bool, error) {
	if err := r.one("DropParkedIn"); err != nil {
		return false, fmt.Errorf("drop parked event %d of %s: %w", position, name, err)
	}
	return r.dropParked(ctx, name, "", position)
}

// DropParkedIn is [Runner.DropParked] for one of many logs.
func (r *Runner[Tx]) DropParkedIn(ctx context.Context, name, log string, position int64) (bool, error) {
	return r.dropParked(ctx, name, log, position)
}

func (r *Runner[Tx]) dropParked(ctx context.Context, name, log string, position int64) (bool, error) {
	if _, err := r.find(name); err != nil {
		return false, fmt.Errorf("drop parked event: %w", err)
	}
	var dropped int64
	err := r.in(ctx, func(tx Tx) error {
		_, err := r.lock(ctx, tx, name)
		if err == nil {
			dropped, err = r.db.Unpark(ctx, tx, name, log, []int64{position})
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("drop parked event %d of %s: %w", position, name, err)
	}
	return dropped > 0, nil
}
