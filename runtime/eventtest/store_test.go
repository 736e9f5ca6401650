package eventtest_test

import (
	"context"
	"testing"

	"github.com/eventmap/eventmap/runtime/eventtest"
	"github.com/eventmap/eventmap/runtime/storetest"
)

func TestStore_keepsTheContract(t *testing.T) {
	t.Parallel()
	nothing := func(context.Context) error { return nil }
	store := eventtest.NewStore[struct{}]()
	storetest.Run(t, storetest.Harness[struct{}]{
		Store: store,
		Begin: func(context.Context) (storetest.Transaction[struct{}], error) {
			return storetest.Transaction[struct{}]{Commit: nothing, Rollback: nothing}, nil
		},
		Remove: func(_ context.Context, aggregateType, aggregateID string, from, to int64) error {
			store.Remove(aggregateType, aggregateID, from, to)
			return nil
		},
		Without: []storetest.Ability{
			storetest.Transactions, storetest.ConcurrentWriters,
			storetest.SafePosition, storetest.StreamIterator, storetest.LogIterator,
		},
	})
}
