package consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/eventmap/eventmap/runtime"
)

// A savepointState says what the savepoint of a batch is worth.
type savepointState int

const (
	noSavepoint  savepointState = iota
	oldSavepoint                // what was done since is to be kept
	newSavepoint                // nothing was done since
)

// saves reports whether there are savepoints: for a transactional handler only once an event has failed.
func (b *batch[Tx]) saves() bool {
	return !b.consumer.Transactional || b.again || b.before.Failures > 0
}

// mark makes sure that nothing was done since the savepoint.
func (b *batch[Tx]) mark(ctx context.Context) (err error) {
	if !b.saves() {
		return nil
	}
	switch b.savepoint {
	case noSavepoint:
		err = b.runner.db.Savepoint(ctx, b.tx)
	case oldSavepoint:
		err = b.runner.db.RenewSavepoint(ctx, b.tx)
	}
	b.savepoint = newSavepoint
	return err
}

// isOver reports whether the batch is to end although there are further events: the runner stops, or it has taken long.
func (b *batch[Tx]) isOver() bool {
	return b.isStopping() || b.handled+b.parked > 0 && time.Since(b.began) >= b.consumer.BatchTime
}

// events handles events in order, in groups behind a savepoint each: of one event, or for a [BatchConsumer] of all. When an
// event fails, it is parked, or the batch ends before it, which is reported. A failure that is returned has cost the
// transaction.
func (b *batch[Tx]) events(ctx, handling context.Context, events []runtime.PersistedEvent) (ended bool, failed *failure, err error) {
	for len(events) > 0 {
		e := &events[0]
		if b.isOver() {
			b.endAt(e.GlobalPosition - 1)
			return true, nil, nil
		}
		if b.waiting[streamOf(e)] {
			if err := b.park(ctx, e, 0, ""); err != nil {
				return false, nil, err
			}
			events = events[1:]
			continue
		}
		n := b.groupSize(events)
		ended, failed, err := b.group(ctx, handling, events[:n])
		if ended || failed != nil || err != nil {
			return ended, failed, err
		}
		events = events[n:]
	}
	return false, nil, nil
}

// groupSize returns how many of the events are handled together.
func (b *batch[Tx]) groupSize(events []runtime.PersistedEvent) int {
	if b.consumer.batches == nil {
		return 1
	}
	for i := range events {
		if b.waiting[streamOf(&events[i])] {
			return i
		}
	}
	return len(events)
}

// group handles events together. It reports whether the batch ends before one of them.
func (b *batch[Tx]) group(ctx, handling context.Context, g []runtime.PersistedEvent) (ended bool, failed *failure, err error) {
	// Streams that wait since an event of the batch has failed are parked.
	if b.waiting[streamOf(&g[0])] || b.groupSize(g) < len(g) {
		return b.events(ctx, handling, g)
	}
	if err := b.mark(ctx); err != nil {
		return false, nil, err
	}
	err = b.call(handling, g)
	if err == nil && b.saves() {
		err = b.runner.db.RenewSavepoint(ctx, b.tx)
	}
	if err == nil {
		b.handled += len(g)
		b.last = &g[len(g)-1]
		return false, nil, nil
	}
	lost := !b.saves() || b.runner.db.RollbackToSavepoint(ctx, b.tx) != nil
	if len(g) > 1 {
		return b.narrow(ctx, handling, g, err, lost)
	}
	f := b.failure(&g[0], err)
	if lost {
		return true, f, nil
	}
	return b.decide(ctx, handling, f)
}

// decide decides on an event that failed and whose effects are undone. It reports whether the batch ends before it.
func (b *batch[Tx]) decide(ctx, handling context.Context, f *failure) (ended bool, failed *failure, err error) {
	before := f.event.GlobalPosition - 1
	switch {
	case b.conflicted(f.err), isExhaustion(f.err) && b.excuses(f), handling.Err() != nil:
		if b.handled+b.parked == 0 {
			return true, f, nil
		}
		b.endAt(before) // what was done so far is committed before it is tried again
		return true, nil, nil
	case !b.parks(f):
		b.position, b.until = before, f
		return true, nil, nil
	}
	return false, nil, b.parkFailed(ctx, f)
}

// narrow finds out which of several events that were handled together has failed. What they have done is undone, or lost
// with the transaction.
func (b *batch[Tx]) narrow(ctx, handling context.Context, g []runtime.PersistedEvent, cause error, lost bool) (ended bool, failed *failure, err error) {
	first, last := g[0].GlobalPosition, g[len(g)-1].GlobalPosition
	switch {
	case handling.Err() != nil && !lost:
		b.endAt(first - 1)
		return true, nil, nil
	case handling.Err() != nil:
		return true, nil, handling.Err()
	case lost && gaveUp(cause):
		b.halve(last, len(g))
		return true, nil, errAgain
	case lost, isExhaustion(cause):
		b.halve(last, len(g))
		return true, nil, fmt.Errorf("events %d to %d: %w", first, last, cause)
	case b.conflicted(cause):
		b.conflicts++
		return true, nil, errAgain
	}
	var named *EventError
	if errors.As(cause, &named) {
		i := slices.IndexFunc(g, func(e runtime.PersistedEvent) bool { return e.GlobalPosition == named.Position })
		if i >= 0 {
			return b.inTurn(ctx, handling, g[:i], &g[i], named.Err, g[i+1:])
		}
	}
	half := len(g) / 2
	return b.inTurn(ctx, handling, g[:half], nil, nil, g[half:])
}

// errAgain says that a batch is to be tried again at once. Nothing of it has happened.
var errAgain = errors.New("try the batch again")

// inTurn handles the events before one that failed, decides on that, if there is one, and handles those behind it.
func (b *batch[Tx]) inTurn(ctx, handling context.Context, before []runtime.PersistedEvent, e *runtime.PersistedEvent, cause error, behind []runtime.PersistedEvent) (ended bool, failed *failure, err error) {
	if len(before) > 0 {
		if ended, failed, err := b.group(ctx, handling, before); ended || failed != nil || err != nil {
			return ended, failed, err
		}
	}
	if e != nil {
		if b.waiting[streamOf(e)] {
			err = b.park(ctx, e, 0, "")
		} else {
			ended, failed, err = b.decide(ctx, handling, b.failure(e, cause))
		}
		if ended || failed != nil || err != nil {
			return ended, failed, err
		}
	}
	if len(behind) == 0 {
		return false, nil, nil
	}
	return b.group(ctx, handling, behind)
}

// A narrowing is how many events of a segment, or a log, share a transaction, up to a position, until it is clear which of them fails.
type narrowing struct {
	through int64
	size    int
}

// halve lets half as many events share a transaction, up to the last one.
func (b *batch[Tx]) halve(last int64, n int) {
	if b.narrowed == nil {
		b.narrowed = make(map[Part]narrowing)
	}
	b.narrowed[b.claim.Part()] = narrowing{last, max(n/2, 1)}
}

// limit returns how many events the batch handles. One that is tried again stands alone.
func (b *batch[Tx]) limit() int {
	if n := b.narrowed[b.claim.Part()]; n.through > b.claim.Position {
		return min(n.size, b.consumer.BatchSize)
	}
	if b.consumer.batches != nil && b.claim.Failures > 0 {
		return 1
	}
	return b.consumer.BatchSize
}

// blame finds out whose fault it is that a batch cannot be committed. If it is not the database's, it is that of
// an event whose handler ended the transaction, or broke a constraint that is checked at the end. If there are several, fewer
// share a transaction from here on, until it is clear which.
func (b *batch[Tx]) blame(cause error) (failed *failure, err error) {
	switch {
	case b.handled == 0 || isTrouble(cause):
		return nil, cause
	case b.handled == 1:
		return b.failure(b.last, cause), nil
	}
	b.halve(b.last.GlobalPosition, b.handled)
	return nil, nil
}
