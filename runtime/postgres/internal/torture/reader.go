package torture

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime/postgres"
)

// pageSize is how many events a reader asks for at once.
const pageSize = 500

// A sighting is an event as a reader met it.
type sighting struct {
	id       uuid.UUID
	stream   string
	version  int64
	position int64
	at       time.Time
}

// A reader follows the log from a checkpoint.
type reader struct {
	name      string
	read      func(ctx context.Context, pool *pgxpool.Pool, checkpoint int64) ([]sighting, error)
	forgetful bool // it is restarted from its checkpoint now and then
	seen      []sighting

	checkpoint atomic.Int64 // all that it keeps over a restart, and over a fault
}

// run reads until reading has ended and nothing is left.
func (r *reader) run(ctx, reading context.Context, address string) error {
	for restart := true; restart; {
		pool, err := connect(ctx, address, 1)
		if err != nil {
			return err
		}
		restart = r.follow(ctx, reading, pool)
		pool.Close()
	}
	return ctx.Err()
}

// follow reads until there is nothing left, or until it is time to forget everything but the checkpoint.
func (r *reader) follow(ctx, reading context.Context, pool *pgxpool.Pool) (restart bool) {
	begin := time.Now()
	for ctx.Err() == nil {
		last := reading.Err() != nil
		page, err := r.read(ctx, pool, r.checkpoint.Load())
		switch {
		case err != nil:
			pause(ctx, 10*time.Millisecond)
		case len(page) > 0:
			r.seen = append(r.seen, page...)
			r.checkpoint.Store(page[len(page)-1].position)
		case last:
			return false
		default:
			pause(ctx, 5*time.Millisecond)
		}
		if r.forgetful && !last && time.Since(begin) > time.Second {
			return true
		}
	}
	return false
}

// safely reads as the store does.
func safely(ctx context.Context, pool *pgxpool.Pool, checkpoint int64) ([]sighting, error) {
	store, err := postgres.NewPool()
	if err != nil {
		return nil, err
	}
	events, err := store.ReadEvents(ctx, pool, checkpoint, pageSize)
	return sightings(events), err
}

// naively reads what is visible after the checkpoint, as if positions became visible in their order.
func naively(ctx context.Context, pool *pgxpool.Pool, checkpoint int64) ([]sighting, error) {
	rows, err := pool.Query(ctx, fmt.Sprint(`select event_id, aggregate_id, aggregate_version, global_position from events
		where global_position > $1 order by global_position limit `, pageSize), checkpoint)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (s sighting, err error) {
		s.at = time.Now()
		return s, row.Scan(&s.id, &s.stream, &s.version, &s.position)
	})
}
