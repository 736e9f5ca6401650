package storetest_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/storetest"
)

// faultVariable tells this program, run again by a test, which fault its store has.
const faultVariable = "STORETEST_FAULT"

func harness(store *memory) storetest.Harness[none] {
	return storetest.Harness[none]{
		Store: store,
		Begin: func(context.Context) (storetest.Transaction[none], error) {
			nothing := func(context.Context) error { return nil }
			return storetest.Transaction[none]{Commit: nothing, Rollback: nothing}, nil
		},
		Remove: store.remove,
		Without: []storetest.Ability{
			storetest.Transactions, storetest.ConcurrentWriters, storetest.StreamsAppender,
			storetest.SafePosition, storetest.StreamIterator, storetest.LogIterator, storetest.StreamsReader,
		},
	}
}

func TestRun_passesACorrectStore(t *testing.T) {
	h := harness(&memory{fault: os.Getenv(faultVariable), snapshots: map[runtime.SnapshotKey]memorySnapshot{}})
	if os.Getenv(faultVariable) == "hides a lack" {
		h.Without = h.Without[:len(h.Without)-1]
	}
	storetest.Run(t, h)
}

// A suite that cannot fail is worth nothing: each fault must be found, by a case that is named after it.
func TestRun_failsABrokenStore(t *testing.T) {
	t.Parallel()
	for fault, found := range map[string]string{
		"never conflicts":       "/Expect/",
		"forgets IDs":           "/Retry/",
		"keeps slices":          "/Append/nothing_of_the_caller's_is_kept",
		"stores anything":       "/Refuse/invalid",
		"version of the window": "/Stream/at_version_9",
		"any limit":             "/Log/a_limit_below_1",
		"reads a part":          "/Incomplete/a_stream_without_a_version_in_the_middle",
		"hides a lack":          "TestRun_passesACorrectStore",

		"snapshot ahead":              "/Snapshot/ahead_of_the_head",
		"earlier snapshot":            "/Snapshot/a_later_one_takes_its_place,_an_earlier_one_does_not",
		"one snapshot a stream":       "/Snapshot/of_another_fingerprint_or_stream",
		"snapshot and its last event": "/Snapshot/read_with_the_events_after_it",
		"gap behind a snapshot":       "/Snapshot/of_events_that_are_gone",
		"drops all":                   "/Snapshot/dropped",
		"sweeps by age":               "/Snapshot/of_fingerprints_that_are_not_used_any_more",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			again := exec.Command(os.Args[0], "-test.run=^TestRun_passesACorrectStore$")
			again.Env = append(os.Environ(), faultVariable+"="+fault)
			out, err := again.CombinedOutput()
			if err == nil {
				t.Fatalf("the suite passes a store that is wrong: %s\n%s", fault, out)
			}
			for line := range strings.Lines(string(out)) {
				if strings.Contains(line, "--- FAIL:") && strings.Contains(line, found) {
					return
				}
			}
			t.Errorf("no case %s fails for a store that is wrong: %s\n%s", found, fault, out)
		})
	}
}
