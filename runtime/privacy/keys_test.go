package privacy_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime/privacy"
)

// tx is a transaction of the store in memory, which has none.
type tx struct{}

func newWrapper(t testing.TB) *privacy.LocalWrapper {
	t.Helper()
	w, err := privacy.NewLocalWrapper(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func newKeys(t testing.TB, opts ...privacy.Option) *privacy.Keys[tx] {
	t.Helper()
	return privacy.NewKeys[tx](privacy.NewMemoryKeys[tx](), newWrapper(t), opts...)
}

var place = privacy.Place{
	AggregateType: "Account", AggregateID: "7", EventID: uuid.MustParse("018f0000-0000-7000-8000-000000000001"),
	EventType: "Opened", EventVersion: 1, Field: "name",
}

func seal(t testing.TB, keys *privacy.Keys[tx], subject, text string) privacy.Sealed {
	t.Helper()
	ring, err := keys.ForSubjects(t.Context(), tx{}, subject)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ring.Seal(place, subject, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func open(t testing.TB, keys *privacy.Keys[tx], s privacy.Sealed) (string, bool) {
	t.Helper()
	ring, err := keys.ByID(t.Context(), tx{}, s.KeyID())
	if err != nil {
		t.Fatal(err)
	}
	plaintext, erased, err := ring.Open(place, s)
	if err != nil {
		t.Fatal(err)
	}
	return string(plaintext), erased
}

func TestKeys_sealAndOpen(t *testing.T) {
	t.Parallel()
	keys := newKeys(t)
	s := seal(t, keys, "ada", `"Ada Lovelace"`)
	if got, erased := open(t, keys, s); got != `"Ada Lovelace"` || erased {
		t.Errorf("opened %q, erased %t", got, erased)
	}
	if again := seal(t, keys, "ada", `"Ada Lovelace"`); again.KeyID() != s.KeyID() {
		t.Error("the subject has a second key")
	}
}

func TestForget(t *testing.T) {
	t.Parallel()
	keys := newKeys(t)
	ada, bob := seal(t, keys, "ada", "1"), seal(t, keys, "bob", "2")
	for range 2 { // again is no error
		if err := keys.Forget(t.Context(), tx{}, "ada", "nobody", "ada"); err != nil {
			t.Fatal(err)
		}
	}
	if got, erased := open(t, keys, ada); got != "" || !erased {
		t.Errorf("what was forgotten gives %q, erased %t", got, erased)
	}
	if got, _ := open(t, keys, bob); got != "2" {
		t.Errorf("the other subject gives %q", got)
	}
	for _, subject := range []string{"ada", "nobody"} {
		if _, err := keys.ForSubjects(t.Context(), tx{}, "bob", subject); !errors.Is(err, privacy.ErrForgotten) {
			t.Errorf("keys for %s: %v", subject, err)
		}
	}
	if err := keys.Readmit(t.Context(), tx{}, "ada", "bob"); err != nil {
		t.Fatal(err)
	}
	again := seal(t, keys, "ada", "3")
	if got, _ := open(t, keys, again); got != "3" || again.KeyID() == ada.KeyID() {
		t.Errorf("after Readmit got %q", got)
	}
	if _, erased := open(t, keys, ada); !erased {
		t.Error("Readmit brought the old key back")
	}
	if after := seal(t, keys, "bob", "4"); after.KeyID() != bob.KeyID() {
		t.Error("Readmit gave a key to who was not forgotten")
	}
}

func TestForget_reachesOtherCachesWithinTheTimeToLive(t *testing.T) {
	t.Parallel()
	now := time.Now()
	store, clock := privacy.NewMemoryKeys[tx](), privacy.WithClock(func() time.Time { return now })
	here := privacy.NewKeys[tx](store, newWrapper(t), clock)
	there := privacy.NewKeys[tx](store, newWrapper(t), clock, privacy.WithTTL(10*time.Second))
	s := seal(t, here, "ada", "1")
	seal(t, there, "ada", "1")
	if err := here.Forget(t.Context(), tx{}, "ada"); err != nil {
		t.Fatal(err)
	}
	if _, erased := open(t, there, s); erased {
		t.Error("the other process asks for what it has cached")
	}
	now = now.Add(10 * time.Second)
	if _, erased := open(t, there, s); !erased {
		t.Error("the other process reads after the time to live")
	}
	if _, err := there.ForSubjects(t.Context(), tx{}, "ada"); !errors.Is(err, privacy.ErrForgotten) {
		t.Errorf("the other process seals: %v", err)
	}
}

// away is a service that may not answer.
type away struct {
	privacy.KeyWrapper
	err   error
	calls int
}

func (a *away) Encrypt(ctx context.Context, plaintext []byte) ([]byte, error) {
	if a.calls++; a.err != nil {
		return nil, a.err
	}
	return a.KeyWrapper.Encrypt(ctx, plaintext)
}

func (a *away) Decrypt(ctx context.Context, ciphertext []byte) ([]byte, error) {
	if a.calls++; a.err != nil {
		return nil, a.err
	}
	return a.KeyWrapper.Decrypt(ctx, ciphertext)
}

func TestKeys_serviceAway(t *testing.T) {
	t.Parallel()
	store, service := privacy.NewMemoryKeys[tx](), &away{KeyWrapper: newWrapper(t)}
	s := seal(t, privacy.NewKeys[tx](store, service), "ada", "1")
	service.err = errors.New("connection refused")
	keys := privacy.NewKeys[tx](store, service)
	if _, err := keys.ByID(t.Context(), tx{}, s.KeyID()); !errors.Is(err, privacy.ErrUnavailable) || !errors.Is(err, service.err) {
		t.Errorf("ByID: %v", err)
	}
	if _, err := keys.ForSubjects(t.Context(), tx{}, "bob"); !errors.Is(err, privacy.ErrUnavailable) {
		t.Errorf("ForSubjects: %v", err)
	}
	service.err = nil
	if got, erased := open(t, keys, s); got != "1" || erased {
		t.Errorf("when it is back: %q, erased %t", got, erased)
	}
}

// The service is called for processes, not for subjects.
func TestKeys_callsOfTheService(t *testing.T) {
	t.Parallel()
	store, service := privacy.NewMemoryKeys[tx](), &away{KeyWrapper: newWrapper(t)}
	var ids []uuid.UUID
	maker := privacy.NewKeys[tx](store, service)
	for _, subject := range []string{"a", "b", "c", "d"} {
		ids = append(ids, seal(t, maker, subject, "1").KeyID())
	}
	if service.calls != 1 {
		t.Errorf("four keys took %d calls", service.calls)
	}
	if _, err := privacy.NewKeys[tx](store, service).ByID(t.Context(), tx{}, ids...); err != nil || service.calls != 2 {
		t.Errorf("reading them took %d calls more, %v", service.calls-1, err)
	}
}
