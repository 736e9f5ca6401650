package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/runtime"
)

// A pool of server connections is shared between transactions, so what outlives a transaction meets another one: prepared
// statements do, which is why pgx's default mode cannot work here, and nothing that the store uses.
func TestStore_keepsTheContractThroughPgBouncer(t *testing.T) {
	t.Parallel()
	for _, m := range modes[1:] {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			// Outside of a transaction DescribeExec prepares on one connection of the server and executes on another.
			withPool := m != pgx.QueryExecModeDescribeExec
			keepsTheContract(t, func(t *testing.T) string { return bounced(t, database(t)) }, m, withPool, nil)
		})
	}
}

func TestStore_cacheStatementFailsThroughPgBouncer(t *testing.T) {
	t.Parallel()
	pool := connect(t, bounced(t, database(t)), mode(pgx.QueryExecModeCacheStatement))
	store := newStore(t)
	var errs []error
	for range 2 { // one after the other, so that both are given the same connection of the server
		conn, err := pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Release()
		errs = append(errs, pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
			return second(store.Append(t.Context(), tx, runtime.Any(), placed("hot", 1)))
		}))
	}
	if errors.Join(errs...) == nil {
		t.Error("nothing failed: the documentation says that this mode needs max_prepared_statements, which is not set here")
	}
}

// bounced returns the address of the database through a PgBouncer in transaction mode, which ends with t.
func bounced(t *testing.T, address string) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program = "/usr/sbin/pgbouncer" // where Debian puts it, off an ordinary user's PATH
	}
	if _, err := os.Stat(program); err != nil {
		t.Skipf("PgBouncer is not installed (apt-get install pgbouncer): %v", err)
	}
	config, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	base := "" // the usual one
	if os.Geteuid() == 0 {
		base = "/tmp" // root's own may be closed to the account that PgBouncer runs as
	}
	folder, err := os.MkdirTemp(base, "bounce") // short: the path of a socket is limited
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	listener, err := net.Listen("tcp", "127.0.0.1:0") // for a number that no other process on this machine is given now
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	password := ""
	if config.Password != "" {
		password = " password='" + config.Password + "'"
	}
	settings := fmt.Sprintf(`[databases]
%s = host=%s port=%d dbname=%s user=%s%s
[pgbouncer]
listen_addr =
listen_port = %d
unix_socket_dir = %s
auth_type = any
pool_mode = transaction
max_client_conn = 200
default_pool_size = 12
%s`, config.Database, config.Host, config.Port, config.Database, config.User, password, port, folder, untracked(t, program))
	file := filepath.Join(folder, "pgbouncer.ini")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	command := exec.Command(program, file)
	command.Dir = "/"
	command.Stderr = &log
	command.SysProcAttr = &syscall.SysProcAttr{}
	runAsNobody(t, command, folder, file)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if t.Failed() {
			t.Logf("PgBouncer says:\n%s", &log)
		}
	})
	through := fmt.Sprintf("host=%s port=%d dbname=%s user=%s", folder, port, config.Database, config.User)
	eventually(t, "PgBouncer answers", func() bool {
		conn, err := pgx.Connect(context.Background(), through+" default_query_exec_mode=simple_protocol")
		if err != nil {
			return false
		}
		return conn.Close(context.Background()) == nil
	})
	return through
}

// untracked returns the setting with which PgBouncer does not track prepared statements. It does by default since 1.24, and
// does not know the setting before 1.21.
func untracked(t *testing.T, program string) string {
	t.Helper()
	says, err := exec.Command(program, "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	var major, minor int
	if _, err := fmt.Sscanf(string(says), "PgBouncer %d.%d", &major, &minor); err != nil {
		t.Fatalf("version of PgBouncer in %q: %v", says, err)
	}
	if major == 1 && minor < 21 {
		return ""
	}
	return "max_prepared_statements = 0\n"
}

// runAsNobody makes the command run as an ordinary user where this test is root, which PgBouncer refuses to be.
func runAsNobody(t *testing.T, command *exec.Cmd, files ...string) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		if account, err = user.Lookup("nobody"); err != nil {
			t.Fatal(err)
		}
	}
	uid, uidErr := strconv.Atoi(account.Uid)
	gid, gidErr := strconv.Atoi(account.Gid)
	if uidErr != nil || gidErr != nil {
		t.Fatalf("account %s has the IDs %s and %s", account.Username, account.Uid, account.Gid)
	}
	for _, f := range files {
		if err := os.Chown(f, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	command.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}
