package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/pgtest"
)

// asPgrun makes the test binary behave as the program.
const asPgrun = "PGRUN_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asPgrun) != "" {
		_ = os.Unsetenv(asPgrun) // for the command
		main()
	}
	os.Exit(m.Run())
}

// pgrun returns a command of the program, with TEST_DATABASE_URL as given.
func pgrun(address string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asPgrun+"=1", "TEST_DATABASE_URL="+address, "PGTEST_RUN=")
	return cmd
}

func TestRun_passesOnExitCodeAndOutput(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		args    []string
		code    int
		out     string
		errPart string
	}{
		{"success", []string{"sh", "-c", "echo hello"}, 0, "hello\n", ""},
		{"failure", []string{"sh", "-c", "echo hello; exit 7"}, 7, "hello\n", ""},
		{"killed", []string{"sh", "-c", "kill -KILL $$"}, 128 + 9, "", ""},
		{"not found", []string{"/no/such/program"}, 127, "", "no such file"},
		{"no command", []string{"-database"}, 2, "", "no command"},
		{"wrong flag", []string{"-x", "true"}, 2, "", "-x"},
		{"wrong setting", []string{"-set", "fsync", "true"}, 2, "", "name=value"},
		{"refused setting", []string{"-set", "fsync=perhaps", "true"}, 125, "", "fsync"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cmd := pgrun("", test.args...)
			var out, errOut strings.Builder
			cmd.Stdout, cmd.Stderr = &out, &errOut
			_ = cmd.Run()
			if got := cmd.ProcessState.ExitCode(); got != test.code {
				t.Errorf("exit code = %d, want %d", got, test.code)
			}
			if diff := cmp.Diff(test.out, out.String()); diff != "" {
				t.Errorf("stdout (-want +got):\n%s", diff)
			}
			if test.errPart == "" && errOut.Len() > 0 || !strings.Contains(errOut.String(), test.errPart) {
				t.Errorf("stderr = %q, want it to contain %q, or nothing if that is empty", errOut.String(), test.errPart)
			}
		})
	}
}

func TestRun_findSaysWhatIsThere(t *testing.T) {
	t.Parallel()
	bin := pgtest.NewServer(t).BinDir()
	cmd := pgrun("", "-find")
	cmd.Env = append(cmd.Env, "PGBIN="+bin)
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("pgrun: %v\n%s", err, output)
	}
	if diff := cmp.Diff(bin+"\n", string(output)); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
	cmd = pgrun("", "-find")
	cmd.Env = append(cmd.Env, "PGBIN="+t.TempDir())
	if output, err := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 125 {
		t.Errorf("with an empty $PGBIN: %v, want exit code 125; output:\n%s", err, output)
	}
}

// printServer is a command that prints where its server is, and waits.
var printServer = []string{"sh", "-c", `echo "$TEST_DATABASE_URL"; echo $$; exec sleep 1000`}

func TestRun_leavesNothing(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			cmd := pgrun("", printServer...)
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = cmd.Process.Kill() })
			var address string
			var child int
			if _, err := fmt.Fscan(bufio.NewReader(stdout), &address, &child); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = syscall.Kill(child, syscall.SIGKILL) })
			config, err := pgx.ParseConfig(address)
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if sig != syscall.SIGKILL {
				if got, want := cmd.ProcessState.ExitCode(), 128+int(sig); got != want {
					t.Errorf("exit code = %d, want %d", got, want)
				}
			}
			await(t, "removal of "+config.Host, func() bool {
				_, err := os.Stat(config.Host)
				return errors.Is(err, fs.ErrNotExist)
			})
			if sig == syscall.SIGKILL && runtime.GOOS != "linux" {
				return // elsewhere a command cannot be told that pgrun was killed
			}
			await(t, "end of the command", func() bool { return !alive(child) })
		})
	}
}

func TestRun_dropsItsDatabasesFromAServerThatWasThere(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t)
	want := databases(t, server)
	cmd := pgrun(server.URL("postgres"), "-database", "sh", "-c",
		`echo "$DATABASE_URL" && go test -count=1 -v -run='^TestPass$' ./testdata/victim`)
	cmd.Dir = ".."
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("pgrun: %v\n%s", err, output)
	}
	config, err := pgx.ParseConfig(server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(output), "victim: "+config.Host) {
		t.Errorf("the tests did not use the server in %s:\n%s", config.Host, output)
	}
	if diff := cmp.Diff(want, databases(t, server)); diff != "" {
		t.Errorf("databases before and after (-want +got):\n%s", diff)
	}
	address, _, _ := strings.Cut(string(output), "\n")
	if used, err := pgx.ParseConfig(address); err != nil || used.Host != config.Host || slices.Contains(want, used.Database) {
		t.Errorf("DATABASE_URL = %q, want a new database in %s", address, config.Host)
	}
}

func databases(t *testing.T, server *pgtest.Server) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, _ := conn.Query(t.Context(), "select datname from pg_database order by datname")
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// await polls until done.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	const patience = 5 * time.Minute
	for deadline := time.Now().Add(patience); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// alive reports whether there is a process that is not a zombie, as it is where nobody reaps orphans.
func alive(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return false
	}
	status, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(pid), "stat"))
	return err != nil || !strings.Contains(string(status), ") Z ")
}
