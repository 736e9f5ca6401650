package consumer

import (
	"context"
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
	signal   <-chan struct{}
	progress *atomic.Bool
	idle     func() // called when there is nothing more to do, after there was; or nil

	buffer    []runtime.PersistedEvent // of the last batch, for the next
	conflicts int                      // transactions in a row that the server broke off to let others go on
	alone     map[int]int64            // by segment: events up to here get a transaction each, see batch
}

// run handles batches until ctx is done: as long as there is something to do, and then when it is told that there is.
func (w *worker[Tx]) run(ctx context.Context) {
	troubles, busy := 0, false
	for {
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
			if !sleep(ctx, troublePause(troubles)) {
				return
			}
			continue
		}
		troubles = 0
		if worked {
			w.progress.Store(true)
			busy = true
			continue
		}
		if busy && w.idle != nil {
			w.idle()
		}
		busy = false
		clear(w.buffer[:cap(w.buffer)]) // the payloads may go
		select {
		case <-ctx.Done():
			return
		case <-w.signal:
		}
	}
}

func (w *worker[Tx]) trouble(ctx context.Context, err error) {
	w.runner.config.Logger.Error(ctx, "consumer has trouble with the database", "consumer", w.consumer.name, "error", err)
	if hook := w.runner.config.Hooks.Trouble; hook != nil {
		hook(ctx, w.consumer.name, err)
	}
}
