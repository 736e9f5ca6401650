package consumer_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// workerVariable makes this program a worker process on the database that it names. steadyVariable,
// segments/workers/microseconds, lets it drive a consumer that does not misbehave, for benchmarks, and bareVariable, the
// first of its segments, lets it do the same in loops without a library.
const (
	workerVariable = "CONSUMER_TEST_WORKER"
	steadyVariable = "CONSUMER_TEST_STEADY"
	bareVariable   = "CONSUMER_TEST_BARE"
)

func TestMain(m *testing.M) {
	if address := os.Getenv(workerVariable); address != "" {
		if err := work(address); err != nil {
			fmt.Fprintln(os.Stderr, "worker:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// How the handlers of worker processes misbehave, at random: one in so many events.
const (
	failsOneIn  = 60
	panicsOneIn = 120
	hangsOneIn  = 200
)

// steady returns a consumer that only writes, and waits for so long as if the answer came from far away.
func steady(plan string) (consumer.Registration[pgx.Tx], error) {
	var r consumer.Registration[pgx.Tx]
	var microseconds int
	if _, err := fmt.Sscanf(plan, "%d/%d/%d", &r.Segments, &r.Workers, &microseconds); err != nil {
		return r, err
	}
	r.Consumer = writes("steady", func(context.Context, pgx.Tx, runtime.PersistedEvent) error {
		time.Sleep(time.Duration(microseconds) * time.Microsecond)
		return nil
	})
	return r, nil
}

// work drives consumers until standard input ends, which it does however the test ends.
func work(address string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return err
	}
	config.MaxConns = 8
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	defer pool.Close()
	db, err := postgres.NewConsumers(pool)
	if err != nil {
		return err
	}
	consumers := []consumer.Registration[pgx.Tx]{
		{
			Consumer: misbehaving("shared"), Segments: 4, Workers: 2, BatchSize: 20,
			Attempts: -1, Backoff: quick(), Timeout: 50 * time.Millisecond,
		},
		{
			Consumer: poisoned("parking"), Segments: 3, Workers: 1, BatchSize: 20,
			Policy: consumer.Park, Attempts: 2, Backoff: quick(),
		},
	}
	if plan := os.Getenv(steadyVariable); plan != "" {
		one, err := steady(plan)
		if err != nil {
			return err
		}
		if first, err := strconv.Atoi(os.Getenv(bareVariable)); err == nil {
			fmt.Println("ready")
			return bareLoops(ctx, pool, first, one.Workers, one.Segments, one.Consumer.Handle)
		}
		consumers = []consumer.Registration[pgx.Tx]{one}
	}
	r, err := consumer.New(db, consumer.Config{
		PollLeast: time.Millisecond,
		PollMost:  50 * time.Millisecond,
		Logger:    runtime.SlogLogger(slog.New(slog.NewTextHandler(os.Stderr, nil))),
	}, consumers...)
	if err != nil {
		return err
	}
	fmt.Println("ready") // what happens from here on can be killed
	for ctx.Err() == nil {
		if err := r.Run(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "run:", err) // the server is being restarted
			time.Sleep(20 * time.Millisecond)
		}
	}
	return nil
}

// misbehaving returns a consumer whose handler fails, panics or hangs now and then, before or after it has written.
func misbehaving(name string) consumer.Consumer[pgx.Tx] {
	return handler[pgx.Tx]{name, func(ctx context.Context, tx pgx.Tx, e runtime.PersistedEvent) error {
		fault := func() error {
			switch {
			case rand.IntN(failsOneIn) == 0:
				return errors.New("fault")
			case rand.IntN(panicsOneIn) == 0:
				panic("fault")
			case rand.IntN(hangsOneIn) == 0:
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}
		if err := fault(); err != nil {
			return err
		}
		if err := write(ctx, tx, name, e); err != nil {
			return err
		}
		return fault()
	}}
}

// isPoison reports whether the event is one that a parking consumer never handles.
func isPoison(e *runtime.PersistedEvent) bool { return e.GlobalPosition%97 == 0 }

// poisoned returns a consumer that cannot handle some events.
func poisoned(name string) consumer.Consumer[pgx.Tx] {
	return writes(name, func(_ context.Context, _ pgx.Tx, e runtime.PersistedEvent) error {
		if isPoison(&e) {
			return errors.New("poison")
		}
		return nil
	})
}

// A process runs work.
type process struct {
	command *exec.Cmd
	stdin   io.Closer
}

// startProcess starts a worker process and waits until it works.
func startProcess(t testing.TB, address string, output io.Writer, environ ...string) *process {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(append(os.Environ(), workerVariable+"="+address), environ...)
	command.Stderr = output
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{command: command, stdin: stdin}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "ready\n" {
		t.Fatalf("worker process said %q, %v", line, err)
	}
	return p
}

// kill ends the process without a word.
func (p *process) kill() {
	_ = p.command.Process.Signal(syscall.SIGKILL)
	_ = p.command.Wait()
	_ = p.stdin.Close()
}

// Processes that share consumers are killed at random, the server crashes and comes back, handlers fail, panic and hang,
// the number of segments changes, and all the while events are appended. At the end the read model is the log.
func TestProcesses_readModelIsTheLog(t *testing.T) {
	t.Parallel()
	const (
		processes = 3
		kills     = 10
		crashes   = 2
		writers   = 3
	)
	server := pgtest.NewServer(t, pgtest.Setting("deadlock_timeout", "100ms"))
	address := server.NewDatabase(t, schema(t)...)
	e := connect(t, address)
	var output syncBuffer
	defer func() {
		if t.Failed() {
			t.Logf("worker processes:\n%s", output.String())
		}
	}()

	// Events are appended until all has happened.
	ctx := e.Context() // an append that is cancelled may be committed after the log was compared
	appending, stopAppending := context.WithCancel(ctx)
	defer stopAppending()
	var appenders sync.WaitGroup
	for w := range writers {
		appenders.Go(func() {
			for appending.Err() == nil {
				id := fmt.Sprintf("order-%d-%d", w, rand.IntN(12))
				// What fails because the server is away may or may not be in the log.
				_, _ = e.store.Append(ctx, e.pool, runtime.Any(), events("Order", id, 1+rand.IntN(3)))
				time.Sleep(time.Duration(rand.IntN(4)) * time.Millisecond)
			}
		})
	}

	running := make([]*process, processes)
	for i := range running {
		running[i] = startProcess(t, address, &output)
	}
	defer func() {
		for _, p := range running {
			p.kill()
		}
	}()
	operator := e.runner(
		consumer.Registration[pgx.Tx]{Consumer: misbehaving("shared"), Attempts: -1},
		consumer.Registration[pgx.Tx]{Consumer: poisoned("parking"), Policy: consumer.Park, Attempts: 2},
	)
	handled := func() int64 { return one[int64](e, "select count(*) from read_model where consumer = 'shared'") }
	for i := range kills {
		// Something gets done between any two of them.
		before := handled()
		e.eventually("events are handled", func() bool { return handled() >= before+30 })
		victim := rand.IntN(processes)
		running[victim].kill()
		if i%(kills/crashes) == 1 {
			if err := server.Restart(); err != nil {
				t.Fatal(err)
			}
			e.pool.Reset() // its connections are those to the server that was
			e.eventually("the server is back", func() bool { return e.pool.Ping(e.Context()) == nil })
		}
		running[victim] = startProcess(t, address, &output)
		if err := operator.Resize(e.ctx(), "shared", 1+rand.IntN(6)); err != nil && !errors.Is(err, consumer.ErrResizing) {
			t.Errorf("Resize: %v", err)
		}
	}
	stopAppending()
	appenders.Wait()

	log := e.logPositions()
	e.eventually("all is handled", func() bool { return handled() >= int64(len(log)) })
	e.wantModel("shared", log)
	checkParking(e, operator)
	t.Logf("%d events, %d kills, %d crashes", len(log), kills, crashes)
}

// checkParking checks that the parking consumer has handled, of each stream, the events before the first poisoned one, and
// parked the rest; and that once the poison is dropped and the rest retried, nothing else is missing.
func checkParking(e *env, operator *consumer.Runner[pgx.Tx]) {
	e.Helper()
	ctx := e.ctx()
	e.eventually("the parking consumer has caught up", func() bool { return hasCaughtUp(e, operator, "parking") })
	var want, unpoisoned []int64
	blocked := map[string]bool{}
	for p, err := range e.store.LogEvents(ctx, e.pool, runtime.LogQuery{}) {
		if err != nil {
			e.Fatal(err)
		}
		if isPoison(&p) {
			blocked[p.AggregateID] = true
		} else {
			unpoisoned = append(unpoisoned, p.GlobalPosition)
		}
		if !blocked[p.AggregateID] {
			want = append(want, p.GlobalPosition)
		}
	}
	e.wantModel("parking", want)
	for {
		parked, err := operator.Parked(ctx, "parking", 0, 1)
		if err != nil {
			e.Fatal(err)
		}
		if len(parked) == 0 {
			break
		}
		if _, err := operator.DropParked(ctx, "parking", parked[0].GlobalPosition); err != nil {
			e.Fatal(err)
		}
		// It ends at the next poisoned event, which is then the first.
		_, _ = operator.RetryParked(ctx, "parking", parked[0].Stream)
	}
	e.wantModel("parking", unpoisoned)
}

// A syncBuffer keeps the end of what several processes write.
type syncBuffer struct {
	mu   sync.Mutex
	text []byte
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text = append(b.text, p...)
	if most := 64 << 10; len(b.text) > most {
		b.text = b.text[len(b.text)-most:]
	}
	return len(p), nil
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.text)
}
