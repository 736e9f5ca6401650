package consumer

import (
	"context"
	"errors"
	"fmt"
)

// Reset makes a consumer handle the whole log again: its checkpoints go back to 0, and its parked events and failures are
// forgotten. What its handler had written is for clear to delete, in the same transaction; clear may be nil. Workers, in
// whatever process, are waited for before, and go on from the beginning after.
//
// A read model is empty after a Reset. To rebuild one while the old one is in use, register a consumer of another name
// that writes elsewhere, wait for [Runner.RunUntilCaughtUp], and swap.
func (r *Runner[Tx]) Reset(ctx context.Context, name string, clear func(ctx context.Context, tx Tx) error) error {
	frontier, err := r.frontier(ctx)
	if err != nil {
		return fmt.Errorf("reset consumer %s: %w", name, err)
	}
	return r.change(ctx, "reset", name, func(tx Tx, checkpoints []Checkpoint) ([]Checkpoint, error) {
		if clear != nil {
			if err := clear(ctx, tx); err != nil {
				return nil, err
			}
		}
		if _, err := r.db.Unpark(ctx, tx, name, "", nil); err != nil {
			return nil, err
		}
		for i := range checkpoints {
			checkpoints[i].Position, checkpoints[i].Handled, checkpoints[i].Astray = 0, nil, false
			checkpoints[i].ReplayUntil = frontier
			if r.logs != nil {
				checkpoints[i].ReplayUntil = checkpoints[i].LogEnd
			}
		}
		return checkpoints, nil
	})
}

// frontier returns how far the one log can be read; 0 where there are many.
func (r *Runner[Tx]) frontier(ctx context.Context) (int64, error) {
	if r.logs != nil {
		return 0, nil
	}
	log, err := r.db.Poll(ctx, nil)
	return log.Frontier, err
}

// Resume lets a stopped or paused consumer try again at once, with all its attempts before it.
func (r *Runner[Tx]) Resume(ctx context.Context, name string) error {
	return r.change(ctx, "resume", name, func(_ Tx, checkpoints []Checkpoint) ([]Checkpoint, error) {
		return checkpoints, nil
	})
}

// Pause stops a consumer where it is, in whatever process, until [Runner.Resume]: batches that are under way are waited
// for, and none begins after. A segment that is stopped already stays as it is. The reason is shown as its last error.
func (r *Runner[Tx]) Pause(ctx context.Context, name, reason string) error {
	if _, err := r.find(name); err != nil {
		return fmt.Errorf("pause consumer: %w", err)
	}
	err := r.in(ctx, func(tx Tx) error {
		if _, err := r.lock(ctx, tx, name); err != nil {
			return err
		}
		return r.db.Stop(ctx, tx, name, text(errors.New("paused: "+reason)))
	})
	if err != nil {
		return fmt.Errorf("pause consumer %s: %w", name, err)
	}
	return nil
}

// Resize changes the number of segments of a consumer, which may be running, in any number of processes: they go on with
// the new segments. No event is lost or handled twice. The error is [ErrResizing] while the last change is not over, which
// it is once every segment has passed the position that the foremost one had then.
//
// More segments let more workers take part. How many this runner has does not change; see Registration.
func (r *Runner[Tx]) Resize(ctx context.Context, name string, segments int) error {
	if r.logs != nil {
		return fmt.Errorf("resize consumer %s: %w: there are many logs, which workers share; say how many Workers there are", name, ErrLogs)
	}
	if err := checkSegments(segments); err != nil {
		return fmt.Errorf("resize consumer %s: %w", name, err)
	}
	return r.change(ctx, "resize", name, func(_ Tx, checkpoints []Checkpoint) ([]Checkpoint, error) {
		if len(checkpoints) == segments {
			return checkpoints, nil
		}
		if err := checkAstray(checkpoints); err != nil {
			return nil, err
		}
		return resized(checkpoints, segments)
	})
}

// change replaces the checkpoints of a registered consumer, while no worker is in the way.
func (r *Runner[Tx]) change(ctx context.Context, what, name string, f func(Tx, []Checkpoint) ([]Checkpoint, error)) error {
	if _, err := r.find(name); err != nil {
		return fmt.Errorf("%s consumer: %w", what, err)
	}
	err := r.in(ctx, func(tx Tx) error {
		checkpoints, err := r.lock(ctx, tx, name)
		if err != nil {
			return err
		}
		if checkpoints, err = f(tx, checkpoints); err != nil {
			return err
		}
		if err := checkAstray(checkpoints); err != nil {
			return err
		}
		return r.db.Replace(ctx, tx, name, checkpoints)
	})
	if err != nil {
		return fmt.Errorf("%s consumer %s: %w", what, name, err)
	}
	r.Wake()
	return nil
}

// Forget removes the checkpoints and parked events of a consumer that is no more: one that is not registered with this
// runner, and that no other process should be running either. What its handler wrote stays. The error is
// [ErrUnknownConsumer] if it has no checkpoints.
func (r *Runner[Tx]) Forget(ctx context.Context, name string) error {
	if _, err := r.find(name); err == nil {
		return fmt.Errorf("forget consumer %s: it is registered with this runner", name)
	}
	err := r.in(ctx, func(tx Tx) error {
		if _, err := r.lock(ctx, tx, name); err != nil {
			return err
		}
		if _, err := r.db.Unpark(ctx, tx, name, "", nil); err != nil {
			return err
		}
		return r.db.Replace(ctx, tx, name, nil)
	})
	if err != nil {
		return fmt.Errorf("forget consumer %s: %w", name, err)
	}
	return nil
}

// lock returns the checkpoints of a consumer, or [ErrUnknownConsumer], and keeps workers away. What it says of those that are
// astray was found out before they were locked, so it is asked again.
func (r *Runner[Tx]) lock(ctx context.Context, tx Tx, name string) ([]Checkpoint, error) {
	checkpoints, err := r.db.Checkpoints(ctx, tx, name, true)
	if err == nil && checkAstray(checkpoints) != nil {
		checkpoints, err = r.db.Checkpoints(ctx, tx, name, false)
	}
	if err == nil && len(checkpoints) == 0 {
		err = fmt.Errorf("%w: it has no checkpoints; it gets them when it first runs", ErrUnknownConsumer)
	}
	return checkpoints, err
}
