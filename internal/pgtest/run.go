package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// runVariable names the environment variable with the name of a [Run]. It is part of the names of all databases that the
// run makes, so that they can be told from others in a server that is not ours.
const runVariable = "PGTEST_RUN"

// A Run is the use of one server by several processes, one after the other or at once.
type Run struct {
	server *Server
	name   string
}

// StartRun takes the server that TEST_DATABASE_URL names, or launches a private one with the options.
func StartRun(options ...Option) (*Run, error) {
	run := &Run{name: strings.ToLower(rand.Text()[:8])}
	if address := os.Getenv(addressVariable); address != "" {
		run.server = Connect(address)
		return run, nil
	}
	server, err := Launch(options...)
	if err != nil {
		return nil, err
	}
	run.server = server
	return run, nil
}

// Environ returns what the processes of the run need in their environment, for [New] to use the run's server.
func (r *Run) Environ() []string {
	return []string{addressVariable + "=" + r.server.address, runVariable + "=" + r.name}
}

// CreateDatabase makes an empty database with a name that contains label, and returns its address.
func (r *Run) CreateDatabase(ctx context.Context, label string) (string, error) {
	name := databasePrefix + r.name + "_" + label
	if err := r.server.createDatabase(ctx, name, nil); err != nil {
		return "", fmt.Errorf("database %s: %w", name, err)
	}
	return r.server.URL(name), nil
}

// Close removes a private server, and from another one the databases that the run has made.
func (r *Run) Close() error {
	if r.server.keeper != nil {
		return r.server.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), databasePatience)
	defer cancel()
	return r.server.dropDatabases(ctx, databasePrefix+r.name+"_")
}

// dropDatabases drops the databases whose names begin with prefix.
func (s *Server) dropDatabases(ctx context.Context, prefix string) error {
	return s.admin(ctx, func(conn *pgx.Conn) error {
		rows, _ := conn.Query(ctx, "select datname from pg_database where starts_with(datname::text, $1::text)", prefix)
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return fmt.Errorf("databases of the run: %w", err)
		}
		for _, name := range names {
			if _, dropErr := conn.Exec(ctx, "drop database if exists "+quote(name)+" with (force)"); dropErr != nil {
				err = errors.Join(err, fmt.Errorf("database %s: %w", name, dropErr))
			}
		}
		return err
	})
}

// EndWithParent returns attributes of a process that gets a signal when the thread that started it ends, on Linux; the
// caller stays on its thread with runtime.LockOSThread. On other systems they have no effect.
func EndWithParent(sig syscall.Signal) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{}
	endWithParent(attr, sig)
	return attr
}
