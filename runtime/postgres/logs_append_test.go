package postgres_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

func inLog(log string, expected runtime.ExpectedVersion, events []runtime.Event) postgres.LogAppend {
	return postgres.LogAppend{Log: log, StreamAppend: runtime.StreamAppend{Expected: expected, Events: events}}
}

// The streams of a call are in several logs, two of which have a stream of the same name.
func TestLogs_appendToStreamsOfSeveral(t *testing.T) {
	t.Parallel()
	logs, pool := logsPool(t)
	guard := postgres.LogAppend{Log: "a", StreamAppend: runtime.Guard("Order", "guarded", runtime.NoStream())}
	appends := []postgres.LogAppend{
		inLog("b", runtime.NoStream(), placed("s", 2)), inLog("a", runtime.NoStream(), placed("s", 1)), guard, inLog("b", runtime.NoStream(), placed("t", 1)),
	}
	first, err := logs.AppendStreams(t.Context(), pool, appends...)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int64{2, 1, 0, 1} {
		if n := int64(len(first[i].Events)); n != want {
			t.Errorf("result %d has %d events, want %d", i, n, want)
		}
	}
	again, err := logs.AppendStreams(t.Context(), pool, appends...)
	if err != nil || !again[0].AlreadyStored || !again[1].AlreadyStored || !again[3].AlreadyStored {
		t.Errorf("the retry: got %+v, %v; want it to be recognised", again, err)
	}
	_, err = logs.AppendStreams(t.Context(), pool, appends[0], inLog("c", runtime.NoStream(), placed("s", 1)))
	if !errors.Is(err, runtime.ErrDuplicateEvent) {
		t.Errorf("a part is stored already: got %v, want %v", err, runtime.ErrDuplicateEvent)
	}
	if _, err := logs.Of("a").Append(t.Context(), pool, runtime.NoStream(), placed("guarded", 1)); err != nil {
		t.Fatal(err)
	}
	_, err = logs.AppendStreams(t.Context(), pool, guard, inLog("d", runtime.NoStream(), placed("s", 1)), inLog("b", runtime.Exact(2), placed("s", 1)))
	if !errors.Is(err, runtime.ErrOptimisticConcurrency) {
		t.Errorf("the guard does not hold: got %v, want %v", err, runtime.ErrOptimisticConcurrency)
	}
	for log, want := range map[string]int64{"a": 2, "b": 3, "c": 0, "d": 0} {
		if position, err := logs.Of(log).GetLatestGlobalPosition(t.Context(), pool); err != nil || position != want {
			t.Errorf("log %s ends at %d, %v; want %d", log, position, err, want)
		}
	}
	if err := postgres.Check(t.Context(), pool, postgres.ManyLogs); err != nil {
		t.Error(err)
	}
}

// A conflict in the last of the logs leaves nothing in any, and the caller's transaction goes on.
func TestLogs_appendToSeveralOrToNone(t *testing.T) {
	t.Parallel()
	_, pool := logsPool(t)
	logs, err := postgres.NewLogs()
	if err != nil {
		t.Fatal(err)
	}
	tx := begin(t, pool)
	mustAppend(t, logs.Of("kept"), tx, placed("s", 1))
	_, err = logs.AppendStreams(t.Context(), tx, inLog("a", runtime.NoStream(), placed("s", 1)), inLog("z", runtime.Exact(7), placed("s", 1)))
	var conflict *runtime.ConflictError
	if !errors.As(err, &conflict) || conflict.Expected != runtime.Exact(7) {
		t.Errorf("got %v, want the conflict", err)
	}
	if _, err := logs.AppendStreams(t.Context(), tx, inLog("a", runtime.NoStream(), placed("s", 2)), inLog("z", runtime.NoStream(), placed("s", 1))); err != nil {
		t.Error(err)
	}
	commit(t, tx)
	for log, want := range map[string]int64{"kept": 1, "a": 2, "z": 1} {
		if position, err := logs.Of(log).GetLatestGlobalPosition(t.Context(), begin(t, pool)); err != nil || position != want {
			t.Errorf("log %s ends at %d, %v; want %d", log, position, err, want)
		}
	}
}

// Calls that name the same logs in other orders wait for each other.
func TestLogs_appendToSeveralNeverDeadlocks(t *testing.T) {
	t.Parallel()
	logs, pool := logsPool(t)
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			for i := range 20 {
				a, b, c := fmt.Sprint((w+i)%4), fmt.Sprint((w+2*i+1)%4), fmt.Sprint((w+3*i+2)%4)
				appends := []postgres.LogAppend{inLog(a, runtime.Any(), placed(newStream(), 1)), inLog(b, runtime.Any(), placed(newStream(), 1)), inLog(c, runtime.Any(), placed(newStream(), 1))}
				if _, err := logs.AppendStreams(t.Context(), pool, appends...); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestLogs_appendToSeveralIsRefused(t *testing.T) {
	t.Parallel()
	logs, pool := logsPool(t)
	invalid := new(runtime.InvalidEventError)
	if _, err := logs.AppendStreams(t.Context(), pool, inLog("a", runtime.Any(), placed("s", 1)), inLog("", runtime.Any(), placed("s", 1))); !errors.As(err, &invalid) || invalid.Field != "log" {
		t.Errorf("a log without a name: got %v", err)
	}
	if _, err := logs.AppendStreams(t.Context(), pool, inLog("a", runtime.Any(), placed("s", 1)), inLog("a", runtime.Any(), placed("s", 1))); !errors.As(err, &invalid) {
		t.Errorf("a stream twice: got %v", err)
	}
	guard := postgres.LogAppend{Log: "a", StreamAppend: runtime.Guard("Order", "s", runtime.Exact(1))}
	if _, err := logs.AppendStreams(t.Context(), pool, guard, inLog("a", runtime.Any(), placed("s", 1))); !errors.As(err, &invalid) {
		t.Errorf("a guard on a stream that is appended to as well: got %v", err)
	}
	if _, err := logs.AppendStreams(t.Context(), pool); !errors.Is(err, runtime.ErrNoEvents) {
		t.Errorf("nothing: got %v", err)
	}
	if position, err := logs.Of("a").GetLatestGlobalPosition(t.Context(), pool); err != nil || position != 0 {
		t.Errorf("the log ends at %d, %v; want 0", position, err)
	}
	hashed, err := postgres.NewLogsPool(postgres.HashedLogs(4))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hashed.AppendStreams(t.Context(), connect(t, logsDatabase(t, design.Options{Logs: "hash", HashedLogs: 4})), inLog("1", runtime.Any(), placed("s", 1))); err == nil {
		t.Error("hashed logs: want an error")
	}
	dropped := begin(t, pool)
	inTx, err := postgres.NewLogs()
	if err != nil {
		t.Fatal(err)
	}
	mustAppend(t, inTx.Of("gone"), dropped, placed("s", 1))
	if err := inTx.Drop(t.Context(), dropped, "gone"); err != nil {
		t.Fatal(err)
	}
	_, err = inTx.AppendStreams(t.Context(), dropped, inLog("a", runtime.Any(), placed("s", 1)), inLog("gone", runtime.Any(), placed("s", 1)))
	if !errors.Is(err, postgres.ErrLogDropped) {
		t.Errorf("a dropped log: got %v, want %v", err, postgres.ErrLogDropped)
	}
	if err := dropped.Commit(t.Context()); err != nil || errors.Is(err, pgx.ErrTxCommitRollback) {
		t.Errorf("the transaction is not usable any more: %v", err)
	}
}

// Logs for database/sql are those for pgx.
func TestNewLogsSQL(t *testing.T) {
	t.Parallel()
	address := logsDatabase(t, design.Options{Logs: "tenant"})
	db, pool := connectSQL(t, address, pgx.QueryExecModeCacheStatement), connect(t, address)
	bySQL, err := postgres.NewLogsSQL()
	if err != nil {
		t.Fatal(err)
	}
	byPool, err := postgres.NewLogsPool()
	if err != nil {
		t.Fatal(err)
	}
	stream := newStream()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, log := range []string{"a", "b"} {
		if _, err := bySQL.Of(log).Append(t.Context(), tx, runtime.NoStream(), placed(stream, 2)); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	for _, log := range []string{"a", "b"} {
		read, err := byPool.Of(log).ReadAggregateStream(t.Context(), pool, "Order", stream, nil, nil)
		if err != nil || read.Version() != 2 {
			t.Errorf("log %s: version %d, %v; want 2", log, read.Version(), err)
		}
	}
}
