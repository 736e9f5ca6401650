package reading_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/internal/reading"
)

var key = runtime.SnapshotKey{AggregateType: "Order", AggregateID: "o-1", Fingerprint: "f"}

// beginning is the row that stands for the rest.
func beginning(version, head int64) runtime.PersistedEvent {
	return runtime.PersistedEvent{AggregateVersion: version, GlobalPosition: head, Event: runtime.Event{Payload: []byte("state")}}
}

func event(version int64) runtime.PersistedEvent {
	return runtime.PersistedEvent{
		AggregateVersion: version, GlobalPosition: 100 + version,
		Event: runtime.Event{EventID: uuid.UUID{byte(version)}, EventVersion: 1, Payload: []byte("event")},
	}
}

func TestFromSnapshot(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		rows    []runtime.PersistedEvent
		version int64 // of the snapshot
		last    uuid.UUID
		events  []int64
	}{
		{name: "no such stream", rows: []runtime.PersistedEvent{beginning(0, 0)}},
		{name: "no snapshot", rows: []runtime.PersistedEvent{beginning(0, 2), event(1), event(2)}, events: []int64{1, 2}},
		{name: "a snapshot below 0", rows: []runtime.PersistedEvent{beginning(-1, 1), event(1)}, events: []int64{1}},
		{name: "a tail", rows: []runtime.PersistedEvent{beginning(2, 4), event(2), event(3), event(4)}, version: 2, last: uuid.UUID{2}, events: []int64{3, 4}},
		{name: "no tail", rows: []runtime.PersistedEvent{beginning(2, 2), event(2)}, version: 2, last: uuid.UUID{2}},
		{name: "the last event is gone", rows: []runtime.PersistedEvent{beginning(2, 3), event(3)}, version: 2, events: []int64{3}},
		{name: "it and a tail are gone", rows: []runtime.PersistedEvent{beginning(2, 2)}, version: 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, order := range []func([]runtime.PersistedEvent){
				func([]runtime.PersistedEvent) {},
				slices.Reverse[[]runtime.PersistedEvent],
			} {
				rows := slices.Clone(test.rows)
				order(rows)
				snapshot, stream, err := reading.FromSnapshot(key, rows)
				if err != nil {
					t.Fatal(err)
				}
				if snapshot.Version != test.version || (string(snapshot.State) == "state") != (test.version > 0) || snapshot.LastEventID != test.last {
					t.Errorf("read the snapshot %+v, want version %d and last event %s", snapshot, test.version, test.last)
				}
				var events []int64
				for i := range stream.Events {
					events = append(events, stream.Events[i].AggregateVersion)
				}
				if !slices.Equal(events, test.events) || stream.Version() != test.rows[0].GlobalPosition {
					t.Errorf("read the events %d of version %d, want %d of %d", events, stream.Version(), test.events, test.rows[0].GlobalPosition)
				}
			}
		})
	}
}

func TestFromSnapshotIncomplete(t *testing.T) {
	t.Parallel()
	for name, rows := range map[string][]runtime.PersistedEvent{
		"the first event after it": {beginning(2, 4), event(2), event(4)},
		"the end":                  {beginning(2, 4), event(2)},
		"the end, and the last":    {beginning(2, 4)},
	} {
		_, _, err := reading.FromSnapshot(key, rows)
		var incomplete *runtime.IncompleteStreamError
		if !errors.As(err, &incomplete) || incomplete.Missing != 3 {
			t.Errorf("%s is missing: got %v, want an error about version 3", name, err)
		}
	}
}
