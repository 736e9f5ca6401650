package migration_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
)

// chainOfLogs is a schema of many logs that changes in whatever way one log does.
var chainOfLogs = []design.Options{
	{Logs: "tenant"},
	{Logs: "tenant", Indexes: []string{"event-type"}, Domain: domain("Placed", "Paid"), TenantRLS: true},
	{Logs: "tenant", Indexes: []string{"event-type", "correlation"}, AppendOnly: true, Snapshots: true, TenantRLS: true},
	{Schema: "shop", EventsTable: "Log", EventLogsTable: "Logs", Logs: "tenant", Payload: "jsonb", Metadata: "jsonb", AppendOnly: true, Snapshots: true,
		Domain: indexed(domain("Placed", "Paid"), "using=hash"), Strict: true},
}

func TestNext_chainOfLogsEqualsOneMigration(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	h := history{folder: migration.Folder{}}
	var catalogs [][]string
	for i, o := range chainOfLogs {
		if added := h.next(t, o); len(added) == 0 {
			t.Errorf("change %d: nothing was written", i)
		}
		h.up(t, conn)
		got := catalog(t, conn)
		if diff := compare(fresh(t, h.known(t, o)), got); diff != "" {
			t.Fatalf("change %d (-one migration +step by step):\n%s", i, diff)
		}
		catalogs = append(catalogs, got)
	}
	for i := range slices.Backward(chainOfLogs[:len(chainOfLogs)-1]) {
		h.down(t, conn)
		if diff := compare(catalogs[i], catalog(t, conn)); diff != "" {
			t.Fatalf("down to %d (-want +got):\n%s", i, diff)
		}
	}
	h.down(t, conn)
	if diff := compare([]string{}, catalog(t, conn)); diff != "" {
		t.Errorf("left all the way down:\n%s", diff)
	}
}

func TestOptions_ofLogsAreRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		options design.Options
		want    string
	}{
		{design.Options{Logs: "many"}, `logs "many": is not known; choose one of none, tenant, hash`},
		{design.Options{Logs: "hash", HashedLogs: 5000}, "hashed logs: 5000; give 1 to 1024"},
		{design.Options{Logs: "hash", HashedLogs: -1}, "hashed logs: -1; give 1 to 1024"},
		{design.Options{Logs: "tenant", HashedLogs: 4}, "hashed logs: 4 are of the logs hash, and those here are tenant"},
		{design.Options{Logs: "hash", TenantRLS: true}, "tenant-rls: a session sees one log"},
		{design.Options{TenantRLS: true}, "tenant-rls: a session sees one log"},
		{design.Options{EventLogsTable: "l"}, `event logs table "l": there is one log`},
		{design.Options{Logs: "tenant", Partition: "range"}, "partition range: is not available for many logs"},
		{design.Options{Logs: "tenant", EventLogsTable: "events"}, "would be the events table and the table of logs"},
		{design.Options{Dialect: "sqlite", Logs: "tenant"}, "--logs: is not available for sqlite"},
	} {
		if _, err := tt.options.Design(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: got %v, want %q", tt.options, err, tt.want)
		}
	}
}

// How events are spread over logs does not change but by a move.
func TestNext_logsAreMovedOnly(t *testing.T) {
	t.Parallel()
	all := []design.Options{{}, {Logs: "tenant"}, {Logs: "hash", HashedLogs: 4}, {Logs: "hash", HashedLogs: 8}}
	for _, from := range all {
		for _, to := range all {
			if from.Logs == to.Logs && from.HashedLogs == to.HashedLogs {
				continue
			}
			h := history{folder: migration.Folder{}}
			h.next(t, from)
			design, err := to.Design()
			if err != nil {
				t.Fatal(err)
			}
			writer, err := migration.NewWriter(migration.Options{Format: "golang-migrate"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := writer.Next(design, h.folder); err == nil || !strings.Contains(err.Error(), "logs") {
				t.Errorf("from %q to %q: got %v, want a refusal", from.Logs, to.Logs, err)
			}
		}
	}
}
