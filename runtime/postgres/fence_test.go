package postgres_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// fences counts the advisory locks that are held in the database, and of those the ones held by transactions that are
// prepared and so have no process.
func fences(t *testing.T, pool *pgxpool.Pool) (held, prepared int) {
	t.Helper()
	err := pool.QueryRow(t.Context(), `select count(*), count(*) filter (where pid is null) from pg_locks
		where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`).
		Scan(&held, &prepared)
	if err != nil {
		t.Fatal(err)
	}
	return held, prepared
}

// mustAppend appends in the transaction and returns the positions.
func mustAppend(t *testing.T, store *postgres.Store[pgx.Tx], tx pgx.Tx, events []runtime.Event) []int64 {
	t.Helper()
	r, err := store.Append(t.Context(), tx, runtime.Any(), events)
	if err != nil {
		t.Fatal(err)
	}
	return r.GlobalPositions
}

// readable returns the positions that a reader is given.
func readable(t *testing.T, pool *pgxpool.Pool, opts ...postgres.Option) []int64 {
	t.Helper()
	events, err := newPoolStore(t, opts...).ReadEvents(t.Context(), pool, 0, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	positions := make([]int64, len(events))
	for i := range events {
		positions[i] = events[i].GlobalPosition
	}
	return positions
}

func TestFence_firstPositionOfAllIsInFlightToo(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	store, poolStore := newStore(t), newPoolStore(t)
	safe := func() int64 {
		t.Helper()
		position, err := poolStore.SafeGlobalPosition(t.Context(), pool)
		if err != nil {
			t.Fatal(err)
		}
		return position
	}
	if got := safe(); got != 0 {
		t.Errorf("frontier of an unused sequence is %d, want 0: position 1 is still to come", got)
	}
	early := begin(t, pool)
	if got := mustAppend(t, store, early, placed(newStream(), 1)); got[0] != 1 {
		t.Fatalf("first position is %d, want 1", got[0])
	}
	late := begin(t, pool)
	mustAppend(t, store, late, placed(newStream(), 1))
	commit(t, late)
	if got := safe(); got != 0 {
		t.Errorf("frontier is %d with position 1 in flight, want 0", got)
	}
	if got := readable(t, pool); len(got) != 0 {
		t.Errorf("positions %v were read with position 1 in flight", got)
	}
	commit(t, early)
	if got := safe(); got != 2 {
		t.Errorf("frontier is %d, want 2", got)
	}
}

func TestFence_setBackSequence(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	// As after a restore: the next position is 1000, and none below is to come.
	execute(t, pool, "alter sequence events_global_position_seq restart with 1000")
	safe, err := newPoolStore(t).SafeGlobalPosition(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	if safe != 999 {
		t.Errorf("frontier is %d, want 999", safe)
	}
	early := begin(t, pool)
	if got := mustAppend(t, newStore(t), early, placed(newStream(), 1)); got[0] != 1000 {
		t.Fatalf("position is %d, want 1000", got[0])
	}
	if safe, err = newPoolStore(t).SafeGlobalPosition(t.Context(), pool); err != nil || safe > 999 {
		t.Errorf("frontier is %d (%v) with position 1000 in flight, want at most 999", safe, err)
	}
}

func TestFence_isTakenOnceInATransaction(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	store := newStore(t)
	tx := begin(t, pool)
	first := int64(0)
	for i := range 10_000 {
		positions := mustAppend(t, store, tx, placed(fmt.Sprintf("bulk-%d", i%500), 1))
		if i == 0 {
			first = positions[0]
		}
	}
	// One from the transaction's first write, and one from when it began to remember.
	if held, _ := fences(t, pool); held > 2 {
		t.Errorf("10,000 appends hold %d locks, want at most 2", held)
	}
	other := begin(t, pool)
	mustAppend(t, store, other, placed(newStream(), 1))
	commit(t, other)
	if got := readable(t, pool); len(got) != 0 {
		t.Errorf("%d events from position %d were read, with positions from %d in flight", len(got), got[0], first)
	}
	commit(t, tx)
	if got := readable(t, pool); len(got) != 10_001 {
		t.Errorf("%d events were read after the commit, want 10,001", len(got))
	}
}

func TestFence_survivesWhatSavepointsUndo(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		steps string // a: append; s: savepoint; r: rollback to it; x: another table is written; p: release
		want  int    // events in the end
	}{
		{"append rolled back", "sar", 0},
		{"append after one rolled back", "sara", 1},
		{"append after two rolled back", "sarsara", 1},
		{"append before and after", "asara", 2},
		{"after another write", "xsara", 1},
		{"another write in the savepoint", "sxara", 1},
		{"two appends in the savepoint", "saara", 1},
		{"released", "sapa", 2},
		{"nested, inner rolled back", "sasar", 1},
		{"nested, released, outer rolled back", "sasapra", 1},
		{"many", "asasarasara", 4},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			pool := connect(t, database(t))
			execute(t, pool, "create table other (n int)")
			store := newStore(t)
			mustCommitOne := func() {
				tx := begin(t, pool)
				mustAppend(t, store, tx, placed(newStream(), 1))
				commit(t, tx)
			}
			mustCommitOne()
			levels := []pgx.Tx{begin(t, pool)}
			appended := [][]int64{nil}
			for i, step := range row.steps {
				top := len(levels) - 1
				switch step {
				case 'a':
					appended[top] = append(appended[top], mustAppend(t, store, levels[top], placed(newStream(), 1))...)
				case 'x':
					execute(t, levels[top], "insert into other values (1)")
				case 's':
					inner, err := levels[top].Begin(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					levels, appended = append(levels, inner), append(appended, nil)
				case 'r':
					if err := levels[top].Rollback(t.Context()); err != nil {
						t.Fatal(err)
					}
					levels, appended = levels[:top], appended[:top]
				case 'p':
					commit(t, levels[top])
					appended[top-1] = append(appended[top-1], appended[top]...)
					levels, appended = levels[:top], appended[:top]
				}
				// A position that is still in flight is never passed, whatever others have committed since.
				mustCommitOne()
				lowest := int64(1 << 62)
				for _, positions := range appended {
					for _, p := range positions {
						lowest = min(lowest, p)
					}
				}
				for _, p := range readable(t, pool) {
					if p > lowest {
						t.Fatalf("after %q position %d was read with %d in flight", row.steps[:i+1], p, lowest)
					}
				}
			}
			for len(levels) > 0 {
				commit(t, levels[len(levels)-1])
				levels = levels[:len(levels)-1]
			}
			if got, want := len(readable(t, pool)), 1+len(row.steps)+row.want; got != want {
				t.Errorf("%d events in the log, want %d", got, want)
			}
		})
	}
}

func TestFence_survivesPreparedTransactions(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t, pgtest.Setting("max_prepared_transactions", "4"), pgtest.Setting("fsync", "on"))
	address := server.NewDatabase(t, schema(t, design.Options{}))
	pool := connect(t, address)
	store := newStore(t)
	tx := begin(t, pool)
	mustAppend(t, store, tx, placed(newStream(), 1))
	execute(t, tx, "prepare transaction 'early'")
	_ = tx.Rollback(t.Context())
	late := begin(t, pool)
	mustAppend(t, store, late, placed(newStream(), 1))
	commit(t, late)
	if held, prepared := fences(t, pool); held != 1 || prepared != 1 {
		t.Errorf("%d locks are held, %d of them by prepared transactions; want 1 and 1", held, prepared)
	}
	if got := readable(t, pool); len(got) != 0 {
		t.Errorf("positions %v were read with position 1 prepared", got)
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	pool.Reset()
	if got := readable(t, pool); len(got) != 0 {
		t.Errorf("positions %v were read with position 1 prepared, after a crash", got)
	}
	execute(t, pool, "commit prepared 'early'")
	if got := readable(t, pool); len(got) != 2 {
		t.Errorf("positions %v were read after the commit, want 2", got)
	}
}

func TestFence_isSharedByAllNamesOfATable(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	tx := begin(t, pool)
	mustAppend(t, newStore(t), tx, placed(newStream(), 1))
	late := begin(t, pool)
	mustAppend(t, newStore(t), late, placed(newStream(), 1))
	commit(t, late)
	if got := readable(t, pool, postgres.WithEventsTable("public.events")); len(got) != 0 {
		t.Errorf("a reader that names the schema read positions %v with position 1 in flight", got)
	}
}

func TestFence_tablesDoNotHoldUpEachOther(t *testing.T) {
	t.Parallel()
	address := pgtest.New(t, schema(t, design.Options{}),
		schema(t, design.Options{Schema: "other"}))
	pool := connect(t, address)
	other := postgres.WithEventsTable("other.events")
	tx := begin(t, pool)
	mustAppend(t, newStore(t), tx, placed(newStream(), 1))
	mustAppend(t, newStore(t, other), tx, placed(newStream(), 1)) // the same transaction, so that each table has its own memory
	quick := begin(t, pool)
	mustAppend(t, newStore(t, other), quick, placed(newStream(), 1))
	commit(t, quick)
	if got := readable(t, pool, other); len(got) != 0 {
		t.Errorf("positions %v of the other table were read with its position 1 in flight", got)
	}
	early := begin(t, pool)
	mustAppend(t, newStore(t), early, placed(newStream(), 1))
	commit(t, tx)
	if got := readable(t, pool, other); len(got) != 2 {
		t.Errorf("%d events of the other table were read, want 2: the append in flight is to the first one", len(got))
	}
	if got := readable(t, pool); len(got) != 1 {
		t.Errorf("%d events were read, want 1: the other is in flight", len(got))
	}
}

func TestFence_foreignLocksOnlyHoldBack(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	tx := begin(t, pool)
	mustAppend(t, newStore(t), tx, placed(newStream(), 3))
	var key int64
	err := tx.QueryRow(t.Context(), `select (classid::bigint << 32) | objid::bigint from pg_locks
		where locktype = 'advisory' and pid = pg_backend_pid()`).Scan(&key)
	if err != nil {
		t.Fatal(err)
	}
	commit(t, tx)
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	execute(t, conn, "select pg_advisory_lock_shared($1)", key+1)
	if got := readable(t, pool); len(got) != 1 {
		t.Errorf("%d events were read with a foreign lock on position 1, want 1", len(got))
	}
	execute(t, conn, "select pg_advisory_unlock_shared($1)", key+1)
	execute(t, conn, "select pg_advisory_lock($1)", key+1) // exclusive: none of ours
	execute(t, conn, "select pg_advisory_lock_shared(1)")
	if got := readable(t, pool); len(got) != 3 {
		t.Errorf("%d events were read with foreign locks that are none of ours, want 3", len(got))
	}
	execute(t, conn, "select pg_advisory_unlock_all()")
}

// A writer that stops between any two of the four steps must hold the frontier back from the third one on. The behaviour
// is seen from outside: a trigger stops the writer after nextval, when its event cannot be seen yet.
func TestFence_isHeldBeforeThePositionIsDrawn(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	execute(t, pool, `create function stop() returns trigger language plpgsql as $$
		begin
			if new.event_type = 'Stop' then
				perform pg_advisory_xact_lock(42);
			end if;
			return new;
		end $$`)
	execute(t, pool, "create trigger stop before insert on events for each row execute function stop()")
	gate := begin(t, pool)
	execute(t, gate, "select pg_advisory_xact_lock(42)")
	poolStore := newPoolStore(t)
	stopped := placed(newStream(), 2)
	stopped[1].EventType = "Stop"
	done := make(chan error, 1)
	go func() {
		_, err := poolStore.Append(context.Background(), pool, runtime.Any(), stopped)
		done <- err
	}()
	eventually(t, "the append waits at its second event", func() bool {
		var waiting int
		err := pool.QueryRow(t.Context(), `select count(*) from pg_locks where locktype = 'advisory' and not granted
			and database = (select oid from pg_database where datname = current_database())`).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
		return waiting == 1
	})
	for range 3 {
		if _, err := poolStore.Append(t.Context(), pool, runtime.Any(), placed(newStream(), 1)); err != nil {
			t.Fatal(err)
		}
	}
	if got := readable(t, pool); len(got) != 0 {
		t.Errorf("positions %v were read while an append had drawn position 1", got)
	}
	commit(t, gate)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := readable(t, pool); len(got) != 5 {
		t.Errorf("%d events were read, want 5", len(got))
	}
}
