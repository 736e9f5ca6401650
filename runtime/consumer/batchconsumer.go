package consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/eventmap/eventmap/runtime"
)

// A BatchConsumer is a [Consumer] that is given many events at a time, so that it can write them with few statements: a
// pgx.Batch, an insert of unnest, COPY. A rebuild gets several times as fast by that.
//
// A failure is narrowed down to the event: what the call has done is undone, and its events are given again in smaller
// numbers, down to one, behind a savepoint each. So the events before the one that fails are committed, and it is tried
// again, stops the segment or is parked as any other. Effects elsewhere can happen twice for events that shared a call with
// one that fails. An [*EventError] names the event that failed and saves the search.
type BatchConsumer[Tx any] interface {
	Consumer[Tx]
	// HandleBatch is Handle for events in the order of their positions, at least one. They are valid until it returns. A
	// Timeout is for the whole call.
	HandleBatch(ctx context.Context, tx Tx, events []runtime.PersistedEvent) error
}

// An EventError says which event of a batch a handler could not handle.
type EventError struct {
	Position int64 // of the event
	Err      error
}

// Error names the event and says what was wrong.
func (e *EventError) Error() string { return fmt.Sprintf("event %d: %v", e.Position, e.Err) }

// Unwrap returns what was wrong.
func (e *EventError) Unwrap() error { return e.Err }

// Batch returns a consumer of the given aggregate types, a [ScopedConsumer] too, that calls handle with many events at a time.
func Batch[Tx any](name string, aggregateTypes []string, handle func(ctx context.Context, tx Tx, events []runtime.PersistedEvent) error) BatchConsumer[Tx] {
	return batched[Tx]{name: name, types: slices.Clone(aggregateTypes), handle: handle}
}

// TypedBatch is [Batch] for a handler of decoded events; generated code calls it. An event that cannot be decoded is an
// [*EventError].
func TypedBatch[Tx, E any](
	name string,
	aggregateTypes []string,
	decode func(e *runtime.PersistedEvent) (E, error),
	handle func(ctx context.Context, tx Tx, events []runtime.Recorded[E]) error,
) BatchConsumer[Tx] {
	return Batch(name, aggregateTypes, func(ctx context.Context, tx Tx, events []runtime.PersistedEvent) error {
		decoded := make([]runtime.Recorded[E], len(events))
		for i := range events {
			event, err := decode(&events[i])
			if err != nil {
				return &EventError{Position: events[i].GlobalPosition, Err: err}
			}
			decoded[i] = runtime.Recorded[E]{Event: event, Meta: events[i].Meta()}
		}
		return handle(ctx, tx, decoded)
	})
}

// OpenedBatch returns the batch consumer with what opens events before they are handled: it is given copies of them, which it
// may change. Generated code calls it. A [*runtime.DecodeError] names the event that failed. Any other error says that keys
// cannot be asked for, which is [ErrUnavailable].
func OpenedBatch[Tx any](c BatchConsumer[Tx], aggregateTypes []string, open func(ctx context.Context, tx Tx, events []runtime.PersistedEvent) error) BatchConsumer[Tx] {
	return Batch(c.Name(), aggregateTypes, func(ctx context.Context, tx Tx, events []runtime.PersistedEvent) error {
		opened := slices.Clone(events)
		if err := open(ctx, tx, opened); err != nil {
			var decode *runtime.DecodeError
			if errors.As(err, &decode) {
				return &EventError{Position: decode.GlobalPosition, Err: err}
			}
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		return c.HandleBatch(ctx, tx, opened)
	})
}

type batched[Tx any] struct {
	name   string
	types  []string
	handle func(ctx context.Context, tx Tx, events []runtime.PersistedEvent) error
}

func (c batched[Tx]) Name() string { return c.name }

func (c batched[Tx]) AggregateTypes() []string { return slices.Clone(c.types) }

func (c batched[Tx]) HandleBatch(ctx context.Context, tx Tx, events []runtime.PersistedEvent) error {
	return c.handle(ctx, tx, events)
}

func (c batched[Tx]) Handle(ctx context.Context, tx Tx, e runtime.PersistedEvent) error {
	return c.handle(ctx, tx, []runtime.PersistedEvent{e})
}
