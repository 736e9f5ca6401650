package migration_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
)

// The order in which options are given, and giving one twice, makes no difference.
func TestGenerate_orderOfChoicesDoesNotMatter(t *testing.T) {
	t.Parallel()
	a := generate(t, design.Options{Indexes: []string{"event-type", "correlation"}, Grants: []string{"a", "b"}})
	b := generate(t, design.Options{Indexes: []string{"correlation", "event-type", "correlation"}, Grants: []string{"b", "a", "b"}})
	if diff := cmp.Diff(string(a), string(b)); diff != "" {
		t.Error(diff)
	}
}

const insertEvent = `insert into %s (created_at, event_id, aggregate_version, event_version, aggregate_type, aggregate_id,
	event_type, payload) values (now(), gen_random_uuid(), %d, 1, 'Order', '1', 'Placed', '{}')`

// Not even the owner, who may do anything, changes an event of an append-only log by mistake.
func TestGenerate_appendOnlyRefusesEvenTheOwner(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	exec(t, conn, string(generate(t, design.Options{AppendOnly: true})))
	exec(t, conn, fmt.Sprintf(insertEvent, "events", 1))
	for _, statement := range []string{
		`update events set payload = ''`,
		`update events set payload = '' where false`,
		`delete from events`,
		`truncate events`,
		`insert into events overriding system value select * from events on conflict (event_id) do update set payload = ''`,
	} {
		_, err := conn.Exec(t.Context(), statement)
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != "42501" {
			t.Errorf("%s: %v, want a refusal", statement, err)
		}
	}
	if got := query(t, conn, `select payload::text from events`); len(got) != 1 || got[0] != `\x7b7d` {
		t.Errorf("events: %q, want the one that was stored", got)
	}
	exec(t, conn, fmt.Sprintf(insertEvent, "events", 2))
}

// The rights of an application: to add and to read, and no other.
func TestGenerate_grantsNoRightToChangeEvents(t *testing.T) {
	t.Parallel()
	for _, appendOnly := range []bool{false, true} {
		o := design.Options{Schema: "My-Shop", AppendOnly: appendOnly}
		pool := connectAs(t, &o)
		if _, err := pool.Exec(t.Context(), fmt.Sprintf(insertEvent, `"My-Shop".events`, 1)); err != nil {
			t.Errorf("insert: %v", err)
		}
		for _, statement := range []string{
			`update "My-Shop".events set payload = ''`,
			`delete from "My-Shop".events`,
			`truncate "My-Shop".events`,
			`drop table "My-Shop".events`,
			`alter table "My-Shop".events disable trigger all`,
			`truncate "My-Shop".aggregate_heads`,
			`select nextval('"My-Shop".events_global_position_seq')`,
			`create table "My-Shop".mine ()`,
		} {
			_, err := pool.Exec(t.Context(), statement)
			var refused *pgconn.PgError
			if !errors.As(err, &refused) || refused.Code != "42501" {
				t.Errorf("append-only %t: %s: %v, want a refusal", appendOnly, statement, err)
			}
		}
	}
}

// exec runs statements that must succeed.
func exec(t tester, conn *pgx.Conn, statements string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), statements); err != nil {
		t.Fatalf("%v\n%s", err, statements)
	}
}
