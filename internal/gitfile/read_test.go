package gitfile_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eventmap/eventmap/internal/gitfile"
)

// A repository is one with commits of its own.
type repository struct {
	t   *testing.T
	dir string
}

func newRepository(t *testing.T) repository {
	r := repository{t, t.TempDir()}
	r.git("init", "-q", "-b", "main")
	r.git("config", "user.email", "ada@example.com")
	r.git("config", "user.name", "Ada")
	return r
}

func (r repository) git(args ...string) {
	r.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = r.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func (r repository) path(name string) string { return filepath.Join(r.dir, filepath.FromSlash(name)) }

func (r repository) commit(name, content string) {
	r.t.Helper()
	if err := os.MkdirAll(filepath.Dir(r.path(name)), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(r.path(name), []byte(content), 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.git("add", ".")
	r.git("commit", "-qm", "change "+name)
}

func TestRead(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.commit("a/x.json", "1")
	r.git("tag", "v1")
	r.commit("a/x.json", "2")
	for revision, want := range map[string]string{"v1": "1", "HEAD~1": "1", "main": "2"} {
		if content, lay, err := gitfile.Read(revision, r.path("a/x.json")); err != nil || string(content) != want || lay != r.path("a/x.json") {
			t.Errorf("%s: got %q at %s, %v, want %q", revision, content, lay, err, want)
		}
	}
	if _, _, err := gitfile.Read("main", r.path("not/there/y.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that was never there: %v", err)
	}
	for revision, want := range map[string]string{"": "there is no such commit", "v2": "there is no such commit", "--output=x": "there is no such commit"} {
		if _, _, err := gitfile.Read(revision, r.path("a/x.json")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", revision, err, want)
		}
	}
}

func TestRead_followsWhatWasMoved(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.commit("a/x.json", "1")
	r.git("mv", "a", "b")
	if content, lay, err := gitfile.Read("main", r.path("b/x.json")); err != nil || string(content) != "1" || lay != "a/x.json" {
		t.Errorf("got %q at %s, %v", content, lay, err)
	}
	r.commit("c/x.json", "3")
	r.git("rm", "-q", "b/x.json", "c/x.json")
	if _, _, err := gitfile.Read("main", r.path("d/x.json")); err == nil || !strings.Contains(err.Error(), "b/x.json and c/x.json, which are gone") {
		t.Errorf("two that are gone: %v", err)
	}
}
