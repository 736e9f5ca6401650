// Package pgtest gives tests a real PostgreSQL: a database for each test, or a server of its own for a test that stops
// servers or needs settings.
//
// The server is looked for in this order:
//
//  1. TEST_DATABASE_URL, the address of a running server (a role with CREATEDB). [NewServer] does not use it. All that is
//     made there is called pgtest_...; the templates, called pgtest_template_..., are kept for the next run.
//  2. The server programs in the folder $PGBIN; without it, the newest of the places where Debian, Fedora, Homebrew and
//     Postgres.app put them and of PATH. A private cluster is made of them, reachable over a Unix socket only.
//  3. docker run --rm.
//
// Where none of them is found the test fails and says what to do. It is never skipped.
//
// A private server belongs to a keeper, a process that runs beside the test process and reads a pipe from it. The kernel
// closes the pipe however the test process ends, be it normally, by a panic, a timeout or SIGKILL; then the keeper shuts
// the server down and removes its folder. Each test process starts at most one server for all its calls of [New].
// Package pgrun shares one between the test processes of a whole run.
//
// The package needs a Unix system.
package pgtest

import (
	"os"
	"sync"
	"testing"
)

// addressVariable names the environment variable with the address of a running server for tests.
const addressVariable = "TEST_DATABASE_URL"

// shared is the one server of this process, started by the first call of New. It is never closed: its keeper ends it
// when the process ends.
var shared = sync.OnceValues(func() (*Server, error) {
	if address := os.Getenv(addressVariable); address != "" {
		return Connect(address), nil
	}
	return Launch()
})

// New makes a database for t and returns its address as a URL that pgx, database/sql with pgx/v5/stdlib, and libpq
// understand. The database holds the schema texts, executed in their order, each as one simple query of one or more
// statements; it is cloned from a template that is made once for each server and schema, so the texts may be long. It is
// dropped when t and its subtests have ended, together with connections that are still open then.
//
// New may be called from several tests and several processes at once. It fails t where it cannot do its work.
func New(t testing.TB, schema ...string) string {
	t.Helper()
	server, err := shared()
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	return server.NewDatabase(t, schema...)
}
