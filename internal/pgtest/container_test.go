package pgtest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
)

// The engine is a script that runs local server programs, so that what is passed to docker is tested where there is none.
func TestContainer_runsServer(t *testing.T) {
	programs, err := findBinaries()
	if err != nil {
		t.Fatal(err)
	}
	account, err := serverAccount()
	if err != nil {
		t.Fatal(err)
	}
	base, err := folderBase(account) // t.TempDir is closed to other accounts
	if err != nil {
		t.Fatal(err)
	}
	containers, err := os.MkdirTemp(base, "containers-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(containers) })
	if err := os.Chmod(containers, 0o755); err != nil {
		t.Fatal(err)
	}
	engine, err := filepath.Abs("testdata/docker")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", engine+string(filepath.ListSeparator)+os.Getenv("PATH"))
	t.Setenv("CONTAINERS", containers)
	t.Setenv("SERVER_PROGRAMS", programs)
	t.Setenv("SERVER_PORT", fmt.Sprint(freePort(t)))
	if account.other {
		t.Setenv("SERVER_ACCOUNT", fmt.Sprint(account.uid))
	}

	if !dockerWorks(t.Context()) {
		t.Fatal("dockerWorks = false, want true")
	}
	c, at, err := newContainer(t.Context(), plan{Settings: map[string]string{"work_mem": "5MB"}})
	if err != nil {
		t.Fatal(err)
	}
	removed := false
	t.Cleanup(func() {
		if !removed {
			_ = c.remove()
		}
	})

	if err := c.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := queryText(t, at, "create table kept (id int); show work_mem"); got != "5MB" {
		t.Errorf("work_mem = %s, want 5MB", got)
	}
	wrong := at
	wrong.Password = "wrong"
	if conn, err := pgx.Connect(t.Context(), wrong.url("postgres")); err == nil {
		_ = conn.Close(t.Context())
		t.Error("connected with a wrong password")
	}
	for range 2 { // the second time it is stopped already
		if err := c.stop(true); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := pgx.Connect(t.Context(), at.url("postgres")); err == nil {
		t.Error("connected to a stopped server")
	}
	for range 2 { // the second time it runs already
		if err := c.start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := queryText(t, at, "select 'kept'::regclass::text"); got != "kept" {
		t.Errorf("table after the restart = %q, want kept", got)
	}

	removed = true
	if err := c.remove(); err != nil { // without a stop, as when the keeper was killed
		t.Fatal(err)
	}
	left, err := os.ReadDir(containers)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("containers left: %v", left)
	}
	if _, err := pgx.Connect(t.Context(), at.url("postgres")); err == nil {
		t.Error("connected to a removed server")
	}
}

// queryText returns the last result of one or more statements.
func queryText(t *testing.T, at place, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), at.url("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	results, err := conn.PgConn().Exec(t.Context(), sql).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return string(results[len(results)-1].Rows[0][0])
}

// freePort returns a TCP port that nobody uses, of those that systems give to nobody who has not asked for them: it is still free
// when the server comes to listen there, and when it comes back.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 20000 + rand.IntN(12000)
		listener, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		return port
	}
	t.Fatal("no port is free")
	return 0
}
