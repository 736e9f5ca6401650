package consumer

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// progressEvery is how often at most progress is told.
const progressEvery = 200 * time.Millisecond

// RunUntilCaughtUp drives the consumers until each has handled, or parked, every event that was committed before the call,
// and then returns nil. It waits for appends that are in flight, and for segments that another process handles. It is for
// tests, backfills and rebuilds. progress, which may be nil, is called for each consumer a few times a second and at the
// end.
//
// The error is [ErrStopped] with the error of the event as soon as a consumer stops, that of an event that this process does
// not know as soon as there is one, that of ctx, with the last trouble, if it ends before, or one of those of [Runner.Run].
func (r *Runner[Tx]) RunUntilCaughtUp(ctx context.Context, progress func(Progress)) error {
	if progress == nil {
		progress = func(Progress) {}
	}
	w := &way[Tx]{runner: r, progress: progress}
	if err := r.run(ctx, w.watch); err != nil {
		return err
	}
	if ctx.Err() != nil && !w.arrived {
		troubles := []error{ctx.Err()}
		for _, c := range r.consumers {
			troubles = append(troubles, c.health.trouble())
		}
		return fmt.Errorf("run until caught up: %w", errors.Join(troubles...))
	}
	return nil
}

// way is how far consumers have come.
type way[Tx any] struct {
	runner   *Runner[Tx]
	progress func(Progress)
	began    time.Time
	told     time.Time
	target   int64
	from     map[string]int64            // positions at the beginning
	ends     map[string]map[string]int64 // of the logs of each consumer, where there are many
	arrived  bool
}

// watch reports whether all consumers have arrived.
func (w *way[Tx]) watch(ctx context.Context, p LogState) (bool, error) {
	now := time.Now()
	if w.from == nil {
		w.began, w.target, w.from = now, p.Drawn, make(map[string]int64, len(p.Consumers))
		for _, s := range p.Consumers {
			w.from[s.Consumer] = s.Lowest
		}
		if err := w.findEnds(ctx); err != nil {
			return false, err
		}
	}
	w.arrived = true
	for _, c := range w.runner.consumers {
		s, err := p.check(c.name)
		if err != nil {
			return false, err
		}
		if s.Stopped {
			return false, w.runner.whyStopped(ctx, s.Consumer)
		}
		arrived, err := w.hasArrived(ctx, s)
		if err != nil {
			return false, err
		}
		w.arrived = w.arrived && arrived
		if err := w.runner.checkWaits(ctx, c); err != nil {
			return false, err
		}
	}
	if w.arrived || now.Sub(w.told) >= progressEvery {
		w.told = now
		for _, s := range p.Consumers {
			w.progress(w.of(s, p, now.Sub(w.began)))
		}
	}
	return w.arrived, nil
}

// findEnds notes where the logs end that the consumers are to handle, where there are many.
func (w *way[Tx]) findEnds(ctx context.Context) error {
	if w.runner.logs == nil {
		return nil
	}
	w.ends = make(map[string]map[string]int64)
	for _, c := range w.runner.consumers {
		ends, err := w.runner.logs.Ends(ctx, c.Logs.names)
		if err != nil {
			return err
		}
		w.ends[c.name] = ends
	}
	return nil
}

// hasArrived reports whether a consumer, which stands like that, has handled everything up to where it is on its way to.
func (w *way[Tx]) hasArrived(ctx context.Context, s State) (bool, error) {
	if w.runner.logs == nil {
		return s.Lowest >= w.target, nil
	}
	return w.runner.logs.Reached(ctx, s.Consumer, w.ends[s.Consumer])
}

func (w *way[Tx]) of(s State, p LogState, passed time.Duration) Progress {
	progress := Progress{Consumer: s.Consumer, Position: s.Lowest, Frontier: p.Frontier, Target: w.target}
	if done := s.Lowest - w.from[s.Consumer]; done > 0 && passed > 0 {
		progress.Rate = float64(done) / passed.Seconds()
		progress.Left = time.Duration(float64(max(w.target-s.Lowest, 0)) / progress.Rate * float64(time.Second))
	}
	return progress
}

// checkWaits returns an error if a consumer waits, in this runner, for a process that knows an event.
func (r *Runner[Tx]) checkWaits(ctx context.Context, c *registered[Tx]) error {
	if c.waits.none() {
		return nil
	}
	checkpoints, err := r.checkpoints(ctx, c.name)
	if err == nil {
		err = c.waits.still(checkpoints)
	}
	if err != nil {
		return fmt.Errorf("consumer %s: %w", c.name, err)
	}
	return nil
}

// whyStopped returns why a consumer is stopped.
func (r *Runner[Tx]) whyStopped(ctx context.Context, name string) error {
	checkpoints, err := r.checkpoints(ctx, name)
	if err != nil {
		return fmt.Errorf("consumer %s: %w: %w", name, ErrStopped, err)
	}
	for _, c := range checkpoints {
		if !c.StoppedAt.IsZero() {
			return fmt.Errorf("consumer %s: %w", name, stoppedError(c))
		}
	}
	return fmt.Errorf("consumer %s: %w", name, ErrStopped)
}
