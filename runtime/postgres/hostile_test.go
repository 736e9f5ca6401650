package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
	"github.com/eventmap/eventmap/runtime/storetest"
)

// odder are settings of a session that change how values look, or keep the planner from what it would do by itself.
var odder = map[string]string{
	"TimeZone":                      "Asia/Kathmandu",
	"extra_float_digits":            "-15",
	"jit":                           "off", // what is switched off below counts as dear, and would be compiled each time
	"enable_nestloop":               "off",
	"enable_hashjoin":               "off",
	"enable_material":               "off",
	"enable_sort":                   "off",
	"enable_seqscan":                "off",
	"enable_indexscan":              "off",
	"parallel_setup_cost":           "0",
	"parallel_tuple_cost":           "0",
	"min_parallel_table_scan_size":  "0",
	"min_parallel_index_scan_size":  "0",
	"plan_cache_mode":               "force_custom_plan",
	"default_transaction_read_only": "off",
	"row_security":                  "on",
}

// settings returns a change that gives every session the settings, and more where they are given.
func settings(more ...string) func(*pgxpool.Config) {
	return func(c *pgxpool.Config) {
		for name, value := range odder {
			c.ConnConfig.RuntimeParams[name] = value
		}
		for i := 0; i < len(more); i += 2 {
			c.ConnConfig.RuntimeParams[more[i]] = more[i+1]
		}
	}
}

func TestStore_keepsTheContractWhateverTheSettings(t *testing.T) {
	t.Parallel()
	// What comes in binary form looks the same whatever these say; what comes as text is up to the driver.
	binary := []string{"DateStyle", "German, DMY", "bytea_output", "escape", "standard_conforming_strings", "off"}
	for m, more := range map[pgx.QueryExecMode][]string{
		pgx.QueryExecModeCacheStatement: binary,
		pgx.QueryExecModeExec:           {"DateStyle", "ISO, DMY", "standard_conforming_strings", "off"},
	} {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			pool := connect(t, database(t), mode(m), settings(more...))
			storetest.Run(t, storetest.Harness[pgx.Tx]{Store: newStore(t), Begin: beginPgx(pool), Remove: remover(pool)})
		})
	}
}

// A tenant to each schema, and one connection that goes from one to the other.
func TestStore_followsTheSearchPath(t *testing.T) {
	t.Parallel()
	pool := connect(t, pgtest.New(t, schema(t, design.Options{Schema: "one"}), schema(t, design.Options{Schema: "two"})),
		func(c *pgxpool.Config) { c.MaxConns = 3 })
	store := newStore(t)
	tenants := []string{"one", "two"}
	open := make(map[string]pgx.Tx)
	for _, tenant := range tenants {
		open[tenant] = begin(t, pool)
		execute(t, open[tenant], "set local search_path to "+tenant)
		if got := mustAppend(t, store, open[tenant], placed("same", 1)); got[0] != 1 {
			t.Errorf("first position of %s is %d, want 1", tenant, got[0])
		}
	}
	commit(t, open["two"])
	for range 8 { // so often that the statements are prepared and their plans kept
		for _, tenant := range tenants {
			tx := begin(t, pool)
			execute(t, tx, "set local search_path to "+tenant)
			mustAppend(t, store, tx, placed(newStream(), 1))
			events, err := store.ReadEvents(t.Context(), tx, 0, 100)
			if err != nil {
				t.Fatal(err)
			}
			if tenant == "one" && len(events) != 0 {
				t.Fatalf("%d events of %s were read while its first is in flight", len(events), tenant)
			}
			if tenant == "two" && len(events) == 0 {
				t.Fatalf("nothing of %s was read, where nothing else is in flight", tenant)
			}
			commit(t, tx)
		}
	}
}

func TestAppend_moreEventsThanParameters(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	stream := newStream()
	events := placed(stream, 70_000)
	r, err := newPoolStore(t).Append(t.Context(), pool, runtime.NoStream(), events)
	if err != nil {
		t.Fatal(err)
	}
	var wrong int
	err = pool.QueryRow(t.Context(), `select count(*) from (
			select aggregate_version, row_number() over (order by global_position) as place from events
		) as e where aggregate_version <> place`).Scan(&wrong)
	if err != nil {
		t.Fatal(err)
	}
	if wrong != 0 || r.ToVersion() != 70_000 || r.Events[69_999].EventID != events[69_999].EventID {
		t.Errorf("%d events are out of order; the last version is %d", wrong, r.ToVersion())
	}
}

// The transaction ends, as after every failed statement, and nothing stays behind: no lock, no fence, no event.
func TestAppend_failsForAnotherReason(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	store := newStore(t)
	stream := newStream()
	holder := begin(t, pool)
	mustAppend(t, store, holder, placed(stream, 1))
	for _, row := range []struct {
		name    string
		options pgx.TxOptions
		before  string // a statement that is run first, whatever comes of it
		state   string
	}{
		{"lock timeout", pgx.TxOptions{}, "set local lock_timeout to '20ms'", "55P03"},
		{"statement timeout", pgx.TxOptions{}, "set local statement_timeout to '100ms'", "57014"},
		{"read only", pgx.TxOptions{AccessMode: pgx.ReadOnly}, "select 1", "25006"},
		{"in a transaction that has failed", pgx.TxOptions{}, "select 1 / 0", "25P02"},
	} {
		tx := begin(t, pool, row.options)
		_, _ = tx.Exec(t.Context(), row.before)
		_, err := store.Append(t.Context(), tx, runtime.Any(), placed(stream, 1))
		wantState(t, row.name, err, row.state)
		if errors.Is(err, runtime.ErrOptimisticConcurrency) || runtime.Retryable(err) {
			t.Errorf("%s: %v is taken for a lost race", row.name, err)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	commit(t, holder)
	if held, _ := fences(t, pool); held != 0 {
		t.Errorf("%d locks are held", held)
	}
	if got := readable(t, pool); len(got) != 1 {
		t.Errorf("positions %v were read, want one", got)
	}
}

func TestAppend_cancelledWhileItWaits(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	store := newStore(t)
	stream := newStream()
	holder := begin(t, pool)
	mustAppend(t, store, holder, placed(stream, 1))
	ctx, cancel := context.WithCancel(t.Context())
	waiter := begin(t, pool)
	mustAppend(t, store, waiter, placed(newStream(), 1)) // so that it holds a fence
	pid := waiter.Conn().PgConn().PID()
	answer := make(chan error, 1)
	go func() {
		_, err := store.Append(ctx, waiter, runtime.Any(), placed(stream, 1))
		answer <- err
	}()
	eventually(t, "the second append waits", func() bool {
		var waits bool
		if err := pool.QueryRow(t.Context(), "select cardinality(pg_blocking_pids($1)) > 0", pid).Scan(&waits); err != nil {
			t.Fatal(err)
		}
		return waits
	})
	cancel()
	if err := <-answer; !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want %v", err, context.Canceled)
	}
	if !waiter.Conn().IsClosed() {
		t.Error("the connection is open: what it would answer next is not known")
	}
	eventually(t, "the server notices and the fence is gone", func() bool {
		held, _ := fences(t, pool)
		return held == 1
	})
	commit(t, holder)
	if got := readable(t, pool); len(got) != 1 {
		t.Errorf("positions %v were read, want that of the append which was not cancelled", got)
	}
}

// Whatever keeps rows out of the table, an append does not say that they were stored.
func TestAppend_triggerThatSuppressesEvents(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	execute(t, pool, `create function suppress() returns trigger language plpgsql as $$
		begin
			return case when new.event_type = 'Secret' then null else new end;
		end $$`)
	execute(t, pool, "create trigger suppress before insert on events for each row execute function suppress()")
	store := newStore(t)
	for _, n := range []int{1, 3} {
		events := placed(newStream(), n)
		events[n-1].EventType = "Secret"
		for name, call := range map[string]func(tx pgx.Tx) error{
			"Append": func(tx pgx.Tx) error {
				return second(store.Append(t.Context(), tx, runtime.Any(), events))
			},
			"AppendStreams": func(tx pgx.Tx) error {
				return second(store.AppendStreams(t.Context(), tx, runtime.StreamAppend{Expected: runtime.Any(), Events: events}))
			},
		} {
			tx := begin(t, pool)
			if err := call(tx); err == nil || !strings.Contains(err.Error(), "trigger") {
				t.Errorf("%s of %d: error is %v, want it to name a trigger", name, n, err)
			}
			_ = tx.Rollback(t.Context())
		}
	}
}

func TestLog_alteredSequence(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		does    string
		ordered bool
	}{
		{"alter sequence events_global_position_seq cache 20", false},
		{"alter sequence events_global_position_seq cycle", false},
		{"alter sequence events_global_position_seq increment -1 minvalue -1000", false},
		{"alter sequence events_global_position_seq increment 10", true},
		{"select setval('events_global_position_seq', 281474976710700)", true}, // beyond what the key of a fence can hold
	} {
		t.Run(row.does, func(t *testing.T) {
			t.Parallel()
			pool := connect(t, database(t))
			store, poolStore := newStore(t), newPoolStore(t)
			if _, err := poolStore.Append(t.Context(), pool, runtime.Any(), placed(newStream(), 2)); err != nil {
				t.Fatal(err)
			}
			execute(t, pool, row.does)
			if !row.ordered {
				tx := begin(t, pool)
				for name, err := range map[string]error{
					"ReadEvents":         second(store.ReadEvents(t.Context(), tx, 0, 1)),
					"SafeGlobalPosition": second(store.SafeGlobalPosition(t.Context(), tx)),
				} {
					if !errors.Is(err, postgres.ErrSequence) {
						t.Errorf("%s: error is %v, want %v", name, err, postgres.ErrSequence)
					}
				}
				if _, err := store.ReadAggregateStream(t.Context(), tx, "Order", "1", nil, nil); err != nil {
					t.Errorf("the transaction is over: %v", err)
				}
				return
			}
			early := begin(t, pool)
			mustAppend(t, store, early, placed(newStream(), 1))
			for range 3 {
				if _, err := poolStore.Append(t.Context(), pool, runtime.Any(), placed(newStream(), 1)); err != nil {
					t.Fatal(err)
				}
			}
			if got := readable(t, pool); len(got) != 2 {
				t.Errorf("positions %v were read with an append in flight, want two", got)
			}
			commit(t, early)
			if got := readable(t, pool); len(got) != 6 {
				t.Errorf("positions %v were read, want six", got)
			}
		})
	}
}

// A restore that left out the sequence, or a logical replica that is written to: sequences are not replicated.
func TestAppend_sequenceBehindTheLog(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	store := newPoolStore(t)
	if _, err := store.Append(t.Context(), pool, runtime.Any(), placed(newStream(), 3)); err != nil {
		t.Fatal(err)
	}
	execute(t, pool, "alter sequence events_global_position_seq restart")
	_, err := store.Append(t.Context(), pool, runtime.Any(), placed(newStream(), 1))
	wantState(t, "Append", err, "2201E")
	if !errors.Is(err, postgres.ErrSequenceBehind) {
		t.Errorf("error is %v, want %v", err, postgres.ErrSequenceBehind)
	}
	if errors.Is(err, runtime.ErrDuplicateEvent) || errors.Is(err, runtime.ErrOptimisticConcurrency) {
		t.Errorf("%v is taken for something about streams or IDs", err)
	}
	var found *runtime.CheckError
	if err := postgres.Check(t.Context(), pool); !errors.As(err, &found) || len(found.Problems) != 1 {
		t.Fatalf("Check: error is %v, want one problem", err)
	}
	statement := found.Problems[0].Statement
	if remedy := strings.TrimSuffix(statement, ";"); err == nil || !strings.Contains(err.Error(), remedy) {
		t.Errorf("error is %v, want it to say %s", err, remedy)
	}
	execute(t, pool, statement)
	if _, err := store.Append(t.Context(), pool, runtime.Any(), placed(newStream(), 1)); err != nil {
		t.Error(err)
	}
	if err := postgres.Check(t.Context(), pool); err != nil {
		t.Errorf("Check: %v", err)
	}
}

// While nextval writes to the log, the row of a sequence shows a value that is 32 too high. A reader that believed it would
// pass positions that are still to come.
func TestFrontier_isNeverAheadOfTheSequence(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	ctx, cancel := context.WithCancel(t.Context())
	var drawing sync.WaitGroup
	for range 3 {
		drawing.Go(func() {
			for ctx.Err() == nil {
				_, _ = pool.Exec(ctx, "select count(nextval('events_global_position_seq')) from generate_series(1, 1000)")
			}
		})
	}
	var ahead int
	reads := fmt.Sprintf(`do $do$
		declare
			frontier bigint;
			ahead integer := 0;
		begin
			for i in 1 .. 5000 loop
				execute $frontier$ %s $frontier$ into frontier;
				ahead := ahead + (frontier > coalesce(pg_sequence_last_value('events_global_position_seq'), 0))::integer;
			end loop;
			perform set_config('test.ahead', ahead::text, false);
		end $do$`, postgres.FrontierStatement(newStore(t)))
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	_, err = conn.Exec(t.Context(), reads)
	cancel()
	drawing.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.QueryRow(t.Context(), "select current_setting('test.ahead')::integer").Scan(&ahead); err != nil {
		t.Fatal(err)
	}
	if ahead > 0 {
		t.Errorf("the frontier was ahead of the sequence %d times in 5,000", ahead)
	}
}
