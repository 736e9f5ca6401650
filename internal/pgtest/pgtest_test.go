package pgtest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/pgtest"
)

const schema = `
create table item (id bigint primary key, name text not null);
insert into item values (1, 'one'), (2, 'two');
`

func TestNew_holdsSchema(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.New(t, schema, "insert into item values (3, 'three')"))
	if got := queryInt(t, conn, "select count(*) from item"); got != 3 {
		t.Errorf("items = %d, want 3", got)
	}
}

func TestNew_withoutSchemaIsEmpty(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.New(t))
	got := queryInt(t, conn, "select count(*) from pg_class where relnamespace = 'public'::regnamespace")
	if got != 0 {
		t.Errorf("relations = %d, want 0", got)
	}
}

func TestNew_databasesAreApart(t *testing.T) {
	t.Parallel()
	for i := range 8 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			conn := connect(t, pgtest.New(t, schema))
			if _, err := conn.Exec(t.Context(), "insert into item values (10, 'mine')"); err != nil {
				t.Fatal(err)
			}
			if got := queryInt(t, conn, "select count(*) from item"); got != 3 {
				t.Errorf("items = %d, want 3", got)
			}
		})
	}
}

func TestNew_dropsDatabaseWithOpenConnections(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.New(t))
	var name string
	t.Run("inner", func(t *testing.T) {
		inner, err := pgx.Connect(t.Context(), pgtest.New(t, schema))
		if err != nil {
			t.Fatal(err)
		}
		if err := inner.QueryRow(t.Context(), "select current_database()").Scan(&name); err != nil {
			t.Fatal(err)
		}
		// The connection is left open.
	})
	if got := queryInt(t, conn, "select count(*) from pg_database where datname = $1", name); got != 0 {
		t.Errorf("databases named %s = %d, want 0", name, got)
	}
}

// connect opens a connection that is closed when t ends.
func connect(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func queryInt(t *testing.T, conn *pgx.Conn, query string, args ...any) int {
	t.Helper()
	var n int
	if err := conn.QueryRow(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}
