package consumer

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// WaitFor returns nil once a registered consumer has handled, or parked, every event up to a position, in whatever process:
// then what its handler has written of them can be read. Give it the last position of an append, to read your own writes:
//
//	result, err := orders.Append(ctx, tx, ...)                 // and commit
//	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
//	defer cancel()
//	err = runner.WaitFor(ctx, "customers", result.GlobalPositions[len(result.GlobalPositions)-1])
//
// It is the runner that looks: while it runs, at once after its own batches and as often as it polls anyway; and in a process
// in which it does not run, one look every 10 to 100 ms serves all who wait. Any number of goroutines may wait.
//
// The error is that of ctx, with how far the consumer is; [ErrStopped] if it cannot get there before somebody resumes it;
// [ErrUnknownConsumer] if it is not registered. One that has never run is waited for.
func (r *Runner[Tx]) WaitFor(ctx context.Context, name string, position int64) error {
	if err := r.one("WaitForLog"); err != nil {
		return fmt.Errorf("wait for consumer %s: %w", name, err)
	}
	return r.waitFor(ctx, name, "", position)
}

// WaitForLog is [Runner.WaitFor] where there are many logs: it waits for a position of one of them.
func (r *Runner[Tx]) WaitForLog(ctx context.Context, name, log string, position int64) error {
	if r.logs == nil {
		return fmt.Errorf("wait for consumer %s: %w: there is one log; call WaitFor", name, ErrLogs)
	}
	return r.waitFor(ctx, name, log, position)
}

func (r *Runner[Tx]) waitFor(ctx context.Context, name, log string, position int64) error {
	if _, err := r.find(name); err != nil {
		return fmt.Errorf("wait for consumer: %w", err)
	}
	w := &waiter{consumer: name, log: log, position: position, done: make(chan error, 1)}
	r.waiters.add(w)
	defer r.waiters.remove(w)
	r.Wake()
	for {
		watching, again := r.waiters.watching, (<-chan time.Time)(nil)
		if r.running.Load() { // it looks, unless it stops
			watching, again = nil, time.After(defaultPollMost)
		}
		select {
		case <-again:
		case err := <-w.done:
			return err
		case <-ctx.Done():
			return fmt.Errorf("wait for consumer %s: it is at position %d of %d: %w", name, r.waiters.reached(w), position, ctx.Err())
		case watching <- struct{}{}: // nobody looks
			err := r.watch(ctx, w)
			<-r.waiters.watching
			if err != nil {
				return fmt.Errorf("wait for consumer %s: %w", name, err)
			}
		}
	}
}

// How often somebody looks for all who wait where the runner does not run.
const (
	watchLeast = 10 * time.Millisecond
	watchMost  = 100 * time.Millisecond
)

// watch looks for all who wait until w need not wait any more, the runner runs, or ctx is done.
func (r *Runner[Tx]) watch(ctx context.Context, w *waiter) error {
	for wait := watchLeast; ; wait = min(2*wait, watchMost) {
		log, err := r.poll(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil // which WaitFor says
			}
			return err
		}
		r.answer(ctx, log)
		if len(w.done) > 0 || r.running.Load() || !sleep(ctx, wait) {
			return nil
		}
	}
}

// answer tells those who wait what a poll has seen.
func (r *Runner[Tx]) answer(ctx context.Context, log LogState) {
	for _, w := range r.waiters.all() {
		s, ok := log.of(w.consumer)
		if !ok {
			continue
		}
		reached, err := r.hasReached(ctx, w, s)
		switch {
		case err != nil: // the next look says it
		case reached:
			w.tell(nil)
		case s.Stopped:
			if err := r.stoppedBefore(ctx, w); err != nil {
				w.tell(err)
			}
		}
	}
}

// hasReached reports whether a consumer, which stands like that, has handled what w waits for.
func (r *Runner[Tx]) hasReached(ctx context.Context, w *waiter, s State) (bool, error) {
	if r.logs != nil {
		return r.logs.Reached(ctx, w.consumer, map[string]int64{w.log: w.position})
	}
	r.waiters.note(w, s.Lowest)
	return s.Lowest >= w.position, nil
}

// stoppedBefore returns [ErrStopped] if a segment of a consumer is stopped before the position that w waits for.
func (r *Runner[Tx]) stoppedBefore(ctx context.Context, w *waiter) error {
	checkpoints, err := r.checkpoints(ctx, w.consumer)
	if err != nil {
		return nil // the next look shows it
	}
	for _, c := range checkpoints {
		if !c.StoppedAt.IsZero() && c.Position < w.position && c.Log == w.log {
			return fmt.Errorf("wait for consumer %s: %w at position %d: %s", w.consumer, ErrStopped, c.Position, c.LastError)
		}
	}
	return nil
}

// waiters are those who wait for consumers.
type waiters struct {
	watching chan struct{} // capacity 1: full while one of them looks for all

	mu   sync.Mutex
	list map[*waiter]bool
}

// A waiter waits for a consumer to reach a position.
type waiter struct {
	consumer string
	log      string // where there are many
	position int64
	reached  int64
	done     chan error // capacity 1
}

// tell ends the waiting, unless it has ended.
func (w *waiter) tell(err error) {
	select {
	case w.done <- err:
	default:
	}
}

func (w *waiters) add(one *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.list == nil {
		w.list = make(map[*waiter]bool)
	}
	w.list[one] = true
}

func (w *waiters) remove(one *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.list, one)
}

// any reports whether somebody waits.
func (w *waiters) any() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.list) > 0
}

func (w *waiters) all() []*waiter {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]*waiter, 0, len(w.list))
	for one := range w.list {
		all = append(all, one)
	}
	return all
}

// note notes how far the consumer of a waiter is.
func (w *waiters) note(one *waiter, position int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	one.reached = position
}

// reached returns how far the consumer of a waiter was when somebody last looked.
func (w *waiters) reached(one *waiter) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return one.reached
}
