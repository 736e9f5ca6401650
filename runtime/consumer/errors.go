package consumer

import (
	"errors"
	"fmt"
)

var (
	// ErrTransactionEnded: a handler committed or rolled back the transaction it was given, which only the runner may. What
	// it had written before is undone where that is still possible (see the Begin method of the database), and the event
	// counts as failed.
	ErrTransactionEnded = errors.New("the handler ended the transaction, which it must leave to the runner")

	// ErrCheckpointAhead: a checkpoint is at a position that the log has not reached, or at which it has another event than
	// the one that was handled: the log was restored from an older backup, has lost its end in a failover or was emptied, or
	// this is another database. New events would be taken for handled ones. It stays until [Runner.Reset] or
	// [Runner.Accept].
	ErrCheckpointAhead = errors.New("checkpoint is ahead of the log")

	// ErrGap: a log of many does not hold the events that it has counted: one is missing, or one is there that was not counted,
	// as after a delete by hand or a restore of some tables. Its readers stop; other logs go on. See postgres.Check.
	ErrGap = errors.New("the log has a gap")

	// ErrLogs: the database has many logs, and the call is about the one log, or the other way round.
	ErrLogs = errors.New("this is not how the database has its logs")

	// ErrStopped: a consumer is stopped because an event could not be handled; see [Stop] and [Runner.Resume].
	ErrStopped = errors.New("consumer is stopped")

	// ErrResizing: the number of segments cannot change again before every segment has passed the events that were handled
	// before the last change.
	ErrResizing = errors.New("the last change in the number of segments is not over")

	// ErrUnknownConsumer: no consumer of that name is registered, or it has no checkpoints. A consumer whose checkpoints are
	// deleted while it runs is not begun anew: its events would be handled twice.
	ErrUnknownConsumer = errors.New("unknown consumer")

	// ErrRunning: the runner runs already.
	ErrRunning = errors.New("the runner runs already")

	// ErrUnavailable is for handlers: what they need elsewhere, a broker or a service, is away, which says nothing about the
	// event. Return an error that wraps it. The event is tried again for as long as that takes, whatever Attempts and Policy
	// say, with the waiting times of Backoff.
	ErrUnavailable = errors.New("what the handler needs is away")

	// ErrTimeout: a handler took longer than its consumer's Timeout.
	ErrTimeout = errors.New("handler timed out")
)

// A PanicError is what a handler's panic becomes.
type PanicError struct {
	Value any    // what it panicked with
	Stack []byte // of its goroutine
}

// Error names the value and shows where the panic came from.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v\n\n%s", e.Value, e.Stack) }

// Unwrap returns the value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
