// Package torture runs the store against a server that is not kind to it, and counts what is lost.
//
// Writers append to few streams, some after writing another table, with pauses, rollbacks and savepoints, while a
// transaction in another database of the cluster writes for seconds at a time. Others append to the same streams through a
// group, some of them with little patience. Backends are terminated at random, and in
// the middle the server is stopped as by a crash and started again, with fsync on. Readers follow the log from their
// checkpoints, one of them forgetting everything else now and then; one reads as most stores do, by position alone, to
// show that the workload is a hard one: at the end an append is held open until that reader has passed it. RunLogs does the same to a log that is moved into many meanwhile.
package torture

import (
	"context"
	"errors"
	"time"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
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
	tables, err := migration.Schema(design.Options{})
	if err != nil {
		return Report{}, err
	}
	stage, err := newStage(ctx, tables, p.Writers+10, 30)
	if err != nil {
		return Report{}, err
	}
	defer stage.close()
	group, err := postgres.NewGroup(stage.pool)
	if err != nil {
		return Report{}, err
	}

	var history history
	naive := &reader{name: "position > checkpoint", read: naively}
	readers := []*reader{
		naive,
		{name: "eventmap", read: safely},
		{name: "eventmap, restarted", read: safely, forgetful: true},
	}
	begin := time.Now()
	crew := newCrew(ctx)
	for w := range p.Writers {
		crew.work(&crew.writing, func(until context.Context) error { return newWriter(p, w, &history).run(ctx, stage.pool, until.Done()) })
	}
	for w := range p.Groupers {
		crew.work(&crew.writing, func(until context.Context) error { return newGrouper(p, w, &history).run(ctx, group, until.Done()) })
	}
	for _, r := range readers {
		crew.work(&crew.reading, func(until context.Context) error { return r.run(ctx, until, stage.tortured()) })
	}
	crew.work(&crew.disturbing, func(until context.Context) error { return writeElsewhere(until, stage.server.URL("elsewhere")) })
	crew.work(&crew.disturbing, func(until context.Context) error { return terminate(until, stage.server.URL("postgres"), p) })
	pause(ctx, p.Duration/2)
	if err := crash(stage.server, &history); err != nil {
		return Report{}, errors.Join(err, crew.end())
	}
	pause(ctx, p.Duration/2)
	if err := straggle(ctx, stage.pool, naive, &history); err != nil {
		return Report{}, errors.Join(err, crew.end())
	}
	crew.endWriting()
	if err := errors.Join(group.Close(ctx), crew.end()); err != nil {
		return Report{}, err
	}
	return judge(ctx, stage.pool, &history, readers, time.Since(begin))
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
