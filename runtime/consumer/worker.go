package consumer

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eventmap/eventmap/runtime"
)

// troublePause returns how long to wait after so many troubles with the database in a row.
func troublePause(troubles int) time.Duration {
	return Backoff{First: 100 * time.Millisecond, Most: 5 * time.Second}.after(troubles)
}

// A worker handles segments of one consumer, one after the other. Between batches it holds nothing.
type worker[Tx any] struct {
	runner   *Runner[Tx]
	consumer *registered[Tx]
	signal   chan struct{}   // there is something to do: whoever takes it and finds some hands it on
	stopping <-chan struct{} // closed once the runner stops
	progress *atomic.Bool
	idle     func() // called when there is nothing more to do, after there was; or nil

	buffer    []runtime.PersistedEvent // of the last batch, for the next
	conflicts int                      // transactions in a row that the server broke off to let others go on
	losses    map[Part]int             // transactions in a row that were lost with the database, see excuse
	narrowed  map[Part]narrowing
	signalled bool     // and nothing claimed since
	left      bool     // a handler has ended the goroutine
	exited    *failure // of that handler, if it is clear which event it was, until it is on record
}

// run works until the runner stops: it then ends the batch in hand after the event in hand, and commits it. Handlers are
// told to end when ctx is done. A handler that ends its goroutine ends one that works; another takes its place.
func (w *worker[Tx]) run(ctx context.Context) {
	for done := false; !done; {
		var goroutine sync.WaitGroup
		goroutine.Go(func() {
			w.work(ctx)
			done = true
		})
		goroutine.Wait()
	}
}

// work handles batches until the runner stops: when it is told that there is something to do, as long as there is.
func (w *worker[Tx]) work(ctx context.Context) {
	troubles, busy := 0, false
	if !w.left && !w.wait() {
		return
	}
	for !w.isStopping() || w.left { // a handler that ended its goroutine still goes on record
		worked, err := false, error(nil)
		if !w.consumer.health.refused() {
			worked, err = w.batch(ctx)
			if ctx.Err() != nil {
				return
			}
			w.consumer.health.used(err)
		}
		if err != nil {
			troubles++
			w.trouble(ctx, err)
			if !sleepUntil(w.stopping, troublePause(troubles)) {
				return
			}
			continue
		}
		troubles = 0
		if worked {
			w.progress.Store(true)
			if w.runner.waiters.any() {
				w.runner.Wake()
			}
			busy = true
			continue
		}
		if busy && w.idle != nil {
			w.idle()
		}
		busy = false
		if w.consumer.due.drained() {
			w.runner.Wake()
		}
		clear(w.buffer[:cap(w.buffer)]) // the payloads may go
		if !w.wait() {
			return
		}
	}
}

// isStopping reports whether the runner stops.
func (w *worker[Tx]) isStopping() bool {
	select {
	case <-w.stopping:
		return true
	default:
		return false
	}
}

// wait waits for a signal and reports whether the runner goes on.
func (w *worker[Tx]) wait() bool {
	select {
	case <-w.stopping:
		return false
	case <-w.signal:
		w.signalled = true
		return true
	}
}

// handOn tells another worker of the consumer that there is something to do, if this one was told so and has found some.
// So a signal wakes no more workers than there are segments to claim, and one.
func (w *worker[Tx]) handOn() {
	if !w.signalled {
		return
	}
	w.signalled = false
	if w.consumer.Workers > 1 {
		signal(w.signal)
	}
}

// signal signals that there is something to do, unless it is known.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (w *worker[Tx]) trouble(ctx context.Context, err error) {
	w.runner.config.Logger.Error(ctx, "consumer has trouble with the database", "consumer", w.consumer.name, "error", err)
	if hook := w.runner.config.Hooks.Trouble; hook != nil {
		hook(ctx, w.consumer.name, err)
	}
}
