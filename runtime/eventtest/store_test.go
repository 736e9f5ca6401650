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
	storetest.Run(t, storetest.Harness[struct{}]{
		Store: eventtest.NewStore[struct{}](),
		Begin: func(context.Context) (storetest.Transaction[struct{}], error) {
			return storetest.Transaction[struct{}]{Commit: nothing, Rollback: nothing}, nil
		},
		Without: []storetest.Ability{
			storetest.Transactions, storetest.ConcurrentWriters, storetest.StreamsAppender,
			storetest.SafePosition, storetest.StreamIterator, storetest.LogIterator,
		},
	})
}
