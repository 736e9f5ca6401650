package torture

import (
	"context"
	"fmt"
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
}

// run reads until reading has ended and nothing is left. Only the checkpoint is kept over a restart, and over a fault.
func (r *reader) run(ctx, reading context.Context, address string) error {
	checkpoint := int64(0)
	for restart := true; restart; {
		pool, err := connect(ctx, address, 1)
		if err != nil {
			return err
		}
		checkpoint, restart = r.follow(ctx, reading, pool, checkpoint)
		pool.Close()
	}
	return ctx.Err()
}

// follow reads until there is nothing left, or until it is time to forget everything but the checkpoint.
func (r *reader) follow(ctx, reading context.Context, pool *pgxpool.Pool, checkpoint int64) (int64, bool) {
	begin := time.Now()
	for ctx.Err() == nil {
		last := reading.Err() != nil
		page, err := r.read(ctx, pool, checkpoint)
		switch {
		case err != nil:
			pause(ctx, 10*time.Millisecond)
		case len(page) > 0:
			r.seen = append(r.seen, page...)
			checkpoint = page[len(page)-1].position
		case last:
			return checkpoint, false
		default:
			pause(ctx, 5*time.Millisecond)
		}
		if r.forgetful && !last && time.Since(begin) > time.Second {
			return checkpoint, true
		}
	}
	return checkpoint, false
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
