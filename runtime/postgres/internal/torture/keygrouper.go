package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// group appends through a group until there are events enough, with a cache of keys of its own. A key is committed before what
// it seals, so it may be forgotten in between: then nobody reads that event, as is meant.
func (t *keyTorture) group(ctx context.Context, group *postgres.Group, number int) error {
	random := rand.New(rand.NewPCG(t.plan.Seed, 1<<21+uint64(number)))
	rows, err := postgres.NewKeyStoreGroup()
	if err != nil {
		return err
	}
	wrapper, err := newWrapper()
	if err != nil {
		return err
	}
	keys := privacy.NewKeys(rows, wrapper, privacy.WithTTL(keyTTL))
	for !t.isDone() && ctx.Err() == nil {
		stored, err := t.groupOnce(ctx, group, keys, random)
		if err == nil {
			t.note(stored)
			t.count(&t.report.Grouped)
		}
		if err := t.end(ctx, err); err != nil {
			return fmt.Errorf("grouper: %w", err)
		}
		pause(ctx, time.Duration(random.IntN(10))*time.Millisecond)
	}
	return ctx.Err()
}

// groupOnce makes one append. Where nobody knows how it ended, it is made again until somebody does.
func (t *keyTorture) groupOnce(
	ctx context.Context, group *postgres.Group, keys *privacy.Keys[*postgres.Group], random *rand.Rand,
) ([]sealedEvent, error) {
	subjects := t.subjects(random)
	ring, err := keys.ForSubjects(ctx, group, subjects...)
	if err != nil {
		return nil, err
	}
	events, sealed, err := seal(ring, subjects, random)
	if err != nil {
		return nil, err
	}
	for sent := false; ; {
		_, err := group.Append(ctx, group, runtime.NoStream(), events)
		switch {
		case err == nil:
			return sealed, nil
		case errors.Is(err, postgres.ErrUnknownOutcome), sent && isFault(err):
			sent = true
		default:
			return nil, err
		}
		pause(ctx, 10*time.Millisecond)
	}
}
