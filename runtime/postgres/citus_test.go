package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// citusDatabase returns the address of a database of its own on a Citus cluster with the tables of many logs, distributed.
func citusDatabase(t testing.TB, o design.Options) string {
	t.Helper()
	o.Snapshots, o.Citus = true, true
	return pgtest.NewCitus(t, nil, schema(t, o))
}

// citusPool returns the stores of logs with names on a cluster, each call a transaction of its own.
func citusPool(t testing.TB) (*postgres.Logs[*pgxpool.Pool], *pgxpool.Pool) {
	t.Helper()
	logs, err := postgres.NewLogsPool(postgres.ManyLogs.OnCitus())
	if err != nil {
		t.Fatal(err)
	}
	return logs, connect(t, citusDatabase(t, design.Options{Logs: "tenant"}))
}

func TestCitus_keepsTheContract(t *testing.T) {
	t.Parallel()
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			database := func(t *testing.T) string { return citusDatabase(t, design.Options{Logs: "tenant"}) }
			keepsTheContract(t, database, m, true, oneWriterAtATime, postgres.ManyLogs.OnCitus(), postgres.WithLog("tenant-7"))
		})
	}
	t.Run("hashed", func(t *testing.T) {
		t.Parallel()
		database := func(t *testing.T) string { return citusDatabase(t, design.Options{Logs: "hash", HashedLogs: 1}) }
		keepsTheContract(t, database, pgx.QueryExecModeCacheStatement, true, oneWriterAtATime, postgres.HashedLogs(1).OnCitus(), postgres.WithLog("0"))
	})
}

func TestCitus_streamsAreLinearizable(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]struct {
		tables design.Options
		opts   []postgres.Option
	}{
		"one of many": {design.Options{Logs: "tenant"}, []postgres.Option{postgres.ManyLogs.OnCitus(), postgres.WithLog("a")}},
		"hashed":      {design.Options{Logs: "hash", HashedLogs: 3}, []postgres.Option{postgres.HashedLogs(3).OnCitus()}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := connect(t, citusDatabase(t, l.tables))
			store, poolStore := newStore(t, l.opts...), newPoolStore(t, l.opts...)
			areLinearizable(t, pool, poolStore, func(random *rand.Rand, expected runtime.ExpectedVersion, events []runtime.Event) (r runtime.AppendResult, err error) {
				if random.IntN(2) == 0 {
					return poolStore.Append(t.Context(), pool, expected, events)
				}
				err = pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) (err error) {
					r, err = store.Append(t.Context(), tx, expected, events)
					return err
				})
				return r, err
			})
		})
	}
}

// Streams of one log are appended to together, with guards; those of several logs are refused, and nothing is stored.
func TestCitus_appendStreams(t *testing.T) {
	t.Parallel()
	pool := connect(t, citusDatabase(t, design.Options{Logs: "hash", HashedLogs: 4}))
	store := newPoolStore(t, postgres.HashedLogs(4).OnCitus())
	inLog := make(map[int][]string)
	for len(inLog[0]) < 3 || len(inLog[1]) < 1 {
		id := newStream()
		inLog[consumer.Segment(id, 4)] = append(inLog[consumer.Segment(id, 4)], id)
	}
	a, b, guarded, elsewhere := inLog[0][0], inLog[0][1], inLog[0][2], inLog[1][0]
	guard := runtime.StreamAppend{AggregateType: "Order", AggregateID: guarded, Expected: runtime.NoStream()}
	appends := []runtime.StreamAppend{{Expected: runtime.NoStream(), Events: placed(a, 2)}, guard, {Expected: runtime.NoStream(), Events: placed(b, 3)}}
	first, err := store.AppendStreams(t.Context(), pool, appends...)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{1, 2, 3, 4, 5}, append(first[0].GlobalPositions, first[2].GlobalPositions...)); diff != "" {
		t.Errorf("positions (-want +got):\n%s", diff)
	}
	again, err := store.AppendStreams(t.Context(), pool, appends...)
	if err != nil || !again[0].AlreadyStored || !again[2].AlreadyStored {
		t.Errorf("the retry: got %+v, %v; want it to be recognised", again, err)
	}
	if _, err := store.Append(t.Context(), pool, runtime.NoStream(), placed(guarded, 1)); err != nil {
		t.Fatal(err)
	}
	_, err = store.AppendStreams(t.Context(), pool, runtime.StreamAppend{Expected: runtime.Exact(2), Events: placed(a, 1)}, guard)
	var conflict *runtime.ConflictError
	if !errors.As(err, &conflict) || conflict.AggregateID != guarded || conflict.Actual != 1 {
		t.Errorf("the guard does not hold: got %v, want a conflict of %s at version 1", err, guarded)
	}
	_, err = store.AppendStreams(t.Context(), pool,
		runtime.StreamAppend{Expected: runtime.Exact(2), Events: placed(a, 1)}, runtime.StreamAppend{Expected: runtime.Any(), Events: placed(elsewhere, 1)})
	if !errors.Is(err, postgres.ErrSeveralLogs) {
		t.Errorf("streams of several logs: got %v, want %v", err, postgres.ErrSeveralLogs)
	}
	reads, err := store.ReadStreams(t.Context(), pool, streamRead(a), streamRead(elsewhere), streamRead(b))
	if err != nil || reads[0].Stream.Version() != 2 || reads[1].Stream.Version() != 0 || reads[2].Stream.Version() != 3 {
		t.Errorf("read streams of several logs: got %+v, %v; want versions 2, 0 and 3", reads, err)
	}
	if err := postgres.Check(t.Context(), pool, postgres.HashedLogs(4).OnCitus()); err != nil {
		t.Error(err)
	}
}

func streamRead(id string) runtime.StreamRead {
	return runtime.StreamRead{SnapshotKey: runtime.SnapshotKey{AggregateType: "Order", AggregateID: id}}
}

// A transaction that appends to logs of several nodes is committed in two phases, or not at all.
func TestCitus_appendsToSeveralLogs(t *testing.T) {
	t.Parallel()
	_, pool := citusPool(t)
	logs, err := postgres.NewLogs(postgres.ManyLogs.OnCitus())
	if err != nil {
		t.Fatal(err)
	}
	rollback := errors.New("rolled back")
	for i, end := range []error{nil, rollback, nil} {
		err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			for n := range 16 {
				mustAppend(t, logs.Of(fmt.Sprintf("tenant-%02d", n)), tx, placed(fmt.Sprint("s", i), 1))
			}
			return end
		})
		if !errors.Is(err, end) {
			t.Fatal(err)
		}
	}
	states, err := logsOf(t, pool).List(t.Context(), pool, "", 100)
	if err != nil || len(states) != 16 {
		t.Fatalf("listed %d logs, %v; want 16", len(states), err)
	}
	for i, s := range states {
		if s.Log != fmt.Sprintf("tenant-%02d", i) || s.Position != 2 {
			t.Errorf("log %d is %+v, want it in order, and at position 2", i, s)
		}
	}
}

func logsOf(t testing.TB, _ *pgxpool.Pool) *postgres.Logs[*pgxpool.Pool] {
	t.Helper()
	logs, err := postgres.NewLogsPool(postgres.ManyLogs.OnCitus())
	if err != nil {
		t.Fatal(err)
	}
	return logs
}

func TestCitus_drop(t *testing.T) {
	t.Parallel()
	logs, pool := citusPool(t)
	for _, log := range []string{"leaves", "stays"} {
		stored(t, logs.Of(log), pool, placed(newStream(), 15))
	}
	if err := logs.Drop(t.Context(), pool, "leaves"); err != nil {
		t.Fatal(err)
	}
	if _, err := logs.Of("leaves").Append(t.Context(), pool, runtime.Any(), placed(newStream(), 1)); !errors.Is(err, postgres.ErrLogDropped) {
		t.Errorf("append to a log that was dropped: got %v, want %v", err, postgres.ErrLogDropped)
	}
	if events, err := logs.Of("stays").ReadEvents(t.Context(), pool, 0, 100); err != nil || len(events) != 15 {
		t.Errorf("read of the other log: got %d events, %v; want 15", len(events), err)
	}
	if err := logs.Create(t.Context(), pool, "leaves"); err != nil {
		t.Fatal(err)
	}
	if r := stored(t, logs.Of("leaves"), pool, placed(newStream(), 1)); r.GlobalPositions[0] != 1 {
		t.Errorf("first position of a log that was made anew: got %d, want 1", r.GlobalPositions[0])
	}
}

// Check and the first call say what a cluster, or a store, lacks.
func TestCitus_check(t *testing.T) {
	t.Parallel()
	many, hashed := postgres.ManyLogs.OnCitus(), postgres.HashedLogs(4).OnCitus()
	for _, tt := range []struct {
		name   string
		tables design.Options
		damage string
		layout postgres.Layout
		says   string
	}{
		{"sound", design.Options{Logs: "tenant", Citus: true}, "", many, ""},
		{"sound, by hash", design.Options{Logs: "hash", HashedLogs: 4, Citus: true}, "", hashed, ""},
		{"the store has not been told", design.Options{Logs: "tenant", Citus: true}, "", postgres.ManyLogs, "give it the layout by OnCitus()"},
		{"not distributed", design.Options{Logs: "tenant"}, "", many, "table event_logs is not distributed by Citus; migrate it with the SQL that `migrate-gen --logs tenant --citus`"},
		{"distributed by the stream", design.Options{Logs: "tenant"}, `alter table aggregate_heads drop constraint aggregate_heads_pkey;
			select create_distributed_table('event_logs', 'log'); select create_distributed_table('events', 'log'); select create_distributed_table('aggregate_heads', 'aggregate_id')`,
			many, `table aggregate_heads is distributed by "aggregate_id"`},
		{"not colocated", design.Options{Logs: "tenant"}, `select create_distributed_table('event_logs', 'log');
			select create_distributed_table('aggregate_heads', 'log'); select create_distributed_table('events', 'log', colocate_with => 'none')`,
			many, "table events is not colocated with table event_logs"},
		{"the function is gone", design.Options{Logs: "tenant", Citus: true}, "drop function events_append", many, "function events_append is missing, or not delegated"},
		{"one log", design.Options{}, "", postgres.OneLog, ""},
		{"one log, distributed", design.Options{}, `alter table aggregate_heads drop constraint aggregate_heads_pkey; select create_distributed_table('aggregate_heads', 'aggregate_id')`,
			postgres.OneLog, "table aggregate_heads is distributed by Citus"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			pool := connect(t, pgtest.NewCitus(t, nil, schema(t, tt.tables)))
			if tt.damage != "" {
				executeAll(t, pool, tt.damage)
			}
			opts := []postgres.Option{tt.layout}
			checked := postgres.Check(t.Context(), pool, opts...)
			if tt.layout == many || tt.layout == postgres.ManyLogs {
				opts = append(opts, postgres.WithLog("a"))
			}
			_, appended := newPoolStore(t, opts...).Append(t.Context(), pool, runtime.Any(), placed(newStream(), 1))
			for what, err := range map[string]error{"Check": checked, "the first append": appended} {
				switch {
				case tt.says == "" && err != nil:
					t.Errorf("%s: %v", what, err)
				case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)):
					t.Errorf("%s: got %v, want an error with %q", what, err, tt.says)
				}
			}
		})
	}
}

// A worker of a cluster has positions of its own: a store of one log refuses it, as it does a coordinator that spreads reads. Many logs are
// reached by every node.
func TestCitus_workers(t *testing.T) {
	t.Parallel()
	var workers []string
	note := func(worker string) string {
		workers = append(workers, worker)
		return worker
	}
	address := pgtest.NewCitus(t, note, schema(t, design.Options{Logs: "tenant", Citus: true}))
	onWorker := func(c *pgxpool.Config) {
		w, err := pgx.ParseConfig("postgres://" + workers[0] + "/")
		if err != nil {
			t.Fatal(err)
		}
		c.ConnConfig.Host, c.ConnConfig.Port = w.Host, w.Port
	}
	logs := logsOf(t, nil)
	coordinator, worker := connect(t, address), connect(t, address, onWorker)
	for i, pool := range []*pgxpool.Pool{coordinator, worker, worker, coordinator} {
		for n := range 8 { // on every node
			if r := stored(t, logs.Of(fmt.Sprint("log ", n)), pool, placed("s", 1)); r.GlobalPositions[0] != int64(i)+1 {
				t.Errorf("position by node %d: got %d, want %d", i, r.GlobalPositions[0], i+1)
			}
		}
	}
	one := pgtest.NewCitus(t, nil, schema(t, design.Options{}))
	_, err := newPoolStore(t).Append(t.Context(), connect(t, one, onWorker), runtime.Any(), placed("s", 1))
	if err == nil || !strings.Contains(err.Error(), "is a worker of Citus") {
		t.Errorf("one log on a worker: got %v, want it to be refused", err)
	}
	roundRobin := connect(t, one, func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["citus.task_assignment_policy"] = "round-robin" })
	if _, err := newPoolStore(t).Append(t.Context(), roundRobin, runtime.Any(), placed("s", 1)); err == nil || !strings.Contains(err.Error(), "round-robin") {
		t.Errorf("one log with reads by turns: got %v, want it to be refused", err)
	}
}

// The shards of a log are moved to the other node while it is appended to and read: nothing is lost, and nothing out of order.
func TestCitus_shardIsMovedUnderLoad(t *testing.T) {
	t.Parallel()
	logs, pool := citusPool(t)
	names := []string{"a", "b", "c", "d"}
	for _, log := range names {
		stored(t, logs.Of(log), pool, placed(newStream(), 1))
	}
	ctx, stop := context.WithCancel(t.Context())
	var writers, readers sync.WaitGroup
	appended := make([]int64, len(names))
	for i, log := range names {
		writers.Go(func() {
			for appended[i] = 1; ctx.Err() == nil; {
				events := placed(newStream(), 1)
				for {
					r, err := logs.Of(log).Append(t.Context(), pool, runtime.NoStream(), events)
					if err == nil && r.GlobalPositions[0] != appended[i]+1 {
						t.Errorf("log %s: position %d after %d", log, r.GlobalPositions[0], appended[i])
					}
					if err == nil {
						appended[i]++
						break
					}
					t.Logf("log %s: tried again after %v", log, err)
				}
			}
		})
		readers.Go(func() {
			for at := int64(0); ctx.Err() == nil; {
				events, err := logs.Of(log).ReadEvents(t.Context(), pool, at, 50)
				if err != nil {
					t.Errorf("log %s: %v", log, err)
					return
				}
				at += int64(len(events))
			}
		})
	}
	for range 2 {
		execute(t, pool, `
			select citus_move_shard_placement(s.shardid, n.nodename, n.nodeport, o.nodename, o.nodeport, 'block_writes')
			from pg_dist_placement as p
			join pg_dist_shard as s on s.shardid = p.shardid and s.logicalrelid = 'events'::regclass
			join pg_dist_node as n on n.groupid = p.groupid
			join pg_dist_node as o on o.groupid <> p.groupid and o.groupid <> 0
			where s.shardid = get_shard_id_for_distribution_column('events', 'a')`)
	}
	stop()
	writers.Wait()
	readers.Wait()
	for i, log := range names {
		events, err := logs.Of(log).ReadEvents(t.Context(), pool, 0, int(appended[i])+10)
		if err != nil || int64(len(events)) != appended[i] {
			t.Errorf("log %s: read %d events, %v; want %d", log, len(events), err, appended[i])
		}
	}
	t.Logf("%v appends while the shards of a log moved twice", appended)
	if err := postgres.Check(t.Context(), pool, postgres.ManyLogs.OnCitus()); err != nil {
		t.Error(err)
	}
}
