package consumer

import (
	"context"
	"slices"

	"github.com/eventmap/eventmap/runtime"
)

// A Consumer handles the events of the log, one after the other, in the order of their positions.
type Consumer[Tx any] interface {
	// Name identifies the consumer for ever: its checkpoint is kept under it.
	Name() string
	// Handle handles one event within tx, in which the checkpoint moves too: what it writes with tx takes effect exactly
	// once. It never commits or rolls back. An error leaves the event unhandled.
	Handle(ctx context.Context, tx Tx, e runtime.PersistedEvent) error
}

// A ScopedConsumer is a [Consumer] that is given the events of some aggregate types only.
type ScopedConsumer[Tx any] interface {
	Consumer[Tx]
	// AggregateTypes returns the types whose events the consumer wants. It returns the same every time.
	AggregateTypes() []string
}

// Scoped returns a consumer of the given aggregate types that calls handle.
func Scoped[Tx any](name string, aggregateTypes []string, handle func(ctx context.Context, tx Tx, e runtime.PersistedEvent) error) ScopedConsumer[Tx] {
	return scoped[Tx]{name: name, types: slices.Clone(aggregateTypes), handle: handle}
}

type scoped[Tx any] struct {
	name   string
	types  []string
	handle func(ctx context.Context, tx Tx, e runtime.PersistedEvent) error
}

func (c scoped[Tx]) Name() string { return c.name }

func (c scoped[Tx]) AggregateTypes() []string { return slices.Clone(c.types) }

func (c scoped[Tx]) Handle(ctx context.Context, tx Tx, e runtime.PersistedEvent) error {
	return c.handle(ctx, tx, e)
}

// A Preparer is a [Consumer] that is shown the events of a batch before it is given the first of them, so that it can fetch
// at once what each of them needs.
type Preparer[Tx any] interface {
	Consumer[Tx]
	// Prepare is called in the transaction of the batch, with the events in the order of their positions, at least one. They
	// are valid until it returns. It writes nothing. Its error is trouble with the database: the batch is rolled back and
	// tried again. An event that is tried again by itself, as a parked one, is not shown before.
	Prepare(ctx context.Context, tx Tx, events []runtime.PersistedEvent) error
}

// Prepared returns the consumer with what prepares its batches. It is given events one by one then, also if it is a
// [BatchConsumer].
func Prepared[Tx any](c ScopedConsumer[Tx], prepare func(ctx context.Context, tx Tx, events []runtime.PersistedEvent) error) ScopedConsumer[Tx] {
	return prepared[Tx]{c, prepare}
}

type prepared[Tx any] struct {
	ScopedConsumer[Tx]
	prepare func(ctx context.Context, tx Tx, events []runtime.PersistedEvent) error
}

func (c prepared[Tx]) Prepare(ctx context.Context, tx Tx, events []runtime.PersistedEvent) error {
	return c.prepare(ctx, tx, events)
}
