package consumer

import (
	"context"
	"fmt"
	"time"
)

// A Start is where a consumer begins that has never run: [Beginning], [Now], [FromPosition] or [FromTime].
type Start struct {
	kind     startKind
	position int64
	at       time.Time
}

type startKind int

const (
	fromPosition startKind = iota
	fromNow
	fromTime
)

var (
	// Beginning is before the first event of the log. It is the zero value.
	Beginning = Start{}
	// Now is behind every event that is committed when the consumer first runs.
	Now = Start{kind: fromNow}
)

// FromPosition is behind the event at a position: events at or below it are not handled.
func FromPosition(position int64) Start { return Start{position: position} }

// FromTime is before the first event that happened at a time or after, by its CreatedAt. It is exact as far as events were
// stored in the order of their times.
func FromTime(at time.Time) Start { return Start{kind: fromTime, at: at} }

// check returns an error for a position that is none.
func (s Start) check() error {
	if s.position < 0 {
		return fmt.Errorf("it cannot begin at position %d", s.position)
	}
	return nil
}

// A StartPosition is where new checkpoints begin.
type StartPosition struct {
	Position    int64 // events up to here are not handled
	ReplayUntil int64 // see [Checkpoint]
}

// start returns where a consumer begins, in a log that can be read up to the frontier.
func (r *Runner[Tx]) start(ctx context.Context, tx Tx, s Start, frontier int64) (StartPosition, error) {
	at := StartPosition{Position: s.position, ReplayUntil: frontier}
	switch s.kind {
	case fromNow:
		at.Position = frontier
	case fromTime:
		before, err := r.db.PositionAt(ctx, tx, s.at)
		if err != nil {
			return StartPosition{}, err
		}
		at.Position = min(before, frontier)
	}
	return at, nil
}

// Replaying reports whether a handler, by its context, is given an event that happened before its consumer first ran, or was
// last reset: a replay, which builds a read model, and in which mails are better not sent. It is false for every event that
// came later, however late it is handled, and for those that [Runner.RetryParked] handles.
func Replaying(ctx context.Context) bool {
	replaying, _ := ctx.Value(replayingKey{}).(bool)
	return replaying
}

// withReplaying returns a context by which handlers know that they replay.
func withReplaying(ctx context.Context) context.Context {
	return context.WithValue(ctx, replayingKey{}, true)
}

type replayingKey struct{}
