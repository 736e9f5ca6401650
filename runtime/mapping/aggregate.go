package mapping

import (
	"context"
	"slices"

	"github.com/eventmap/eventmap/runtime"
)

// An Aggregate is one aggregate of a generated store, as its method At returns it: the stream of an ID, and how its events are
// encoded and folded. It is immutable and safe for concurrent use.
type Aggregate[Tx, S, E any] struct {
	store     runtime.Store[Tx]
	settings  runtime.Settings
	key       runtime.SnapshotKey // without a fingerprint if no snapshots are kept
	encode    func(*Encoder, any) (runtime.Event, error)
	fold      func(*S, []runtime.PersistedEvent) error
	snapshots *Snapshots[Tx, S] // or nil
	personal  Personal[Tx]
}

// NewAggregate returns the aggregate of a generated store that has the given ID.
func NewAggregate[E, Tx, S any](
	store runtime.Store[Tx],
	settings runtime.Settings,
	aggregateType, aggregateID string,
	encode func(*Encoder, any) (runtime.Event, error),
	fold func(*S, []runtime.PersistedEvent) error,
) Aggregate[Tx, S, E] {
	return Aggregate[Tx, S, E]{
		store: store, settings: settings, encode: encode, fold: fold,
		key: runtime.SnapshotKey{AggregateType: aggregateType, AggregateID: aggregateID},
	}
}

// WithSnapshots returns a copy of a that begins with snapshots, and keeps them.
func (a Aggregate[Tx, S, E]) WithSnapshots(s Snapshots[Tx, S]) Aggregate[Tx, S, E] {
	if s.kept != nil {
		a.snapshots, a.key = &s, s.key(a.key.AggregateID)
	}
	return a
}

// WithPersonal returns a copy of a that seals and opens the personal data of its events.
func (a Aggregate[Tx, S, E]) WithPersonal(p Personal[Tx]) Aggregate[Tx, S, E] {
	a.personal = p
	return a
}

// read says what is to be read for the state: all of it, or what is new since the version at which the state is.
func (a *Aggregate[Tx, S, E]) read(loaded *Loaded[S]) runtime.StreamRead {
	if loaded.Version == 0 {
		return runtime.StreamRead{SnapshotKey: a.key}
	}
	name := runtime.SnapshotKey{AggregateType: a.key.AggregateType, AggregateID: a.key.AggregateID}
	return runtime.StreamRead{SnapshotKey: name, After: loaded.Version}
}

// take brings the state up to what was read.
func (a *Aggregate[Tx, S, E]) take(ctx context.Context, tx Tx, loaded *Loaded[S], r runtime.ReadResult) (err error) {
	if loaded.Version == 0 && a.snapshots != nil {
		*loaded, err = a.snapshots.resume(ctx, tx, a.key.AggregateID, r.Snapshot, r.Stream)
		return err
	}
	ids, err := a.personal.Open(ctx, tx, r.Stream.Events)
	if err != nil {
		return err
	}
	loaded.Version, loaded.KeyIDs = loaded.Version+int64(r.Stream.Len()), append(loaded.KeyIDs, ids...)
	return a.fold(&loaded.State, r.Stream.Events)
}

// append returns the events, encoded, as an append to the stream at the version of the state; without events, a guard on that.
func (a *Aggregate[Tx, S, E]) append(ctx context.Context, tx Tx, settings runtime.Settings, version int64, events []E) (runtime.StreamAppend, error) {
	at := runtime.Guard(a.key.AggregateType, a.key.AggregateID, runtime.Exact(version))
	if len(events) == 0 {
		return at, nil
	}
	encoded, err := EncodeAll(NewEncoder(settings, a.key.AggregateType, a.key.AggregateID), events, a.encode)
	at.Events, err = a.personal.SealAll(ctx, tx, encoded, err)
	return at, err
}

// execution returns what came of an append, and keeps the state if it is time for that.
func (a *Aggregate[Tx, S, E]) execution(ctx context.Context, tx Tx, loaded Loaded[S], r runtime.AppendResult) (runtime.Execution[S], error) {
	if len(r.Events) > 0 {
		opened := slices.Clone(r.Events)
		ids, err := a.personal.Open(ctx, tx, opened)
		if err != nil {
			return runtime.Execution[S]{}, err
		}
		loaded.KeyIDs = append(loaded.KeyIDs, ids...)
		if err := a.fold(&loaded.State, opened); err != nil {
			return runtime.Execution[S]{}, err
		}
		loaded.Appended(r)
		if a.snapshots != nil {
			a.snapshots.Save(ctx, tx, a.key.AggregateID, loaded)
		}
	}
	return runtime.Execution[S]{AppendResult: r, State: loaded.State, Version: loaded.Version}, nil
}
