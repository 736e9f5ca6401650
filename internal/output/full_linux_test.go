package output_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/output"
)

// A disk that is full in the middle of a run leaves the files of the run before, no half file, and says which file it was.
func TestApply_diskIsFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("no small disk can be made here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	first, second, third := filepath.Join(dir, "first.go"), filepath.Join(dir, "second.go"), filepath.Join(dir, "new", "third.go")
	if err := os.WriteFile(first, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	plan := output.Plan{Changes: []output.Change{
		{Path: first, New: []byte("new")},
		{Path: second, New: []byte(strings.Repeat("x", 8<<10))},
		{Path: third, New: []byte(strings.Repeat("x", 128<<10))},
	}}
	if err := plan.Apply(); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), third) {
		t.Errorf("error is %v, want it to say that there is no room for %s", err, third)
	}
	var left []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		left = append(left, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{dir, first}, left); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if content, err := os.ReadFile(first); err != nil || string(content) != "old" {
		t.Errorf("%s holds %q, %v, want what it held", first, content, err)
	}
}
