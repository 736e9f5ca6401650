package privacy_test

import (
	"context"
	"encoding/json"
	"errors"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// A log is a log in memory.
type log []runtime.PersistedEvent

func (l log) ReadEvents(_ context.Context, _ tx, from int64, limit int) ([]runtime.PersistedEvent, error) {
	rest := l[min(int(from), len(l)):]
	return slices.Clone(rest[:min(limit, len(rest), 2)]), nil
}

// transferred is the event of this test.
type transferred struct{ From, To privacy.Sealed }

func TestExport(t *testing.T) {
	t.Parallel()
	keys := newKeys(t)
	var events log
	for _, parties := range [][2]string{{"ada", "bob"}, {"bob", "carl"}, {"carl", "ada"}, {"ada", "ada"}} {
		e := runtime.PersistedEvent{
			Event:          runtime.Event{AggregateType: "Transfer", AggregateID: "1", EventType: "Transferred", EventVersion: 1, EventID: uuid.New()},
			GlobalPosition: int64(len(events) + 1), AggregateVersion: int64(len(events) + 1),
		}
		ring, err := keys.ForSubjects(t.Context(), tx{}, parties[:]...)
		if err != nil {
			t.Fatal(err)
		}
		var payload transferred
		for i, to := range []*privacy.Sealed{&payload.From, &payload.To} {
			if *to, err = ring.Seal(placeIn(&e, i), parties[i], []byte(parties[i])); err != nil {
				t.Fatal(err)
			}
		}
		if e.Payload, err = json.Marshal(payload); err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	decode := func(ctx context.Context, tx tx, keys *privacy.Keys[tx], e *runtime.PersistedEvent) (any, error) {
		var payload transferred
		if err := json.Unmarshal(e.Payload, &payload); err != nil {
			return nil, err
		}
		ring, err := keys.ByID(ctx, tx, privacy.AppendKeyIDs(nil, e.Payload)...)
		if err != nil {
			return nil, err
		}
		var names [2]string
		for i, s := range []privacy.Sealed{payload.From, payload.To} {
			clear, erased, err := ring.Open(placeIn(e, i), s)
			if err != nil {
				return nil, err
			}
			if names[i] = string(clear); erased {
				names[i] = "-"
			}
		}
		return names, nil
	}
	export := func(subject string) (got []any) {
		for e, err := range keys.Export(t.Context(), tx{}, events, subject, decode) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, e.GlobalPosition, e.Event)
		}
		return got
	}
	// Nobody is told of others.
	want := []any{int64(1), [2]string{"ada", "-"}, int64(3), [2]string{"-", "ada"}, int64(4), [2]string{"ada", "ada"}}
	if diff := cmp.Diff(want, export("ada")); diff != "" {
		t.Errorf("the data of ada (-want +got):\n%s", diff)
	}
	if got := export("nobody"); got != nil {
		t.Errorf("the data of nobody: %v", got)
	}
}

func placeIn(e *runtime.PersistedEvent, field int) privacy.Place {
	return privacy.Place{
		AggregateType: e.AggregateType, AggregateID: e.AggregateID, EventID: e.EventID,
		EventType: e.EventType, EventVersion: e.EventVersion, Field: []string{"From", "To"}[field],
	}
}

// An endless log holds the same event again and again, up to a number of events, and keeps none of them.
type endless struct {
	event runtime.PersistedEvent
	end   int64
	reads int
}

func (l *endless) ReadEvents(ctx context.Context, _ tx, from int64, limit int) ([]runtime.PersistedEvent, error) {
	l.reads++
	events := make([]runtime.PersistedEvent, min(int64(limit), l.end-from))
	for i := range events {
		events[i] = l.event
		events[i].GlobalPosition = from + int64(i) + 1
		events[i].Payload = slices.Clone(l.event.Payload)
	}
	return events, ctx.Err()
}

// An export of much is one pass over the log that holds a page at a time and asks for keys once a page at most. It ends when its
// context does, or when nobody wants more.
func TestExport_manyEvents(t *testing.T) {
	t.Parallel()
	const many, page = 100_000, 1000
	store := &tampered{MemoryKeys: privacy.NewMemoryKeys[tx]()}
	keys := privacy.NewKeys[tx](store, newWrapper(t), privacy.WithTTL(0))
	value, err := json.Marshal(map[string]any{"name": seal(t, keys, "ada", strings.Repeat("x", 1000))})
	if err != nil {
		t.Fatal(err)
	}
	log := &endless{event: runtime.PersistedEvent{Event: runtime.Event{AggregateType: "A", AggregateID: "1", EventType: "E", EventVersion: 1, Payload: value}}, end: many}
	decode := func(_ context.Context, _ tx, _ *privacy.Keys[tx], e *runtime.PersistedEvent) (any, error) {
		return len(e.Payload), nil
	}
	heap := func() int64 {
		var m goruntime.MemStats
		goruntime.GC()
		goruntime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before, most := heap(), int64(0)
	store.asked = 0
	next := int64(1)
	for e, err := range keys.Export(t.Context(), tx{}, log, "ada", decode) {
		if err != nil || e.GlobalPosition != next {
			t.Fatalf("event %d: %d, %v", next, e.GlobalPosition, err)
		}
		if next++; next%25_000 == 0 {
			most = max(most, heap())
		}
	}
	if next != many+1 || log.reads != many/page+1 || store.asked > many/page+2 {
		t.Errorf("%d events in %d reads with %d queries for keys", next-1, log.reads, store.asked)
	}
	if grown := most - before; grown > 32<<20 { // of 150 MB
		t.Errorf("%d bytes are kept", grown)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	log.reads = 0
	var ended error
	for e, err := range keys.Export(ctx, tx{}, log, "ada", decode) {
		if err != nil {
			ended = err
		} else if e.GlobalPosition == 1500 {
			cancel()
		}
	}
	if !errors.Is(ended, context.Canceled) || log.reads != 3 {
		t.Errorf("a cancelled export ends after %d reads with %v", log.reads, ended)
	}
	log.reads = 0
	for _, err := range keys.Export(t.Context(), tx{}, log, "ada", decode) {
		ended = err
		break
	}
	if ended != nil || log.reads != 1 {
		t.Errorf("an export that nobody wants more of reads %d pages", log.reads)
	}
}
