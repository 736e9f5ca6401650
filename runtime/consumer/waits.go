package consumer

import (
	"fmt"
	"sync"
	"time"
)

// waits are the segments, or logs, of a consumer that this runner keeps off for a while, because the next event of each is of a
// type or version that it does not know, or because the log has a gap there.
type waits struct {
	mu     sync.Mutex
	byPart map[Part]wait
}

// A wait is for a process that knows an event.
type wait struct {
	position int64 // of the event
	err      error
	times    int // that it was found unknown
	until    time.Time
}

// add notes that the event that failed is not known and returns how long its segment is kept off.
func (w *waits) add(f *failure, b Backoff) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.put(f.before.Part(), f.event.GlobalPosition, fmt.Errorf("event %d waits for a process that knows it: %w", f.event.GlobalPosition, f.err), b)
}

// leave notes that a log cannot be read on from a checkpoint.
func (w *waits) leave(c Checkpoint, err error, b Backoff) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.put(c.Part(), c.Position+1, err, b)
}

// put keeps a part off until the event at a position can be handled, and returns for how long. The caller holds the lock.
func (w *waits) put(part Part, position int64, err error, b Backoff) time.Duration {
	n := 1
	if was, ok := w.byPart[part]; ok && was.position == position {
		n += was.times
	}
	if w.byPart == nil {
		w.byPart = make(map[Part]wait)
	}
	pause := b.after(n)
	w.byPart[part] = wait{position, err, n, time.Now().Add(pause)}
	return pause
}

// remove notes that a part goes on.
func (w *waits) remove(part Part) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.byPart, part)
}

// none reports whether nothing is waited for.
func (w *waits) none() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.byPart) == 0
}

// parts returns the parts to keep off.
func (w *waits) parts(now time.Time) []Part {
	w.mu.Lock()
	defer w.mu.Unlock()
	var parts []Part
	for part, wait := range w.byPart {
		if now.Before(wait.until) {
			parts = append(parts, part)
		}
	}
	return parts
}

// still returns what a consumer with the checkpoints waits for, or nil: another process may have gone on meanwhile.
func (w *waits) still(checkpoints []Checkpoint) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range checkpoints {
		if wait, ok := w.byPart[c.Part()]; ok && c.Position < wait.position {
			return wait.err
		}
	}
	return nil
}
