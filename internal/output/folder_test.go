package output_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/eventmap/eventmap/internal/gen"
	"github.com/eventmap/eventmap/internal/output"
)

func TestFolder_readsOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "a.go"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("1\r\n")
	folder := output.NewFolder(dir)
	if _, err := folder.ReadFile(filepath.Join(dir, "a.go")); err != nil {
		t.Fatal(err)
	}
	write("2\n")
	if got := folder.Current("a.go"); string(got) != "1\n" {
		t.Errorf("a.go holds %q, want what was read first, with LF", got)
	}
	if got := folder.Current("b.go"); got != nil {
		t.Errorf("b.go, which is missing, holds %q", got)
	}
	if _, err := folder.ReadFile(filepath.Join(dir, "b.go")); !os.IsNotExist(err) {
		t.Errorf("read b.go: %v, want that it does not exist", err)
	}
}

// What is not current is looked at again: a file that somebody put there in between is not written over.
func TestFolder_Plan_looksAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	apply(t, dir, file("current.go", "1\n"), file("stale.go", "1\n"))
	folder := output.NewFolder(dir)
	for _, name := range []string{"current.go", "stale.go"} {
		folder.Current(name)
	}
	files := []gen.File{file("current.go", "1\n"), file("stale.go", "2\n"), file("new.go", "1\n")}
	plan, err := folder.Plan(files, owner)
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Changes) != 2 || string(plan.Changes[1].Old) != header+"1\n" {
		t.Errorf("changes %q, want new.go and stale.go", plan.Changes)
	}
	for _, name := range []string{"stale.go", "new.go"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("package mine\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := folder.Plan(files, owner); err == nil {
			t.Errorf("%s is written over, and the user wrote it", name)
		}
	}
}
