package postgres_test

import (
	"context"
	"errors"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// An append right behind another over the same connection does not look at the sequence again, and still refuses one that was
// set back between the two.
func TestStore_sequenceSetBackAfterTheLook(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]string{
		"far":               `select setval('events_global_position_seq', 20)`,
		"one step":          `select setval('events_global_position_seq', 300)`,
		"to be given again": `alter sequence events_global_position_seq restart with 301`,
		"as if never used":  `alter sequence events_global_position_seq restart`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := connectOne(t, database(t))
			store := newStore(t)
			_ = onConn(t, conn, func(tx pgx.Tx) error {
				mustAppend(t, store, tx, placed("before", 300))
				mustAppend(t, store, tx, placed("before", 1))
				return nil
			})
			execute(t, conn, damage)
			for call, events := range map[string][]runtime.Event{
				"one": placed(newStream(), 1), "several": placed(newStream(), 2), "to one that exists": placed("before", 1),
			} {
				err := onConn(t, conn, func(tx pgx.Tx) error { return second(store.Append(t.Context(), tx, runtime.Any(), events)) })
				if !errors.Is(err, postgres.ErrSequenceBehind) {
					t.Errorf("%s: error is %v, want %v", call, err, postgres.ErrSequenceBehind)
				}
			}
		})
	}
}

// Where a sequence was set forward by hand there is nothing to refuse.
func TestStore_sequenceSetForwardAfterTheLook(t *testing.T) {
	t.Parallel()
	conn := connectOne(t, database(t))
	store := newStore(t)
	for range 3 {
		_ = onConn(t, conn, func(tx pgx.Tx) error {
			mustAppend(t, store, tx, placed(newStream(), 1))
			return nil
		})
		execute(t, conn, `select setval('events_global_position_seq', nextval('events_global_position_seq') + 1000)`)
	}
}

// What one connection was found to be says nothing of another's server: a store may be used with several databases.
func TestStore_looksOverEachConnection(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	sound, behind := connectOne(t, database(t)), connectOne(t, database(t))
	_ = onConn(t, behind, func(tx pgx.Tx) error {
		mustAppend(t, newStore(t), tx, placed("before", 300))
		return nil
	})
	execute(t, behind, `delete from events where global_position between 50 and 249`)
	execute(t, behind, `select setval('events_global_position_seq', 60)`)
	for range 3 {
		_ = onConn(t, sound, func(tx pgx.Tx) error {
			mustAppend(t, store, tx, placed(newStream(), 1))
			return nil
		})
		err := onConn(t, behind, func(tx pgx.Tx) error {
			return second(store.Append(t.Context(), tx, runtime.NoStream(), placed(newStream(), 1)))
		})
		if !errors.Is(err, postgres.ErrSequenceBehind) {
			t.Errorf("error is %v, want %v", err, postgres.ErrSequenceBehind)
		}
	}
}

// A store looks with its first append over a connection, not right behind that, and again when some time has passed. Without a
// connection that it knows it always looks.
func TestStore_looksNowAndThen(t *testing.T) {
	t.Parallel()
	conn := connectOne(t, database(t))
	store := newStore(t)
	looks := func(change func(*heard)) bool {
		var said *heard
		_ = onConn(t, conn, func(tx pgx.Tx) error {
			said = &heard{Tx: tx, conn: conn}
			change(said)
			return second(store.Append(t.Context(), said, runtime.Any(), placed("one", 1)))
		})
		return strings.Contains(said.sql, "ln(case")
	}
	known := func(*heard) {}
	got := []bool{looks(known)}
	// Two appends may be further apart than a look lasts, if the machine is that slow.
	eventually(t, "an append is right behind another", func() bool { return !looks(known) })
	got = append(got, false)
	got = append(got, looks(func(h *heard) { h.conn = nil }))
	time.Sleep(postgres.LookAgain + time.Millisecond)
	got = append(got, looks(known))
	if d := cmp.Diff([]bool{true, false, true, true}, got); d != "" {
		t.Errorf("at first, right behind, over an unknown connection, later (-want +got):\n%s", d)
	}
}

// A connection that is gone leaves nothing behind.
func TestStore_forgetsConnections(t *testing.T) {
	t.Parallel()
	address := database(t)
	store := newStore(t)
	for range 10 {
		conn, err := pgx.Connect(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		err = onConn(t, conn, func(tx pgx.Tx) error {
			return second(store.Append(t.Context(), tx, runtime.Any(), placed(newStream(), 1)))
		})
		if err := errors.Join(err, conn.Close(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(patience); postgres.Looks(store) > 1; goruntime.GC() {
		if time.Now().After(deadline) {
			t.Fatalf("%d of 10 connections are remembered", postgres.Looks(store))
		}
	}
}

// heard is a transaction that keeps the text of its last query.
type heard struct {
	pgx.Tx
	conn *pgx.Conn
	sql  string
}

func (h *heard) Conn() *pgx.Conn { return h.conn }

func (h *heard) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	h.sql = sql
	return h.Tx.Query(ctx, sql, args...)
}

// connectOne returns a connection of its own.
func connectOne(t testing.TB, address string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// onConn runs do in a transaction, commits it, and rolls it back after an error of do, which it returns.
func onConn(t testing.TB, conn *pgx.Conn, do func(tx pgx.Tx) error) error {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if err := do(tx); err != nil {
		return err
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	return nil
}
