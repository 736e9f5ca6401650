package pgtest_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eventmap/eventmap/internal/pgtest"
)

// patience is far longer than anything here should take, the minute included after which a postmaster looks for its lock
// file.
const patience = 5 * time.Minute

func TestKeeper_cleansUp(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "victim.test")
	if output, err := exec.Command("go", "test", "-c", "-o", program, "./testdata/victim").CombinedOutput(); err != nil {
		t.Fatalf("victim: %v\n%s", err, output)
	}

	line := func(v *victim) error {
		_, err := fmt.Fprintln(v.stdin)
		return err
	}
	nothing := func(*victim) error { return nil }
	signal := func(sig syscall.Signal) func(*victim) error {
		return func(v *victim) error { return syscall.Kill(v.cmd.Process.Pid, sig) }
	}
	signalGroup := func(sig syscall.Signal) func(*victim) error {
		return func(v *victim) error { return syscall.Kill(-v.cmd.Process.Pid, sig) }
	}
	long := []time.Duration{patience}
	// The first one that is long enough for a server to start; how long that takes on a busy machine is not known.
	short := []time.Duration{2 * time.Second, 6 * time.Second, 18 * time.Second, 54 * time.Second, 162 * time.Second}
	tests := []struct {
		name     string
		test     string
		timeouts []time.Duration
		end      func(*victim) error
		want     string // in what it prints
	}{
		{"after a normal end", "TestPass", long, line, "PASS"},
		{"after a panic", "TestPanic", long, line, "panic: the victim panics"},
		{"after a timeout", "TestWait", short, nothing, "panic: test timed out"},
		{"after SIGKILL", "TestWait", long, signal(syscall.SIGKILL), ""},
		{"after SIGKILL to the group", "TestWait", long, signalGroup(syscall.SIGKILL), ""},
		{"after an interrupt from the terminal", "TestWait", long, signalGroup(syscall.SIGINT), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var v *victim
			err := errors.New("not started")
			for i := 0; err != nil && i < len(test.timeouts); i++ {
				v, err = startVictim(t, program, test.test, test.timeouts[i])
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := test.end(v); err != nil {
				t.Fatal(err)
			}
			output, err := io.ReadAll(v.stdout)
			if err != nil {
				t.Fatal(err)
			}
			_ = v.cmd.Wait() // that it ended as it should is seen in its output
			if !strings.Contains(string(output), test.want) {
				t.Errorf("output of the victim = %q, want it to contain %q", output, test.want)
			}
			v.awaitGone(t)
		})
	}

	// When keeper and tests are both killed, there is none to clean up but the next one.
	t.Run("after a keeper that was killed", func(t *testing.T) {
		t.Parallel()
		v, err := startVictim(t, program, "TestWait", patience)
		if err != nil {
			t.Fatal(err)
		}
		for _, pid := range []int{v.keeper, v.cmd.Process.Pid} {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
		_ = v.cmd.Wait()
		await(t, "end of the keeper", func() bool { return !alive(v.keeper) })
		pgtest.NewServer(t)
		v.awaitGone(t)
	})
}

// The folder of one that lives must not be swept up, however old it is.
func TestKeeper_sparesWhatIsKept(t *testing.T) {
	t.Parallel()
	old := pgtest.NewServer(t)
	dir := filepath.Dir(old.DataDir())
	monthAgo := time.Now().AddDate(0, -1, 0)
	if err := os.Chtimes(dir, monthAgo, monthAgo); err != nil {
		t.Fatal(err)
	}
	pgtest.NewServer(t)
	if _, err := os.Stat(old.DataDir()); err != nil {
		t.Error(err)
	}
	connect(t, old.URL("postgres"))
}

// A victim is a running test process with a server.
type victim struct {
	cmd    *exec.Cmd
	stdin  io.Writer
	stdout *bufio.Reader
	dir    string // of the server
	keeper int    // its process ID
	server []int  // process IDs of the server
}

// startVictim starts a test of the victim in a process group of its own and waits until it has a server. The error is that
// it ended before.
func startVictim(t *testing.T, program, test string, timeout time.Duration) (*victim, error) {
	t.Helper()
	cmd := exec.Command(program, "-test.run=^"+test+"$", "-test.timeout="+timeout.String())
	cmd.Env = slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "TEST_DATABASE_URL=") })
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	v := &victim{cmd: cmd, stdin: stdin, stdout: bufio.NewReader(stdout)}

	var printed strings.Builder
	facts, found := "", false
	for !found {
		line, err := v.stdout.ReadString('\n')
		if err != nil {
			_ = cmd.Wait()
			return nil, fmt.Errorf("victim: %w; it printed:\n%s", err, printed.String())
		}
		printed.WriteString(line)
		facts, found = strings.CutPrefix(line, "victim: ")
	}
	fields := strings.Fields(facts)
	v.dir = filepath.Dir(fields[0])
	v.keeper = atoi(t, fields[1])
	for _, field := range fields[2:] {
		v.server = append(v.server, atoi(t, field))
	}
	return v, nil
}

// awaitGone waits until nothing is left of the victim's server.
func (v *victim) awaitGone(t *testing.T) {
	t.Helper()
	await(t, "removal of "+v.dir, func() bool {
		_, err := os.Stat(v.dir)
		return errors.Is(err, fs.ErrNotExist)
	})
	for _, pid := range append(v.server, v.keeper) {
		await(t, "end of process "+strconv.Itoa(pid), func() bool { return !alive(pid) })
	}
}

// await polls until done.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// alive reports whether there is a process that is not a zombie.
func alive(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return false
	}
	// In a container whose first process reaps no orphans, the dead stay in the process table.
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || !strings.Contains(string(status), ") Z ")
}

func atoi(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
