package eventtest

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/eventmap/eventmap/internal/fingerprint"
	"github.com/eventmap/eventmap/runtime"
)

// StateRoundTrip fails the test unless a state is the same after it was kept as a snapshot and read back, after each of the
// events, and goes on to the same states from there. The events are folded twice over, each time as a load decodes them: what
// two fields share shows in the second round only. What makes a difference is mostly a field that JSON does not keep as it is:
// a slice that is empty and not nil with omitempty, a time with a zone of its own. An event that the fold refuses, with an
// error or a panic, is left out; where a state cannot be kept for the integers of an event alone, as a year beyond 9999, the
// event is folded with small ones.
func StateRoundTrip[S, E any](t testing.TB, fold func(*S, E) error, events []E) {
	t.Helper()
	stateRoundTrip(t, fold, slices.Concat(events, events))
}

// stateRoundTrip folds each of the events once.
func stateRoundTrip[S, E any](t testing.TB, fold func(*S, E) error, events []E) {
	t.Helper()
	var applied []E
	var whole, resumed S
	for _, event := range events {
		next := whole
		err := apply(fold, &next, event)
		if _, unkept := (runtime.JSONCodec{}).Marshal(&next); err == nil && unkept != nil {
			event = withSmallIntegers(event)
			next = refold(fold, applied) // the fold may have changed what the state points to
			err = apply(fold, &next, event)
		}
		if err != nil {
			whole = refold(fold, applied)
			continue
		}
		whole, applied = next, append(applied, event)
		kept, restored := roundTrip(t, resumed)
		if err := apply(fold, &restored, event); err != nil {
			t.Fatalf("%T is refused by a state from a snapshot only: %v\nsnapshot: %s", event, err, kept)
		}
		resumed = restored
		sameState(t, fmt.Sprintf("after %T a state from a snapshot", event), kept, whole, resumed)
	}
	kept, restored := roundTrip(t, whole)
	sameState(t, "a state that is read back from its snapshot", kept, whole, restored)
}

// roundTrip returns a state as a snapshot, and what is read back from that.
func roundTrip[S any](t testing.TB, state S) (kept []byte, restored S) {
	t.Helper()
	kept = mustKeep(t, state)
	if err := (runtime.JSONCodec{}).Unmarshal(kept, &restored); err != nil {
		t.Fatalf("a snapshot cannot be read: %v\nsnapshot: %s", err, kept)
	}
	return kept, restored
}

func mustKeep[S any](t testing.TB, state S) []byte {
	t.Helper()
	kept, err := runtime.JSONCodec{}.Marshal(&state)
	if err != nil {
		t.Fatalf("a state cannot be kept as a snapshot: %v\nstate: %s\n%s", err, text(reflect.ValueOf(state)), remedy)
	}
	return kept
}

const remedy = "Let the fold set what JSON keeps, as docs/snapshots.md lists it under Testing, or take the word snapshots from the mark of the state."

// sameState ends the test if a state that kept led to is another one than the events come to.
func sameState[S any](t testing.TB, what string, kept []byte, want, got S) {
	t.Helper()
	if reflect.DeepEqual(want, got) {
		return
	}
	mustKeep(t, want)
	t.Fatalf("%s is another one:%s\nsnapshot: %s\n%s", what, indented(exactDifferences(want, got)), kept, remedy)
}

// apply folds one event as a load decodes it; a panic is an error.
func apply[S, E any](fold func(*S, E) error, state *S, event E) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return fold(state, decoded(event, nil))
}

func refold[S, E any](fold func(*S, E) error, events []E) S {
	var state S
	for _, event := range events {
		_ = apply(fold, &state, event)
	}
	return state
}

// FoldFiles fails the test unless the files, named relative to the test's folder, hold the code that they held when
// eventmap-gen computed the fingerprint of a fold. sums are by file; comments and layout do not count.
func FoldFiles(t testing.TB, sums map[string]string) {
	t.Helper()
	for name, want := range sums {
		content, err := os.ReadFile(filepath.FromSlash(name))
		if os.IsNotExist(err) {
			t.Errorf("%s is gone, and events were folded by it when code was generated: run eventmap-gen", name)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if fingerprint.File(name, content) != want {
			t.Errorf("%s was changed since code was generated, and events are folded by it: run eventmap-gen, so that snapshots of the former code are not read", name)
		}
	}
}
