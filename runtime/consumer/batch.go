package consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	part *Part // to claim; nil: any
	// until is a failure to put on record once all events before it are handled. Nil: there is none.
	until *failure
}

// attemptAt returns the attempt that handles what is before a failure and puts it on record.
func attemptAt(f *failure) attempt {
	part := f.before.Part()
	return attempt{part: &part, until: f}
}

// query returns what to claim.
func (b *batch[Tx]) query(a attempt) ClaimQuery {
	c := b.consumer
	if a.part != nil {
		return ClaimQuery{Segment: a.part.Segment, Log: a.part.Log}
	}
	except := c.waits.parts(b.began)
	return ClaimQuery{Segment: AnySegment, Except: except, Logs: c.due.except(except)}
}

// An outcome is what came of an attempt.
type outcome struct {
	worked bool     // there was something to do
	failed *failure // an event that failed and cost the transaction: nothing has happened
}

// batch handles one batch of one segment. It reports whether there was one. An error is trouble with the database: the
// transaction was rolled back and has left nothing.
//
// A batch is one transaction, with a savepoint before each event. When a handler fails, what it has done is undone, and the
// failure is put on record in the same transaction, behind the events before it. Only when the failure costs the
// transaction, a second attempt handles those again and puts it on record.
func (w *worker[Tx]) batch(ctx context.Context) (worked bool, err error) {
	a := attempt{}
	if failed := w.exited; failed != nil {
		a = attemptAt(failed)
	}
	w.left, w.exited = false, nil
	for {
		out, err := w.try(ctx, a)
		if err != nil || out.failed == nil {
			return out.worked, err
		}
		if w.conflicted(out.failed.err) {
			w.conflicts++
			return true, nil
		}
		// In each round the failure is that of an earlier event, or it is put on record: this ends.
		a = attemptAt(out.failed)
	}
}

// conflicted reports whether an error only means that the transaction should be run again at once. A handler that causes
// nothing but conflicts fails in the end.
func (w *worker[Tx]) conflicted(err error) bool {
	return runtime.Retryable(err) && w.conflicts < maxConflicts
}

// lastWords is how long the database has, after handlers were told to end, to commit what they have done.
const lastWords = 5 * time.Second

// outlast returns a context for the database that goes on for a while after that of the handlers is done.
func outlast(handling context.Context) (ctx context.Context, end func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(handling))
	stop := context.AfterFunc(handling, func() {
		timer := time.AfterFunc(lastWords, cancel)
		context.AfterFunc(ctx, func() { timer.Stop() })
	})
	return ctx, func() {
		stop()
		cancel()
	}
}

// try makes one attempt in one transaction. Handlers are to end when handling is done; what they have done until then is
// committed all the same.
func (w *worker[Tx]) try(handling context.Context, a attempt) (outcome, error) {
	began := time.Now()
	ctx, end := outlast(handling)
	defer end()
	db := w.runner.db
	tx, err := db.Begin(ctx)
	if err != nil {
		return outcome{}, err
	}
	defer func() {
		if w.left {
			_ = db.Rollback(ctx, tx)
		}
	}()
	b := &batch[Tx]{worker: w, tx: tx, began: began, until: a.until, again: a.until != nil}
	failed, err := b.handle(ctx, handling, a)
	if b.saved {
		w.conflicts = 0
		delete(w.losses, b.claim.Part())
		b.report(ctx, time.Since(began))
		return outcome{worked: true}, nil
	}
	lost := db.Rollback(ctx, tx)
	switch {
	case handling.Err() != nil:
		return outcome{}, handling.Err()
	case errors.Is(err, errAgain):
		return outcome{worked: true}, nil
	case err != nil:
		return outcome{}, err
	case failed != nil && (lost != nil && !gaveUp(failed.err) || isExhaustion(failed.err)) && w.excuse(failed):
		return outcome{}, fmt.Errorf("event %d: %w", failed.event.GlobalPosition, errors.Join(failed.err, lost))
	}
	return outcome{worked: b.claim != nil || a.part != nil, failed: failed}, nil
}

// A batch is a transaction that handles events of one segment.
type batch[Tx any] struct {
	*worker[Tx]
	tx      Tx
	began   time.Time
	claim   *Claim
	before  Checkpoint      // as it was claimed
	until   *failure        // the batch ends before it and puts it on record
	again   bool            // such a failure has cost the transaction before
	waiting map[Stream]bool // streams with parked events

	savepoint       savepointState
	handled, parked int
	last            *runtime.PersistedEvent // handled
	position        int64                   // every event up to here is handled or parked
	failures        []FailureInfo           // put on record
	saved           bool                    // and committed
}

// handle claims a segment, handles a batch of it, and commits. It returns a failure that has cost the transaction.
func (b *batch[Tx]) handle(ctx, handling context.Context, a attempt) (failed *failure, err error) {
	db, c := b.runner.db, b.consumer
	q := b.query(a)
	if b.runner.logs != nil && q.Segment == AnySegment && len(q.Logs) == 0 {
		return nil, nil // until the next look
	}
	b.claim, err = db.Claim(ctx, b.tx, c.name, q)
	if err != nil || b.claim == nil {
		c.due.remove(q.Logs...)
		return nil, err
	}
	if err := b.checkClaim(ctx); err != nil {
		return nil, err
	}
	b.handOn()
	b.before = b.claim.Checkpoint
	if a.until != nil && a.until.outdated(b.claim) {
		return nil, nil
	}
	selection := b.selection()
	page, err := db.Read(ctx, b.tx, selection, b.buffer)
	if errors.Is(err, ErrGap) {
		return nil, b.leave(ctx, err)
	}
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
	if page.Behind {
		b.position = page.Through
	}
	if page.More {
		b.endAt(page.Events[len(page.Events)-1].GlobalPosition)
	}
	handling = withLog(handling, b.claim.Log)
	if b.replays() {
		handling = withReplaying(handling)
	}
	if c.preparer != nil && len(page.Events) > 0 {
		if err := c.preparer.Prepare(handling, b.tx, page.Events); err != nil {
			return nil, fmt.Errorf("prepare a batch: %w", err)
		}
	}
	if _, failed, err := b.events(ctx, handling, page.Events); failed != nil || err != nil {
		return failed, err
	}
	if b.position <= b.before.Position && b.until == nil {
		if page.Behind { // it is due again when the next look says so
			c.due.remove(b.claim.Log)
			b.claim = nil
		}
		return nil, nil // told to stop before the first event
	}
	if err := b.save(ctx); err != nil {
		return b.blame(err)
	}
	b.saved = true
	return nil, nil
}

// leave leaves a log that has a gap alone for a while, so that others go on. It returns the error of a batch that did nothing.
func (b *batch[Tx]) leave(ctx context.Context, gap error) error {
	b.consumer.waits.leave(b.claim.Checkpoint, gap, b.consumer.Backoff)
	b.consumer.due.remove(b.claim.Log)
	b.trouble(ctx, gap)
	return errAgain
}

// selection returns the events that the claimed segment has to handle next.
func (b *batch[Tx]) selection() Selection {
	c, claim := b.consumer, b.claim
	through := max(claim.Frontier, claim.Position) // a frontier may be lower than an earlier one
	if c.types != nil || claim.Segments > 1 || claim.Handled != nil {
		through = min(through, claim.Position+scanned)
	}
	if b.replays() { // a batch is a replay as a whole, or not at all
		through = min(through, claim.ReplayUntil)
	}
	if b.until != nil {
		through = b.until.event.GlobalPosition - 1
	}
	return Selection{
		Consumer:       c.name,
		Log:            claim.Log,
		After:          claim.Position,
		Through:        through,
		Limit:          b.limit(),
		Bytes:          c.BatchBytes,
		AggregateTypes: c.types,
		Segment:        claim.Segment,
		Segments:       claim.Segments,
		Handled:        claim.Handled,
	}
}

// replays reports whether the next events of the claimed segment had happened before the consumer first ran.
func (b *batch[Tx]) replays() bool { return b.claim.Position < b.claim.ReplayUntil }

// lookForWaiting notes which streams of the events have parked events, so that these have to wait too.
func (b *batch[Tx]) lookForWaiting(ctx context.Context, events []runtime.PersistedEvent) error {
	if len(events) == 0 {
		return nil
	}
	streams, err := b.runner.db.ParkedStreams(ctx, b.tx, b.consumer.name, b.claim.Log, events)
	for _, s := range streams {
		s.Log = "" // there is one in a batch
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

// endAt ends the batch at a position before its failure, whose turn comes again.
func (b *batch[Tx]) endAt(position int64) { b.position, b.until = position, nil }

// save writes the checkpoint, and the failure that the batch ends before, if there is one, and commits.
func (b *batch[Tx]) save(ctx context.Context) error {
	c, f := b.claim, b.until
	c.Position = max(b.position, c.Position)
	c.Failures, c.FailedPosition, c.LastError = 0, 0, ""
	var retryIn time.Duration
	switch {
	case f == nil || b.waiting[streamOf(&f.event)]:
	case b.parks(f):
		if err := b.parkFailed(ctx, f); err != nil {
			return err
		}
		c.Position = f.event.GlobalPosition
	default:
		retryIn = b.record(f)
	}
	c.Idle = b.handled+b.parked == 0 && f == nil
	return b.runner.db.Save(ctx, b.tx, c, retryIn)
}

// record puts a failure into the checkpoint and returns when the event is tried again.
func (b *batch[Tx]) record(f *failure) (retryIn time.Duration) {
	c := b.claim
	c.FailedPosition, c.LastError = f.event.GlobalPosition, text(f.err)
	info := f.info(b.consumer.name, Retried)
	switch {
	case b.consumer.waitsFor(f):
		info.Outcome = Waiting // for a process that knows the event: nothing keeps that from taking the segment at once
		info.RetryIn = b.consumer.waits.add(f, b.consumer.Backoff)
	case b.consumer.isFinal(f):
		c.Failures, c.StoppedAt = f.attempt, time.Now() // the database puts its own clock's time there
		info.Outcome = Stopped
	default:
		c.Failures = f.attempt
		info.RetryIn = b.consumer.Backoff.after(f.attempt)
		retryIn = info.RetryIn
	}
	b.failures = append(b.failures, info)
	return retryIn
}

// report tells what a committed batch has done.
func (b *batch[Tx]) report(ctx context.Context, took time.Duration) {
	if b.claim.Position >= b.claim.Frontier || len(b.failures) > 0 {
		b.consumer.due.remove(b.claim.Log)
	}
	config := &b.runner.config
	info := BatchInfo{
		Consumer: b.consumer.name,
		Log:      b.claim.Log,
		Segment:  b.claim.Segment,
		Events:   b.handled,
		Parked:   b.parked,
		Position: b.claim.Position,
		Frontier: b.claim.Frontier,
		Took:     took,
	}
	key, part := b.claim.Part().attr()
	if b.handled+b.parked > 0 {
		config.Logger.Debug(ctx, "events handled", "consumer", info.Consumer, key, part,
			"events", info.Events, "parked", info.Parked, "position", info.Position, "took", took)
	}
	if !slices.ContainsFunc(b.failures, func(f FailureInfo) bool { return f.Outcome == Waiting }) {
		b.consumer.waits.remove(b.claim.Part())
	}
	for _, f := range b.failures {
		config.Logger.Error(ctx, "event failed", "consumer", f.Consumer, key, part, "position", f.Position,
			"attempt", f.Attempt, "outcome", string(f.Outcome), "retry_in", f.RetryIn, "error", f.Err)
		if config.Hooks.Failure != nil {
			config.Hooks.Failure(ctx, f)
		}
	}
	if config.Hooks.Batch != nil {
		config.Hooks.Batch(ctx, info)
	}
}
