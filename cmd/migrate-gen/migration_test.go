package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/eventmap/eventmap/internal/cli"
)

// fullDisk is a standard output that takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// A result that did not arrive must not look like success, or like the answer of --check.
func TestRun_lostResultIsTrouble(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--output", "-"},
		{"--output", t.TempDir()},
		{"--output", t.TempDir(), "--check"},
		{"--help"},
		{"--version"},
	} {
		var stderr strings.Builder
		code := run(args, fullDisk{}, &stderr)
		if want := "migrate-gen: no space left on device\n"; code != cli.Trouble || stderr.String() != want {
			t.Errorf("%v: got %d and %q, want %d and %q", args, code, stderr.String(), cli.Trouble, want)
		}
	}
}
