package storetest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
)

// memory is a store that a stranger might write: events in a slice, each call a transaction of its own. Its faults are
// ways to get it wrong.
type memory struct {
	mu        sync.Mutex
	log       []runtime.PersistedEvent
	snapshots map[runtime.SnapshotKey]memorySnapshot
	fault     string
}

// none is the transaction of a store that has no transactions.
type none struct{}

func (m *memory) head(aggregateType, aggregateID string) (version int64) {
	for _, e := range m.log {
		if e.AggregateType == aggregateType && e.AggregateID == aggregateID {
			version = e.AggregateVersion
		}
	}
	return version
}

func (m *memory) end() int64 {
	if len(m.log) == 0 {
		return 0
	}
	return m.log[len(m.log)-1].GlobalPosition
}

func (m *memory) Append(ctx context.Context, _ none, expected runtime.ExpectedVersion, events []runtime.Event) (runtime.AppendResult, error) {
	var invalid *runtime.InvalidEventError
	err := errors.Join(ctx.Err(), runtime.ValidateAppend(expected, events))
	if err != nil && !(m.fault == "stores anything" && errors.As(err, &invalid)) {
		return runtime.AppendResult{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	first := events[0]
	version := m.head(first.AggregateType, first.AggregateID)
	byID := make(map[uuid.UUID]runtime.PersistedEvent, len(m.log))
	for _, e := range m.log {
		byID[e.EventID] = e
	}
	var again []runtime.PersistedEvent
	same := !expected.IsAny() && !expected.IsStreamExists()
	for i, e := range events {
		if stored, ok := byID[e.EventID]; ok {
			again = append(again, stored)
			same = same && stored.AggregateID == e.AggregateID && stored.AggregateVersion == expected.Value()+1+int64(i)
		}
	}
	switch {
	case m.fault == "forgets IDs":
	case len(again) == len(events) && same:
		r := runtime.AppendResult{Events: again, AlreadyStored: true}
		for _, e := range again {
			r.GlobalPositions = append(r.GlobalPositions, e.GlobalPosition)
		}
		return r, nil
	case len(again) > 0:
		return runtime.AppendResult{}, runtime.ErrDuplicateEvent
	}
	if !expected.Matches(version) && m.fault != "never conflicts" {
		return runtime.AppendResult{}, &runtime.ConflictError{
			AggregateType: first.AggregateType, AggregateID: first.AggregateID, Expected: expected, Actual: version,
		}
	}
	var r runtime.AppendResult
	now := time.Now()
	for _, e := range events {
		version++
		if e.CreatedAt.IsZero() {
			e.CreatedAt = now
		}
		e.CreatedAt = e.CreatedAt.UTC().Truncate(time.Microsecond)
		e.Payload = append([]byte{}, e.Payload...)
		if m.fault != "keeps slices" {
			e.Metadata = bytes.Clone(e.Metadata)
		}
		for _, n := range []*runtime.NullString{&e.CausationID, &e.CorrelationID, &e.TraceID} {
			if !n.Valid {
				*n = runtime.NullString{}
			}
		}
		stored := runtime.PersistedEvent{Event: e, AggregateVersion: version, GlobalPosition: m.end() + 1}
		m.log = append(m.log, stored)
		r.Events = append(r.Events, stored)
		r.GlobalPositions = append(r.GlobalPositions, stored.GlobalPosition)
	}
	return r, nil
}

func (m *memory) ReadAggregateStream(ctx context.Context, _ none, aggregateType, aggregateID string, from, to *int64) (runtime.Stream, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var events []runtime.PersistedEvent
	for _, e := range m.log {
		if e.AggregateType == aggregateType && e.AggregateID == aggregateID &&
			(from == nil || e.AggregateVersion >= *from) && (to == nil || e.AggregateVersion <= *to) {
			events = append(events, e)
		}
	}
	version := m.head(aggregateType, aggregateID)
	if m.fault == "version of the window" && len(events) > 0 {
		version = 0
	}
	stream := runtime.NewStream(aggregateType, aggregateID, version, events)
	if err := stream.Complete(from, to); err != nil && m.fault != "reads a part" {
		return runtime.Stream{}, err
	}
	return stream, ctx.Err()
}

func (m *memory) remove(_ context.Context, aggregateType, aggregateID string, from, to int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.log = slices.DeleteFunc(m.log, func(e runtime.PersistedEvent) bool {
		return e.AggregateType == aggregateType && e.AggregateID == aggregateID && e.AggregateVersion >= from && e.AggregateVersion <= to
	})
	return nil
}

func (m *memory) ReadEvents(ctx context.Context, _ none, after int64, limit int) ([]runtime.PersistedEvent, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if limit < 1 && m.fault != "any limit" {
		return nil, fmt.Errorf("limit is %d", limit)
	}
	var events []runtime.PersistedEvent
	for _, e := range m.log {
		if e.GlobalPosition > after && len(events) < limit {
			events = append(events, e)
		}
	}
	return events, ctx.Err()
}

func (m *memory) GetLatestGlobalPosition(ctx context.Context, _ none) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.end(), ctx.Err()
}
