package postgres_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// wantState fails t unless the server's error is in the chain and has the state.
func wantState(t *testing.T, what string, err error, state string) {
	t.Helper()
	var server *pgconn.PgError
	if !errors.As(err, &server) {
		t.Errorf("%s: error is %v, want the server's with SQLSTATE %s", what, err, state)
	} else if server.Code != state {
		t.Errorf("%s: SQLSTATE is %s (%v), want %s", what, server.Code, err, state)
	}
}

func TestStore_saysWhatIsMissing(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		breaks string // what is done to a database with the tables
		opts   []postgres.Option
		says   []string
		state  string
	}{
		{"events table", "drop table events cascade", nil, []string{"events", "migrate-gen`"}, "42P01"},
		{"heads table", "drop table aggregate_heads", nil, []string{"aggregate_heads", "migrate-gen`"}, "42P01"},
		{"schema", "", []postgres.Option{postgres.WithEventsTable("shop.events")},
			[]string{"shop.events", "`migrate-gen --events-table shop.events --aggregate-heads-table shop.aggregate_heads`"}, "42P01"},
		{"column of events", "alter table events drop column correlation_id", nil, []string{"events", "migrate-gen`"}, "42703"},
		{"column of heads", "alter table aggregate_heads drop column aggregate_version", nil, []string{"aggregate_heads", "migrate-gen`"}, "42703"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			pool := connect(t, database(t))
			if row.breaks != "" {
				execute(t, pool, row.breaks)
			}
			_, err := newPoolStore(t, row.opts...).Append(t.Context(), pool, runtime.Any(), placed(newStream(), 1))
			wantState(t, "Append", err, row.state)
			for _, says := range row.says {
				if err == nil || !strings.Contains(err.Error(), says) {
					t.Errorf("Append: error is %v, want it to say %s", err, says)
				}
			}
		})
	}
	t.Run("empty database", func(t *testing.T) {
		t.Parallel()
		pool := connect(t, pgtest.New(t))
		store := newPoolStore(t)
		for name, err := range map[string]error{
			"ReadEvents":              second(store.ReadEvents(t.Context(), pool, 0, 1)),
			"ReadAggregateStream":     second(store.ReadAggregateStream(t.Context(), pool, "Order", "1", nil, nil)),
			"GetLatestGlobalPosition": second(store.GetLatestGlobalPosition(t.Context(), pool)),
			"SafeGlobalPosition":      second(store.SafeGlobalPosition(t.Context(), pool)),
		} {
			wantState(t, name, err, "42P01")
			if err == nil || !strings.Contains(err.Error(), "migrate-gen") {
				t.Errorf("%s: error is %v, want it to name migrate-gen", name, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestStore_saysWhatTheRoleLacks(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	tx := begin(t, pool)
	role := newRole(t, tx)
	execute(t, tx, "set local role "+role)
	_, err := newStore(t).Append(t.Context(), tx, runtime.Any(), placed(newStream(), 1))
	wantState(t, "Append", err, "42501")
	if err == nil || !strings.Contains(err.Error(), "select, insert") {
		t.Errorf("error is %v, want it to say what the role needs", err)
	}
}

// The role needs no more than the error and the guide say.
func TestStore_needsOnlyTheseRights(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	tx := begin(t, pool)
	role := newRole(t, tx)
	for _, statement := range []string{
		"grant select, insert on events to " + role,
		"grant select, insert, update, delete on aggregate_heads to " + role,
		"grant select on sequence events_global_position_seq to " + role,
		"set local role " + role,
	} {
		execute(t, tx, statement)
	}
	store := newStore(t)
	stream, other := newStream(), newStream()
	mustAppend(t, store, tx, placed(stream, 1))
	mustAppend(t, store, tx, placed(stream, 3))
	for _, expected := range []runtime.ExpectedVersion{runtime.NoStream(), runtime.Exact(4)} {
		_, err := store.AppendStreams(t.Context(), tx,
			runtime.StreamAppend{Expected: expected, Events: placed(stream, 1)},
			runtime.StreamAppend{Expected: runtime.NoStream(), Events: placed(other, 1)})
		if expected.IsNoStream() != errors.Is(err, runtime.ErrOptimisticConcurrency) || !expected.IsNoStream() && err != nil {
			t.Errorf("AppendStreams, expecting %s: %v", expected, err)
		}
	}
	if _, err := store.ReadEvents(t.Context(), tx, 0, 10); err != nil {
		t.Error(err)
	}
	if _, err := store.ReadAggregateStream(t.Context(), tx, "Order", stream, nil, nil); err != nil {
		t.Error(err)
	}
}

// A log whose heads table was lost or restored from an older copy: the unique key of the log still protects it.
func TestAppend_headsBehindTheLog(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	store := newPoolStore(t)
	stream := newStream()
	if _, err := store.Append(t.Context(), pool, runtime.Any(), placed(stream, 3)); err != nil {
		t.Fatal(err)
	}
	execute(t, pool, "update aggregate_heads set aggregate_version = 1")
	_, err := store.Append(t.Context(), pool, runtime.Exact(1), placed(stream, 1))
	wantState(t, "Append", err, "23505")
	if !errors.Is(err, runtime.ErrOptimisticConcurrency) || errors.Is(err, runtime.ErrDuplicateEvent) {
		t.Errorf("error is %v, want %v", err, runtime.ErrOptimisticConcurrency)
	}
}

// On partitions PostgreSQL reports the constraint of the partition, by a name that it may have chosen itself.
func TestAppend_duplicateInPartition(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	// By hash of the stream, as far as unique keys allow it: an event ID is unique within its stream.
	execute(t, pool, `alter table events rename to events_flat`)
	execute(t, pool, `create table events (like events_flat including defaults) partition by hash (aggregate_type, aggregate_id)`)
	execute(t, pool, `alter table events alter column global_position set default nextval('events_global_position_seq')`)
	execute(t, pool, `alter table events add constraint events_version unique (aggregate_type, aggregate_id, aggregate_version),
		add constraint events_id unique (aggregate_type, aggregate_id, event_id)`)
	for i := range 4 {
		execute(t, pool, fmt.Sprintf("create table events_p%d partition of events for values with (modulus 4, remainder %d)", i, i))
	}
	store := newPoolStore(t)
	for range 8 {
		stream := newStream()
		events := placed(stream, 2)
		if _, err := store.Append(t.Context(), pool, runtime.Any(), events); err != nil {
			t.Fatal(err)
		}
		_, err := store.Append(t.Context(), pool, runtime.Any(), events[1:])
		if !errors.Is(err, runtime.ErrDuplicateEvent) || errors.Is(err, runtime.ErrOptimisticConcurrency) {
			t.Errorf("error is %v, want %v", err, runtime.ErrDuplicateEvent)
		}
		execute(t, pool, "update aggregate_heads set aggregate_version = 1 where aggregate_id = $1", stream)
		_, err = store.Append(t.Context(), pool, runtime.Any(), placed(stream, 1))
		if !errors.Is(err, runtime.ErrOptimisticConcurrency) {
			t.Errorf("error is %v, want %v", err, runtime.ErrOptimisticConcurrency)
		}
	}
}

func TestAppend_streamNameTooLongToIndex(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	store := newStore(t)
	random := func(n int) string { // does not compress, as a repeated letter would
		var b strings.Builder
		for b.Len() < n {
			b.WriteString(placed("", 1)[0].EventID.String())
		}
		return b.String()[:n]
	}
	tx := begin(t, pool)
	var invalid *runtime.InvalidEventError
	if _, err := store.Append(t.Context(), tx, runtime.Any(), placed(random(2600), 1)); !errors.As(err, &invalid) {
		t.Errorf("error is %v, want an InvalidEventError", err)
	}
	longest := 2600 - len("Order")
	mustAppend(t, store, tx, placed(random(longest), 1))
	commit(t, tx)
}

// newRole makes a role that can do nothing yet. It is gone when the transaction is rolled back.
func newRole(t *testing.T, tx pgx.Tx) string {
	t.Helper()
	role := fmt.Sprint("eventmap_role_", tx.Conn().PgConn().PID())
	execute(t, tx, "create role "+role)
	execute(t, tx, "grant usage on schema public to "+role)
	return role
}

// Citus reports a violation without the name of the constraint, which stands in the message with the number of the shard. A
// trigger stands in for it here, and answers in another language.
func TestAppend_violationOfAShard(t *testing.T) {
	t.Parallel()
	for constraint, want := range map[string]error{
		"events_event_id_key_102008":       runtime.ErrDuplicateEvent,
		"events_stream_version_key_102008": runtime.ErrOptimisticConcurrency,
		"events_pkey_102008":               postgres.ErrSequenceBehind,
	} {
		t.Run(constraint, func(t *testing.T) {
			t.Parallel()
			pool := connect(t, database(t))
			execute(t, pool, `create function refuse() returns trigger language plpgsql as $$
				begin raise exception 'doppelter Schlüsselwert verletzt Unique-Constraint "`+constraint+`"' using errcode = '23505'; end $$`)
			execute(t, pool, `create trigger refuse before insert on events for each row execute function refuse()`)
			_, err := newPoolStore(t).Append(t.Context(), pool, runtime.NoStream(), placed(newStream(), 1))
			if !errors.Is(err, want) {
				t.Errorf("error is %v, want %v", err, want)
			}
		})
	}
}

// Without a default partition the server refuses what no partition takes; the error says what to do.
func TestAppend_noPartition(t *testing.T) {
	t.Parallel()
	pool := connect(t, pgtest.New(t, schema(t, design.Options{Partition: "range", PartitionSize: 10, Partitions: 1})))
	execute(t, pool, `drop table events_default`)
	_, err := newPoolStore(t).Append(t.Context(), pool, runtime.NoStream(), placed(newStream(), 20))
	wantState(t, "Append", err, "23514")
	if err == nil || !strings.Contains(err.Error(), "no partition of events is for the next position") {
		t.Errorf("error is %v, want it to say what to do", err)
	}
}
