package pgtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	databasePrefix   = "pgtest_"
	databasePatience = 5 * time.Minute
)

// NewDatabase is [New] on this server.
func (s *Server) NewDatabase(t testing.TB, schema ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), databasePatience)
	defer cancel()
	name := databaseName(t.Name())
	if err := s.createDatabase(ctx, name, schema); err != nil {
		t.Fatalf("pgtest: database %s: %v", name, err)
	}
	t.Cleanup(func() {
		if s.isStopped() {
			return // its folder goes next, and the database with it
		}
		ctx, cancel := context.WithTimeout(context.Background(), databasePatience)
		defer cancel()
		if err := s.drop(ctx, name); err != nil {
			t.Errorf("pgtest: database %s: %v", name, err)
		}
	})
	return s.URL(name)
}

// drop drops a database with the connections to it, if it is there.
func (s *Server) drop(ctx context.Context, name string) error {
	return s.admin(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "drop database if exists "+quote(name)+" with (force)")
		return err
	})
}

// createDatabase makes a database that holds schema.
func (s *Server) createDatabase(ctx context.Context, name string, schema []string) error {
	return s.admin(ctx, func(conn *pgx.Conn) error {
		template := "template0"
		if len(schema) > 0 {
			var err error
			if template, err = s.template(ctx, conn, schema); err != nil {
				return err
			}
		}
		_, err := conn.Exec(ctx, "create database "+quote(name)+" template "+quote(template))
		return err
	})
}

// template returns the name of the server's template for schema, which it makes if need be. A lock lets one of several
// callers, in this or other processes, make it while the others wait.
func (s *Server) template(ctx context.Context, conn *pgx.Conn, schema []string) (string, error) {
	hash := schemaHash(schema)
	name := namePrefix() + "template_" + hex.EncodeToString(hash[:8])
	key := int64(binary.BigEndian.Uint64(hash[:8]))
	if _, err := conn.Exec(ctx, "select pg_advisory_lock($1::bigint)", key); err != nil {
		return "", fmt.Errorf("lock for template %s: %w", name, err)
	}
	// Not left to the end of the connection: templates are cloned by several at once. If it fails, that end is near.
	defer func() { _, _ = conn.Exec(ctx, "select pg_advisory_unlock($1::bigint)", key) }()

	var made bool
	err := conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1::text)", name).Scan(&made)
	if err == nil && !made {
		err = s.makeTemplate(ctx, conn, name, schema)
	}
	if err != nil {
		return "", fmt.Errorf("template %s: %w", name, err)
	}
	return name, nil
}

// makeTemplate makes a template, which gets its name when it is complete.
func (s *Server) makeTemplate(ctx context.Context, conn *pgx.Conn, name string, schema []string) error {
	unfinished := name + "_unfinished"
	for _, statement := range []string{
		"drop database if exists " + quote(unfinished) + " with (force)", // left by one who was killed
		"create database " + quote(unfinished) + " template template0",
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	if err := s.apply(ctx, unfinished, schema); err != nil {
		return err
	}
	_, err := conn.Exec(ctx, "alter database "+quote(unfinished)+" rename to "+quote(name))
	return err
}

// apply executes the texts of a schema in a database.
func (s *Server) apply(ctx context.Context, database string, schema []string) (err error) {
	conn, err := pgx.Connect(ctx, s.URL(database))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	for i, text := range schema {
		if _, err := conn.PgConn().Exec(ctx, text).ReadAll(); err != nil {
			return fmt.Errorf("schema text %d: %w", i+1, err)
		}
	}
	return nil
}

// admin calls f with a connection to the maintenance database.
func (s *Server) admin(ctx context.Context, f func(*pgx.Conn) error) (err error) {
	conn, err := pgx.Connect(ctx, s.address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	return f(conn)
}

// schemaHash tells schemas apart. The lengths are hashed too, so that texts cannot run into one another.
func schemaHash(schema []string) [sha256.Size]byte {
	hash := sha256.New()
	for _, text := range schema {
		fmt.Fprintf(hash, "%d\n%s", len(text), text)
	}
	return [sha256.Size]byte(hash.Sum(nil))
}

// namePrefix is what the names of all databases of this run begin with.
func namePrefix() string {
	if run := os.Getenv(runVariable); run != "" {
		return databasePrefix + run + "_"
	}
	return databasePrefix
}

// databaseName returns a new name that shows the test it is for.
func databaseName(test string) string {
	readable := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '_'
	}, test)
	// PostgreSQL cuts names after 63 bytes.
	return fmt.Sprintf("%s%.24s_%s", namePrefix(), readable, strings.ToLower(rand.Text()[:12]))
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
