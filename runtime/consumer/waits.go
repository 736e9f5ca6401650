package consumer

import (
	"fmt"
	"sync"
	"time"
)

// waits are the segments of a consumer that this runner keeps off for a while, because the next event of each is of a type
// or version that it does not know.
type waits struct {
	mu        sync.Mutex
	bySegment map[int]wait
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
	n := 1
	if was, ok := w.bySegment[f.before.Segment]; ok && was.position == f.event.GlobalPosition {
		n += was.times
	}
	if w.bySegment == nil {
		w.bySegment = make(map[int]wait)
	}
	pause := b.after(n)
	w.bySegment[f.before.Segment] = wait{f.event.GlobalPosition, fmt.Errorf("event %d waits for a process that knows it: %w", f.event.GlobalPosition, f.err), n, time.Now().Add(pause)}
	return pause
}

// remove notes that a segment goes on.
func (w *waits) remove(segment int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.bySegment, segment)
}

// none reports whether nothing is waited for.
func (w *waits) none() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.bySegment) == 0
}

// segments returns the segments to keep off.
func (w *waits) segments(now time.Time) []int {
	w.mu.Lock()
	defer w.mu.Unlock()
	var segments []int
	for segment, wait := range w.bySegment {
		if now.Before(wait.until) {
			segments = append(segments, segment)
		}
	}
	return segments
}

// still returns what a consumer with the checkpoints waits for, or nil: another process may have gone on meanwhile.
func (w *waits) still(checkpoints []Checkpoint) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range checkpoints {
		if wait, ok := w.bySegment[c.Segment]; ok && c.Position < wait.position {
			return wait.err
		}
	}
	return nil
}
