package eventtest

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/eventmap/eventmap/internal/fingerprint"
	"github.com/eventmap/eventmap/runtime"
)

// StateRoundTrip fails the test unless a state is the same after it was kept as a snapshot and read back, after each of the
// events, and goes on to the same states from there. What makes a difference is mostly a field that JSON does not keep as it
// is: a slice that is empty and not nil with omitempty, a time with a zone of its own. An event that the fold refuses, with
// an error or a panic, is left out.
func StateRoundTrip[S, E any](t testing.TB, fold func(*S, E) error, events []E) {
	t.Helper()
	var applied []E
	var whole, resumed S
	for _, event := range events {
		next := whole
		if err := apply(fold, &next, event); err != nil {
			whole = refold(fold, applied) // the fold may have changed what the state points to
			continue
		}
		whole, applied = next, append(applied, event)
		kept, err := runtime.JSONCodec{}.Marshal(&resumed)
		if err != nil {
			t.Fatalf("a state cannot be kept as a snapshot: %v\nstate: %s", err, text(reflect.ValueOf(resumed)))
		}
		var restored S
		if err := (runtime.JSONCodec{}).Unmarshal(kept, &restored); err != nil {
			t.Fatalf("a snapshot cannot be read: %v\nsnapshot: %s", err, kept)
		}
		if err := apply(fold, &restored, event); err != nil {
			t.Fatalf("%T is refused by a state from a snapshot only: %v\nsnapshot: %s", event, err, kept)
		}
		resumed = restored
		sameState(t, fmt.Sprintf("after %T a state from a snapshot", event), kept, whole, resumed)
	}
	kept, err := runtime.JSONCodec{}.Marshal(&whole)
	if err != nil {
		t.Fatalf("a state cannot be kept as a snapshot: %v\nstate: %s", err, text(reflect.ValueOf(whole)))
	}
	var restored S
	if err := (runtime.JSONCodec{}).Unmarshal(kept, &restored); err != nil {
		t.Fatalf("a snapshot cannot be read: %v\nsnapshot: %s", err, kept)
	}
	sameState(t, "a state that is read back from its snapshot", kept, whole, restored)
}

// sameState ends the test if a state that kept led to is another one than the events come to.
func sameState[S any](t testing.TB, what string, kept []byte, want, got S) {
	t.Helper()
	if reflect.DeepEqual(want, got) {
		return
	}
	if _, err := (runtime.JSONCodec{}).Marshal(&want); err != nil {
		t.Fatalf("a state cannot be kept as a snapshot: %v\nstate: %s", err, text(reflect.ValueOf(want)))
	}
	t.Fatalf("%s is another one:%s\nsnapshot: %s", what, indented(exactDifferences(want, got)), kept)
}

// apply folds one event; a panic is an error.
func apply[S, E any](fold func(*S, E) error, state *S, event E) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return fold(state, event)
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
		if fingerprint.File(content) != want {
			t.Errorf("%s was changed since code was generated, and events are folded by it: run eventmap-gen, so that snapshots of the former code are not read", name)
		}
	}
}
