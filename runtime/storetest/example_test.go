package storetest_test

import (
	"context"
	"testing"

	"github.com/eventmap/eventmap/runtime/eventtest"
	"github.com/eventmap/eventmap/runtime/storetest"
)

// The test of a store gives the suite the store, what begins a transaction, and what the store does without. This one is in
// memory.
func ExampleRun() {
	t := new(testing.T) // in a test, the one that it was given
	store := eventtest.NewStore[eventtest.NoTx]()
	storetest.Run(t, storetest.Harness[eventtest.NoTx]{
		Store: store,
		Begin: func(context.Context) (storetest.Transaction[eventtest.NoTx], error) {
			nothing := func(context.Context) error { return nil }
			return storetest.Transaction[eventtest.NoTx]{Commit: nothing, Rollback: nothing}, nil
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
