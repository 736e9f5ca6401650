package privacy_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/eventmap/eventmap/runtime/privacy"
)

// A counted store counts how often it is asked for keys.
type counted struct {
	privacy.KeyStore[tx]
	asked int
}

func (c *counted) FindKeys(ctx context.Context, t tx, q privacy.KeyQuery) ([]privacy.StoredKey, error) {
	c.asked++
	return c.KeyStore.FindKeys(ctx, t, q)
}

// A cache holds as many keys as it is told, and asks again for the others.
func TestWithCacheSize(t *testing.T) {
	t.Parallel()
	store := &counted{KeyStore: privacy.NewMemoryKeys[tx]()}
	made := privacy.NewKeys[tx](store, newWrapper(t))
	values := make([]privacy.Sealed, 20)
	for i := range values {
		values[i] = seal(t, made, fmt.Sprint("subject-", i), "Ada")
	}
	for size, want := range map[int]bool{2: true, len(values): false} {
		keys := privacy.NewKeys[tx](store, newWrapper(t), privacy.WithCacheSize(size))
		for _, v := range values {
			open(t, keys, v)
		}
		before := store.asked
		for _, v := range values {
			open(t, keys, v)
		}
		if again := store.asked > before; again != want {
			t.Errorf("a cache of %d of %d keys: asked again: %t, want %t", size, len(values), again, want)
		}
	}
}
