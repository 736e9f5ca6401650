// Package torture runs the store against a server that is not kind to it, and counts what is lost.
//
// Writers append to few streams, some after writing another table, with pauses, rollbacks and savepoints, while a
// transaction in another database of the cluster writes for seconds at a time. Others append to the same streams through a
// group, some of them with little patience. Backends are terminated at random, and in
// the middle the server is stopped as by a crash and started again, with fsync on. Readers follow the log from their
// checkpoints, one of them forgetting everything else now and then; one reads as most stores do, by position alone, to
// show that the workload is a hard one. RunLogs does the same to a log that is moved into many meanwhile.
package torture

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// A Plan says how long and how hard.
type Plan struct {
	Duration time.Duration // of writing, without what the crash and the move take
	Writers  int           // which append in transactions
	Groupers int           // which append through a group that they share
	Streams  int
	Seed     uint64 // of all that is random, but for the timing
}

// Run tortures a store on a private server of its own and returns what was counted. An error means that it could not be
// done, not that something was lost.
func Run(ctx context.Context, p Plan) (Report, error) {
	server, err := pgtest.Launch(
		pgtest.Setting("fsync", "on"),
		pgtest.Setting("full_page_writes", "on"),
		pgtest.Setting("synchronous_commit", "on"),
		pgtest.Setting("max_connections", fmt.Sprint(p.Writers+40)),
	)
	if err != nil {
		return Report{}, err
	}
	defer func() { _ = server.Close() }()
	tables, err := migration.Schema(design.Options{})
	if err != nil {
		return Report{}, err
	}
	if err := prepare(ctx, server, tables); err != nil {
		return Report{}, err
	}
	pool, err := connect(ctx, server.URL("tortured"), int32(p.Writers)+10)
	if err != nil {
		return Report{}, err
	}
	defer pool.Close()

	var history history
	readers := []*reader{
		{name: "position > checkpoint", read: naively},
		{name: "eventmap", read: safely},
		{name: "eventmap, restarted", read: safely, forgetful: true},
	}
	// The writers stop first, then the readers when they have read what there is, and what disturbs them last of all.
	disturbed, calm := context.WithCancel(ctx)
	defer calm()
	reading, enough := context.WithCancel(ctx)
	defer enough()
	var writing, following, disturbing sync.WaitGroup
	group, err := postgres.NewGroup(pool)
	if err != nil {
		return Report{}, err
	}
	errs := make(chan error, p.Writers+p.Groupers+len(readers)+8)
	begin := time.Now()
	shift, endShift := context.WithCancel(ctx)
	defer endShift()
	for w := range p.Writers {
		writing.Go(func() { errs <- newWriter(p, w, &history).run(ctx, pool, shift.Done()) })
	}
	for w := range p.Groupers {
		writing.Go(func() { errs <- newGrouper(p, w, &history).run(ctx, group, shift.Done()) })
	}
	for _, r := range readers {
		following.Go(func() { errs <- r.run(ctx, reading, server.URL("tortured")) })
	}
	disturbing.Go(func() { errs <- writeElsewhere(disturbed, server.URL("elsewhere")) })
	disturbing.Go(func() { errs <- terminate(disturbed, server.URL("postgres"), p) })
	pause(ctx, p.Duration/2)
	if err := crash(server, &history); err != nil {
		return Report{}, err
	}
	pause(ctx, p.Duration/2)
	endShift()
	writing.Wait()
	if err := group.Close(ctx); err != nil {
		return Report{}, err
	}
	calm()
	disturbing.Wait()
	enough()
	following.Wait()
	close(errs)
	for e := range errs {
		err = errors.Join(err, e)
	}
	if err != nil {
		return Report{}, err
	}
	return judge(ctx, pool, &history, readers, time.Since(begin))
}

// prepare makes the two databases, one with the tables of a store.
func prepare(ctx context.Context, server *pgtest.Server, tables string) error {
	for _, database := range []string{"tortured", "elsewhere"} {
		if err := execute(ctx, server.URL("postgres"), "create database "+database); err != nil {
			return err
		}
	}
	if err := execute(ctx, server.URL("tortured"), tables); err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	for _, database := range []string{"tortured", "elsewhere"} {
		if err := execute(ctx, server.URL(database), "create table other (n bigint)"); err != nil {
			return err
		}
	}
	return nil
}

func execute(ctx context.Context, address, statement string) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, statement)
	return err
}

func connect(ctx context.Context, address string, connections int32) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, err
	}
	config.MaxConns = connections
	return pgxpool.NewWithConfig(ctx, config)
}

// pause waits for d or until ctx ends, whichever comes first.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
