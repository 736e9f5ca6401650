package torture_test

import (
	"flag"
	"testing"
	"time"

	"github.com/eventmap/eventmap/runtime/postgres/internal/torture"
)

var keyEvents = flag.Int("key-events", 4000, "how many events with personal data are stored")

// The short form runs with all tests; "make torture" stores 100,000 events.
func TestTortureKeys_nothingIsLostOrReadAgain(t *testing.T) {
	t.Parallel()
	tortureKeys(t, torture.KeyPlan{Events: *keyEvents, Processes: 8, Subjects: 1000, Seed: *seed})
}

// The same where events are spread over many logs, which share the keys.
func TestTortureKeys_overLogs(t *testing.T) {
	t.Parallel()
	tortureKeys(t, torture.KeyPlan{Events: *keyEvents, Processes: 8, Subjects: 1000, Seed: *seed, Logs: 16})
}

func tortureKeys(t *testing.T, plan torture.KeyPlan) {
	t.Helper()
	if plan.Seed == 0 {
		plan.Seed = uint64(time.Now().UnixNano())
	}
	report, err := torture.RunKeys(t.Context(), plan)
	if err != nil {
		t.Fatalf("seed %d: %v", plan.Seed, err)
	}
	t.Logf("seed %d\n%s", plan.Seed, report)
	if report.Keyless+report.Unreadable+report.Undead > 0 {
		t.Error("events are sealed under keys that were never committed, cannot be read, or can be read again")
	}
	if report.Stored < plan.Events || report.Erased == 0 || report.RolledBack == 0 || report.Died == 0 || report.Refused == 0 || report.Snapshots == 0 ||
		plan.Logs == 0 && report.Grouped == 0 {
		t.Error("the workload is not hard enough to show anything")
	}
}
