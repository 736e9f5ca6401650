package eventtest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// Deliver hands events to a consumer as a runner does: in order, and only those of the aggregate types it asks for. Where
// the events come from decides what their Meta says: a [Store] gives them places, and a typed store over it, with options,
// all the rest. The first error ends it, and says which event it is about.
func Deliver[Tx any](ctx context.Context, tx Tx, c consumer.Consumer[Tx], events []runtime.PersistedEvent) error {
	for _, e := range events {
		if scoped, ok := c.(consumer.ScopedConsumer[Tx]); ok && !slices.Contains(scoped.AggregateTypes(), e.AggregateType) {
			continue
		}
		if err := c.Handle(ctx, tx, e); err != nil {
			return fmt.Errorf("%s: handle %s v%d at position %d: %w", c.Name(), e.EventType, e.EventVersion, e.GlobalPosition, err)
		}
	}
	return nil
}

// A Recorded is an event that a consumer handled, as programs meet it, with what is stored beside it.
type Recorded = runtime.Recorded[any]

// A Recorder is a consumer that hands events on to another, and remembers those that were handled without an error. It is
// not safe for concurrent use.
type Recorder[Tx any] struct {
	consumer.Consumer[Tx]
	types  []string
	decode func(e runtime.PersistedEvent, opts ...runtime.Option) (any, error)
	opts   []runtime.Option
	events []Recorded
}

// Record returns a recorder around a consumer. decode is the generated FromESEvent; the options are those of decoding.
func Record[Tx any](
	c consumer.ScopedConsumer[Tx],
	decode func(e runtime.PersistedEvent, opts ...runtime.Option) (any, error),
	opts ...runtime.Option,
) *Recorder[Tx] {
	return &Recorder[Tx]{Consumer: c, types: c.AggregateTypes(), decode: decode, opts: opts}
}

// AggregateTypes returns those of the consumer.
func (r *Recorder[Tx]) AggregateTypes() []string { return slices.Clone(r.types) }

// Handle has the consumer handle e, and remembers it.
func (r *Recorder[Tx]) Handle(ctx context.Context, tx Tx, e runtime.PersistedEvent) error {
	if err := r.Consumer.Handle(ctx, tx, e); err != nil {
		return err
	}
	event, err := r.decode(e, r.opts...)
	if err != nil {
		return err
	}
	r.events = append(r.events, Recorded{Event: event, Meta: e.Meta()})
	return nil
}

// Events returns what was handled, in order.
func (r *Recorder[Tx]) Events() []Recorded { return slices.Clone(r.events) }

// Expect fails the test unless these events were handled, in this order, and forgets them: a later Expect is about what
// came after.
func (r *Recorder[Tx]) Expect(t testing.TB, want ...any) {
	t.Helper()
	var got []any
	for _, e := range r.events {
		got = append(got, e.Event)
	}
	r.events = nil
	if found := eventDifferences(want, got); len(found) > 0 {
		t.Errorf("%s handled other events than expected:%s\nexpected:%s\nhandled:%s", r.Name(), indented(found), listed(want), listed(got))
	}
}
