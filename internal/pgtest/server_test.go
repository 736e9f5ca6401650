package pgtest_test

import (
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/pgtest"
)

func TestServer_restartKeepsWhatWasCommitted(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t, pgtest.Setting("fsync", "on"), pgtest.Setting("max_prepared_transactions", "10"))
	address := server.NewDatabase(t, schema)
	conn := connect(t, address)
	if got := queryInt(t, conn, "select current_setting('max_prepared_transactions')::int"); got != 10 {
		t.Errorf("max_prepared_transactions = %d, want 10", got)
	}
	if _, err := conn.Exec(t.Context(), "insert into item values (3, 'three')"); err != nil {
		t.Fatal(err)
	}
	if err := server.StopImmediate(); err != nil {
		t.Fatal(err)
	}
	if _, err := pgx.Connect(t.Context(), address); err == nil {
		t.Fatal("connected to a stopped server")
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if got := queryInt(t, connect(t, address), "select count(*) from item"); got != 3 {
		t.Errorf("items after the restart = %d, want 3", got)
	}
	log, err := server.Log()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log, "automatic recovery in progress") {
		t.Errorf("no recovery in the server's log, so it was no crash:\n%s", log)
	}
}

func TestServer_standbyFollows(t *testing.T) {
	t.Parallel()
	primary := pgtest.NewServer(t, pgtest.Setting("max_connections", "310"))
	address := primary.NewDatabase(t, schema)
	standby := primary.NewStandby(t)
	config, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	copied := connect(t, standby.URL(config.Database))
	if got := queryInt(t, copied, "select count(*) from item where pg_is_in_recovery()"); got != 2 {
		t.Errorf("items on the standby = %d, want 2", got)
	}
	if _, err := connect(t, address).Exec(t.Context(), "insert into item values (3, 'three')"); err != nil {
		t.Fatal(err)
	}
	await(t, "arrival of the third item", func() bool { return queryInt(t, copied, "select count(*) from item") == 3 })
}

func TestServer_closeLeavesNoFolder(t *testing.T) {
	t.Parallel()
	server, err := pgtest.Launch()
	if err != nil {
		t.Fatal(err)
	}
	dir := server.DataDir()
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("stat of the data folder after Close: %v, want that it does not exist", err)
	}
	if err := server.Start(); err == nil {
		t.Error("started a closed server")
	}
}

func TestServer_wrongSettingFailsWithItsLog(t *testing.T) {
	t.Parallel()
	server, err := pgtest.Launch(pgtest.Setting("max_connections", "many"))
	if err == nil {
		_ = server.Close()
		t.Fatal("started with a wrong setting")
	}
	if want := `invalid value for parameter "max_connections"`; !strings.Contains(err.Error(), want) {
		t.Errorf("error = %v, want it to contain %s", err, want)
	}
}
