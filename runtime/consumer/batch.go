package consumer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eventmap/eventmap/runtime"
)

// scanned is how many positions at most one batch, and one look at the lag of a consumer, go through. It keeps statements
// short, and progress visible, where few events are for the consumer or the segment.
const scanned = 100_000

// maxConflicts is how often in a row a transaction that the server broke off is tried again at once.
const maxConflicts = 5

// An attempt says how to handle a batch.
type attempt struct {
	segment int // to claim, or AnySegment
	// until is a failure to put on record once all events before it are handled. Nil: there is none.
	until *failure
}

// batch handles one batch of one segment. It reports whether there was one. An error is trouble with the database: the
// transaction was rolled back and has left nothing.
//
// Most batches are one transaction without savepoints. When a handler fails there, everything is rolled back; a second
// attempt handles the events before the one that failed, with a savepoint for each, and puts the failure on record in the
// same transaction. From then on until a success, the segment is handled with savepoints.
func (w *worker[Tx]) batch(ctx context.Context) (worked bool, err error) {
	a := attempt{segment: AnySegment}
	if failed := w.exited; failed != nil {
		a, w.exited = attempt{segment: failed.before.Segment, until: failed}, nil
	}
	for {
		worked, failed, err := w.try(ctx, a)
		if err != nil || failed == nil {
			return worked, err
		}
		if w.conflicted(failed.err) {
			w.conflicts++
			return true, nil
		}
		// In each round the failure is that of an earlier event, or it is put on record: this ends.
		a = attempt{segment: failed.before.Segment, until: failed}
	}
}

// conflicted reports whether an error only means that the transaction should be run again at once. A handler that causes
// nothing but conflicts fails in the end.
func (w *worker[Tx]) conflicted(err error) bool {
	return runtime.Retryable(err) && w.conflicts < maxConflicts
}

// try makes one attempt in one transaction. If an event failed and that could not be put on record, it returns the
// failure, and nothing has happened.
func (w *worker[Tx]) try(ctx context.Context, a attempt) (worked bool, failed *failure, err error) {
	began := time.Now()
	db := w.runner.db
	tx, err := db.Begin(ctx)
	if err != nil {
		return false, nil, err
	}
	defer func() {
		if w.exited != nil {
			_ = db.Rollback(ctx, tx)
		}
	}()
	b := &batch[Tx]{worker: w, tx: tx, until: a.until}
	failed, err = b.handle(ctx, a)
	if b.saved {
		w.conflicts = 0
		delete(w.losses, b.claim.Segment)
		b.report(ctx, time.Since(began))
		return true, nil, nil
	}
	lost := db.Rollback(ctx, tx)
	switch {
	case ctx.Err() != nil:
		return false, nil, ctx.Err()
	case failed != nil && (lost != nil && !gaveUp(failed.err) || isExhaustion(failed.err)) && w.excuse(failed):
		return false, nil, fmt.Errorf("event %d: %w", failed.event.GlobalPosition, errors.Join(failed.err, lost))
	}
	return b.claim != nil || a.segment != AnySegment, failed, err
}

// A batch is a transaction that handles events of one segment.
type batch[Tx any] struct {
	*worker[Tx]
	tx      Tx
	claim   *Claim
	careful bool            // with a savepoint for each event
	until   *failure        // the batch ends before it and puts it on record
	waiting map[Stream]bool // streams with parked events

	before          Checkpoint // as it was claimed
	handled, parked int
	last            *runtime.PersistedEvent // handled
	position        int64                   // every event up to here is handled or parked
	saved           bool                    // and committed
	failures        []FailureInfo           // put on record
}

// handle claims a segment, handles a batch of it, and commits.
func (b *batch[Tx]) handle(ctx context.Context, a attempt) (failed *failure, err error) {
	db, c := b.runner.db, b.consumer
	b.claim, err = db.Claim(ctx, b.tx, c.name, a.segment)
	if err != nil || b.claim == nil {
		return nil, err
	}
	b.handOn()
	b.before = b.claim.Checkpoint
	selection := b.selection()
	if a.until != nil {
		if a.until.outdated(b.claim) {
			return nil, nil
		}
		selection.Through = a.until.event.GlobalPosition - 1
	}
	alone := b.alone[b.claim.Segment] > b.claim.Position
	if alone {
		selection.Limit = 1
	}
	b.careful = alone || a.until != nil || b.claim.Failures > 0
	page, err := db.Read(ctx, b.tx, selection, b.buffer)
	if err != nil {
		return nil, err
	}
	b.buffer = page.Events
	if page.Parked {
		if err := b.lookForWaiting(ctx, page.Events); err != nil {
			return nil, err
		}
	}
	b.position = selection.Through
	if n := len(page.Events); n == selection.Limit {
		b.position = page.Events[n-1].GlobalPosition
		b.until = nil // there may be more before it; its turn comes again
	}
	if failed, err := b.events(ctx, page.Events); failed != nil || err != nil {
		return failed, err
	}
	if err := b.save(ctx); err != nil {
		return b.blame(err)
	}
	b.saved = true
	return nil, nil
}

// selection returns the events that the claimed segment has to handle next.
func (b *batch[Tx]) selection() Selection {
	c, claim := b.consumer, b.claim
	through := max(claim.Frontier, claim.Position) // a frontier may be lower than an earlier one
	if c.types != nil || claim.Segments > 1 || claim.Handled != nil {
		through = min(through, claim.Position+scanned)
	}
	return Selection{
		Consumer:       c.name,
		After:          claim.Position,
		Through:        through,
		Limit:          c.BatchSize,
		AggregateTypes: c.types,
		Segment:        claim.Segment,
		Segments:       claim.Segments,
		Handled:        claim.Handled,
	}
}

// lookForWaiting notes which streams of the events have parked events, so that these have to wait too.
func (b *batch[Tx]) lookForWaiting(ctx context.Context, events []runtime.PersistedEvent) error {
	if len(events) == 0 {
		return nil
	}
	streams, err := b.runner.db.ParkedStreams(ctx, b.tx, b.consumer.name, events)
	for _, s := range streams {
		b.wait(s)
	}
	return err
}

func (b *batch[Tx]) wait(s Stream) {
	if b.waiting == nil {
		b.waiting = make(map[Stream]bool)
	}
	b.waiting[s] = true
}

// events handles events in order. When one fails, and savepoints allow to keep what was done before it, then it is parked
// or the batch ends there; else the failure is returned.
func (b *batch[Tx]) events(ctx context.Context, events []runtime.PersistedEvent) (failed *failure, err error) {
	for i := range events {
		e := &events[i]
		if b.waiting[streamOf(e)] {
			if err := b.park(ctx, e, 0, ""); err != nil {
				return nil, err
			}
			continue
		}
		lost, err := b.event(ctx, e)
		if err == nil {
			b.handled++
			b.last = e
			continue
		}
		f := b.failure(e, err)
		if lost || b.conflicted(err) || isExhaustion(err) && b.excuses(f) || ctx.Err() != nil {
			return f, nil
		}
		if !b.parks(f) {
			b.until, b.position = f, e.GlobalPosition-1
			return nil, nil
		}
		if err := b.parkFailed(ctx, f); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// event handles one event. After an error, lost reports whether the transaction is of no more use.
func (b *batch[Tx]) event(ctx context.Context, e *runtime.PersistedEvent) (lost bool, err error) {
	db := b.runner.db
	if !b.careful {
		return true, b.call(ctx, e)
	}
	if err := db.Savepoint(ctx, b.tx); err != nil {
		return true, err
	}
	err = b.call(ctx, e)
	if err == nil {
		err = db.Release(ctx, b.tx)
	}
	if err == nil {
		return false, nil
	}
	return db.RollbackToSavepoint(ctx, b.tx) != nil, err
}

// save writes the checkpoint, and the failure that the batch ends before, if there is one, and commits.
func (b *batch[Tx]) save(ctx context.Context) error {
	c, f := b.claim, b.until
	var retryIn time.Duration
	c.Position = max(b.position, c.Position)
	switch {
	case f == nil || b.waiting[streamOf(&f.event)]:
		c.Failures = 0
	case b.parks(f):
		if err := b.parkFailed(ctx, f); err != nil {
			return err
		}
		c.Failures, c.Position = 0, f.event.GlobalPosition
	default:
		retryIn = b.record(f)
	}
	c.Idle = b.handled+b.parked == 0 && f == nil
	return b.runner.db.Save(ctx, b.tx, c, retryIn)
}

// record puts a failure into the checkpoint and returns when the event is tried again.
func (b *batch[Tx]) record(f *failure) (retryIn time.Duration) {
	c := b.claim
	info := f.info(b.consumer.name, Retried)
	c.Failures, c.FailedPosition, c.LastError = f.attempt, f.event.GlobalPosition, text(f.err)
	if b.consumer.exhausted(f) {
		c.StoppedAt = time.Now() // the database puts its own clock's time there
		info.Outcome = Stopped
	} else {
		info.RetryIn = b.consumer.Backoff.after(f.attempt)
	}
	b.failures = append(b.failures, info)
	return info.RetryIn
}

// blame finds out whose fault it is that a batch cannot be committed. If it is not the database's, it is that of
// an event whose handler ended the transaction, hid that a statement had failed, or broke a constraint that is checked at
// the end. If there are several, each gets a transaction of its own from here on, until it is clear which.
func (b *batch[Tx]) blame(cause error) (failed *failure, err error) {
	switch {
	case b.handled == 0 || isTrouble(cause):
		return nil, cause
	case b.handled == 1:
		return b.failure(b.last, cause), nil
	}
	if b.alone == nil {
		b.alone = make(map[int]int64)
	}
	b.alone[b.claim.Segment] = b.last.GlobalPosition
	return nil, nil
}

// report tells what a committed batch has done.
func (b *batch[Tx]) report(ctx context.Context, took time.Duration) {
	config := &b.runner.config
	info := BatchInfo{
		Consumer: b.consumer.name,
		Segment:  b.claim.Segment,
		Events:   b.handled,
		Parked:   b.parked,
		Position: b.claim.Position,
		Frontier: b.claim.Frontier,
		Took:     took,
	}
	if b.handled+b.parked > 0 {
		config.Logger.Debug(ctx, "events handled", "consumer", info.Consumer, "segment", info.Segment,
			"events", info.Events, "parked", info.Parked, "position", info.Position, "took", took)
	}
	for _, f := range b.failures {
		config.Logger.Error(ctx, "event failed", "consumer", f.Consumer, "segment", f.Segment, "position", f.Position,
			"attempt", f.Attempt, "outcome", string(f.Outcome), "retry_in", f.RetryIn, "error", f.Err)
		if config.Hooks.Failure != nil {
			config.Hooks.Failure(ctx, f)
		}
	}
	if config.Hooks.Batch != nil {
		config.Hooks.Batch(ctx, info)
	}
}
