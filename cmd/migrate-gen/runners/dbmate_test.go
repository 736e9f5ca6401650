package runners_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/eventmap/eventmap/internal/npm"
)

// dbmate is a program, and no module that could be had here. It is published as packages of npm, one for each system.
var dbmate = runner{
	format: "dbmate",
	table:  "schema_migrations",
	find:   needDbmate,
	up: func(ctx context.Context, dsn, folder string) error {
		return runDbmate(ctx, dsn, folder, "migrate")
	},
	down: func(ctx context.Context, dsn, folder string) error {
		for {
			err := runDbmate(ctx, dsn, folder, "rollback")
			if err != nil && strings.Contains(err.Error(), "no migrations have been applied") {
				return nil
			}
			if err != nil {
				return err
			}
		}
	},
}

func runDbmate(ctx context.Context, dsn, folder, command string) error {
	program, err := dbmateProgram()
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, program, "--url", dsn, "--migrations-dir", folder, "--no-dump-schema", command).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// dbmateProgram returns the path of dbmate in the folder of the tools: unpacked from its package, or, for a system that has
// none there, a link to what is on PATH.
var dbmateProgram = sync.OnceValues(func() (string, error) {
	program := filepath.Join(tools, "dbmate")
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		installed, err := exec.LookPath("dbmate")
		if err != nil {
			return "", err
		}
		return program, os.Symlink(installed, program)
	}
	pinned := npm.Package{
		Name: "@dbmate/linux-x64", Version: "2.36.0",
		Integrity: "sha512-LdLpgyuluwJ93rWcvJjdlsjJ8rBeeAH52h3dSk0zAMaLrQn49dup1/o2tFpG1jM9f767HkuXdBrrjy6ZwG9BSg==",
	}
	folder := filepath.Join(tools, "npm", "dbmate")
	if err := pinned.Unpack(context.Background(), "../../../.cache/npm", folder); err != nil {
		return "", err
	}
	return program, os.Symlink(filepath.Join(folder, "bin", "dbmate"), program)
})

// needDbmate skips the test where there is no way to get dbmate.
func needDbmate(t *testing.T) {
	t.Helper()
	_, err := dbmateProgram()
	if errors.Is(err, npm.ErrNoRegistry) || errors.Is(err, exec.ErrNotFound) {
		t.Skipf("what is written for dbmate is run by the tests of internal/gen/sqlcode/migration without it: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
}
