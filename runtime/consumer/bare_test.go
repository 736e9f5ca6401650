package consumer_test

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/eventmap/eventmap/runtime"
)

// bareTable is where bare loops keep how far they are.
const bareTable = "create table bare (segment int primary key, position bigint not null)"

// bareBatch is the least one writes without a library: it reads a batch of a segment after a position, handles it and notes
// the position, in one transaction. It returns how many events there were, and the new position. It knows nothing of appends
// in flight, whose events it loses, nor of another process that does the same.
func bareBatch(ctx context.Context, pool *pgxpool.Pool, segment, segments int, position int64, handle func(context.Context, pgx.Tx, runtime.PersistedEvent) error) (n int, last int64, err error) {
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		mine := "$3::int = 0"
		if segments > 1 {
			mine = "('x' || encode(substring(sha256(convert_to(aggregate_id, 'UTF8')) for 4), 'hex'))::bit(32)::bigint % " + fmt.Sprint(segments) + " = $3::int"
		}
		rows, err := tx.Query(ctx, `select global_position, created_at, event_id, aggregate_version, event_version, aggregate_type,
			aggregate_id, event_type, payload, metadata, trace_id, correlation_id, causation_id
			from events where global_position > $1 and `+mine+` order by global_position limit $2`, position, 500, segment)
		if err != nil {
			return err
		}
		events, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (p runtime.PersistedEvent, err error) {
			return p, r.Scan(&p.GlobalPosition, &p.CreatedAt, &p.EventID, &p.AggregateVersion, &p.EventVersion, &p.AggregateType,
				&p.AggregateID, &p.EventType, &p.Payload, &p.Metadata, &p.TraceID, &p.CorrelationID, &p.CausationID)
		})
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := handle(ctx, tx, e); err != nil {
				return err
			}
			position = e.GlobalPosition
		}
		n = len(events)
		_, err = tx.Exec(ctx, "update bare set position = $1 where segment = $2", position, segment)
		return err
	})
	return n, position, err
}

// bareLoops drives so many segments from the first on, each in a loop of its own, until ctx is done.
func bareLoops(ctx context.Context, pool *pgxpool.Pool, first, workers, segments int, handle func(context.Context, pgx.Tx, runtime.PersistedEvent) error) error {
	var group errgroup.Group
	for segment := first; segment < first+workers; segment++ {
		group.Go(func() error {
			if _, err := pool.Exec(ctx, "insert into bare values ($1, 0)", segment); err != nil {
				return err
			}
			position := int64(0)
			for ctx.Err() == nil {
				n, last, err := bareBatch(ctx, pool, segment, segments, position, handle)
				position = last
				if err != nil && ctx.Err() == nil {
					return err
				}
				if n == 0 {
					sleepFor(ctx, 10*time.Millisecond)
				}
			}
			return nil
		})
	}
	return group.Wait()
}
