package consumer

import (
	"context"
	"sync/atomic"
	"time"
)

// A poller looks whether there is something to do and tells the workers.
type poller[Tx any] struct {
	runner   *Runner[Tx]
	signals  map[string]chan struct{} // by consumer, with room for one
	progress atomic.Bool              // a worker has committed something since the last look
	stall    stall
	reminder reminder
}

// wakeEvery is how often at most being woken makes the poller look. Appends may wake it thousands of times a second.
const wakeEvery = time.Millisecond

// run polls until ctx is done or watch says that it is enough: often while there is something to do, and then ever more
// seldom.
func (p *poller[Tx]) run(ctx context.Context, watch func(context.Context, LogState) (bool, error)) error {
	least, most := p.runner.config.PollLeast, p.runner.config.PollMost
	wait := least
	timer := time.NewTimer(0)
	defer timer.Stop()
	var looked time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-p.runner.wake:
			wait = least
			if since := time.Since(looked); since < wakeEvery && !sleep(ctx, wakeEvery-since) {
				return nil
			}
			select {
			case <-p.runner.wake: // this look is for it too
			default:
			}
		case <-timer.C:
		}
		looked = time.Now()
		poll, err := p.runner.poll(ctx)
		if ctx.Err() != nil {
			return nil
		}
		next := time.Duration(-1)
		if err != nil {
			p.trouble(ctx, cannotWatch, err)
		} else {
			if watch != nil {
				if done, err := watch(ctx, poll); done || err != nil {
					return err
				}
			}
			next = p.tell(ctx, poll)
			p.runner.answer(ctx, poll)
			if p.reminder.due(poll, looked, p.runner.config.RemindEvery) {
				p.remind(ctx)
			}
			if p.stall.look(poll, looked, p.runner.config.StallAfter) {
				p.trouble(ctx, "the log is stalled", p.runner.stalled(ctx, poll))
			}
		}
		if p.progress.Swap(false) {
			wait = least
		} else {
			wait = min(wait*2, most)
		}
		if next >= 0 && next < wait {
			wait = max(next, least)
		}
		if p.runner.waiters.any() { // for what other processes handle
			wait = min(wait, watchMost)
		}
		timer.Reset(wait)
	}
}

// tell signals the workers of the consumers that have something to do. It returns how long the next retry has to wait, or
// a negative duration if there is none.
func (p *poller[Tx]) tell(ctx context.Context, poll LogState) time.Duration {
	next := time.Duration(-1)
	for _, c := range p.runner.consumers {
		s, err := poll.check(c.name)
		if err == nil && c.health.mistrusted() { // until it is reset or accepted, perhaps by another process
			if err = p.runner.verify(ctx, c.name); err == nil {
				c.health.trust()
			}
		}
		if c.health.refuse(err) {
			p.runner.config.Logger.Error(ctx, "consumer is not driven", "consumer", c.name, "error", err)
		}
		if err != nil {
			continue
		}
		if s.RetryIn >= 0 && (next < 0 || s.RetryIn < next) {
			next = s.RetryIn
		}
		if s.New > 0 {
			if err := p.runner.adopt(ctx, c); err != nil {
				p.trouble(ctx, cannotWatch, err)
				continue
			}
			p.runner.Wake() // to see what is in them
		}
		c.due.set(s.DueLogs)
		if s.Due {
			signal(p.signals[c.name])
		}
	}
	return next
}

// listen wakes the runner when the store notifies its channel. Where it cannot listen, polling goes on all the same.
func (p *poller[Tx]) listen(ctx context.Context) {
	var troubles atomic.Int64
	for {
		err := p.runner.db.Listen(ctx, func() {
			troubles.Store(0)
			p.runner.Wake()
		})
		if err == nil || ctx.Err() != nil {
			return
		}
		p.trouble(ctx, cannotWatch, err)
		if !sleep(ctx, troublePause(int(troubles.Add(1)))) {
			return
		}
	}
}

// cannotWatch is what is logged when the database cannot be asked.
const cannotWatch = "consumers cannot watch the log"

func (p *poller[Tx]) trouble(ctx context.Context, what string, err error) {
	p.runner.config.Logger.Error(ctx, what, "error", err)
	if hook := p.runner.config.Hooks.Trouble; hook != nil {
		hook(ctx, "", err)
	}
}

// sleep waits and reports whether ctx is still not done.
func sleep(ctx context.Context, d time.Duration) bool { return sleepUntil(ctx.Done(), d) }

// sleepUntil waits and reports whether done is still not closed.
func sleepUntil(done <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
		return false
	case <-timer.C:
		return true
	}
}
