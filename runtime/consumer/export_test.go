package consumer

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// ErrCrash is what a crash looks like from inside.
var ErrCrash = errors.New("crash")

// Stepper returns a function that runs one batch of a consumer, as a worker would, or, with crash, loses its transaction
// right before the commit.
func Stepper[Tx any](r *Runner[Tx], name string) func(ctx context.Context, crash bool) (worked bool, err error) {
	prepared := false
	return func(ctx context.Context, crash bool) (bool, error) {
		if !prepared {
			prepared = true
			if err := r.prepare(ctx); err != nil {
				return false, err
			}
		}
		c, err := r.find(name)
		if err != nil {
			return false, err
		}
		driven := &Runner[Tx]{db: r.db, config: r.config}
		if crash {
			driven.db = crashing[Tx]{r.db}
		}
		w := &worker[Tx]{runner: driven, consumer: c, progress: new(atomic.Bool)}
		return w.batch(ctx)
	}
}

// crashing is a database whose transactions are lost before the commit.
type crashing[Tx any] struct{ Database[Tx] }

func (c crashing[Tx]) Save(context.Context, Tx, *Claim, time.Duration) error { return ErrCrash }

// After shows how long a backoff waits.
func After(b Backoff, failures int) time.Duration { return b.after(failures) }
