package clitest

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
)

// Module is the script command "module PATH [DIR]": it makes DIR, or the working folder, a module that requires this
// repository as it is, which lies in $REPO.
func Module(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: module PATH [DIR]")
	}
	dir := ts.MkAbs(".")
	if len(args) == 2 {
		dir = ts.MkAbs(args[1])
	}
	ts.Check(WriteModule(dir, args[0], ts.Getenv("REPO")))
}

// WriteModule makes dir a module of the given path that requires the repository as it is.
func WriteModule(dir, path, repo string) error {
	mod := fmt.Sprintf(`module %s

go 1.26.0

require github.com/eventmap/eventmap v0.0.0

require github.com/google/uuid v1.6.0

replace github.com/eventmap/eventmap => %s
`, path, repo)
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o600); err != nil {
		return err
	}
	sum, err := os.ReadFile(filepath.Join(repo, "go.sum"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o600)
}
