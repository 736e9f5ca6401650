package pgtest

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

func TestTemplate_isMadeOnceByManyProcesses(t *testing.T) {
	t.Parallel()
	server := NewServer(t)
	var processes sync.WaitGroup
	for range 6 {
		processes.Go(func() {
			cmd := exec.Command(os.Args[0], "-test.run=^TestNew_holdsSchema$")
			cmd.Env = append(os.Environ(), addressVariable+"="+server.URL("postgres"), runVariable+"=")
			if output, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("test process: %v\n%s", err, output)
			}
		})
	}
	processes.Wait()
	left := databases(t, server)
	if len(left) != 1 || !strings.HasPrefix(left[0], "pgtest_template_") || strings.HasSuffix(left[0], "_unfinished") {
		t.Errorf("databases left = %q, want one template", left)
	}
}

func TestTemplate_replacesOneThatWasLeftUnfinished(t *testing.T) {
	t.Parallel()
	server := NewServer(t)
	wrong := []string{"create table item (id int)", "create table item (id int)"}
	if err := server.createDatabase(t.Context(), "clone", wrong); err == nil || !strings.Contains(err.Error(), "schema text 2") {
		t.Errorf("error = %v, want one about schema text 2", err)
	}
	left := databases(t, server)
	if len(left) != 1 || !strings.HasSuffix(left[0], "_unfinished") {
		t.Fatalf("databases left = %q, want an unfinished template", left)
	}
	// The same name with a schema that can be finished, as if only the process had been killed.
	name := strings.TrimSuffix(left[0], "_unfinished")
	err := server.admin(t.Context(), func(conn *pgx.Conn) error {
		return server.makeTemplate(t.Context(), conn, name, wrong[:1])
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{name}, databases(t, server)); diff != "" {
		t.Errorf("databases (-want +got):\n%s", diff)
	}
}

func TestServer_URLNamesTheDatabase(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"postgres://me:secret@example.com:6543/postgres?sslmode=disable",
		"postgresql://me:secret@/postgres?host=example.com&port=6543&sslmode=disable",
		"user=me password=secret host=example.com port=6543 dbname=postgres sslmode=disable",
	} {
		for _, database := range []string{"plain", `it's a "name" with \ & / ?`} {
			config, err := pgx.ParseConfig(Connect(address).URL(database))
			if err != nil {
				t.Errorf("%s: %v", address, err)
				continue
			}
			got := []any{config.User, config.Password, config.Host, config.Port, config.Database}
			if diff := cmp.Diff([]any{"me", "secret", "example.com", uint16(6543), database}, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", address, diff)
			}
		}
	}
}

func TestServer_connectedOneIsNotStopped(t *testing.T) {
	t.Parallel()
	private := NewServer(t)
	connected := Connect(private.URL("postgres"))
	for name, stop := range map[string]func() error{
		"Stop": connected.Stop, "StopImmediate": connected.StopImmediate, "Restart": connected.Restart, "Start": connected.Start,
	} {
		if err := stop(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := connected.Close(); err != nil {
		t.Error(err)
	}
	databases(t, private)
}

// databases returns the names of those that pgtest has made.
func databases(t *testing.T, server *Server) []string {
	t.Helper()
	var names []string
	err := server.admin(t.Context(), func(conn *pgx.Conn) (err error) {
		rows, _ := conn.Query(t.Context(), "select datname from pg_database order by datname")
		names, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, databasePrefix) })
}
