package main

import (
	"cmp"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/eventmap/eventmap/internal/cli"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgname"
)

// The manual is written by hand. It must not miss a flag, promise one that is not there, or name another default.
func TestManual_describesTheFlags(t *testing.T) {
	t.Parallel()
	command := cli.Command{Name: "migrate-gen", Stdout: io.Discard, Stderr: io.Discard}
	flags := command.Flags()
	addSettings(flags)
	if code, done := command.Parse(flags, nil); done {
		t.Fatalf("code %d", code)
	}
	manual := cli.Manual(doc)

	var described []string
	for _, match := range regexp.MustCompile(`(?m)^\t(?:-., )?--([a-z-]+)`).FindAllStringSubmatch(manual, -1) {
		described = append(described, match[1])
	}
	// Where the flag's own default is empty, it is decided by what takes the flag.
	defaults := map[string]string{
		"events-table":          pgname.EventsTable,
		"aggregate-heads-table": pgname.AggregateHeadsTable,
		"checkpoints-table":     pgname.CheckpointsTable,
		"parked-events-table":   pgname.ParkedEventsTable,
		"hashed-logs":           strconv.Itoa(design.DefaultHashedLogs),
		"partition-size":        strconv.Itoa(design.DefaultPartitionSize),
		"partitions":            strconv.Itoa(design.DefaultPartitions),
		"partman-schema":        design.DefaultPartmanSchema,
	}
	var defined []string
	flags.VisitAll(func(f *pflag.Flag) {
		defined = append(defined, f.Name)
		value := cmp.Or(defaults[f.Name], f.DefValue)
		if value != "" && value != "false" && value != "[]" && !strings.Contains(manual, "Default: "+value+".\n") {
			t.Errorf("--%s: the manual does not say its default, %s", f.Name, value)
		}
	})
	slices.Sort(described)
	slices.Sort(defined)
	if diff := gocmp.Diff(defined, described); diff != "" {
		t.Errorf("flags (-defined +described):\n%s", diff)
	}
}
