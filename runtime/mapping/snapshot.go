package mapping

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	goruntime "runtime"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// Snapshots read and save the states of one aggregate beside its streams. They are immutable and safe for concurrent use.
type Snapshots[Tx, S any] struct {
	store         runtime.Store[Tx]
	kept          runtime.SnapshotStore[Tx] // the same store, or nil if it keeps none
	lender        lender[Tx]                // the same store, or nil if it lends no events
	settings      runtime.Settings
	aggregateType string
	fingerprint   string
	fold          func(*S, []runtime.PersistedEvent) error
	personal      Personal[Tx]
	seals         bool // states hold personal data
}

// snapshotFormat is the number of the form in which states are kept.
const snapshotFormat = 2

// NewSnapshots returns the snapshots of an aggregate. code is the fingerprint of what fold runs, as eventmap-gen found it;
// the release of Go, the codec and the form of a snapshot are added to it here, for they may differ between two builds.
func NewSnapshots[Tx, S any](store runtime.Store[Tx], settings runtime.Settings, aggregateType, code string, fold func(*S, []runtime.PersistedEvent) error) Snapshots[Tx, S] {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %T %d", code, goruntime.Version(), plainly(settings.Codec()), snapshotFormat))
	s := Snapshots[Tx, S]{
		store: store, settings: settings, aggregateType: aggregateType, fingerprint: hex.EncodeToString(sum[:]), fold: fold,
	}
	s.kept, _ = store.(runtime.SnapshotStore[Tx])
	if _, outermost := runtime.PartsReader(store); outermost {
		s.lender, _ = store.(lender[Tx])
	}
	return s
}

// A lender is a store that reads a stream from its snapshot into memory that it has read others into, which is most of what a load
// takes. The events are lent for as long as use runs: a fold keeps none. Like parts, it is not asked through another store that
// embeds it and may read in its own way.
type lender[Tx any] interface {
	LendFromSnapshot(ctx context.Context, tx Tx, key runtime.SnapshotKey, use func(runtime.Snapshot, runtime.Stream) error) error
}

// Sealing returns the snapshots with what opens personal data before it is folded. Their states are kept sealed, under the
// keys of all that went into them.
func (s Snapshots[Tx, S]) Sealing(personal Personal[Tx]) Snapshots[Tx, S] {
	s.personal, s.seals = personal, true
	return s
}

// A Loaded is a state and where it stands.
type Loaded[S any] struct {
	State   S
	Version int64
	Saved   int64 // version of the snapshot that it began with; 0: none
	// LastEventID is the ID of the event at Version, if that was appended.
	LastEventID uuid.UUID
	// KeyIDs are those of the keys of all personal data that went into the state. Some may come more than once.
	KeyIDs []uuid.UUID
}

// Appended notes that the events of a result were folded.
func (l *Loaded[S]) Appended(r runtime.AppendResult) {
	l.Version, l.LastEventID = r.ToVersion(), r.Events[len(r.Events)-1].EventID
}

// Load folds the stream into its state, from the latest snapshot on if there is one. With options the whole stream is folded,
// as far as they select it.
func (s Snapshots[Tx, S]) Load(ctx context.Context, tx Tx, aggregateID string, opts ...runtime.LoadOption) (Loaded[S], error) {
	if s.kept == nil || len(opts) > 0 {
		return s.whole(ctx, tx, aggregateID, opts...)
	}
	if s.lender != nil {
		var loaded Loaded[S]
		err := s.lender.LendFromSnapshot(ctx, tx, s.key(aggregateID), func(snapshot runtime.Snapshot, rest runtime.Stream) (err error) {
			loaded, err = s.resume(ctx, tx, aggregateID, snapshot, rest)
			return err
		})
		return loaded, err
	}
	snapshot, rest, err := s.kept.ReadFromSnapshot(ctx, tx, s.key(aggregateID))
	if err != nil {
		return Loaded[S]{}, err
	}
	return s.resume(ctx, tx, aggregateID, snapshot, rest)
}

// resume folds what is left of a stream into the state of its snapshot.
func (s Snapshots[Tx, S]) resume(ctx context.Context, tx Tx, aggregateID string, snapshot runtime.Snapshot, rest runtime.Stream) (Loaded[S], error) {
	loaded := Loaded[S]{Version: rest.Version(), Saved: snapshot.Version}
	if s.seals {
		ids, state, err := s.open(ctx, tx, aggregateID, snapshot, rest.Events)
		if err != nil {
			return Loaded[S]{}, err
		}
		if state == nil && snapshot.Version > 0 {
			return s.whole(ctx, tx, aggregateID)
		}
		loaded.KeyIDs, snapshot.State = ids, state
	}
	if snapshot.Version > 0 {
		if err := s.decode(aggregateID, snapshot, &loaded.State); err != nil {
			s.trouble(ctx, "a snapshot cannot be read, and the stream is folded from its first event", aggregateID, snapshot.Version, err)
			return s.whole(ctx, tx, aggregateID)
		}
	}
	if err := s.fold(&loaded.State, rest.Events); err != nil {
		return Loaded[S]{}, err
	}
	if share := s.settings.VerifySnapshots(); share > 0 && snapshot.Version > 0 && rand.Float64() < share {
		return s.verify(ctx, tx, aggregateID, loaded)
	}
	return loaded, nil
}

// whole folds the stream from its first event.
func (s Snapshots[Tx, S]) whole(ctx context.Context, tx Tx, aggregateID string, opts ...runtime.LoadOption) (Loaded[S], error) {
	stream, ids, err := s.personal.readStream(ctx, s.store, tx, s.aggregateType, aggregateID, After(0, opts...)...)
	if err != nil {
		return Loaded[S]{}, err
	}
	loaded := Loaded[S]{Version: int64(stream.Len()), KeyIDs: ids}
	return loaded, s.fold(&loaded.State, stream.Events)
}

// verify compares a state from a snapshot with what the events come to, up to the same version, and returns the latter.
func (s Snapshots[Tx, S]) verify(ctx context.Context, tx Tx, aggregateID string, loaded Loaded[S]) (Loaded[S], error) {
	whole, err := s.whole(ctx, tx, aggregateID, runtime.ToVersion(loaded.Version))
	if err != nil {
		return Loaded[S]{}, err
	}
	got, gotErr := s.settings.Codec().Marshal(&loaded.State)
	want, wantErr := s.settings.Codec().Marshal(&whole.State)
	if gotErr == nil && wantErr == nil && bytes.Equal(got, want) {
		return loaded, nil
	}
	s.trouble(ctx, "a snapshot is not what the events come to, and is not used", aggregateID, loaded.Saved,
		fmt.Errorf("the fold depends on more than eventmap-gen sees, or a snapshot was changed; drop the snapshots of %s", s.aggregateType))
	return whole, nil
}

// Save keeps a snapshot of a state if it is far enough past the one that it began with. That it cannot be kept fails nothing:
// the logger is told.
func (s Snapshots[Tx, S]) Save(ctx context.Context, tx Tx, aggregateID string, loaded Loaded[S]) {
	every := s.settings.SnapshotEvery()
	if s.kept == nil || every == 0 || loaded.Version-loaded.Saved < int64(every) {
		return
	}
	snapshot := runtime.Snapshot{Version: loaded.Version}
	var err error
	if snapshot.State, err = s.encode(aggregateID, &loaded); err == nil && s.seals {
		snapshot, err = s.sealed(ctx, tx, aggregateID, snapshot, loaded.KeyIDs)
	}
	if err == nil && snapshot.State != nil {
		err = s.kept.SaveSnapshot(ctx, tx, s.key(aggregateID), snapshot)
	}
	if err != nil {
		s.trouble(ctx, "a snapshot cannot be saved", aggregateID, loaded.Version, err)
	}
}

// open opens the state of a snapshot, if there is one, and the events after it, and returns the IDs of the keys of both. The
// state is nil if it cannot be read, because somebody in it was forgotten or because it is not what was sealed.
func (s Snapshots[Tx, S]) open(ctx context.Context, tx Tx, aggregateID string, snapshot runtime.Snapshot, events []runtime.PersistedEvent) (ids []uuid.UUID, state []byte, err error) {
	if snapshot.Version == 0 {
		ids, err = s.personal.Open(ctx, tx, events)
		return ids, nil, err
	}
	if ids, err = privacy.StateKeyIDs(snapshot.State); err != nil {
		s.trouble(ctx, "a snapshot cannot be opened, and the stream is folded from its first event", aggregateID, snapshot.Version, err)
		return nil, nil, nil
	}
	ids = append(ids, s.personal.keyIDs(events)...)
	ring, err := s.personal.ring(ctx, tx, ids)
	if err != nil {
		return nil, nil, err
	}
	state, erased, err := ring.OpenState(s.place(aggregateID, snapshot.Version), snapshot.State)
	if err != nil {
		s.trouble(ctx, "a snapshot cannot be opened, and the stream is folded from its first event", aggregateID, snapshot.Version, err)
	}
	if err != nil || erased {
		return nil, nil, nil
	}
	return ids, state, s.personal.openWith(ring, events)
}

// sealed returns a snapshot with its state sealed. Where no key is left to seal it with, there is nothing to keep: it has no
// state then.
func (s Snapshots[Tx, S]) sealed(ctx context.Context, tx Tx, aggregateID string, snapshot runtime.Snapshot, ids []uuid.UUID) (runtime.Snapshot, error) {
	clear := snapshot.State
	snapshot.State = nil
	ring, err := s.personal.ring(ctx, tx, ids)
	if err != nil || ring.AreErased(ids) {
		return snapshot, err
	}
	snapshot.State, snapshot.KeyIDs, err = ring.SealState(s.place(aggregateID, snapshot.Version), ids, clear)
	return snapshot, err
}

func (s Snapshots[Tx, S]) place(aggregateID string, version int64) privacy.StatePlace {
	return privacy.StatePlace{AggregateType: s.aggregateType, AggregateID: aggregateID, Fingerprint: s.fingerprint, Version: version}
}

func (s Snapshots[Tx, S]) key(aggregateID string) runtime.SnapshotKey {
	return runtime.SnapshotKey{AggregateType: s.aggregateType, AggregateID: aggregateID, Fingerprint: s.fingerprint}
}

func (s Snapshots[Tx, S]) trouble(ctx context.Context, message, aggregateID string, version int64, err error) {
	s.settings.Logger().Error(ctx, message, "aggregate_type", s.aggregateType, "aggregate_id", aggregateID, "version", version, "error", err)
}
