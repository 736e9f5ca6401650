// Api is an HTTP service on an eventmap store: orders and stock, with problem details, entity tags, idempotent requests, and
// a process that reacts to orders. README.md goes through it.
//
//	DATABASE_URL=postgres:///api go run . -migrate -listen localhost:8080
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/eventmap/eventmap/runtime/postgres"
)

//go:generate go tool eventmap-gen --input ./domain --output ./eventstore
//go:generate go tool migrate-gen --domain ./domain/... --append-only --strict --output ./migrations

//go:embed migrations/*.sql
var migrations embed.FS

//go:embed migrations/eventmap.schema.json
var record []byte // what the migrations come to

func main() {
	migrate := flag.Bool("migrate", false, "create the tables first; an application leaves that to its migration tool")
	address := flag.String("listen", "localhost:8080", "the address to serve at")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	listener, err := net.Listen("tcp", *address)
	if err == nil {
		err = run(ctx, os.Getenv("DATABASE_URL"), *migrate, listener)
	}
	stop()
	if err != nil {
		slog.Error("api", "err", err)
		os.Exit(1)
	}
}

// run serves requests and runs the process until ctx is done. Then it finishes what is under way and closes the listener.
func run(ctx context.Context, url string, migrate bool, listener net.Listener) error {
	defer func() { _ = listener.Close() }()
	if url == "" {
		return errors.New("DATABASE_URL is not set; it names the database to use")
	}
	pool, err := connect(ctx, url, migrate)
	if err != nil {
		return err
	}
	defer pool.Close()
	service, err := newService(pool)
	if err != nil {
		return err
	}
	runner, err := service.runner()
	if err != nil {
		return err
	}
	slog.Info("serving", "url", "http://"+listener.Addr().String())

	server := &http.Server{Handler: service.handler(), ReadHeaderTimeout: 10 * time.Second}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return runner.Run(ctx) })
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		return server.Shutdown(grace)
	})
	return group.Wait()
}

// connect opens the database, creates the tables if it is told to, and checks that every migration of this release was run.
func connect(ctx context.Context, url string, migrate bool) (*pgxpool.Pool, error) {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return nil, err
	}
	if migrate {
		err = createTables(ctx, pool)
	}
	if err == nil {
		err = postgres.Check(ctx, pool, postgres.WithRecord(record))
	}
	if err != nil {
		pool.Close()
		return nil, err
	}
	return pool, nil
}

// createTables runs the migrations in their order, which is that of their names.
func createTables(ctx context.Context, pool *pgxpool.Pool) error {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := migrations.ReadFile(file)
		if err != nil {
			return err
		}
		if _, err := pool.Exec(ctx, string(text)); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}
