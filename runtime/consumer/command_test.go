package consumer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// A team operates its consumers with the command, without writing Go.
func TestCommand_operatesConsumers(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	log := append(e.append("Order", "a", 2), e.append("Order", "b", 3)...)
	broken := new(atomic.Bool)
	broken.Store(true)
	r := e.runner(
		consumer.Registration[pgx.Tx]{Consumer: writes("halting", failing(broken, log[1])), Attempts: 1},
		consumer.Registration[pgx.Tx]{Consumer: writes("parking", failing(broken, log[2])), Attempts: 1, Policy: consumer.Park},
	)
	clears := consumer.Clears[pgx.Tx]{"parking": func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "delete from read_model where consumer = 'parking'")
		return err
	}}
	do := func(want int, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if got := consumer.Command(t.Context(), r, clears, args, &out, &errs); got != want {
			t.Errorf("%q: exit code %d, want %d: %s", args, got, want, errs.String())
		}
		return out.String() + errs.String()
	}
	contains := func(got string, want ...string) {
		t.Helper()
		got = strings.Join(strings.Fields(got), " ")
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("got %q, want it to say %q", got, w)
			}
		}
	}
	contains(do(0), "status", "resume", "reset --yes")
	contains(do(0, "status"), "halting - never ran 0")
	if err := r.RunUntilCaughtUp(e.ctx(), nil); !errors.Is(err, consumer.ErrStopped) {
		t.Fatal(err)
	}
	only := e.runner(consumer.Registration[pgx.Tx]{Consumer: writes("parking", failing(broken, log[2])), Attempts: 1, Policy: consumer.Park})
	e.catchUp(only)

	contains(do(0, "status"), "CONSUMER SEGMENT STATE POSITION BEHIND PARKED LAST ERROR", "halting 0 stopped 1 4 0 event 2: cannot handle 2", "parking 0 running 5 0 3")
	contains(do(1, "status", "--check", "halting"), "1 of 1 consumers stopped")
	contains(do(0, "status", "parking", "--check"), "parking")
	var reports []struct {
		Consumer string
		Segments []struct{ State, LastError string }
	}
	if err := json.Unmarshal([]byte(do(0, "status", "--json", "halting")), &reports); err != nil || len(reports) != 1 || reports[0].Segments[0].State != "stopped" {
		t.Errorf("status as JSON: %+v, %v", reports, err)
	}
	contains(do(0, "parked", "parking"), `3 Order "b" 1`, "cannot handle 3", `4 Order "b" 0`)
	contains(do(1, "retry", "parking"), "0 events handled of 1 streams", "cannot handle 3")
	contains(do(0, "drop", "parking", "5"))
	contains(do(1, "drop", "parking", "5"), "has parked no event 5")
	broken.Store(false)
	contains(do(0, "retry", "parking"), "2 events handled of 1 streams")
	contains(do(0, "resume", "halting"))
	contains(do(0, "pause", "parking", "maintenance"))
	contains(do(0, "status", "parking"), "parking 0 paused 5 0 0 paused: maintenance")
	contains(do(0, "resume", "parking"))
	contains(do(2, "reset", "parking"), "--yes")
	contains(do(0, "reset", "--yes", "parking"))
	contains(do(0, "resize", "parking", "3"))
	e.catchUp(r)
	e.wantModel("halting", log)
	e.wantModel("parking", log)

	for _, wrong := range [][]string{{"restart"}, {"resume"}, {"drop", "parking", "x"}, {"retry", "parking", "Order"}, {"status", "--wrong"}} {
		contains(do(2, wrong...), "manual")
	}
	contains(do(1, "resume", "nobody"), "nobody")
}

// logged collects what a runner logs.
type logged struct {
	runtime.NoOpLogger
	lines chan string
}

func (l logged) Error(_ context.Context, msg string, keyvals ...any) {
	line := msg
	for i := 1; i < len(keyvals); i += 2 {
		line += " " + strings.TrimSpace(strings.Join(strings.Fields(fmt.Sprint(keyvals[i])), " "))
	}
	select {
	case l.lines <- line:
	default:
	}
}

// Segments that are stopped are reported when a runner starts, with what to do, and that nothing else is left.
func TestRun_reportsStoppedSegments(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.append("Order", "o", 2)
	registration := consumer.Registration[pgx.Tx]{Attempts: 1, Consumer: writes("c", func(context.Context, pgx.Tx, runtime.PersistedEvent) error {
		return errors.New("permission denied for table customers")
	})}
	wantError(t, e.runner(registration).RunUntilCaughtUp(e.ctx(), nil), consumer.ErrStopped)
	l := logged{lines: make(chan string, 10)}
	r, err := consumer.New(e.db, consumer.Config{Logger: l}, registration)
	if err != nil {
		t.Fatal(err)
	}
	background(e, r)
	for _, want := range []string{"consumer is stopped c", "nothing is handled"} {
		if line := <-l.lines; !strings.Contains(line, want) || want == "consumer is stopped c" && (!strings.Contains(line, "permission denied") || !strings.Contains(line, "Resume")) {
			t.Errorf("logged %q, want %q", line, want)
		}
	}
}
