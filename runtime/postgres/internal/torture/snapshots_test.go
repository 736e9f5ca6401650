package torture_test

import (
	"flag"
	"testing"
	"time"

	"github.com/eventmap/eventmap/runtime/postgres/internal/torture"
)

var snapshots = flag.Duration("snapshots", 2*time.Second, "how long writers and loaders work on the same streams with snapshots")

// The short form runs with all tests; "make torture" runs it for a minute.
func TestTortureSnapshots_noGapAndNoLostUpdate(t *testing.T) {
	t.Parallel()
	report, err := torture.RunSnapshots(t.Context(), torture.SnapshotPlan{Duration: *snapshots, Writers: 16, Loaders: 16, Streams: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(report)
	if report.Stored != report.Appended {
		t.Errorf("%d events were appended, and the streams hold %d", report.Appended, report.Stored)
	}
	if report.Appended == 0 || report.Hits == 0 || report.Conflicts == 0 {
		t.Error("the workload is not hard enough to show anything")
	}
}
