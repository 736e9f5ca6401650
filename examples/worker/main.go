// Worker is a process that runs consumers and nothing else. It sends a mail for each event, which takes a while and cannot be
// undone, so it matters how the process ends:
//
//	DATABASE_URL=postgres:///shop go run . -takes 200ms
//
// When it is told to stop, by SIGTERM or ctrl-c, it finishes the mail in hand, commits what it has done, and ends with exit
// code 0. A mail that takes longer than the grace period is broken off, and sent again by whoever comes next. A second signal
// ends the process at once, as SIGKILL does: then mails since the last commit are sent again.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
)

func main() {
	takes := flag.Duration("takes", 200*time.Millisecond, "how long a mail takes")
	grace := flag.Duration("grace", 10*time.Second, "how long a mail may go on after a signal; the process must be left alive for longer")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // so that a second signal ends the process
	if err := run(ctx, os.Getenv("DATABASE_URL"), *grace, mails{os.Stdout, *takes}); err != nil {
		slog.Error("worker", "err", err)
		os.Exit(1)
	}
}

// run runs the consumers until ctx is done and nothing is under way any more.
func run(ctx context.Context, url string, grace time.Duration, mails mails) error {
	if url == "" {
		return errors.New("DATABASE_URL is not set; it names the database to use")
	}
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := postgres.Check(ctx, pool); err != nil {
		return err
	}
	db, err := postgres.NewConsumers(pool)
	if err != nil {
		return err
	}
	runner, err := consumer.New(db, consumer.Config{StopGrace: grace}, consumer.Registration[pgx.Tx]{
		Consumer: mails,
		// Mails that were sent and not committed are sent again after a crash, so little may be in between.
		BatchTime: time.Second,
	})
	if err != nil {
		return err
	}
	return runner.Run(ctx)
}

// mails sends a mail for each event.
type mails struct {
	out   io.Writer
	takes time.Duration
}

func (mails) Name() string { return "mails" }

// Handle sends a mail. Its event ID is the key by which the mail server would know it again.
func (m mails) Handle(ctx context.Context, _ pgx.Tx, e runtime.PersistedEvent) error {
	_, _ = fmt.Fprintf(m.out, "sending %d\n", e.GlobalPosition)
	select {
	case <-time.After(m.takes):
	case <-ctx.Done():
		return ctx.Err()
	}
	_, _ = fmt.Fprintf(m.out, "sent %d as %s\n", e.GlobalPosition, e.EventID)
	return nil
}
