package runners_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	_ "github.com/golang-migrate/migrate/v4/database/postgres" // the driver of golang-migrate's own program
	// What the programs are made of beside the libraries. A program cannot be imported, so this is what keeps it in go.mod;
	// naming the programs as tools would bring in the drivers of every database that there is.
	_ "github.com/joho/godotenv"
	_ "github.com/mfridman/xflag"
	_ "github.com/spf13/cobra"
	_ "github.com/vaughan0/go-ini"
)

// tools is the folder of the programs that the tests run.
var tools string

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "runners")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	tools = folder
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// needPrograms returns what skips a test where one of the clients of PostgreSQL is not installed.
func needPrograms(names ...string) func(*testing.T) {
	return func(t *testing.T) {
		t.Helper()
		for _, name := range names {
			if _, err := exec.LookPath(name); err != nil {
				t.Skipf("install the clients of PostgreSQL (apt-get install postgresql-client): %v", err)
			}
		}
	}
}

// programs builds the programs of the tools that are modules, and migrate-gen, into the folder of the tools and returns it. There is
// also a program go in it, which runs them as tools of a user's module.
var programs = sync.OnceValues(func() (folder string, err error) {
	const noDrivers = "no_clickhouse,no_libsql,no_mssql,no_mysql,no_sqlite3,no_vertica,no_ydb"
	for _, args := range [][]string{
		{"-o", filepath.Join(tools, "goose"), "-tags", noDrivers, "github.com/pressly/goose/v3/cmd/goose"},
		{"-o", filepath.Join(tools, "migrate"), "-tags", "postgres", "github.com/golang-migrate/migrate/v4/cmd/migrate"},
		{"-o", filepath.Join(tools, "tern"), "github.com/jackc/tern/v2"},
		{"-C", "../../..", "-o", filepath.Join(tools, "migrate-gen"), "./cmd/migrate-gen"},
	} {
		args = append([]string{"build"}, args...)
		if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("go %q: %w\n%s", args, err, out)
		}
	}
	shim := "#!/bin/sh\n[ \"$1\" = tool ] && shift && exec \"$@\"\necho \"go $*: only tools are run here\" >&2\nexit 2\n"
	return tools, os.WriteFile(filepath.Join(tools, "go"), []byte(shim), 0o700) //nolint:gosec // a program
})
