package pgtest_test

import (
	"bufio"
	"errors"
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
const patience = 2 * time.Minute

func TestKeeper_cleansUp(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "victim.test")
	if output, err := exec.Command("go", "test", "-c", "-o", program, "./testdata/victim").CombinedOutput(); err != nil {
		t.Fatalf("victim: %v\n%s", err, output)
	}

	signal := func(sig syscall.Signal) func(int) error {
		return func(pid int) error { return syscall.Kill(pid, sig) }
	}
	signalGroup := func(sig syscall.Signal) func(int) error {
		return func(pid int) error { return syscall.Kill(-pid, sig) }
	}
	tests := []struct {
		name string
		args []string
		end  func(pid int) error // nil if the victim ends by itself
		want string              // in what it prints
	}{
		{"after a normal end", []string{"-test.run=^TestPass$"}, nil, "PASS"},
		{"after a panic", []string{"-test.run=^TestPanic$"}, nil, "panic: the victim panics"},
		{"after a timeout", []string{"-test.run=^TestWait$", "-test.timeout=3s"}, nil, "panic: test timed out"},
		{"after SIGKILL", []string{"-test.run=^TestWait$"}, signal(syscall.SIGKILL), ""},
		{"after SIGKILL to the group", []string{"-test.run=^TestWait$"}, signalGroup(syscall.SIGKILL), ""},
		{"after an interrupt from the terminal", []string{"-test.run=^TestWait$"}, signalGroup(syscall.SIGINT), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v := startVictim(t, program, test.args...)
			if test.end != nil {
				if err := test.end(v.cmd.Process.Pid); err != nil {
					t.Fatal(err)
				}
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
		v := startVictim(t, program, "-test.run=^TestWait$")
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
	stdout *bufio.Reader
	dir    string // of the server
	keeper int    // its process ID
	server []int  // process IDs of the server
}

// startVictim starts a victim in a process group of its own and waits until it has a server.
func startVictim(t *testing.T, program string, args ...string) *victim {
	t.Helper()
	v := &victim{cmd: exec.Command(program, args...)}
	v.cmd.Env = slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "TEST_DATABASE_URL=") })
	v.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdout, err := v.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	v.stdout = bufio.NewReader(stdout)
	v.cmd.Stderr = v.cmd.Stdout
	if err := v.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-v.cmd.Process.Pid, syscall.SIGKILL) })

	var printed strings.Builder
	for {
		line, err := v.stdout.ReadString('\n')
		printed.WriteString(line)
		if err != nil {
			t.Fatalf("victim: %v; it printed:\n%s", err, printed.String())
		}
		if facts, found := strings.CutPrefix(line, "victim: "); found {
			fields := strings.Fields(facts)
			v.dir = filepath.Dir(fields[0])
			v.server = atoi(t, fields[1:]...)
			break
		}
	}
	keeper, err := os.ReadFile(filepath.Join(v.dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	v.keeper = atoi(t, strings.TrimSpace(string(keeper)))[0]
	for _, pid := range append(v.server, v.keeper) {
		if !alive(pid) {
			t.Errorf("process %d of the victim's server does not live", pid)
		}
	}
	return v
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

func atoi(t *testing.T, texts ...string) []int {
	t.Helper()
	var numbers []int
	for _, text := range texts {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, n)
	}
	return numbers
}
