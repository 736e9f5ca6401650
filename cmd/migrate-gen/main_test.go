package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/eventmap/eventmap/internal/cli/clitest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"migrate-gen": main})
}

// TestScripts runs the command as a user would.
func TestScripts(t *testing.T) {
	t.Parallel()
	env := clitest.GoEnv(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Vars = append(e.Vars, env...)
			return nil
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                map[string]func(ts *testscript.TestScript, neg bool, args []string){"exits": clitest.Exits},
	})
}

// BenchmarkProcess measures the whole process from start to exit, with the SQL going nowhere: what a go:generate line
// costs.
func BenchmarkProcess(b *testing.B) {
	program := filepath.Join(b.TempDir(), "migrate-gen")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	folder := b.TempDir()
	for b.Loop() {
		cmd := exec.Command(program, "--output", folder)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			b.Fatal(err)
		}
	}
}
