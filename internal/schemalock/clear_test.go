package schemalock_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/model"
	"github.com/eventmap/eventmap/internal/schemalock"
)

// A new version that marks what an older one has in clear, or has in clear what the one before marks, is told once, with the version
// and the field that are in clear.
func TestCompare_versionsInClear(t *testing.T) {
	t.Parallel()
	mark := func(lock *schemalock.Lock, event, field string) *schemalock.Lock {
		for i := range lock.Events {
			if e := &lock.Events[i]; e.String() == event {
				e.Payload.Field(field).Personal = &model.Personal{Subject: "id", Pos: e.Pos}
			}
		}
		return lock
	}
	const v1, v2, v3 = "P.Named.v1->2 v1.Named id name", "P.Named.v2 p.Named id name", "P.Named.v3 p.Named id name"
	const inClear = "order.go:2:1: warning: P.Named.v2: name is personal, and version 1 holds it in clear: what is stored as version 1 stays so, for ever; " +
		"nothing brings them under a key; move what must be forgotten to a new log, if it must [personal-older]"
	const noMark = "order.go:2:1: warning: P.Named.v2: name has no mark, and version 1 seals it: what is stored as version 2 is in clear, for ever; " +
		"mark it //eventmap:personal, unless it is no longer personal [personal-newer]"
	for _, tt := range []struct {
		name        string
		locked, now *schemalock.Lock
		want        []string
	}{
		{"older is locked", lockOf(t, v1), mark(lockOf(t, v1, v2), "P.Named.v2", "name"), []string{inClear}},
		{"nothing is locked", &schemalock.Lock{}, mark(lockOf(t, v1, v2), "P.Named.v2", "name"), []string{inClear}},
		{"locked already", mark(lockOf(t, v1, v2), "P.Named.v2", "name"), mark(lockOf(t, v1, v2), "P.Named.v2", "name"), nil},
		{"marked in both", &schemalock.Lock{}, mark(mark(lockOf(t, v1, v2), "P.Named.v2", "name"), "P.Named.v1", "name"), nil},
		{"no mark", lockOf(t, v1), lockOf(t, v1, v2), nil},
		{"of two older ones the first", mark(lockOf(t, v1, v2), "P.Named.v2", "name"),
			mark(mark(lockOf(t, v1, "P.Named.v2->3 v2.Named id name", v3), "P.Named.v3", "name"), "P.Named.v2", "name"),
			[]string{"order.go:3:1: warning: P.Named.v3: name is personal, and version 1 holds it in clear: what is stored as version 1 stays so, for ever; " +
				"nothing brings them under a key; move what must be forgotten to a new log, if it must [personal-older]"}},
		{"renamed", lockOf(t, "P.Named.v1->2 v1.Named id full"), mark(lockOf(t, "P.Named.v1->2 v1.Named id full", v2), "P.Named.v2", "name"),
			[]string{"order.go:2:1: warning: P.Named.v2: name is personal, and version 1 holds full in clear, which may be the same: what is stored as version 1 stays so, for ever; " +
				"nothing brings them under a key; move what must be forgotten to a new log, if it must [personal-older]"}},
		{"no mark any more", mark(lockOf(t, v1), "P.Named.v1", "name"), mark(lockOf(t, v1, v2), "P.Named.v1", "name"), []string{noMark}},
		{"no mark and renamed", mark(lockOf(t, "P.Named.v1->2 v1.Named id full"), "P.Named.v1", "full"), mark(lockOf(t, "P.Named.v1->2 v1.Named id full", v2), "P.Named.v1", "full"),
			[]string{strings.Replace(noMark, "seals it", "seals full, which may be the same", 1)}},
		{"no mark, told already", mark(lockOf(t, v1, v2), "P.Named.v1", "name"), mark(lockOf(t, v1, v2), "P.Named.v1", "name"), nil},
		{"no mark since the version before", mark(lockOf(t, v1, v2), "P.Named.v1", "name"), mark(lockOf(t, v1, "P.Named.v2->3 v2.Named id name", v3), "P.Named.v1", "name"), nil},
		{"new in the version", lockOf(t, "P.Named.v1->2 v1.Named id"), mark(lockOf(t, "P.Named.v1->2 v1.Named id", v2), "P.Named.v2", "name"), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			findings, _ := schemalock.Compare(tt.locked, tt.now, nil)
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
