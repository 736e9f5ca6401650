package eventtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/internal/appending"
)

// A Store is an event store in memory, for tests of what appends and reads: the typed stores that are generated, Execute,
// and the code around them. It keeps the contract that storetest tests, but has no transactions: each call is one of its
// own, whatever it is given as the transaction, which it never touches. A test of what is rolled back, or of what waits
// for what, needs a database. It is safe for concurrent use.
type Store[Tx any] struct {
	mu      sync.Mutex
	log     []runtime.PersistedEvent
	last    int64 // position
	streams map[appending.StreamName][]runtime.PersistedEvent
	heads   map[appending.StreamName]int64 // versions
	byID    map[uuid.UUID]runtime.PersistedEvent

	snapshots map[runtime.SnapshotKey]savedSnapshot
	saveFault error // of SaveSnapshot
}

// NewStore returns an empty store. Tx is what the code under test has: pgx.Tx, *sql.Tx, or anything; nil will do.
func NewStore[Tx any]() *Store[Tx] {
	return &Store[Tx]{
		streams: map[appending.StreamName][]runtime.PersistedEvent{}, heads: map[appending.StreamName]int64{}, byID: map[uuid.UUID]runtime.PersistedEvent{},
		snapshots: map[runtime.SnapshotKey]savedSnapshot{},
	}
}

// Append implements [runtime.EventStore].
func (s *Store[Tx]) Append(ctx context.Context, _ Tx, expected runtime.ExpectedVersion, events []runtime.Event) (runtime.AppendResult, error) {
	if err := errors.Join(ctx.Err(), runtime.ValidateAppend(expected, events)); err != nil {
		return runtime.AppendResult{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.append(runtime.StreamAppend{Expected: expected, Events: events}, time.Now())
}

func (s *Store[Tx]) append(a runtime.StreamAppend, now time.Time) (runtime.AppendResult, error) {
	to := appending.NameOf(a)
	if again, err := s.again(to, a.Expected, a.Events); err != nil || again != nil {
		return result(again, true), err
	}
	if !a.Expected.Matches(s.heads[to]) {
		return runtime.AppendResult{}, s.conflict(a)
	}
	stored := make([]runtime.PersistedEvent, len(a.Events))
	for i, e := range a.Events {
		s.heads[to]++
		s.last++
		stored[i] = runtime.PersistedEvent{Event: kept(e, now), AggregateVersion: s.heads[to], GlobalPosition: s.last}
		s.log = append(s.log, stored[i])
		s.streams[to] = append(s.streams[to], stored[i])
		s.byID[e.EventID] = stored[i]
	}
	return result(copies(stored), false), nil
}

// AppendStreams implements [runtime.StreamsAppender].
func (s *Store[Tx]) AppendStreams(ctx context.Context, _ Tx, appends ...runtime.StreamAppend) ([]runtime.AppendResult, error) {
	if err := errors.Join(ctx.Err(), appending.ValidateStreams(appends, appending.ValidateStream)); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range appends {
		to := appending.NameOf(a)
		if again, err := s.again(to, a.Expected, a.Events); err != nil || again != nil || !a.Expected.Matches(s.heads[to]) {
			return appending.StreamsAgain(appends, s.whyNot)
		}
	}
	results := make([]runtime.AppendResult, len(appends))
	now := time.Now()
	for i, a := range appends {
		var err error
		if results[i], err = s.append(a, now); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// whyNot says why a stream's part of an append to several was not possible, as [appending.StreamsAgain] asks.
func (s *Store[Tx]) whyNot(a runtime.StreamAppend) (runtime.AppendResult, error) {
	again, err := s.again(appending.NameOf(a), a.Expected, a.Events)
	if err == nil && again == nil {
		err = s.conflict(a)
	}
	return result(again, true), err
}

// conflict returns where the stream of a stands, other than expected or not.
func (s *Store[Tx]) conflict(a runtime.StreamAppend) *runtime.ConflictError {
	to := appending.NameOf(a)
	return &runtime.ConflictError{
		AggregateType: to.AggregateType, AggregateID: to.AggregateID, Expected: a.Expected, Actual: s.heads[to],
	}
}

// again returns what an earlier append of the same events stored, nil if there was none, or the error of an append that
// has events of another.
func (s *Store[Tx]) again(to appending.StreamName, expected runtime.ExpectedVersion, events []runtime.Event) ([]runtime.PersistedEvent, error) {
	var found []runtime.PersistedEvent
	same := !expected.IsAny() && !expected.IsStreamExists()
	for i, e := range events {
		if stored, ok := s.byID[e.EventID]; ok {
			found = append(found, stored)
			same = same && to == appending.StreamName{AggregateType: stored.AggregateType, AggregateID: stored.AggregateID} && stored.AggregateVersion == expected.Value()+1+int64(i)
		}
	}
	if len(found) > 0 && (!same || len(found) < len(events)) {
		return nil, runtime.ErrDuplicateEvent
	}
	return copies(found), nil
}

// kept returns e as a store keeps it. An event that does not say when it happened happens now.
func kept(e runtime.Event, now time.Time) runtime.Event {
	if e.CreatedAt.IsZero() {
		e.CreatedAt = now
	}
	e.CreatedAt = e.CreatedAt.UTC().Truncate(time.Microsecond)
	e.Payload = append([]byte{}, e.Payload...)
	e.Metadata = bytes.Clone(e.Metadata)
	for _, n := range []*runtime.NullString{&e.CausationID, &e.CorrelationID, &e.TraceID} {
		if !n.Valid {
			*n = runtime.NullString{}
		}
	}
	return e
}

// copies returns events of the store's for a caller, who may change them.
func copies(events []runtime.PersistedEvent) []runtime.PersistedEvent {
	own := slices.Clone(events)
	for i := range own {
		own[i].Payload = bytes.Clone(own[i].Payload)
		own[i].Metadata = bytes.Clone(own[i].Metadata)
	}
	return own
}

func result(events []runtime.PersistedEvent, already bool) runtime.AppendResult {
	if len(events) == 0 {
		return runtime.AppendResult{}
	}
	r := runtime.AppendResult{Events: events, AlreadyStored: already}
	for _, e := range events {
		r.GlobalPositions = append(r.GlobalPositions, e.GlobalPosition)
	}
	return r
}

// ReadAggregateStream implements [runtime.AggregateStreamReader].
func (s *Store[Tx]) ReadAggregateStream(ctx context.Context, _ Tx, aggregateType, aggregateID string, fromVersion, toVersion *int64) (runtime.Stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := appending.StreamName{AggregateType: aggregateType, AggregateID: aggregateID}
	read := runtime.NewStream(aggregateType, aggregateID, s.heads[name], s.window(name, fromVersion, toVersion))
	if err := errors.Join(ctx.Err(), read.Complete(fromVersion, toVersion)); err != nil {
		return runtime.Stream{}, err
	}
	return read, nil
}

// window returns the events of a stream from a version to another, both included; nil: from the first, to the last.
func (s *Store[Tx]) window(name appending.StreamName, from, to *int64) []runtime.PersistedEvent {
	var window []runtime.PersistedEvent
	for _, e := range s.streams[name] {
		if (from == nil || e.AggregateVersion >= *from) && (to == nil || e.AggregateVersion <= *to) {
			window = append(window, e)
		}
	}
	return copies(window)
}

// Remove takes the versions from from to to, both included, out of a stream and out of the log, as an archived partition
// or a careless delete does. The head of the stream stays, so that reads give a [*runtime.IncompleteStreamError].
func (s *Store[Tx]) Remove(aggregateType, aggregateID string, from, to int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := appending.StreamName{AggregateType: aggregateType, AggregateID: aggregateID}
	removed := func(e runtime.PersistedEvent) bool {
		return name == appending.StreamName{AggregateType: e.AggregateType, AggregateID: e.AggregateID} && e.AggregateVersion >= from && e.AggregateVersion <= to
	}
	s.log = slices.DeleteFunc(s.log, removed)
	s.streams[name] = slices.DeleteFunc(s.streams[name], removed)
	maps.DeleteFunc(s.byID, func(_ uuid.UUID, e runtime.PersistedEvent) bool { return removed(e) })
}

// ReadEvents implements [runtime.EventReader].
func (s *Store[Tx]) ReadEvents(ctx context.Context, _ Tx, fromPosition int64, limit int) ([]runtime.PersistedEvent, error) {
	if limit < 1 {
		return nil, fmt.Errorf("read events: limit is %d", limit)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	after := slices.IndexFunc(s.log, func(e runtime.PersistedEvent) bool { return e.GlobalPosition > fromPosition })
	if after < 0 {
		return nil, ctx.Err()
	}
	return copies(s.log[after:][:min(limit, len(s.log)-after)]), ctx.Err()
}

// GetLatestGlobalPosition implements [runtime.GlobalPositionReader].
func (s *Store[Tx]) GetLatestGlobalPosition(ctx context.Context, _ Tx) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.log) == 0 {
		return 0, ctx.Err()
	}
	return s.log[len(s.log)-1].GlobalPosition, ctx.Err()
}

// Events returns the log: every event that was appended, in order.
func (s *Store[Tx]) Events() []runtime.PersistedEvent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return copies(s.log)
}
