// Package keepertest runs runtime/privacy with a real keeper of gocloud.dev/secrets. It is a module of its own, so that nobody
// who uses eventmap downloads that.
package keepertest

import (
	"context"
	"errors"
	"testing"

	"gocloud.dev/secrets"
	_ "gocloud.dev/secrets/localsecrets"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime/privacy"
)

// A keeper is taken as it is, without an adapter.
var _ privacy.KeyWrapper = (*secrets.Keeper)(nil)

var place = privacy.Place{
	AggregateType: "Account", AggregateID: "7", EventID: uuid.Max, EventType: "Opened", EventVersion: 1, Field: "name",
}

// keeper opens a keeper by a URL, as a program does for any of the services.
func keeper(t *testing.T, url string) *secrets.Keeper {
	t.Helper()
	k, err := secrets.OpenKeeper(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

const (
	firstURL  = "base64key://smGbjm71Nxd1Ig5FS0wj9SlbzAIrnolCz9bQQ6uAhl4="
	secondURL = "base64key://c2VjcmV0cyBhcmUgMzIgYnl0ZXMsIGxpa2UgdGhpcy4="
)

func open(t *testing.T, keys *privacy.Keys[struct{}], value privacy.Sealed) (string, error) {
	t.Helper()
	ring, err := keys.ByID(t.Context(), struct{}{}, value.KeyID())
	if err != nil {
		return "", err
	}
	plaintext, _, err := ring.Open(place, value)
	return string(plaintext), err
}

func TestKeeper(t *testing.T) {
	t.Parallel()
	first, second := keeper(t, firstURL), keeper(t, secondURL)
	t.Cleanup(func() { _ = second.Close() })
	store := privacy.NewMemoryKeys[struct{}]()
	keys := privacy.NewKeys(store, first, privacy.WithWrapperName("first"))
	ring, err := keys.ForSubjects(t.Context(), struct{}{}, "customer-17")
	if err != nil {
		t.Fatal(err)
	}
	value, err := ring.Seal(place, "customer-17", []byte(`"Ada"`))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := open(t, privacy.NewKeys(store, first, privacy.WithWrapperName("first")), value); got != `"Ada"` || err != nil {
		t.Errorf("another process opens %q, %v", got, err)
	}

	// The key of the service is changed for another one.
	both := privacy.NewKeys(store, second, privacy.WithWrapperName("second"), privacy.WithOldWrapper("first", first))
	if n, err := both.Rewrap(t.Context(), struct{}{}, 100); n != 1 || err != nil {
		t.Fatalf("wrapped %d keys anew, %v", n, err)
	}
	after := privacy.NewKeys(store, second, privacy.WithWrapperName("second"))
	if got, err := open(t, after, value); got != `"Ada"` || err != nil {
		t.Errorf("with the new key it opens %q, %v", got, err)
	}

	// The wrong key, and a keeper that is closed, are trouble of the service. Neither is ever taken for an erased value.
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	for name, k := range map[string]*secrets.Keeper{"closed": first, "of another key": keeper(t, firstURL)} {
		got, err := open(t, privacy.NewKeys(store, k, privacy.WithWrapperName("second")), value)
		if got != "" || !errors.Is(err, privacy.ErrUnavailable) {
			t.Errorf("a keeper that is %s: %q, %v; want ErrUnavailable", name, got, err)
		}
	}

	if err := both.Forget(context.Background(), struct{}{}, "customer-17"); err != nil {
		t.Fatal(err)
	}
	if got, err := open(t, privacy.NewKeys(store, second), value); got != "" || err != nil {
		t.Errorf("what was forgotten opens as %q, %v", got, err)
	}
}
