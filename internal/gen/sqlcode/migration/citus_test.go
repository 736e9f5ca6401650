package migration_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/pgtest"
)

// chainOnCitus is a schema of many logs that is distributed, changed, and not distributed any more.
var chainOnCitus = []struct {
	design.Options
	distributed int
}{
	{design.Options{Logs: "hash", HashedLogs: 4}, 0},
	{design.Options{Logs: "hash", HashedLogs: 4, Citus: true}, 3},
	{design.Options{Logs: "hash", HashedLogs: 4, Citus: true, Snapshots: true, Indexes: []string{"event-type"}, Domain: domain("Placed", "Paid")}, 4},
	{design.Options{Logs: "hash", HashedLogs: 4, Citus: true, Snapshots: true, Domain: domain("Placed")}, 4},
	{design.Options{Logs: "hash", HashedLogs: 4, Snapshots: true}, 0},
	{design.Options{Logs: "hash", HashedLogs: 4, Snapshots: true, Payload: "jsonb", Metadata: "jsonb"}, 0},
	{design.Options{Logs: "hash", HashedLogs: 4, Citus: true, Payload: "jsonb", Metadata: "jsonb"}, 3},
}

func TestNext_distributesTables(t *testing.T) {
	t.Parallel()
	config, err := pgx.ParseConfig(pgtest.NewCitus(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol // a migration has several statements
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	wants := func(what string, distributed, logs int) {
		t.Helper()
		var tables, rows int
		if err := conn.QueryRow(t.Context(), "select count(*) from pg_dist_partition where partmethod = 'h'").Scan(&tables); err != nil || tables != distributed {
			t.Errorf("%s: %d tables are distributed, %v; want %d", what, tables, err, distributed)
		}
		if err := conn.QueryRow(t.Context(), "select count(*) from event_logs").Scan(&rows); err != nil || rows != logs {
			t.Errorf("%s: there are %d logs, %v; want %d", what, rows, err, logs)
		}
	}
	h := history{folder: migration.Folder{}}
	for i, o := range chainOnCitus {
		if added := h.next(t, o.Options); len(added) == 0 {
			t.Errorf("change %d: nothing was written", i)
		}
		h.up(t, conn)
		wants(fmt.Sprint("up to ", i), o.distributed, 4)
	}
	for i := len(chainOnCitus) - 2; i >= 0; i-- {
		h.down(t, conn)
		wants("down", chainOnCitus[i].distributed, 4)
	}
}

// What Citus cannot alter while it is distributed is refused, with the way around.
func TestNext_onCitusKeepsNamesAndTypes(t *testing.T) {
	t.Parallel()
	from := design.Options{Logs: "tenant", Citus: true}
	for _, to := range []design.Options{
		{Logs: "tenant", Citus: true, Payload: "jsonb"},
		{Logs: "tenant", Citus: true, Metadata: "jsonb"},
		{Logs: "tenant", Citus: true, EventsTable: "log"},
		{Logs: "tenant", Citus: true, AggregateHeadsTable: "heads"},
	} {
		h := history{folder: migration.Folder{}}
		h.next(t, from)
		d, err := to.Design()
		if err != nil {
			t.Fatal(err)
		}
		writer, err := migration.NewWriter(migration.Options{Format: "golang-migrate"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Next(d, h.folder); err == nil || !strings.Contains(err.Error(), "say --citus=false, change them, and say --citus") {
			t.Errorf("%+v: got %v, want it to be refused", to, err)
		}
	}
}

func TestOptions_onCitusAreRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		options design.Options
		want    string
	}{
		{design.Options{Citus: true}, "citus: one log is on one server"},
		{design.Options{Citus: true, Logs: "tenant", TenantRLS: true}, "citus: not with --tenant-rls"},
		{design.Options{Citus: true, Logs: "tenant", AppendOnly: true}, "citus: not with --append-only"},
		{design.Options{Citus: true, Logs: "tenant", Domain: domain("Placed"), Strict: true}, "citus: not with --strict"},
		{design.Options{Dialect: "sqlite", Citus: true}, "--citus: is not available for sqlite"},
	} {
		if _, err := tt.options.Design(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: got %v, want %q", tt.options, err, tt.want)
		}
	}
}
