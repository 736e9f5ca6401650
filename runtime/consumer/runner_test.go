package consumer_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"runtime/pprof"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
)

func TestRunner_handlesEveryEventOnceAndInOrder(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.appendMany(1200, 7)
	r := e.runner(consumer.Registration[pgx.Tx]{Consumer: writes("all", nil)})
	e.catchUp(r)
	e.wantModel("all", e.logPositions())

	e.appendMany(10, 7)
	e.catchUp(r)
	e.wantModel("all", e.logPositions())
	if inOrder := one[bool](e, `select array_agg(global_position order by seq) = array_agg(global_position order by global_position) from read_model`); !inOrder {
		t.Error("one segment did not handle the log in order")
	}
}

func TestRunner_databaseSQL(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.appendMany(600, 5)
	db, err := postgres.NewConsumersSQL(e.sql())
	if err != nil {
		t.Fatal(err)
	}
	failed := false
	h := handler[*sql.Tx]{"all", func(ctx context.Context, tx *sql.Tx, p runtime.PersistedEvent) error {
		if _, err := tx.ExecContext(ctx, insertRow, "all", p.GlobalPosition, p.AggregateID, p.AggregateVersion); err != nil {
			return err
		}
		if p.GlobalPosition == 300 && !failed {
			failed = true
			return errors.New("not now")
		}
		return nil
	}}
	r := runnerOf(t, db, consumer.Registration[*sql.Tx]{Consumer: h, Backoff: quick()})
	if err := r.RunUntilCaughtUp(e.ctx(), nil); err != nil {
		t.Fatal(err)
	}
	e.wantModel("all", e.logPositions())
	if got := status(e, r, "all"); got.Segments[0].LastError != "" {
		t.Errorf("last error %q, want none after it is over", got.Segments[0].LastError)
	}
}

func TestRunner_scopedConsumerGetsItsTypesOnly(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	var want []int64
	for range 20 {
		want = append(want, e.append("Order", "o", 2)...)
		e.append("User", "u", 3)
	}
	e.append("Payment", "p", 100)
	h := consumer.Scoped("orders", []string{"Order"}, func(ctx context.Context, tx pgx.Tx, p runtime.PersistedEvent) error {
		return write(ctx, tx, "orders", p)
	})
	r := e.runner(consumer.Registration[pgx.Tx]{Consumer: h, BatchSize: 7})
	e.catchUp(r)
	e.wantModel("orders", want)
	if s := status(e, r, "orders"); s.Segments[0].Position != s.Frontier || s.Lag() != (consumer.Lag{}) {
		t.Errorf("status %+v, want the checkpoint at the frontier", s)
	}
}

// What Run has started has ended when it returns.
func TestRun_leavesNothingBehind(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.appendMany(20, 4)
	db, err := postgres.NewConsumers(e.pool, postgres.WithNotifyChannel("events"))
	if err != nil {
		t.Fatal(err)
	}
	r := runnerOf(t, consumer.Database[pgx.Tx](db), consumer.Registration[pgx.Tx]{Consumer: writes("c", nil), Segments: 4})
	for range 3 {
		ctx, cancel := context.WithCancel(e.ctx())
		done := make(chan error)
		// Goroutines have the labels of the one that started them.
		go pprof.Do(ctx, pprof.Labels("test", t.Name()), func(ctx context.Context) { done <- r.Run(ctx) })
		e.eventually("it runs", func() bool { return len(e.model("c")) == 20 })
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		var stacks bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&stacks, 1); err != nil {
			t.Fatal(err)
		}
		for stack := range strings.SplitSeq(stacks.String(), "\n\n") {
			if strings.Contains(stack, t.Name()) && strings.Contains(stack, "eventmap/runtime/consumer.(*") {
				t.Errorf("still there:\n%s", stack)
			}
		}
	}
	e.eventually("its connections are given back", func() bool { return e.pool.Stat().AcquiredConns() == 0 })
	ended, cancel := context.WithCancel(e.ctx())
	cancel()
	if err := r.Run(ended); err != nil {
		t.Errorf("Run with a context that is done: %v", err)
	}
	wantError(t, r.RunUntilCaughtUp(ended, nil), context.Canceled)
}

func TestNew_badRegistrations(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	named := func(name string) consumer.Registration[pgx.Tx] {
		return consumer.Registration[pgx.Tx]{Consumer: writes(name, nil)}
	}
	with := func(change func(*consumer.Registration[pgx.Tx])) consumer.Registration[pgx.Tx] {
		r := named("c")
		change(&r)
		return r
	}
	tests := []struct {
		name      string
		consumers []consumer.Registration[pgx.Tx]
		want      string
	}{
		{"nil", []consumer.Registration[pgx.Tx]{{}}, "consumer 0: is nil"},
		{"no name", []consumer.Registration[pgx.Tx]{named("")}, "consumer 0: has no name"},
		{"twice", []consumer.Registration[pgx.Tx]{named("a"), named("b"), named("a")}, `consumer 2: the name "a" is used twice`},
		{"300 bytes", []consumer.Registration[pgx.Tx]{named(strings.Repeat("x", 300))}, "has a name of 300 bytes"},
		{"NUL", []consumer.Registration[pgx.Tx]{named("a\x00b")}, "without control characters"},
		{"not UTF-8", []consumer.Registration[pgx.Tx]{named("a\xff")}, "valid UTF-8"},
		{"no types", []consumer.Registration[pgx.Tx]{{Consumer: consumer.Scoped[pgx.Tx]("s", nil, nil)}}, "s wants no aggregate type at all"},
		{"segments", []consumer.Registration[pgx.Tx]{with(func(r *consumer.Registration[pgx.Tx]) { r.Segments = 1025 })}, "c: 1025 segments; give 1 to 1024"},
		{"workers", []consumer.Registration[pgx.Tx]{with(func(r *consumer.Registration[pgx.Tx]) { r.Workers = -1 })}, "cannot be negative"},
		{"policy", []consumer.Registration[pgx.Tx]{with(func(r *consumer.Registration[pgx.Tx]) { r.Policy = 7 })}, "there is no policy 7"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := consumer.New(e.db, consumer.Config{}, tt.consumers...)
			wantError(t, err, nil, tt.want)
		})
	}
	t.Run("longest name", func(t *testing.T) {
		t.Parallel()
		name := strings.Repeat("é", 127)
		e := newEnv(t)
		e.append("Order", "o", 1)
		e.catchUp(e.runner(named(name)))
		e.wantModel(name, e.logPositions())
	})
}
