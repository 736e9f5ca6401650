package torture

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// straggle appends an event and commits it only after a reader has read past its position. A reader by position alone thus
// loses an event in every run, however the transactions of the writers happen to end.
func straggle(ctx context.Context, pool *pgxpool.Pool, passer *reader, h *history) error {
	store, err := postgres.New()
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		events, committing := placed("straggler", 1), false
		err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			result, err := store.Append(ctx, tx, runtime.Any(), events)
			if err != nil {
				return err
			}
			for position := result.Events[0].GlobalPosition; passer.checkpoint.Load() <= position; pause(ctx, time.Millisecond) {
				if err := tx.Conn().Ping(ctx); err != nil { // the backend was terminated, or the server crashed
					return err
				}
			}
			committing = true
			return nil
		})
		switch {
		case err == nil:
			h.note(acknowledged, events)
			return nil
		case !isFault(err):
			return fmt.Errorf("straggler: %w", err)
		case committing:
			h.note(unknown, events)
		default:
			h.note(rolledBack, events)
		}
		pause(ctx, 10*time.Millisecond)
	}
	return ctx.Err()
}
