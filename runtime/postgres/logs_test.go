package postgres_test

import (
	"errors"
	"fmt"
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
	"github.com/eventmap/eventmap/runtime/storetest"
)

// logsDatabase returns the address of a database of its own with the tables of many logs.
func logsDatabase(t testing.TB, o design.Options) string {
	t.Helper()
	o.Snapshots = true
	return pgtest.New(t, schema(t, o))
}

// A transaction that has appended to a log keeps other appends to it waiting: that is what the layout is.
var oneWriterAtATime = []storetest.Ability{storetest.ConcurrentWriters}

func TestLogs_keepTheContract(t *testing.T) {
	t.Parallel()
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			database := func(t *testing.T) string { return logsDatabase(t, design.Options{Logs: "tenant"}) }
			keepsTheContract(t, database, m, true, oneWriterAtATime, postgres.ManyLogs, postgres.WithLog("tenant-7"))
		})
	}
	t.Run("hashed", func(t *testing.T) {
		t.Parallel()
		database := func(t *testing.T) string { return logsDatabase(t, design.Options{Logs: "hash", HashedLogs: 1}) }
		keepsTheContract(t, database, pgx.QueryExecModeCacheStatement, true, oneWriterAtATime, postgres.HashedLogs(1), postgres.WithLog("0"))
	})
}

// logsPool returns the stores of logs with names, each call a transaction of its own, over a database of their own.
func logsPool(t testing.TB) (*postgres.Logs[*pgxpool.Pool], *pgxpool.Pool) {
	t.Helper()
	logs, err := postgres.NewLogsPool()
	if err != nil {
		t.Fatal(err)
	}
	return logs, connect(t, logsDatabase(t, design.Options{Logs: "tenant"}))
}

// stored appends events in a transaction of their own.
func stored(t *testing.T, store *postgres.Store[*pgxpool.Pool], pool *pgxpool.Pool, events []runtime.Event) runtime.AppendResult {
	t.Helper()
	r, err := store.Append(t.Context(), pool, runtime.Any(), events)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The same streams and event IDs are others in another log, and each log counts from 1.
func TestLogs_areApart(t *testing.T) {
	t.Parallel()
	logs, pool := logsPool(t)
	stream := newStream()
	events := placed(stream, 3)
	for _, name := range []string{"a", "b", `c "d" 'e' %`, strings.Repeat("é", 127)} {
		r := stored(t, logs.Of(name), pool, events)
		if diff := cmp.Diff([]int64{1, 2, 3}, r.GlobalPositions); diff != "" {
			t.Errorf("log %q, positions (-want +got):\n%s", name, diff)
		}
		read, err := logs.Of(name).ReadEvents(t.Context(), pool, 0, 10)
		if err != nil || len(read) != 3 {
			t.Errorf("log %q: read %d events, %v; want 3", name, len(read), err)
		}
	}
	states, err := logs.List(t.Context(), pool, "a", 10)
	if err != nil || len(states) != 3 || states[0].Log != "b" || states[0].Position != 3 {
		t.Errorf("listed %+v, %v; want three logs at position 3, from b on", states, err)
	}
}

func TestLogs_refuseNames(t *testing.T) {
	t.Parallel()
	logs, pool := logsPool(t)
	for _, name := range []string{"", "a\x00", "\xff", strings.Repeat("a", 256)} {
		store := logs.Of(name)
		_, appendErr := store.Append(t.Context(), pool, runtime.Any(), placed(newStream(), 1))
		_, readErr := store.ReadEvents(t.Context(), pool, 0, 1)
		for what, err := range map[string]error{"append": appendErr, "read": readErr, "create": logs.Create(t.Context(), pool, name), "drop": logs.Drop(t.Context(), pool, name)} {
			var invalid *runtime.InvalidEventError
			if !errors.As(err, &invalid) || invalid.Field != "log" {
				t.Errorf("%s of log %q: got %v, want the field log to be invalid", what, name, err)
			}
		}
	}
}

// Whatever is appended at the same time, positions have no gaps, and become visible in their order.
func TestLogs_positionsHaveNoGaps(t *testing.T) {
	t.Parallel()
	logs, pool := logsPool(t)
	store := logs.Of("busy")
	stop := make(chan struct{})
	var reader, writers sync.WaitGroup
	reader.Go(func() {
		for at := int64(0); ; {
			events, err := store.ReadEvents(t.Context(), pool, at, 7)
			if err != nil {
				t.Error(err)
				return
			}
			at += int64(len(events))
			select {
			case <-stop:
				if len(events) == 0 {
					return
				}
			default:
			}
		}
	})
	tx, err := postgres.New(postgres.ManyLogs, postgres.WithLog("busy"))
	if err != nil {
		t.Fatal(err)
	}
	for range 8 {
		writers.Go(func() {
			for i := range 30 {
				rollback := errors.New("rolled back")
				err := pgx.BeginFunc(t.Context(), pool, func(p pgx.Tx) error {
					if _, err := tx.Append(t.Context(), p, runtime.Any(), placed(newStream(), 1+i%3)); err != nil {
						return err
					}
					if i%5 == 0 {
						return rollback
					}
					_, err := tx.Append(t.Context(), p, runtime.Any(), placed("shared", 1))
					return err
				})
				if err != nil && !errors.Is(err, rollback) {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	reader.Wait()
	latest, err := store.GetLatestGlobalPosition(t.Context(), pool)
	if want := int64(8 * (24*2 + 24)); err != nil || latest != want {
		t.Errorf("the log ends at %d, %v; want %d", latest, err, want)
	}
}

// Transactions that append to several streams of one log wait for each other, whatever the order of the streams, and are
// never broken off.
func TestLogs_neverDeadlockWithinALog(t *testing.T) {
	t.Parallel()
	_, pool := logsPool(t)
	store, err := postgres.New(postgres.ManyLogs, postgres.WithLog("one"))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			for i := range 20 {
				err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
					for _, stream := range []int{(w + i) % 3, (w + 2*i + 1) % 3} {
						if _, err := store.Append(t.Context(), tx, runtime.Any(), placed(fmt.Sprint("s", stream), 1)); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// An event that is missing, and one that was not counted, stop the readers of their log and of no other.
func TestLogs_noticeGaps(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"in the middle":       `delete from events where log = 'a' and global_position = 2`,
		"at the beginning":    `delete from events where log = 'a' and global_position = 1`,
		"at the end":          `delete from events where log = 'a' and global_position = 3`,
		"logs restored older": `update event_logs set position = 2, settled = 2 where log = 'a'`,
		"logs restored empty": `delete from event_logs where log = 'a'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			logs, pool := logsPool(t)
			for _, log := range []string{"a", "b"} {
				stored(t, logs.Of(log), pool, placed(newStream(), 3))
			}
			execute(t, pool, statement)
			if _, err := logs.Of("a").ReadEvents(t.Context(), pool, 0, 10); !errors.Is(err, postgres.ErrGap) {
				t.Errorf("read of the log: got %v, want %v", err, postgres.ErrGap)
			}
			var last error
			for _, err := range logs.Of("a").LogEvents(t.Context(), pool, runtime.LogQuery{}) {
				last = err
			}
			if !errors.Is(last, postgres.ErrGap) {
				t.Errorf("iteration over the log: got %v, want %v", last, postgres.ErrGap)
			}
			if events, err := logs.Of("b").ReadEvents(t.Context(), pool, 0, 10); err != nil || len(events) != 3 {
				t.Errorf("read of the other log: got %d events, %v; want 3", len(events), err)
			}
			if strings.HasPrefix(name, "logs restored") {
				_, err := logs.Of("a").Append(t.Context(), pool, runtime.Any(), placed(newStream(), 1))
				if !errors.Is(err, postgres.ErrGap) {
					t.Errorf("append at a position that is taken: got %v, want %v", err, postgres.ErrGap)
				}
			}
			err := postgres.Check(t.Context(), pool, postgres.ManyLogs)
			wantsProblem := !strings.Contains(name, "middle") && !strings.Contains(name, "beginning") && name != "logs restored empty"
			if wantsProblem && (err == nil || !strings.Contains(err.Error(), `log "a"`)) {
				t.Errorf("Check: got %v, want it to name the log", err)
			}
		})
	}
}

func TestLogs_drop(t *testing.T) {
	t.Parallel()
	logs, pool := logsPool(t)
	for _, log := range []string{"leaves", "stays"} {
		for range 3 {
			stored(t, logs.Of(log), pool, placed(newStream(), 5))
		}
	}
	if err := logs.Drop(t.Context(), pool, "leaves"); err != nil {
		t.Fatal(err)
	}
	if _, err := logs.Of("leaves").Append(t.Context(), pool, runtime.Any(), placed(newStream(), 1)); !errors.Is(err, postgres.ErrLogDropped) {
		t.Errorf("append to a log that was dropped: got %v, want %v", err, postgres.ErrLogDropped)
	}
	if events, err := logs.Of("leaves").ReadEvents(t.Context(), pool, 0, 10); err != nil || len(events) > 0 {
		t.Errorf("read of a log that was dropped: got %d events, %v; want none", len(events), err)
	}
	if events, err := logs.Of("stays").ReadEvents(t.Context(), pool, 0, 100); err != nil || len(events) != 15 {
		t.Errorf("read of the other log: got %d events, %v; want 15", len(events), err)
	}
	if err := logs.Drop(t.Context(), pool, "leaves"); err != nil {
		t.Errorf("dropped again: %v", err)
	}
	if err := logs.Drop(t.Context(), pool, "never was"); !errors.Is(err, postgres.ErrUnknownLog) {
		t.Errorf("drop of no log: got %v, want %v", err, postgres.ErrUnknownLog)
	}
	if err := logs.Create(t.Context(), pool, "leaves"); err != nil {
		t.Fatal(err)
	}
	if r := stored(t, logs.Of("leaves"), pool, placed(newStream(), 1)); r.GlobalPositions[0] != 1 {
		t.Errorf("first position of a log that was made anew: got %d, want 1", r.GlobalPositions[0])
	}
	if err := postgres.Check(t.Context(), pool, postgres.ManyLogs); err != nil {
		t.Error(err)
	}
}

// A retry of an append whose answer was lost is recognised, within a log and over streams that are spread.
func TestHashedLogs_appendStreams(t *testing.T) {
	t.Parallel()
	pool := connect(t, logsDatabase(t, design.Options{Logs: "hash", HashedLogs: 4}))
	store := newPoolStore(t, postgres.HashedLogs(4))
	var appends []runtime.StreamAppend
	used := make(map[int]bool)
	for range 12 {
		stream := newStream()
		used[consumer.Segment(stream, 4)] = true
		appends = append(appends, runtime.StreamAppend{Expected: runtime.NoStream(), Events: placed(stream, 2)})
	}
	if len(used) < 2 {
		t.Fatalf("the streams are in the logs %v, want several", used)
	}
	first, err := store.AppendStreams(t.Context(), pool, appends...)
	if err != nil {
		t.Fatal(err)
	}
	again, err := store.AppendStreams(t.Context(), pool, appends...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range first {
		if !again[i].AlreadyStored {
			t.Errorf("stream %d: the retry was stored again", i)
		}
		if diff := cmp.Diff(first[i].GlobalPositions, again[i].GlobalPositions); diff != "" {
			t.Errorf("stream %d, positions (-first +again):\n%s", i, diff)
		}
		stream, err := store.ReadAggregateStream(t.Context(), pool, "Order", appends[i].Events[0].AggregateID, nil, nil)
		if err != nil || stream.Version() != 2 {
			t.Errorf("stream %d: at version %d, %v; want 2", i, stream.Version(), err)
		}
	}
	appends[3].Expected = runtime.Exact(7)
	for i := range appends {
		appends[i].Events = placed(appends[i].Events[0].AggregateID, 1)
		if i != 3 {
			appends[i].Expected = runtime.Any()
		}
	}
	if _, err := store.AppendStreams(t.Context(), pool, appends...); !errors.Is(err, runtime.ErrOptimisticConcurrency) {
		t.Errorf("got %v, want %v", err, runtime.ErrOptimisticConcurrency)
	}
	if err := postgres.Check(t.Context(), pool, postgres.HashedLogs(4)); err != nil {
		t.Error(err)
	}
	if _, err := store.ReadEvents(t.Context(), pool, 0, 1); !errors.Is(err, postgres.ErrManyLogs) {
		t.Errorf("read over all logs: got %v, want %v", err, postgres.ErrManyLogs)
	}
}

// The number of logs over which streams are spread stands in the database.
func TestHashedLogs_refuseAnotherNumber(t *testing.T) {
	t.Parallel()
	hashed := connect(t, logsDatabase(t, design.Options{Logs: "hash", HashedLogs: 4}))
	named := connect(t, logsDatabase(t, design.Options{Logs: "tenant"}))
	one := connect(t, database(t))
	for _, tt := range []struct {
		name string
		pool *pgxpool.Pool
		opts []postgres.Option
		want string
	}{
		{"another number", hashed, []postgres.Option{postgres.HashedLogs(8)}, "spread over 4 logs, not 8"},
		{"names", hashed, []postgres.Option{postgres.ManyLogs, postgres.WithLog("a")}, "spread over 4 logs, and not logs with names"},
		{"hashed, and they have names", named, []postgres.Option{postgres.HashedLogs(4)}, "no logs over which streams are spread"},
		{"many, and there is one", one, []postgres.Option{postgres.ManyLogs, postgres.WithLog("a")}, "--logs tenant"},
		{"one, and there are many", named, nil, "postgres.ManyLogs"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := newPoolStore(t, tt.opts...).Append(t.Context(), tt.pool, runtime.Any(), placed(newStream(), 1))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
			if err := postgres.Check(t.Context(), tt.pool, tt.opts...); err == nil {
				t.Error("Check finds nothing")
			}
		})
	}
	for _, opts := range [][]postgres.Option{{postgres.HashedLogs(0)}, {postgres.HashedLogs(-1)}, {postgres.HashedLogs(5000)}, {postgres.ManyLogs}, {postgres.WithLog("a")}} {
		if _, err := postgres.New(opts...); err == nil {
			t.Errorf("a store with %+v: want an error", opts)
		}
	}
}

// With row-level security a session sees the log that it has set, by raw SQL and through stores.
func TestLogs_tenantRLS(t *testing.T) {
	t.Parallel()
	pool := connect(t, pgtest.New(t, schema(t, design.Options{Logs: "tenant", TenantRLS: true, Snapshots: true})))
	tx := begin(t, pool)
	logs, err := postgres.NewLogs()
	if err != nil {
		t.Fatal(err)
	}
	mustAppend(t, logs.Of("a"), tx, placed(newStream(), 2)) // a superuser sees all
	mustAppend(t, logs.Of("b"), tx, placed(newStream(), 3))
	role := newRole(t, tx)
	execute(t, tx, "grant select, insert, update, delete on all tables in schema public to "+role)
	execute(t, tx, "set local role "+role)
	execute(t, tx, "select set_config('eventmap.log', 'a', true)")
	var n int
	if err := tx.QueryRow(t.Context(), "select count(*) from events").Scan(&n); err != nil || n != 2 {
		t.Errorf("raw SQL sees %d events, %v; want those of its log, which are 2", n, err)
	}
	mustAppend(t, logs.Of("a"), tx, placed(newStream(), 1))
	if stream, err := logs.Of("a").ReadAggregateStream(t.Context(), tx, "Order", "none", nil, nil); err != nil || stream.Version() != 0 {
		t.Errorf("got version %d, %v; want 0", stream.Version(), err)
	}
	if position, err := logs.Of("b").GetLatestGlobalPosition(t.Context(), tx); err != nil || position != 0 {
		t.Errorf("the other log seems to end at %d, %v; want 0, for it is not seen", position, err)
	}
	_, err = logs.Of("b").Append(t.Context(), tx, runtime.Any(), placed(newStream(), 1))
	wantState(t, "append to another log than the session has set", err, "42501")
}

// Names that look like SQL, like each other or like nothing are names of logs like others: a session that has set one sees that log alone, and
// changes no row of another.
func TestLogs_tenantRLSOfHostileNames(t *testing.T) {
	t.Parallel()
	pool := connect(t, pgtest.New(t, schema(t, design.Options{Logs: "tenant", TenantRLS: true})))
	tx := begin(t, pool)
	logs, err := postgres.NewLogs()
	if err != nil {
		t.Fatal(err)
	}
	names := []string{
		"a", "A", "a ", " a", "%", "_", "a' or true --", `"a"`, `\`, "$1", "null", "ä", "a\u0308", "\u202ea", strings.Repeat("x", 255), strings.Repeat("x", 63), strings.Repeat("x", 64),
	}
	for i, name := range names {
		mustAppend(t, logs.Of(name), tx, placed("s", i+1))
	}
	role := newRole(t, tx)
	execute(t, tx, "grant select, insert, update, delete on all tables in schema public to "+role)
	execute(t, tx, "set local role "+role)
	for i, name := range names {
		if _, err := tx.Exec(t.Context(), "select set_config('eventmap.log', $1, true)", name); err != nil {
			t.Fatal(err)
		}
		var n, others int
		if err := tx.QueryRow(t.Context(), "select count(*), count(*) filter (where log <> $1) from events", name).Scan(&n, &others); err != nil || n != i+1 || others != 0 {
			t.Errorf("log %q: sees %d events and %d of others, %v; want its own %d", name, n, others, err, i+1)
		}
		for _, change := range []string{"update event_logs set position = 0 where log <> $1", "delete from events where log <> $1", "delete from aggregate_heads where log <> $1"} {
			if tag, err := tx.Exec(t.Context(), change, name); err != nil || tag.RowsAffected() != 0 {
				t.Errorf("log %q: %s changed %d rows, %v; want none", name, change, tag.RowsAffected(), err)
			}
		}
	}
}

// A log is read on a standby, as far as that has come, at any isolation level.
func TestLogs_onAStandby(t *testing.T) {
	t.Parallel()
	logs, err := postgres.NewLogsPool()
	if err != nil {
		t.Fatal(err)
	}
	primary := pgtest.NewServer(t)
	name, err := pgx.ParseConfig(primary.NewDatabase(t, schema(t, design.Options{Logs: "tenant", Snapshots: true})))
	if err != nil {
		t.Fatal(err)
	}
	stored(t, logs.Of("a"), connect(t, primary.URL(name.Database)), placed(newStream(), 5))
	standby := connect(t, primary.NewStandby(t).URL(name.Database))
	eventually(t, "the standby has the events", func() bool {
		events, err := logs.Of("a").ReadEvents(t.Context(), standby, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(events) == 5
	})
	if err := postgres.Check(t.Context(), standby, postgres.ManyLogs); err != nil {
		t.Error(err)
	}
}

// The first append to a log may be one to several streams, or depend on streams that do not exist.
func TestLogs_appendStreamsToANewLog(t *testing.T) {
	t.Parallel()
	logs, pool := logsPool(t)
	guard := runtime.StreamAppend{AggregateType: "Order", AggregateID: "guarded", Expected: runtime.NoStream()}
	for name, appends := range map[string][]runtime.StreamAppend{
		"appends":       {{Expected: runtime.NoStream(), Events: placed("a", 2)}, {Expected: runtime.Any(), Events: placed("b", 1)}},
		"with a guard":  {{Expected: runtime.NoStream(), Events: placed("a", 2)}, guard},
		"guard that is": {guard},
	} {
		if _, err := logs.Of(name).AppendStreams(t.Context(), pool, appends...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := logs.Of(name).AppendStreams(t.Context(), pool, runtime.StreamAppend{Expected: runtime.Exact(3), Events: placed("new", 1)}); !errors.Is(err, runtime.ErrOptimisticConcurrency) {
			t.Errorf("%s: got %v, want %v", name, err, runtime.ErrOptimisticConcurrency)
		}
	}
	if _, err := logs.Of("conflict").AppendStreams(t.Context(), pool, runtime.StreamAppend{Expected: runtime.Exact(3), Events: placed("new", 1)}); !errors.Is(err, runtime.ErrOptimisticConcurrency) {
		t.Errorf("in a log that does not exist: got %v, want %v", err, runtime.ErrOptimisticConcurrency)
	}
	if err := postgres.Check(t.Context(), pool, postgres.ManyLogs); err != nil {
		t.Error(err)
	}
}

// A group shares commits among the appends to one log, and to those that streams are spread over.
func TestLogs_groupsKeepTheContract(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		tables design.Options
		opts   []postgres.Option
	}{
		"one of many": {design.Options{Logs: "tenant"}, []postgres.Option{postgres.ManyLogs, postgres.WithLog("tenant-7")}},
		"hashed":      {design.Options{Logs: "hash", HashedLogs: 1}, []postgres.Option{postgres.HashedLogs(1), postgres.WithLog("0")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := connect(t, logsDatabase(t, tt.tables))
			group := newGroup(t, pool, tt.opts...)
			storetest.Run(t, storetest.Harness[*postgres.Group]{
				Store:   group,
				Begin:   useGroup(group),
				Remove:  remover(pool),
				Without: append([]storetest.Ability{storetest.Transactions}, oneWriterAtATime...),
			})
		})
	}
}
