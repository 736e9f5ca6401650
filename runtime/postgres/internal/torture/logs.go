package torture

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// RunLogs tortures a log that is moved into many by the migration of migrate-gen, while writers append to it: they begin with one log, and
// go over to hashed logs when the migration is committed, as a fleet does whose old release is refused. Groups and readers of the many
// logs begin then. Backends are terminated all the while, that of the migration too, which is run again until it has succeeded; and
// the server is stopped as by a crash behind the move.
func RunLogs(ctx context.Context, p Plan, logs int) (Report, error) {
	first, move, err := moveIntoMany(logs)
	if err != nil {
		return Report{}, err
	}
	stage, err := newStage(ctx, first, p.Writers+10, 2*logs+50)
	if err != nil {
		return Report{}, err
	}
	defer stage.close()
	many, err := postgres.NewLogsPool(postgres.HashedLogs(logs))
	if err != nil {
		return Report{}, err
	}
	group, err := postgres.NewGroup(stage.pool, postgres.HashedLogs(logs))
	if err != nil {
		return Report{}, err
	}

	var history history
	var release atomic.Pointer[postgres.Store[pgx.Tx]]
	one, err := postgres.New()
	if err != nil {
		return Report{}, err
	}
	release.Store(one)
	readers := make(map[string][]*reader) // of each log
	for i := range logs {
		name := strconv.Itoa(i)
		read := followed(many.Of(name))
		readers["eventmap, 16 logs"] = append(readers["eventmap, 16 logs"], &reader{name: name, read: read})
		readers["eventmap, 16 logs, restarted"] = append(readers["eventmap, 16 logs, restarted"], &reader{name: name, read: read, forgetful: true})
	}
	begin := time.Now()
	crew := newCrew(ctx)
	for w := range p.Writers {
		crew.work(&crew.writing, func(until context.Context) error {
			writer := newWriter(p, w, &history)
			writer.deploy = release.Load
			return writer.run(ctx, stage.pool, until.Done())
		})
	}
	crew.work(&crew.disturbing, func(until context.Context) error { return terminate(until, stage.server.URL("postgres"), p) })
	pause(ctx, p.Duration/3)
	if err := migrate(ctx, stage.tortured(), move); err != nil {
		return Report{}, errors.Join(err, crew.end())
	}
	spread, err := postgres.New(postgres.HashedLogs(logs))
	if err != nil {
		return Report{}, errors.Join(err, crew.end())
	}
	release.Store(spread)
	for w := range p.Groupers {
		crew.work(&crew.writing, func(until context.Context) error { return newGrouper(p, w, &history).run(ctx, group, until.Done()) })
	}
	for _, all := range readers {
		for _, r := range all {
			crew.work(&crew.reading, func(until context.Context) error { return r.run(ctx, until, stage.tortured()) })
		}
	}
	pause(ctx, p.Duration/3)
	if err := crash(stage.server, &history); err != nil {
		return Report{}, errors.Join(err, crew.end())
	}
	pause(ctx, p.Duration/3)
	crew.endWriting()
	if err := errors.Join(group.Close(ctx), crew.end()); err != nil {
		return Report{}, err
	}
	report, err := judge(ctx, stage.pool, &history, nil, time.Since(begin))
	if err != nil {
		return Report{}, err
	}
	stored, err := storedInLogs(ctx, stage.pool, logs)
	if err != nil {
		return Report{}, err
	}
	for name, all := range readers {
		sum := ReaderReport{Name: name}
		for i, r := range all {
			sum.add(r.judge(&history, stored[i]))
		}
		report.Readers = append(report.Readers, sum)
	}
	return report, postgres.Check(ctx, stage.pool, postgres.HashedLogs(logs))
}

// moveIntoMany returns the SQL of one log, and that which moves it into many.
func moveIntoMany(logs int) (first, move string, err error) {
	folder := migration.Folder{}
	for _, step := range []struct {
		tables design.Options
		from   string
	}{{design.Options{}, ""}, {design.Options{Logs: "hash", HashedLogs: logs}, "one-log"}} {
		d, designErr := step.tables.Design()
		writer, err := migration.NewWriter(migration.Options{Format: "golang-migrate", From: step.from})
		if err = errors.Join(designErr, err); err != nil {
			return "", "", err
		}
		files, err := writer.Next(d, folder)
		if err != nil {
			return "", "", err
		}
		first, move = move, ""
		for _, f := range files {
			folder[f.Path] = f.Content
			if strings.HasSuffix(f.Path, ".up.sql") && move == "" {
				move = string(f.Content)
			}
		}
	}
	return first, move, nil
}

// migrate runs a migration in one transaction until it has succeeded. It may be broken off, or find no lock in time. An answer that was lost
// may have been that it has succeeded.
func migrate(ctx context.Context, address, move string) error {
	for ctx.Err() == nil {
		var moved bool
		conn, err := pgx.Connect(ctx, address)
		if err == nil {
			err = conn.QueryRow(ctx, "select to_regclass('event_logs') is not null").Scan(&moved)
		}
		if err == nil && !moved {
			_, err = conn.Exec(ctx, "begin;"+move+";commit")
		}
		if conn != nil {
			_ = conn.Close(context.WithoutCancel(ctx))
		}
		switch {
		case err == nil:
			return nil
		case !isFault(err) && !isLockTimeout(err):
			return fmt.Errorf("move into many logs: %w", err)
		}
		pause(ctx, 20*time.Millisecond)
	}
	return ctx.Err()
}

// followed reads a log of many as its store does.
func followed(store *postgres.Store[*pgxpool.Pool]) func(ctx context.Context, pool *pgxpool.Pool, checkpoint int64) ([]sighting, error) {
	return func(ctx context.Context, pool *pgxpool.Pool, checkpoint int64) ([]sighting, error) {
		events, err := store.ReadEvents(ctx, pool, checkpoint, pageSize)
		return sightings(events), err
	}
}

// storedInLogs returns the events of each log. That a log has a gap is an error.
func storedInLogs(ctx context.Context, pool *pgxpool.Pool, logs int) ([]map[uuid.UUID]bool, error) {
	rows, err := pool.Query(ctx, "select log, global_position, event_id, aggregate_id from events order by log, global_position")
	if err != nil {
		return nil, err
	}
	stored := make([]map[uuid.UUID]bool, logs)
	for i := range stored {
		stored[i] = make(map[uuid.UUID]bool)
	}
	var log, stream string
	var position int64
	var id uuid.UUID
	_, err = pgx.ForEachRow(rows, []any{&log, &position, &id, &stream}, func() error {
		i := consumer.Segment(stream, logs)
		stored[i][id] = true
		if log != strconv.Itoa(i) || position != int64(len(stored[i])) {
			return fmt.Errorf("log %s has %s at position %d, and it is event %d of log %d: a gap, or the wrong log", log, stream, position, len(stored[i]), i)
		}
		return nil
	})
	return stored, err
}

// sightings are events as a reader met them.
func sightings(events []runtime.PersistedEvent) []sighting {
	now := time.Now()
	page := make([]sighting, len(events))
	for i, e := range events {
		page[i] = sighting{e.EventID, e.AggregateID, e.AggregateVersion, e.GlobalPosition, now}
	}
	return page
}
