package output_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/eventmap/eventmap/internal/gen"
	"github.com/eventmap/eventmap/internal/output"
)

const header = "// ours\n"

var owner = output.Owner{
	Tool:     "tool",
	IsOurs:   func(content []byte) bool { return bytes.HasPrefix(content, []byte(header)) },
	IsOrphan: func(name string, _ []byte) bool { return strings.HasSuffix(name, ".gen") },
}

func file(name, content string) gen.File {
	return gen.File{Path: name, Content: []byte(header + content)}
}

func apply(t *testing.T, dir string, files ...gen.File) {
	t.Helper()
	plan, err := output.NewPlan(dir, files, owner)
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.Apply(); err != nil {
		t.Fatal(err)
	}
}

// tree returns the files below dir and their contents.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files[filepath.ToSlash(rel)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestApply_writesAndRemoves(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	apply(t, dir, file("x.gen", "1\n"), file("old.gen", "1\n"), file("deep/y.json", "1\n"))
	if err := os.WriteFile(filepath.Join(dir, "hand.gen"), []byte("mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	apply(t, dir, file("x.gen", "2\n"), file("deep/y.json", "1\n"))

	want := map[string]string{
		"x.gen":       header + "2\n",
		"deep/y.json": header + "1\n",
		"hand.gen":    "mine\n",
	}
	if d := cmp.Diff(want, tree(t, dir)); d != "" {
		t.Errorf("tree (-want +got):\n%s", d)
	}
	info, err := os.Stat(filepath.Join(dir, "x.gen"))
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o644 {
		t.Errorf("mode = %o, want 644", got)
	}
}

func TestApply_leavesCurrentFilesUntouched(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	apply(t, dir, file("x.gen", "1\n"))
	before, err := os.Stat(filepath.Join(dir, "x.gen"))
	if err != nil {
		t.Fatal(err)
	}
	apply(t, dir, file("x.gen", "1\n"))
	after, err := os.Stat(filepath.Join(dir, "x.gen"))
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) {
		t.Error("a current file was written again")
	}
}

func TestNewPlan_refusesHandWrittenFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"x.gen", "y.gen"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("mine\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := output.NewPlan(dir, []gen.File{file("x.gen", "1\n"), file("y.gen", "1\n")}, owner)
	if err == nil || !strings.Contains(err.Error(), "x.gen") || !strings.Contains(err.Error(), "y.gen") {
		t.Errorf("err = %v, want both files named", err)
	}
}

func TestNewPlan_lineEndsAreNoDifference(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	crlf := strings.ReplaceAll(header+"a\nb\n", "\n", "\r\n")
	if err := os.WriteFile(filepath.Join(dir, "x.gen"), []byte(crlf), 0o600); err != nil {
		t.Fatal(err)
	}
	plan, err := output.NewPlan(dir, []gen.File{file("x.gen", "a\nb\n")}, owner)
	if err != nil {
		t.Fatal(err)
	}
	if !plan.IsCurrent() {
		t.Errorf("changes = %v, want none", plan.Changes)
	}
}

func TestApply_onceIsNeverWrittenOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	apply(t, dir, gen.File{Path: "p.json", Content: []byte("1"), Once: true})
	apply(t, dir, gen.File{Path: "p.json", Content: []byte("2"), Once: true})
	if d := cmp.Diff(map[string]string{"p.json": "1"}, tree(t, dir)); d != "" {
		t.Errorf("tree (-want +got):\n%s", d)
	}
}

func TestApply_failureLeavesEverythingAsItWas(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	apply(t, dir, file("a.gen", "1\n"))
	plan, err := output.NewPlan(dir, []gen.File{file("a.gen", "2\n"), file("new/b.gen", "2\n"), file("z/c.gen", "2\n")}, owner)
	if err != nil {
		t.Fatal(err)
	}
	// Between plan and apply a file takes the place of a folder that is needed, last in order.
	if err := os.WriteFile(filepath.Join(dir, "z"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := plan.Apply(); err == nil {
		t.Fatal("Apply succeeded")
	}
	if d := cmp.Diff(map[string]string{"a.gen": header + "1\n", "z": ""}, tree(t, dir)); d != "" {
		t.Errorf("tree (-want +got):\n%s", d)
	}
	if _, err := os.Stat(filepath.Join(dir, "new")); !os.IsNotExist(err) {
		t.Errorf("folder new: %v, want it gone", err)
	}
}

func TestApply_followsSymlinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	elsewhere := filepath.Join(t.TempDir(), "x.gen")
	if err := os.WriteFile(elsewhere, []byte(header), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, filepath.Join(dir, "x.gen")); err != nil {
		t.Fatal(err)
	}
	apply(t, dir, file("x.gen", "1\n"))
	if got, err := os.ReadFile(elsewhere); err != nil || string(got) != header+"1\n" {
		t.Errorf("link target = %q, %v", got, err)
	}
}

func TestWriteDiff(t *testing.T) {
	t.Chdir(t.TempDir())
	apply(t, "out", file("change.gen", "a\nb\n"), file("gone.gen", "a\n"))
	plan, err := output.NewPlan("out", []gen.File{file("change.gen", "a\nc\n"), file("new.gen", "n\n")}, owner)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	if err := plan.WriteDiff(&got); err != nil {
		t.Fatal(err)
	}
	want := `diff out/change.gen out/change.gen
--- out/change.gen
+++ out/change.gen
@@ -1,3 +1,3 @@
 // ours
 a
-b
+c
diff out/gone.gen /dev/null
--- out/gone.gen
+++ /dev/null
@@ -1,2 +0,0 @@
-// ours
-a
diff /dev/null out/new.gen
--- /dev/null
+++ out/new.gen
@@ -0,0 +1,2 @@
+// ours
+n
`
	if d := cmp.Diff(want, got.String()); d != "" {
		t.Errorf("diff (-want +got):\n%s", d)
	}
}

// Whoever comes second finds what the first wrote, or writes the same.
func TestApply_severalAtOnce(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "gen")
	var files []gen.File
	for i := range 20 {
		files = append(files, file(fmt.Sprintf("f%d.go", i), ""), file(fmt.Sprintf("testdata/%d/f%d.json", i%3, i), ""))
	}
	var group errgroup.Group
	for range 8 {
		group.Go(func() error {
			plan, err := output.NewPlan(dir, files, owner)
			if err != nil {
				return err
			}
			return plan.Apply()
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if plan, err := output.NewPlan(dir, files, owner); err != nil || !plan.IsCurrent() {
		t.Errorf("afterwards %v is not current: %v", plan, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".eventmap-*")); err != nil || len(left) > 0 {
		t.Errorf("%v are left: %v", left, err)
	}
}

func TestPlan_nestedOrphans(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	nesting := owner
	nesting.Nested = "n.gen"
	apply(t, dir, file("a/n.gen", "1\n"), file("a/other.gen", "1\n"), file("b/n.gen", "1\n"), file("b/deeper/n.gen", "1\n"))
	if err := os.MkdirAll(filepath.Join(dir, "c"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "c", "n.gen"), []byte("by hand"), 0o600); err != nil {
		t.Fatal(err)
	}
	plan, err := output.NewPlan(dir, []gen.File{file("b/n.gen", "1\n")}, nesting)
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.Apply(); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"a/other.gen": header + "1\n", "b/n.gen": header + "1\n", "b/deeper/n.gen": header + "1\n", "c/n.gen": "by hand"}
	if d := cmp.Diff(want, tree(t, dir)); d != "" {
		t.Errorf("tree (-want +got):\n%s", d)
	}
}
