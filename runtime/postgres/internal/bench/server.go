package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/pgtest"
)

// A server is where databases to measure in are made.
type server struct {
	*pgtest.Server
	made int
}

func newServer(durable bool) (*server, error) {
	if address := os.Getenv("DATABASE_URL"); address != "" {
		return &server{Server: pgtest.Connect(address)}, nil
	}
	settings := []pgtest.Option{
		pgtest.Setting("shared_buffers", "1GB"),
		pgtest.Setting("max_wal_size", "8GB"),
		pgtest.Setting("autovacuum", "on"),
	}
	if durable {
		settings = append(settings, pgtest.Setting("fsync", "on"), pgtest.Setting("full_page_writes", "on"))
	}
	s, err := pgtest.Launch(settings...)
	if err != nil {
		return nil, err
	}
	return &server{Server: s}, nil
}

func (s *server) close() { _ = s.Close() }

// describe prints what the figures are measured on.
func (s *server) describe(ctx context.Context, durable bool) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	version, disk := conn.PgConn().ParameterStatus("server_version"), "fsync on"
	if !durable {
		disk = "fsync off"
	}
	fmt.Printf("machine: PostgreSQL %s, %s\nmachine: %s, %d processors\n", version, disk, runtime.Version(), runtime.NumCPU())
	return nil
}

// database makes a database with the standard tables and returns a pool on it, and what drops it.
func (s *server) database(ctx context.Context) (*pgxpool.Pool, func(), error) {
	admin, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = admin.Close(ctx) }()
	s.made++
	name := fmt.Sprintf("bench_%d_%d", os.Getpid(), s.made)
	if _, err := admin.Exec(ctx, "create database "+name); err != nil {
		return nil, nil, err
	}
	pool, err := s.open(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	return pool, func() {
		pool.Close()
		s.drop(name)
	}, nil
}

func (s *server) open(ctx context.Context, name string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(s.URL(name))
	if err != nil {
		return nil, err
	}
	config.MaxConns = 40
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	if err := createTables(ctx, pool, ""); err != nil {
		return nil, err
	}
	return pool, nil
}

// createTables creates the standard tables, in the named schema or, for none, where the search_path leads.
func createTables(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	tables, err := migration.Schema(design.Options{Schema: schema, Snapshots: true, SubjectKeys: "here"})
	if err != nil {
		return err
	}
	if _, err := pool.Exec(ctx, tables); err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	return nil
}

// drop removes a database; what is left behind on a private server goes with that.
func (s *server) drop(name string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	admin, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return
	}
	defer func() { _ = admin.Close(ctx) }()
	_, _ = admin.Exec(ctx, "drop database if exists "+name+" with (force)")
}
