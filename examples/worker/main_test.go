package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// A process is a worker that was built and started.
type process struct {
	*exec.Cmd
	t     *testing.T
	lines *bufio.Scanner
}

func start(t *testing.T, program, url string, args ...string) *process {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), program, args...)
	cmd.Env = append(os.Environ(), "DATABASE_URL="+url)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // it has ended if all went well
	return &process{cmd, t, bufio.NewScanner(out)}
}

// until reads lines up to one that begins with text, and returns the positions that were sent.
func (p *process) until(text string) (sent []int64) {
	p.t.Helper()
	for p.lines.Scan() {
		var position int64
		if n, _ := fmt.Sscanf(p.lines.Text(), "sent %d", &position); n == 1 {
			sent = append(sent, position)
		}
		if text != "" && strings.HasPrefix(p.lines.Text(), text) {
			return sent
		}
	}
	if text != "" {
		p.t.Fatalf("the worker ended before %q", text)
	}
	return sent
}

// end sends a signal and returns what was sent after it, and the exit code.
func (p *process) end(sig os.Signal) (sent []int64, code int) {
	p.t.Helper()
	if err := p.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
	sent = p.until("")
	err := p.Wait()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	return sent, p.ProcessState.ExitCode()
}

// A worker that is told to stop finishes the mail in hand, and the next one goes on behind it: no mail is lost or sent twice. One
// that is killed has its last mails sent again.
func TestWorker_drains(t *testing.T) {
	t.Parallel()
	schema, err := migration.Schema(design.Options{})
	if err != nil {
		t.Fatal(err)
	}
	url, program := pgtest.New(t, schema), filepath.Join(t.TempDir(), "worker")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	fill(t, url, 12)

	first := start(t, program, url, "-takes", "30ms")
	sent := first.until("sending 4")
	more, code := first.end(syscall.SIGTERM)
	if sent = append(sent, more...); code != 0 || len(sent) < 4 {
		t.Fatalf("sent %v and ended with code %d, want the mail in hand to be finished and code 0", sent, code)
	}
	wantCheckpoint(t, url, sent[len(sent)-1])
	fill(t, url, 12) // a slow test may have let it send them all

	second := start(t, program, url, "-takes", "1h", "-grace", "10ms")
	next := sent[len(sent)-1] + 1
	second.until(fmt.Sprintf("sending %d", next))
	if more, code := second.end(syscall.SIGTERM); code != 0 || len(more) != 0 {
		t.Errorf("a mail that takes too long: sent %v, code %d, want none and 0", more, code)
	}
	wantCheckpoint(t, url, next-1)

	third := start(t, program, url, "-takes", "1h")
	third.until(fmt.Sprintf("sending %d", next))
	if _, code := third.end(syscall.SIGKILL); code == 0 {
		t.Error("a killed worker ended with code 0")
	}
	wantCheckpoint(t, url, next-1)

	fourth := start(t, program, url, "-takes", "1ms")
	sent = append(sent, fourth.until("sent 24")...)
	if _, code := fourth.end(syscall.SIGTERM); code != 0 {
		t.Errorf("ended with code %d", code)
	}
	var want []int64
	for position := range int64(24) {
		want = append(want, position+1)
	}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
}

// fill appends n events.
func fill(t *testing.T, url string, n int) {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	store, err := postgres.NewPool()
	if err != nil {
		t.Fatal(err)
	}
	events := make([]runtime.Event, n)
	for i := range events {
		events[i] = runtime.Event{AggregateType: "Order", AggregateID: "1", EventType: "Placed", EventVersion: 1, EventID: uuid.New(), Payload: []byte(`{}`)}
	}
	if _, err := store.Append(t.Context(), pool, runtime.Any(), events); err != nil {
		t.Fatal(err)
	}
}

func wantCheckpoint(t *testing.T, url string, want int64) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	var got int64
	if err := conn.QueryRow(t.Context(), "select position from consumer_checkpoints where consumer = 'mails'").Scan(&got); err != nil || got != want {
		t.Errorf("checkpoint at %d, %v, want %d", got, err, want)
	}
}
