package mapping

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/eventmap/eventmap/runtime"
)

// Decide2 is what the Decide2 of generated code does: it decides on two aggregates at once.
func Decide2[Tx, A, EA, B, EB any](
	ctx context.Context,
	tx Tx,
	a Aggregate[Tx, A, EA],
	b Aggregate[Tx, B, EB],
	decide func(A, B) ([]EA, []EB, error),
	opts ...runtime.ExecuteOption,
) (runtime.Execution[A], runtime.Execution[B], error) {
	d := &decision2[Tx, A, EA, B, EB]{a: a, b: b, decide: decide, settingsA: a.personal.settings(a.settings, opts), settingsB: b.personal.settings(b.settings, opts)}
	executionA, executionB, err := d.run(ctx, tx)
	if err != nil {
		return runtime.Execution[A]{}, runtime.Execution[B]{}, err
	}
	return executionA, executionB, nil
}

// A decision2 is one call of Decide2.
type decision2[Tx, A, EA, B, EB any] struct {
	a                    Aggregate[Tx, A, EA]
	b                    Aggregate[Tx, B, EB]
	decide               func(A, B) ([]EA, []EB, error)
	settingsA, settingsB runtime.Settings
	loadedA              Loaded[A]
	loadedB              Loaded[B]
}

func (d *decision2[Tx, A, EA, B, EB]) run(ctx context.Context, tx Tx) (executionA runtime.Execution[A], executionB runtime.Execution[B], err error) {
	store, err := d.store()
	if err != nil {
		return executionA, executionB, err
	}
	for attempt := 1; ; attempt++ {
		if err := d.load(ctx, tx); err != nil {
			return executionA, executionB, err
		}
		if err := CheckVersion(d.settingsA, d.a.key.AggregateType, d.a.key.AggregateID, d.loadedA.Version); err != nil {
			return executionA, executionB, err
		}
		eventsA, eventsB, err := d.decide(d.loadedA.State, d.loadedB.State)
		if err != nil {
			return executionA, executionB, err
		}
		results, err := d.append(ctx, tx, store, eventsA, eventsB)
		var conflict *runtime.ConflictError
		switch {
		case err == nil:
			if executionA, err = d.a.execution(ctx, tx, d.loadedA, results[0]); err == nil {
				executionB, err = d.b.execution(ctx, tx, d.loadedB, results[1])
			}
			return executionA, executionB, err
		case !errors.As(err, &conflict) || attempt >= d.settingsA.MaxAttempts():
			return executionA, executionB, err
		}
	}
}

// store returns the store of both aggregates, or why it cannot decide on them together.
func (d *decision2[Tx, A, EA, B, EB]) store() (runtime.StreamsAppender[Tx], error) {
	both := fmt.Sprintf("decide on %s %q and %s %q", d.a.key.AggregateType, d.a.key.AggregateID, d.b.key.AggregateType, d.b.key.AggregateID)
	appender, ok := d.a.store.(runtime.StreamsAppender[Tx])
	switch {
	case d.a.key.AggregateType == d.b.key.AggregateType && d.a.key.AggregateID == d.b.key.AggregateID:
		return nil, fmt.Errorf("%s: they are the same; use Execute", both)
	case !sameStore(d.a.store, d.b.store):
		return nil, fmt.Errorf("%s: their generated stores were made over different stores; make both over one", both)
	case !ok:
		return nil, fmt.Errorf("%s: a %T is no runtime.StreamsAppender, and cannot append to both at once", both, d.a.store)
	}
	return appender, nil
}

// sameStore reports whether two stores are one value, or the first says that they are the same. What cannot be compared is
// taken to be the same if its type is.
func sameStore[Tx any](a, b runtime.Store[Tx]) bool {
	if s, ok := a.(interface {
		Same(other runtime.Store[Tx]) bool
	}); ok && s.Same(b) {
		return true
	}
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	return x.IsValid() && y.IsValid() && x.Type() == y.Type() && (!x.Comparable() || x.Equal(y))
}

// load brings both states up to date, in one round trip if the store can do that.
func (d *decision2[Tx, A, EA, B, EB]) load(ctx context.Context, tx Tx) error {
	reads := []runtime.StreamRead{d.a.read(&d.loadedA), d.b.read(&d.loadedB)}
	results, err := readStreams(ctx, d.a.store, tx, reads)
	if err != nil {
		return err
	}
	if err := d.a.take(ctx, tx, &d.loadedA, results[0]); err != nil {
		return err
	}
	return d.b.take(ctx, tx, &d.loadedB, results[1])
}

// append appends what was decided. If there is nothing, neither stream is touched and the results are empty.
func (d *decision2[Tx, A, EA, B, EB]) append(ctx context.Context, tx Tx, store runtime.StreamsAppender[Tx], eventsA []EA, eventsB []EB) ([]runtime.AppendResult, error) {
	if len(eventsA)+len(eventsB) == 0 {
		return make([]runtime.AppendResult, 2), nil
	}
	toA, err := d.a.append(ctx, tx, d.settingsA, d.loadedA.Version, eventsA)
	if err != nil {
		return nil, err
	}
	toB, err := d.b.append(ctx, tx, d.settingsB, d.loadedB.Version, eventsB)
	if err != nil {
		return nil, err
	}
	return store.AppendStreams(ctx, tx, toA, toB)
}

// readStreams reads the streams at once, or one after the other if the store cannot.
func readStreams[Tx any](ctx context.Context, store runtime.Store[Tx], tx Tx, reads []runtime.StreamRead) ([]runtime.ReadResult, error) {
	if reader, ok := store.(runtime.StreamsReader[Tx]); ok {
		return reader.ReadStreams(ctx, tx, reads...)
	}
	results := make([]runtime.ReadResult, len(reads))
	for i, r := range reads {
		var err error
		if r.Fingerprint != "" {
			results[i].Snapshot, results[i].Stream, err = store.(runtime.SnapshotStore[Tx]).ReadFromSnapshot(ctx, tx, r.SnapshotKey)
		} else {
			results[i].Stream, err = ReadStream(ctx, store, tx, r.AggregateType, r.AggregateID, After(r.After)...)
		}
		if err != nil {
			return nil, err
		}
	}
	return results, nil
}
