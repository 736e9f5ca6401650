package torture_test

import (
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/eventmap/eventmap/runtime/postgres/internal/torture"
)

var (
	duration = flag.Duration("duration", 8*time.Second, "how long the writers write")
	seed     = flag.Uint64("seed", 0, "seed of all that is random but the timing; 0: from the clock")
)

// The short form runs with all tests; "make torture" runs it for five minutes.
func TestTorture_losesNothing(t *testing.T) {
	t.Parallel()
	plan := torture.Plan{Duration: *duration, Writers: 24, Groupers: 24, Streams: 40, Seed: *seed}
	if plan.Seed == 0 {
		plan.Seed = uint64(time.Now().UnixNano())
	}
	report, err := torture.Run(t.Context(), plan)
	if err != nil {
		t.Fatalf("seed %d: %v", plan.Seed, err)
	}
	t.Logf("seed %d\n%s", plan.Seed, report)
	if report.Stored == 0 {
		t.Error("nothing was stored")
	}
	if report.Missing+report.Undead+report.Malformed > 0 {
		t.Error("appends were lost, rose from the dead or are malformed")
	}
	hard := false
	for _, r := range report.Readers {
		ours := strings.HasPrefix(r.Name, "eventmap")
		if ours && r.Lost+r.Twice+r.Inverted > 0 {
			t.Errorf("%s lost %d events, saw %d twice and %d inverted", r.Name, r.Lost, r.Twice, r.Inverted)
		}
		hard = hard || !ours && r.Lost > 0
	}
	if !hard {
		t.Error("reading by position alone lost nothing: the workload is not hard enough to show anything")
	}
}

// The log is moved into 16 while it is written to, and the server crashes afterwards.
func TestTorture_losesNothingOverLogs(t *testing.T) {
	t.Parallel()
	plan := torture.Plan{Duration: *duration, Writers: 24, Groupers: 24, Streams: 40, Seed: *seed}
	if plan.Seed == 0 {
		plan.Seed = uint64(time.Now().UnixNano())
	}
	report, err := torture.RunLogs(t.Context(), plan, 16)
	if err != nil {
		t.Fatalf("seed %d: %v", plan.Seed, err)
	}
	t.Logf("seed %d\n%s", plan.Seed, report)
	if report.Stored == 0 {
		t.Error("nothing was stored")
	}
	if report.Missing+report.Undead+report.Malformed > 0 {
		t.Error("appends were lost, rose from the dead or are malformed")
	}
	for _, r := range report.Readers {
		if r.Lost+r.Twice+r.Inverted > 0 || r.Seen != report.Stored {
			t.Errorf("%s saw %d of %d events, lost %d, saw %d twice and %d inverted", r.Name, r.Seen, report.Stored, r.Lost, r.Twice, r.Inverted)
		}
	}
}
