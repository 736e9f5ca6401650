package schemalock_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/internal/schemalock"
)

// A mark that says to forget somebody comes, goes and changes with a warning, and so does a new version that lacks it.
func TestCompare_forget(t *testing.T) {
	t.Parallel()
	byID, byGuest := &model.Forget{}, &model.Forget{Subject: "guest"}
	const added = "order.go:1:1: warning: P.Left.v1: it says to forget whom the stream's ID names now: those that are stored did not when they were handled; " +
		"Reset the consumer that forgets once it knows of the mark, unless it is new [forget-added]"
	const removed = "order.go:1:1: warning: P.Left.v1: it said to forget whom guest names, and no longer does; " +
		"bring the mark back, unless something else forgets whom they name [forget-removed]"
	const subject = "order.go:1:1: warning: P.Left.v1: it says to forget whom guest names now, and said to forget whom the stream's ID names; " +
		"name the subject that is to be forgotten, and Reset the consumer that forgets [forget-subject]"
	const newer = "order.go:2:1: warning: P.Left.v2: it has no mark, and version 1 says to forget whom guest names; " +
		"mark it //eventmap:forget, unless something else forgets whom they name [forget-newer]"
	v1, both := []string{"P.Left.v1 p.Left guest"}, []string{"P.Left.v1->2 v1.Left guest", "P.Left.v2 p.Left guest"}
	for _, tt := range []struct {
		name        string
		locked, now *schemalock.Lock
		want        []string
	}{
		{"nobody", forgetting(lockOf(t, v1...), nil), forgetting(lockOf(t, v1...), nil), nil},
		{"the same", forgetting(lockOf(t, v1...), byGuest), forgetting(lockOf(t, v1...), &model.Forget{Subject: "guest"}), nil},
		{"a new event", &schemalock.Lock{}, forgetting(lockOf(t, v1...), byID), nil},
		{"added", forgetting(lockOf(t, v1...), nil), forgetting(lockOf(t, v1...), byID), []string{added}},
		{"removed", forgetting(lockOf(t, v1...), byGuest), forgetting(lockOf(t, v1...), nil), []string{removed}},
		{"of another", forgetting(lockOf(t, v1...), byID), forgetting(lockOf(t, v1...), byGuest), []string{subject}},
		{"of a new version", forgetting(lockOf(t, v1...), byGuest), forgetting(lockOf(t, both...), byGuest, nil), []string{newer}},
		{"of a new version, told already", forgetting(lockOf(t, both...), byGuest, nil), forgetting(lockOf(t, both...), byGuest, nil), nil},
		{"of both versions", forgetting(lockOf(t, v1...), byGuest), forgetting(lockOf(t, both...), byGuest, byGuest), nil},
		{"of the new version alone", forgetting(lockOf(t, v1...), nil), forgetting(lockOf(t, both...), nil, byGuest), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			locked, err := schemalock.Decode(schemalock.Encode(tt.locked), "lock")
			if err != nil {
				t.Fatal(err)
			}
			findings, _ := schemalock.Compare(locked, tt.now, nil)
			var got []string
			for _, f := range findings {
				got = append(got, f.String())
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("findings (-want +got):\n%s", d)
			}
		})
	}
}

// forgetting sets whom the events of a lock say to forget, in their order.
func forgetting(lock *schemalock.Lock, marks ...*model.Forget) *schemalock.Lock {
	for i, mark := range marks {
		lock.Events[i].Forget = mark
	}
	return lock
}
