package consumer

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// A failure is a failed attempt at an event.
type failure struct {
	event   runtime.PersistedEvent
	err     error
	attempt int        // from 1
	before  Checkpoint // of the segment when the attempt began
}

// failure returns the failed attempt at an event of the batch.
func (b *batch[Tx]) failure(e *runtime.PersistedEvent, err error) *failure {
	attempt := 1
	if b.before.Failures > 0 && b.before.FailedPosition == e.GlobalPosition {
		attempt += b.before.Failures
	}
	return &failure{
		event:   *e,
		err:     err,
		attempt: attempt,
		before:  b.before,
	}
}

// outdated reports whether another worker has had the segment since the attempt that failed.
func (f *failure) outdated(c *Claim) bool {
	return c.Position != f.before.Position || c.Segments != f.before.Segments || c.Failures != f.before.Failures ||
		!c.StoppedAt.IsZero()
}

func (f *failure) info(consumer string, o Outcome) FailureInfo {
	return FailureInfo{
		Consumer: consumer,
		Log:      f.before.Log,
		Segment:  f.before.Segment,
		Position: f.event.GlobalPosition,
		Attempt:  f.attempt,
		Err:      f.err,
		Outcome:  o,
	}
}

// isUnknown reports whether an event failed because this process does not know it.
func (f *failure) isUnknown() bool { return errors.Is(f.err, runtime.ErrUnknownEvent) }

// waitsFor reports whether the failed event is to wait for a process that knows it.
func (c *registered[Tx]) waitsFor(f *failure) bool { return f.isUnknown() && c.Unknown == WaitUnknown }

// isFinal reports whether the event is not tried again by itself. One that is not known is not known the next time either.
func (c *registered[Tx]) isFinal(f *failure) bool {
	return f.isUnknown() || c.Attempts > 0 && f.attempt >= c.Attempts && !isAway(f.err)
}

// isAway reports whether an error says that something is away which no event is to blame for.
func isAway(err error) bool {
	return errors.Is(err, ErrUnavailable) || errors.Is(err, privacy.ErrUnavailable)
}

// parks reports whether the failed event is to be parked.
func (b *batch[Tx]) parks(f *failure) bool {
	if f.isUnknown() {
		return b.consumer.Unknown == ParkUnknown
	}
	return b.consumer.Policy == Park && b.consumer.isFinal(f)
}

// parkFailed parks an event that failed. Later events of its stream have to wait.
func (b *batch[Tx]) parkFailed(ctx context.Context, f *failure) error {
	if err := b.park(ctx, &f.event, f.attempt, text(f.err)); err != nil {
		return err
	}
	b.wait(streamOf(&f.event))
	b.failures = append(b.failures, f.info(b.consumer.name, Parked))
	return nil
}

func (b *batch[Tx]) park(ctx context.Context, e *runtime.PersistedEvent, attempts int, message string) error {
	b.parked++
	b.savepoint = min(b.savepoint, oldSavepoint)
	stream := streamOf(e)
	stream.Log = b.claim.Log
	return b.runner.db.Park(ctx, b.tx, b.consumer.name, ParkedEvent{
		Stream:         stream,
		GlobalPosition: e.GlobalPosition,
		Attempts:       attempts,
		Error:          message,
	})
}

func streamOf(e *runtime.PersistedEvent) Stream {
	return Stream{AggregateType: e.AggregateType, AggregateID: e.AggregateID}
}

// call calls the handler and notes if it ends the goroutine.
func (b *batch[Tx]) call(ctx context.Context, events []runtime.PersistedEvent) error {
	returned := false
	defer func() {
		if returned {
			return
		}
		b.left = true
		if len(events) == 1 {
			b.exited = b.failure(&events[0], errExited)
		} else {
			b.halve(events[len(events)-1].GlobalPosition, len(events))
		}
	}()
	err := b.consumer.call(ctx, b.tx, events)
	returned = true
	return err
}

// errExited is the error of a handler that does not come back, which neither an error nor a panic tells.
var errExited = errors.New("the handler ended its goroutine with runtime.Goexit, as the FailNow of a test does; return an error")

// call calls the handler. A panic is an error.
func (c *registered[Tx]) call(ctx context.Context, tx Tx, events []runtime.PersistedEvent) (err error) {
	outer := ctx
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Timeout)
		defer cancel()
	}
	defer func() {
		if value := recover(); value != nil {
			err = &PanicError{Value: value, Stack: debug.Stack()}
		}
		switch {
		case ctx.Err() == nil || outer.Err() != nil:
		case err == nil: // the driver may have closed the connection, and the handler hidden it
			err = fmt.Errorf("%w after %s", ErrTimeout, c.Timeout)
		default:
			err = fmt.Errorf("%w after %s: %w", ErrTimeout, c.Timeout, err)
		}
	}()
	if c.batches != nil {
		return c.batches.HandleBatch(ctx, tx, events)
	}
	return c.Consumer.Handle(ctx, tx, events[0])
}

// gaveUp reports whether a handler failed because of a context, the one it was given or one of its own. The driver has
// then closed the connection, which is not trouble with the database.
func gaveUp(err error) bool {
	return errors.Is(err, ErrTimeout) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// isTrouble reports whether an error at the end of a transaction is the database's own: any that is not the server's, and
// of those the ones that say that it cannot do its work. A statement that was cancelled is not one of them, for a handler
// can set a timeout.
func isTrouble(err error) bool {
	switch state, ok := sqlState(err); {
	case errors.Is(err, ErrTransactionEnded):
		return false
	case !ok:
		return true
	default:
		return hasClass(state, "08", "53", "57P", "58", "XX001", "XX002")
	}
}

// isExhaustion reports whether an error of a handler says that the server has no more room, memory or connections, goes
// down, or has lost another server that it needs: no event is to blame for that.
func isExhaustion(err error) bool {
	state, ok := sqlState(err)
	return ok && hasClass(state, "08", "53", "57P", "58")
}

// sqlState returns the SQLSTATE of a server's error.
func sqlState(err error) (state string, ok bool) {
	var server interface{ SQLState() string } // *pgconn.PgError, without importing the driver
	if !errors.As(err, &server) {
		return "", false
	}
	return server.SQLState(), true
}

// hasClass reports whether a SQLSTATE is of one of the classes, which are named in PostgreSQL's appendix "Error Codes":
// 08 connections, 53 resources, 57P an operator, 58 the system, XX001 and XX002 damaged files.
func hasClass(state string, classes ...string) bool {
	return slices.ContainsFunc(classes, func(class string) bool { return strings.HasPrefix(state, class) })
}

// maxLosses is how often in a row the database may be lost in the middle of an event before that counts as a failure of
// the event: it may be what the event makes the server do.
const maxLosses = 5

// excuse notes that the database was lost in the middle of an event and reports whether the event is not to blame.
func (w *worker[Tx]) excuse(f *failure) bool {
	excused := w.excuses(f)
	if w.losses == nil {
		w.losses = make(map[Part]int)
	}
	w.losses[f.before.Part()]++
	return excused
}

// excuses reports whether one more loss is not the fault of the event that failed.
func (w *worker[Tx]) excuses(f *failure) bool { return w.losses[f.before.Part()] < maxLosses }

// maxText is how much of an error's text is kept, in bytes.
const maxText = 8 << 10

// text returns the text of an error as PostgreSQL can keep it.
func text(err error) string {
	s := strings.ReplaceAll(fmt.Sprint(err), "\x00", "") // fmt survives an Error method that panics
	if len(s) > maxText {
		s = s[:maxText]
	}
	return strings.ToValidUTF8(s, "")
}
