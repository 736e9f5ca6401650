package mapping

import (
	"context"
	"errors"

	"github.com/eventmap/eventmap/runtime"
)

// ReadStream reads the stream of an aggregate, or what the options select of it.
func ReadStream[Tx any](ctx context.Context, store runtime.AggregateStreamReader[Tx], tx Tx, aggregateType, aggregateID string, opts ...runtime.ReadOption) (runtime.Stream, error) {
	return readWindow(opts, func(from, to *int64) (runtime.Stream, error) {
		return store.ReadAggregateStream(ctx, tx, aggregateType, aggregateID, from, to)
	})
}

// readWindow reads what the options select of a stream.
func readWindow(opts []runtime.ReadOption, read func(from, to *int64) (runtime.Stream, error)) (runtime.Stream, error) {
	var w runtime.Window
	for _, o := range opts {
		w = w.With(o)
	}
	stream, err := read(w.From, w.To)
	var incomplete *runtime.IncompleteStreamError
	if w.AllowIncomplete && errors.As(err, &incomplete) {
		return incomplete.Found, nil
	}
	return stream, err
}

// After returns the options that read the events after version, and of those what the given options select.
func After(version int64, opts ...runtime.LoadOption) []runtime.ReadOption {
	after := make([]runtime.ReadOption, 0, len(opts)+1)
	after = append(after, runtime.FromVersion(version+1))
	for _, o := range opts {
		after = append(after, o)
	}
	return after
}

// DecodeStream decodes every event of a stream. The first event that cannot be decoded ends it with its error.
func DecodeStream[E any](s runtime.Stream, decode func(*runtime.PersistedEvent) (E, error)) (runtime.TypedStream[E], error) {
	events := make([]runtime.Recorded[E], len(s.Events))
	for i := range s.Events {
		event, err := decode(&s.Events[i])
		if err != nil {
			return runtime.TypedStream[E]{}, err
		}
		events[i] = runtime.Recorded[E]{Event: event, Meta: s.Events[i].Meta()}
	}
	return runtime.NewTypedStream(s.AggregateID, s.Version(), events), nil
}
