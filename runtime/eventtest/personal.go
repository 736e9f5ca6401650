package eventtest

import (
	"context"
	"slices"
	"testing"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// NoTx is the transaction of what needs none.
type NoTx struct{}

// Keys returns new keys for personal data, in memory.
func Keys() *privacy.Keys[NoTx] {
	wrapper, err := privacy.NewLocalWrapper(make([]byte, 32))
	if err != nil {
		panic(err) // the secret has the right length
	}
	return privacy.NewKeys(privacy.NewMemoryKeys[NoTx](), wrapper)
}

// Sealing returns a generated function that seals personal data, with the keys, as [RoundTrip] takes it.
func Sealing[E any](
	t testing.TB,
	keys *privacy.Keys[NoTx],
	to func(ctx context.Context, tx NoTx, keys *privacy.Keys[NoTx], aggregateType, aggregateID string, e E, opts ...runtime.Option) (runtime.Event, error),
) func(aggregateType, aggregateID string, e E, opts ...runtime.Option) (runtime.Event, error) {
	return func(aggregateType, aggregateID string, e E, opts ...runtime.Option) (runtime.Event, error) {
		return to(t.Context(), NoTx{}, keys, aggregateType, aggregateID, e, opts...)
	}
}

// Opening returns a generated function that opens personal data, with the keys, as [RoundTrip] and [Upcast] take it.
func Opening[E any](
	t testing.TB,
	keys *privacy.Keys[NoTx],
	from func(ctx context.Context, tx NoTx, keys *privacy.Keys[NoTx], e runtime.PersistedEvent, opts ...runtime.Option) (E, error),
) func(e runtime.PersistedEvent, opts ...runtime.Option) (E, error) {
	return func(e runtime.PersistedEvent, opts ...runtime.Option) (E, error) {
		return from(t.Context(), NoTx{}, keys, e, opts...)
	}
}

// NewPersonalScenario is [NewScenario] for a domain with personal data. Generated code calls it.
func NewPersonalScenario[State, Event any](
	t testing.TB,
	aggregateType string,
	to func(ctx context.Context, tx NoTx, keys *privacy.Keys[NoTx], aggregateType, aggregateID string, events []any, opts ...runtime.Option) ([]runtime.Event, error),
	from func(ctx context.Context, tx NoTx, keys *privacy.Keys[NoTx], events []runtime.PersistedEvent, opts ...runtime.Option) ([]Event, error),
	fold func(state *State, event Event) error,
	opts ...runtime.Option,
) Scenario[State, Event] {
	bound := func(keys *privacy.Keys[NoTx]) Scenario[State, Event] {
		s := NewScenario(t, aggregateType,
			func(aggregateType, aggregateID string, events []any, opts ...runtime.Option) ([]runtime.Event, error) {
				return to(t.Context(), NoTx{}, keys, aggregateType, aggregateID, events, opts...)
			},
			func(events []runtime.PersistedEvent, opts ...runtime.Option) ([]Event, error) {
				return from(t.Context(), NoTx{}, keys, events, opts...)
			}, fold, opts...)
		s.keys = keys
		return s
	}
	s := bound(Keys())
	s.bound = bound
	return s
}

// GivenForgotten says that these subjects have been forgotten, after what was given before: what is personal of theirs reads
// as erased from there on, and an event that holds more of it is refused with [privacy.ErrForgotten]. It ends the test if
// the domain has no personal data.
func (s Scenario[State, Event]) GivenForgotten(subjects ...string) Scenario[State, Event] {
	s.t.Helper()
	if s.bound == nil {
		s.t.Fatal("given forgotten: no field of the domain is personal")
	}
	next := s.bound(Keys())
	next.bound, next.said, next.forgotten = s.bound, s.said, append(slices.Clone(s.forgotten), subjects...)
	next.snapshots = s.snapshots
	stored, err := next.persist(s.said)
	if err == nil {
		err = next.keys.Forget(s.t.Context(), NoTx{}, next.forgotten...)
	}
	if err == nil {
		next.events, err = next.from(stored, next.opts...)
	}
	if err != nil {
		s.t.Fatalf("given forgotten: %v", err)
	}
	next.state()
	return next
}
