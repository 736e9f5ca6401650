package consumer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// Each flag of parked, a retry of one stream alone, and the commands about checkpoints that no longer fit.
func TestCommand_flags(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	log := append(e.append("Order", "a", 2), e.append("Order", "b", 3)...)
	broken := new(atomic.Bool)
	broken.Store(true)
	register := func(name string) consumer.Registration[pgx.Tx] {
		return consumer.Registration[pgx.Tx]{Consumer: writes(name, func(ctx context.Context, tx pgx.Tx, event runtime.PersistedEvent) error {
			if broken.Load() {
				return errors.New("not yet\nnor later")
			}
			return nil
		}), Attempts: 1, Policy: consumer.Park}
	}
	r := e.runner(register("c"))
	e.catchUp(r)
	do := func(want int, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if got := consumer.Command(t.Context(), r, nil, args, &out, &errs); got != want {
			t.Errorf("%q: exit code %d, want %d: %s", args, got, want, errs.String())
		}
		return out.String() + errs.String()
	}
	parked := func(args ...string) (positions []int64) {
		t.Helper()
		var reports []struct {
			Position                   int64
			AggregateType, AggregateID string
			Error                      string
			ParkedAt                   time.Time
		}
		text := do(0, append([]string{"parked", "--json", "c"}, args...)...)
		if err := json.Unmarshal([]byte(text), &reports); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for _, r := range reports {
			if r.AggregateType != "Order" || r.AggregateID == "" || r.ParkedAt.IsZero() {
				t.Errorf("parked as JSON: %+v", r)
			}
			positions = append(positions, r.Position)
		}
		return positions
	}
	if got := parked(); len(got) != len(log) {
		t.Fatalf("parked %v, want all of %v", got, log)
	}
	if got := parked("--limit", "2"); len(got) != 2 || got[0] != log[0] {
		t.Errorf("--limit 2: parked %v, want the first two of %v", got, log)
	}
	if got := parked("--after", "3"); len(got) != 2 || got[0] != log[3] {
		t.Errorf("--after 3: parked %v, want the last two of %v", got, log)
	}
	if got := do(0, "parked", "c", "--limit=1"); strings.Count(got, "\n") != 2 || strings.Contains(got, "nor later") {
		t.Errorf("parked as a table:\n%s\nwant one event on one line", got)
	}
	do(2, "parked", "c", "--log", "other") // there is one log
	broken.Store(false)
	if got := do(0, "retry", "c", "Order", "a"); !strings.Contains(got, "2 events handled of 1 streams") {
		t.Errorf("retry of one stream: %s", got)
	}
	if got := parked(); len(got) != 3 || got[0] != log[2] {
		t.Errorf("after the retry of a, %v are parked, want those of b", got)
	}
	do(1, "accept", "c", "99")
	do(2, "accept", "c", "-1")
	do(0, "accept", "c", "2")
	if s := status(e, r, "c"); s.Segments[0].Position != 2 {
		t.Errorf("after accept, the position is %d, want 2", s.Segments[0].Position)
	}
	do(1, "resize", "c", "100000")
	do(2, "forget", "c")
	do(1, "forget", "--yes", "c") // it is registered
	r = e.runner(register("other"))
	do(0, "forget", "--yes", "c")
	do(1, "forget", "--yes", "c")
	var none []any
	if err := json.Unmarshal([]byte(do(0, "status", "--json", "other")), &none); err != nil || len(none) != 1 {
		t.Errorf("status of a consumer that never ran: %v, %v", none, err)
	}
}

// A database that cannot be reached says so once, however many addresses and ways there are to try.
func TestCommand_unreachableDatabase(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), "postgres://nobody@127.0.0.1:1/none?sslmode=prefer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	db, err := postgres.NewConsumers(pool)
	if err != nil {
		t.Fatal(err)
	}
	r := runnerOf(t, db, consumer.Registration[pgx.Tx]{Consumer: writes("c", nil)})
	var out, errs bytes.Buffer
	if got := consumer.Command(t.Context(), r, nil, []string{"status"}, &out, &errs); got != 1 || out.Len() > 0 {
		t.Errorf("exit code %d, output %q", got, out.String())
	}
	if got := strings.Count(errs.String(), "connection refused"); got != 1 {
		t.Errorf("said %d times:\n%s", got, errs.String())
	}
}

// The zero Config logs to the default of log/slog, and what is stopped is said again and again.
func TestRun_remindsOfStoppedSegments(t *testing.T) { //nolint:paralleltest // it sets the default logger
	e := newEnv(t)
	e.append("Order", "o", 2)
	registration := consumer.Registration[pgx.Tx]{Attempts: 1, Consumer: writes("c", func(context.Context, pgx.Tx, runtime.PersistedEvent) error {
		return errors.New("permission denied for table customers")
	})}
	wantError(t, e.runner(registration).RunUntilCaughtUp(e.ctx(), nil), consumer.ErrStopped)
	lines := make(lineWriter, 100)
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(lines, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	r, err := consumer.New(e.db, consumer.Config{RemindEvery: time.Millisecond, PollLeast: time.Millisecond, PollMost: time.Millisecond}, registration)
	if err != nil {
		t.Fatal(err)
	}
	background(e, r)
	for reminders := 0; reminders < 3; {
		select {
		case line := <-lines:
			var entry struct{ Level, Msg, Consumer, Error, Remedy string }
			if err := json.Unmarshal([]byte(line), &entry); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			if entry.Msg == "consumer is stopped" {
				reminders++
				if entry.Level != "ERROR" || entry.Consumer != "c" || !strings.Contains(entry.Error, "permission denied") || !strings.Contains(entry.Remedy, "resume c") {
					t.Errorf("logged %s", line)
				}
			}
		case <-e.ctx().Done():
			t.Fatalf("reminded %d times, want 3", reminders)
		}
	}
}

// A lineWriter gives what is written to it to whoever receives, and drops what does not fit.
type lineWriter chan string

func (w lineWriter) Write(p []byte) (int, error) {
	select {
	case w <- string(p):
	default:
	}
	return len(p), nil
}
