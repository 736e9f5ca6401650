package mapping_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/eventtest"
	"github.com/eventmap/eventmap/runtime/mapping"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// asked counts the queries for keys.
type asked struct {
	privacy.KeyStore[eventtest.NoTx]
	queries int
}

func (a *asked) FindKeys(ctx context.Context, tx eventtest.NoTx, q privacy.KeyQuery) ([]privacy.StoredKey, error) {
	a.queries++
	return a.KeyStore.FindKeys(ctx, tx, q)
}

// batch returns events of many subjects, sealed, what they are in clear, and keys with which nothing is cached.
func batch(t *testing.T, events, subjects int) (sealed []runtime.PersistedEvent, clear []string, keys *privacy.Keys[eventtest.NoTx], store *asked) {
	t.Helper()
	wrapper, err := privacy.NewLocalWrapper(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	store = &asked{KeyStore: privacy.NewMemoryKeys[eventtest.NoTx]()}
	all := make([]runtime.Event, events)
	for i := range all {
		all[i] = made(fmt.Sprintf(`{"from":"%d","to":%d,"name":"n%d","note":[%d],"cents":1}`, i%subjects, (i+1)%subjects, i, i)).Event
		clear = append(clear, string(all[i].Payload))
	}
	if err := mapping.NewPersonal(privacy.NewKeys(store, wrapper), transferred).Seal(t.Context(), eventtest.NoTx{}, all); err != nil {
		t.Fatal(err)
	}
	for i, e := range all {
		sealed = append(sealed, runtime.PersistedEvent{Event: e, GlobalPosition: int64(i + 1)})
	}
	return sealed, clear, privacy.NewKeys(store, wrapper), store
}

// Batches that several goroutines open are what small ones are: the events are in clear, and keys are asked for once, also
// where some are cached.
func TestPersonal_opensBatchesOfEverySize(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 499, 1000, 1001, 5003} {
		for _, subjects := range []int{1, 2, 700} {
			events, clear, keys, store := batch(t, size, subjects)
			personal := mapping.NewPersonal(keys, transferred)
			if err := personal.Prepare(t.Context(), eventtest.NoTx{}, events[:size/3]); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				store.queries = 0
				opened := bytesCloned(events)
				ids, err := personal.Open(t.Context(), eventtest.NoTx{}, opened)
				if err != nil {
					t.Fatal(err)
				}
				if store.queries > 1 || len(ids) == 0 {
					t.Errorf("%d events of %d subjects: %d queries for keys, %d keys", size, subjects, store.queries, len(ids))
				}
				for i := range opened {
					if string(opened[i].Payload) != clear[i] {
						t.Fatalf("%d events of %d subjects: event %d is %s, want %s", size, subjects, i, opened[i].Payload, clear[i])
					}
				}
			}
			if store.queries != 0 {
				t.Errorf("%d events of %d subjects: %d queries for keys that are cached", size, subjects, store.queries)
			}
		}
	}
}

func bytesCloned(events []runtime.PersistedEvent) []runtime.PersistedEvent {
	cloned := make([]runtime.PersistedEvent, len(events))
	for i, e := range events {
		cloned[i] = e
		cloned[i].Payload = bytes.Clone(e.Payload)
	}
	return cloned
}

// Of several faults that of the first event is told, whichever goroutine is quicker.
func TestPersonal_tellsTheFirstFault(t *testing.T) {
	t.Parallel()
	for _, cached := range []bool{false, true} {
		events, _, keys, _ := batch(t, 4000, 3)
		personal := mapping.NewPersonal(keys, transferred)
		if cached {
			if err := personal.Prepare(t.Context(), eventtest.NoTx{}, events); err != nil {
				t.Fatal(err)
			}
		}
		for _, i := range []int{3999, 2500, 1700} {
			events[i].AggregateID = "elsewhere"
		}
		_, err := personal.Open(t.Context(), eventtest.NoTx{}, events)
		fault, ok := errors.AsType[*runtime.DecodeError](err)
		if !ok || !errors.Is(err, privacy.ErrIntegrity) || fault.GlobalPosition != 1701 {
			t.Errorf("keys cached %t: %v", cached, err)
		}
	}
}

// An append that is refused says which event and field, for whom, and what there is to do.
func TestPersonal_refusalsNameThePlace(t *testing.T) {
	t.Parallel()
	keys := eventtest.Keys()
	if err := keys.Forget(t.Context(), eventtest.NoTx{}, "7"); err != nil {
		t.Fatal(err)
	}
	seal := func(payload string) string {
		events := []runtime.Event{made(`{"from":"a","to":1,"name":"","note":1}`).Event, made(payload).Event}
		err := mapping.NewPersonal(keys, transferred).Seal(t.Context(), eventtest.NoTx{}, events)
		if err == nil {
			return ""
		}
		return err.Error()
	}
	got := map[string]string{
		"forgotten": seal(`{"from":"a","to":7,"name":"Ada","note":"Ada"}`),
		"empty":     seal(`{"from":"","to":1,"name":"Ada"}`),
		"NUL":       seal(`{"from":"a\u0000","to":1,"name":"Ada"}`),
		"control":   seal(`{"from":"a\n\u0007","to":1,"name":"Ada"}`),
		"huge":      seal(fmt.Sprintf(`{"from":"%01025d","to":1,"name":"Ada"}`, 1)),
		"large":     seal(fmt.Sprintf(`{"from":"%01024d","to":1,"name":"Ada"}`, 1)),
	}
	want := map[string]string{
		"forgotten": `event 1: seal Note of Made v1 of Transfer "t1": keys for subjects: subject "7": the subject was forgotten; Keys.Readmit gives it a new key if it comes back`,
		"empty":     `event 1: from names whom Name of Made is about: subject "": it is empty`,
		"NUL":       `event 1: from names whom Name of Made is about: subject "a\x00": it holds a NUL or is not valid UTF-8`,
		"control":   "",
		"huge":      `event 1: from names whom Name of Made is about: subject "00000000000000000000000000000000...": it has 1025 bytes; 1024 are possible`,
		"large":     "",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
}
