package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// None of these engines is here. A stand-in answers as they do: a function that hides PostgreSQL's own version(), and
// tables that have the names and columns of Citus's catalogs.
func TestStore_refusesEnginesThatCannotKeepALog(t *testing.T) {
	t.Parallel()
	const says = `create function version() returns text language sql as $$ select '%'::text $$`
	for name, row := range map[string]struct{ standIn, names string }{
		"YugabyteDB":             {strings.Replace(says, "%", "PostgreSQL 15.2-YB-2025.1.0.1-b0 on x86_64-pc-linux-gnu", 1), "YugabyteDB"},
		"CockroachDB":            {strings.Replace(says, "%", "CockroachDB CCL v25.2.1 (x86_64-pc-linux-gnu)", 1), "CockroachDB"},
		"a worker of Citus":      {`create table pg_dist_local_group as select 3 as groupid`, "worker of Citus, group 3"},
		"distributed tables":     {`create table pg_dist_partition as select 'events'::regclass as logicalrelid`, "table events is distributed"},
		"round-robin reads":      {`alter role current_user in database current_database set citus.task_assignment_policy = 'round-robin'`, "round-robin"},
		"distributed heads only": {`create table pg_dist_partition as select 'aggregate_heads'::regclass as logicalrelid`, "table aggregate_heads is distributed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := connect(t, database(t), func(c *pgxpool.Config) {
				c.ConnConfig.RuntimeParams["search_path"] = "public, pg_catalog"
				if name == "round-robin reads" {
					c.ConnConfig.RuntimeParams["citus.task_assignment_policy"] = "round-robin"
				}
			})
			if name != "round-robin reads" {
				execute(t, pool, row.standIn)
			}
			for call, err := range map[string]error{
				"Append":              second(newPoolStore(t).Append(t.Context(), pool, runtime.NoStream(), placed(newStream(), 1))),
				"AppendStreams":       second(newPoolStore(t).AppendStreams(t.Context(), pool, runtime.StreamAppend{Events: placed(newStream(), 1)})),
				"ReadAggregateStream": second(newPoolStore(t).ReadAggregateStream(t.Context(), pool, "Order", "1", nil, nil)),
				"ReadEvents":          second(newPoolStore(t).ReadEvents(t.Context(), pool, 0, 1)),
				"SafeGlobalPosition":  second(newPoolStore(t).SafeGlobalPosition(t.Context(), pool)),
				"LogEvents":           firstError(newPoolStore(t).LogEvents(t.Context(), pool, runtime.LogQuery{})),
			} {
				if !errors.Is(err, postgres.ErrEngine) || !strings.Contains(err.Error(), row.names) {
					t.Errorf("%s: error is %v, want %v that names %q", call, err, postgres.ErrEngine, row.names)
				}
			}
			if err := postgres.Check(t.Context(), pool); err == nil || !strings.Contains(err.Error(), row.names) {
				t.Errorf("Check: error is %v, want it to name %q", err, row.names)
			}
			var events int
			if err := pool.QueryRow(t.Context(), `select count(*) from events`).Scan(&events); err != nil || events != 0 {
				t.Errorf("%d events were stored, error %v", events, err)
			}
		})
	}
}

// A coordinator of Citus that keeps the log to itself is as good as PostgreSQL.
func TestStore_takesACoordinator(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	execute(t, pool, `create table pg_dist_local_group as select 0 as groupid`)
	execute(t, pool, `create table other (id bigint)`)
	execute(t, pool, `create table pg_dist_partition as select 'other'::regclass as logicalrelid`)
	if _, err := newPoolStore(t).Append(t.Context(), pool, runtime.NoStream(), placed(newStream(), 1)); err != nil {
		t.Error(err)
	}
	if err := postgres.Check(t.Context(), pool); err != nil {
		t.Errorf("Check: %v", err)
	}
}

func TestStore_withoutATransaction(t *testing.T) {
	t.Parallel()
	viaSQL, err := postgres.NewSQL()
	if err != nil {
		t.Fatal(err)
	}
	withoutATransaction[pgx.Tx](t, newStore(t), nil)
	withoutATransaction[*sql.Tx](t, viaSQL, nil)
	withoutATransaction[*pgxpool.Pool](t, newPoolStore(t), nil)
	withoutATransaction(t, newGroup(t, connect(t, database(t))), nil)
}

func withoutATransaction[Tx any](t *testing.T, store interface {
	runtime.Store[Tx]
	runtime.EventReader[Tx]
	runtime.StreamsAppender[Tx]
	runtime.StreamIterator[Tx]
	runtime.LogIterator[Tx]
	runtime.SafePositionReader[Tx]
	runtime.GlobalPositionReader[Tx]
}, none Tx) {
	t.Helper()
	ctx := context.Background()
	for call, err := range map[string]error{
		"Append":                  second(store.Append(ctx, none, runtime.NoStream(), placed("1", 1))),
		"AppendStreams":           second(store.AppendStreams(ctx, none, runtime.StreamAppend{Events: placed("1", 1)})),
		"ReadAggregateStream":     second(store.ReadAggregateStream(ctx, none, "Order", "1", nil, nil)),
		"StreamEvents":            firstError(store.StreamEvents(ctx, none, "Order", "1", runtime.StreamQuery{})),
		"ReadEvents":              second(store.ReadEvents(ctx, none, 0, 1)),
		"LogEvents":               firstError(store.LogEvents(ctx, none, runtime.LogQuery{})),
		"SafeGlobalPosition":      second(store.SafeGlobalPosition(ctx, none)),
		"GetLatestGlobalPosition": second(store.GetLatestGlobalPosition(ctx, none)),
	} {
		if err == nil || !strings.Contains(err.Error(), "tx is ") {
			t.Errorf("%T: %s: error is %v, want one that says what tx is", none, call, err)
		}
	}
}

// What a bad day leaves in a log that was sound.
func TestCheck_streams(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		layout        design.Options
		damage        string
		object, says  string
		repairedByOne bool
	}{
		"sound":                {},
		"the head is ahead":    {damage: `update aggregate_heads set aggregate_version = 50 where aggregate_id = 'damaged'`, object: `stream Order "damaged"`, says: "head at version 50, but its events end at 9"},
		"the head is behind":   {damage: `update aggregate_heads set aggregate_version = 5 where aggregate_id = 'damaged'`, object: `stream Order "damaged"`, says: "head at version 5, but events up to 9", repairedByOne: true},
		"no head":              {damage: `delete from aggregate_heads where aggregate_id = 'damaged'`, object: `stream Order "damaged"`, says: "head at version 0", repairedByOne: true},
		"a hole":               {damage: `delete from events where aggregate_id = 'damaged' and aggregate_version = 4`, object: `stream Order "damaged"`, says: "lacks versions between 1 and 9"},
		"no beginning":         {damage: `delete from events where aggregate_id = 'damaged' and aggregate_version < 4`, object: `stream Order "damaged"`, says: "lacks its first versions"},
		"no events":            {damage: `delete from events where aggregate_id = 'damaged'`, object: `stream Order "damaged"`, says: "its events end at 0"},
		"inverted":             {damage: `update events set aggregate_version = 10 - aggregate_version + 100 where aggregate_id = 'damaged'; update events set aggregate_version = aggregate_version - 100 where aggregate_id = 'damaged'`, object: `stream Order "damaged"`, says: "at a lower position than the version before it"},
		"archived on purpose":  {layout: design.Options{Partition: "range", PartitionSize: 100, Partitions: 3}, damage: `alter table events detach partition events_p0`},
		"a collation":          {damage: `create collation loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false); alter table events alter column aggregate_id type text collate loose`, object: "column aggregate_id of events", says: "nondeterministic collation loose", repairedByOne: true},
		"a collation of heads": {damage: `create collation loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false); alter table aggregate_heads alter column aggregate_id type text collate loose`, object: "column aggregate_id of aggregate_heads", says: "nondeterministic collation loose", repairedByOne: true},
		"a function that names the schema": {
			damage: `create function once() returns trigger language plpgsql as 'begin perform from "shop"."events" limit 1; return null; end';
				create trigger once after insert on events for each statement execute function once()`,
			object: "function once()", says: `looks for the table in schema "shop"`, repairedByOne: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := connect(t, pgtest.New(t, schema(t, row.layout)))
			store := newPoolStore(t)
			for _, id := range []string{"before", "damaged", "after"} {
				if _, err := store.Append(t.Context(), pool, runtime.NoStream(), placed(id, 9)); err != nil {
					t.Fatal(err)
				}
			}
			if name == "archived on purpose" {
				if _, err := store.Append(t.Context(), pool, runtime.NoStream(), placed("recent", 120)); err != nil {
					t.Fatal(err)
				}
			}
			if row.damage != "" {
				executeAll(t, pool, row.damage)
			}
			err := postgres.Check(t.Context(), pool)
			if row.object == "" {
				if err != nil {
					t.Errorf("Check: %v", err)
				}
				return
			}
			p := checkProblem(t, pool, row.object)
			if !strings.Contains(p.Reason, row.says) || p.Remedy == "" {
				t.Errorf("problem is %s, want it to say %q", p, row.says)
			}
			if strings.Contains(err.Error(), "between 0 and 0") {
				t.Errorf("Check: %v, want nothing about versions of a stream without events", err)
			}
			if wrong := "set the head to 0"; strings.Contains(p.Remedy, wrong) {
				t.Errorf("remedy is %q, want none that says %q: the table refuses it", p.Remedy, wrong)
			}
			if row.repairedByOne {
				execute(t, pool, p.Statement)
				if err := postgres.Check(t.Context(), pool); err != nil {
					t.Errorf("after %s Check says %v", p.Statement, err)
				}
			}
		})
	}
}

// executeAll runs several statements.
func executeAll(t *testing.T, pool *pgxpool.Pool, statements string) {
	t.Helper()
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Conn().PgConn().Exec(t.Context(), statements).ReadAll(); err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
}
