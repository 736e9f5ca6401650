package consumer

import (
	"context"
	"fmt"
	"time"
)

// defaultRemindEvery is how often stopped segments are reported.
const defaultRemindEvery = 10 * time.Minute

// A reminder reports stopped segments when a runner starts, when one is first seen, and now and then as long as there are any.
type reminder struct{ told time.Time }

// due reports whether it is time to report.
func (r *reminder) due(log LogState, now time.Time, every time.Duration) bool {
	for _, s := range log.Consumers {
		if s.Stopped && every > 0 && (r.told.IsZero() || now.Sub(r.told) >= every) {
			r.told = now
			return true
		}
		if s.Stopped {
			return false
		}
	}
	r.told = time.Time{}
	return false
}

// remind reports the stopped segments of all consumers, with what ends it, and whether nothing else is left to handle.
func (p *poller[Tx]) remind(ctx context.Context) {
	logger, running := p.runner.config.Logger, 0
	for _, c := range p.runner.consumers {
		checkpoints, err := p.runner.checkpoints(ctx, c.name)
		if err != nil {
			return // the next poll says it
		}
		for _, s := range checkpoints {
			if s.StoppedAt.IsZero() {
				running++
				continue
			}
			remedy := "mend the cause, then call Runner.Resume, or `resume " + c.name + "` of consumer.Main"
			key, part := s.Part().attr()
			logger.Error(ctx, "consumer is stopped", "consumer", c.name, key, part, "since", s.StoppedAt,
				"position", s.FailedPosition, "attempts", s.Failures, "error", s.LastError, "remedy", remedy)
			if hook := p.runner.config.Hooks.Trouble; hook != nil {
				hook(ctx, c.name, fmt.Errorf("%s: %w", s.Part(), stoppedError(s)))
			}
		}
	}
	if running == 0 {
		logger.Error(ctx, "nothing is handled: every segment of every consumer is stopped", "consumers", len(p.runner.consumers))
	}
}

// stoppedError returns why a stopped segment is stopped.
func stoppedError(c Checkpoint) error {
	if c.Failures == 0 {
		return fmt.Errorf("%w: %s", ErrStopped, c.LastError)
	}
	return fmt.Errorf("%w at event %d after %d attempts: %s", ErrStopped, c.FailedPosition, c.Failures, c.LastError)
}
