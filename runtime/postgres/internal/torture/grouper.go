package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// A grouper appends through the group until its shift is over.
type grouper struct{ writer }

func newGrouper(p Plan, number int, h *history) *grouper {
	return &grouper{writer{random: rand.New(rand.NewPCG(p.Seed, 1<<33+uint64(number))), streams: p.Streams, history: h}}
}

func (g *grouper) run(ctx context.Context, group *postgres.Group, over <-chan struct{}) error {
	for !isOver(over) && ctx.Err() == nil {
		if err := g.once(ctx, group); err != nil {
			return err
		}
		pause(ctx, time.Duration(g.random.IntN(10))*time.Millisecond)
	}
	return ctx.Err()
}

// once makes one append and notes how it ended. Where that is not known, an append at an exact version is made again until it
// is.
func (g *grouper) once(ctx context.Context, group *postgres.Group) error {
	stream := fmt.Sprint("stream-", g.random.IntN(g.streams))
	events := placed(stream, 1+g.random.IntN(3))
	expected := runtime.Any()
	if g.random.IntN(100) < 50 {
		read, err := group.ReadAggregateStream(ctx, group, aggregateType, stream, nil, nil)
		if err != nil {
			pause(ctx, 10*time.Millisecond) // the server is away
			return nil
		}
		expected = runtime.Exact(read.Version())
	}
	calling := ctx
	if g.random.IntN(100) < 10 {
		impatient, leave := context.WithTimeout(ctx, time.Duration(g.random.IntN(5000))*time.Microsecond)
		defer leave()
		calling = impatient
	}
	for sent := false; ; {
		_, err := group.Append(calling, group, expected, events)
		switch {
		case err == nil:
			g.history.note(acknowledged, events)
		case errors.Is(err, runtime.ErrOptimisticConcurrency):
			g.history.note(rolledBack, events)
		case sent && isFault(err), errors.Is(err, postgres.ErrUnknownOutcome) && !expected.IsAny():
			calling, sent = ctx, true
			pause(ctx, 10*time.Millisecond)
			continue
		case errors.Is(err, postgres.ErrUnknownOutcome):
			g.history.note(unknown, events)
		case isFault(err):
			g.history.note(rolledBack, events) // it was not sent, or the server has refused it
			pause(ctx, 10*time.Millisecond)
		default:
			return fmt.Errorf("grouper: %w", err)
		}
		return nil
	}
}
