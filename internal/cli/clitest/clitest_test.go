package clitest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/cli/clitest"
)

// Go commands in scripts find what this machine has, and leave nothing behind, whoever runs them.
func TestGoEnv(t *testing.T) {
	t.Parallel()
	env := clitest.GoEnv(t)
	ask := func(env []string, args ...string) string {
		t.Helper()
		cmd := exec.Command("go", args...)
		cmd.Env = append(os.Environ(), env...)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	shared := []string{"env", "GOCACHE", "GOMODCACHE", "GOPATH", "GOPROXY", "GONOPROXY", "GOSUMDB", "GONOSUMDB"}
	if diff := cmp.Diff(ask(nil, shared...), ask(env, shared...)); diff != "" {
		t.Errorf("what go commands share (-here +in scripts):\n%s", diff)
	}
	if got := ask(env, "telemetry"); got != "off\n" {
		t.Errorf("telemetry is %q", got)
	}
	home, _ := strings.CutPrefix(env[0], "HOME=")
	if err := filepath.WalkDir(home, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && entry.Name() != "mode" {
			t.Errorf("%s is left behind", path)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}
