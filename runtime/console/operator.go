package console

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/eventmap/eventmap/runtime/consumer"
)

// An Operator carries out actions on the consumers that it drives.
type Operator interface {
	// Names returns the names of the consumers.
	Names() []string
	// Resets reports whether a consumer can be reset.
	Resets(consumer string) bool
	// Perform carries out an action and says what came of it.
	Perform(ctx context.Context, a Action) (result string, err error)
}

// A Kind is what an action does.
type Kind string

// The kinds of actions.
const (
	Retry  Kind = "retry"  // handle the parked events of a stream now
	Drop   Kind = "drop"   // give up a parked event
	Pause  Kind = "pause"  // stop a consumer
	Resume Kind = "resume" // let a stopped consumer go on
	Reset  Kind = "reset"  // let a consumer handle the whole log again
	Resize Kind = "resize" // change the number of segments of a consumer
)

// An Action is what somebody asks for.
type Action struct {
	Kind     Kind
	Consumer string
	Stream   consumer.Stream // to retry
	Position int64           // to drop
	Segments int             // to resize to
	Reason   string          // why: to drop or pause
	User     string          // who asks
}

// Operate returns the operator of a runner. clear holds for each consumer that may be reset what deletes the rows that it
// has written, in the transaction of the reset; a consumer without one cannot be reset from the console, since its read
// model would then hold everything twice. Give a function that does nothing where the handler overwrites what it wrote.
func Operate[Tx any](runner *consumer.Runner[Tx], clear map[string]func(ctx context.Context, tx Tx) error) Operator {
	return operator[Tx]{runner, clear}
}

type operator[Tx any] struct {
	*consumer.Runner[Tx]
	clear map[string]func(ctx context.Context, tx Tx) error
}

func (o operator[Tx]) Resets(name string) bool {
	return o.clear[name] != nil && slices.Contains(o.Names(), name)
}

func (o operator[Tx]) Perform(ctx context.Context, a Action) (string, error) {
	switch a.Kind {
	case Retry:
		n, err := o.RetryParked(ctx, a.Consumer, a.Stream)
		if err != nil && n > 0 {
			return "", fmt.Errorf("%d parked events were handled; then: %w", n, err)
		}
		return fmt.Sprintf("Handled %d parked events of %s %q.", n, a.Stream.AggregateType, a.Stream.AggregateID), err
	case Drop:
		found, err := o.DropParked(ctx, a.Consumer, a.Position)
		if err == nil && !found {
			return fmt.Sprintf("Event %d was not parked any more.", a.Position), nil
		}
		return fmt.Sprintf("Dropped event %d: %s never handles it.", a.Position, a.Consumer), err
	case Pause:
		return a.Consumer + " is paused.", o.Pause(ctx, a.Consumer, fmt.Sprintf("%s (by %s)", a.Reason, a.User))
	case Resume:
		return a.Consumer + " goes on.", o.Resume(ctx, a.Consumer)
	case Reset:
		if !o.Resets(a.Consumer) {
			return "", errors.New("this consumer cannot be reset from the console: the program has not said how to clear what it wrote")
		}
		return a.Consumer + " begins again with the first event.", o.Reset(ctx, a.Consumer, o.clear[a.Consumer])
	case Resize:
		return fmt.Sprintf("%s has %d segments.", a.Consumer, a.Segments), o.Resize(ctx, a.Consumer, a.Segments)
	default:
		return "", fmt.Errorf("there is no action %q", a.Kind)
	}
}

// operatorOf returns who carries out actions on a consumer, or nil.
func (h *Handler) operatorOf(name string) Operator {
	for _, o := range h.config.Operators {
		if slices.Contains(o.Names(), name) {
			return o
		}
	}
	return nil
}
