package privacy_test

import (
	"context"
	"encoding/json"
	"slices"
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
