package consumer

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/eventmap/eventmap/runtime"
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
		Segment:  f.before.Segment,
		Position: f.event.GlobalPosition,
		Attempt:  f.attempt,
		Err:      f.err,
		Outcome:  o,
	}
}

// exhausted reports whether the failed attempt was the last one.
func (c *registered[Tx]) exhausted(f *failure) bool {
	return c.Attempts > 0 && f.attempt >= c.Attempts
}

// parks reports whether the failed event is to be parked.
func (b *batch[Tx]) parks(f *failure) bool {
	return b.consumer.Policy == Park && b.consumer.exhausted(f)
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
	return b.runner.db.Park(ctx, b.tx, b.consumer.name, ParkedEvent{
		Stream:         streamOf(e),
		GlobalPosition: e.GlobalPosition,
		Attempts:       attempts,
		Error:          message,
	})
}

func streamOf(e *runtime.PersistedEvent) Stream { return Stream{e.AggregateType, e.AggregateID} }

// call calls the handler. A panic is an error.
func (c *registered[Tx]) call(ctx context.Context, tx Tx, e *runtime.PersistedEvent) (err error) {
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
	return c.Consumer.Handle(ctx, tx, *e)
}

// gaveUp reports whether a handler failed because of a context, the one it was given or one of its own. The driver has
// then closed the connection, which is not trouble with the database.
func gaveUp(err error) bool {
	return errors.Is(err, ErrTimeout) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// isTrouble reports whether an error at the end of a transaction is the database's own. The classes of SQLSTATEs are from
// PostgreSQL's appendix "Error Codes": connections, resources, an operator, the system, defects.
func isTrouble(err error) bool {
	var state interface{ SQLState() string } // *pgconn.PgError, without importing the driver
	switch {
	case errors.Is(err, ErrTransactionEnded):
		return false
	case !errors.As(err, &state):
		return true
	}
	for _, class := range []string{"08", "53", "57", "58", "XX"} {
		if strings.HasPrefix(state.SQLState(), class) {
			return true
		}
	}
	return false
}

// maxText is how much of an error's text is kept, in bytes.
const maxText = 8 << 10

// text returns the text of an error as PostgreSQL can keep it.
func text(err error) string {
	s := strings.ReplaceAll(err.Error(), "\x00", "")
	if len(s) > maxText {
		s = s[:maxText]
	}
	return strings.ToValidUTF8(s, "")
}
