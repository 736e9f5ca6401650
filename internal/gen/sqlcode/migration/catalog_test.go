package migration_test

import (
	"context"
	_ "embed"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/pgtest"
)

//go:embed testdata/catalog.sql
var catalogSQL string

// connect returns a connection to an empty database that goes with the test.
func connect(t testing.TB) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), pgtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// tester is what *testing.T and *rapid.T have in common that is needed here.
type tester interface {
	Helper()
	Context() context.Context
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// catalog returns a description of all that the database holds, a line for each thing.
func catalog(t tester, conn *pgx.Conn) []string {
	t.Helper()
	return query(t, conn, catalogSQL)
}

// query returns the single text column of what sql selects.
func query(t tester, conn *pgx.Conn, sql string) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return lines
}
