package keystest_test

import (
	"context"
	"testing"

	"github.com/eventmap/eventmap/runtime/privacy"
	"github.com/eventmap/eventmap/runtime/privacy/keystest"
	"github.com/eventmap/eventmap/runtime/storetest"
)

func TestMemoryKeys(t *testing.T) {
	t.Parallel()
	none := func(context.Context) error { return nil }
	keystest.Run(t, keystest.Harness[struct{}]{
		Store: privacy.NewMemoryKeys[struct{}](),
		Begin: func(context.Context) (storetest.Transaction[struct{}], error) {
			return storetest.Transaction[struct{}]{Commit: none, Rollback: none}, nil
		},
		Without: []storetest.Ability{storetest.Transactions, storetest.ConcurrentWriters},
	})
}
