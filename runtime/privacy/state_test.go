package privacy_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime/privacy"
)

var statePlace = privacy.StatePlace{AggregateType: "Account", AggregateID: "7", Fingerprint: "f", Version: 9}

func TestState(t *testing.T) {
	t.Parallel()
	keys := newKeys(t)
	ada, bob := seal(t, keys, "ada", "1").KeyID(), seal(t, keys, "bob", "2").KeyID()
	ring := func() *privacy.Ring {
		r, err := keys.ByID(t.Context(), tx{}, ada, bob)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	sealed, used, err := ring().SealState(statePlace, []uuid.UUID{bob, ada, bob}, []byte("state"))
	if err != nil || len(used) != 2 {
		t.Fatalf("keys %v, %v", used, err)
	}
	if ids, err := privacy.StateKeyIDs(sealed); err != nil || !slices.Equal(ids, used) {
		t.Errorf("the state names the keys %v, %v; want %v", ids, err, used)
	}
	if got, erased, err := ring().OpenState(statePlace, sealed); string(got) != "state" || erased || err != nil {
		t.Errorf("opened %q, erased %t, %v", got, erased, err)
	}
	for name, change := range map[string]func(p *privacy.StatePlace, s []byte) []byte{
		"stream":      func(p *privacy.StatePlace, s []byte) []byte { p.AggregateID = "8"; return s },
		"version":     func(p *privacy.StatePlace, s []byte) []byte { p.Version++; return s },
		"fingerprint": func(p *privacy.StatePlace, s []byte) []byte { p.Fingerprint = "g"; return s },
		"tag":         func(_ *privacy.StatePlace, s []byte) []byte { s[len(s)-1] ^= 1; return s },
		"count":       func(_ *privacy.StatePlace, s []byte) []byte { s[4] = 1; return s },
		"huge count":  func(_ *privacy.StatePlace, s []byte) []byte { s[1] = 255; return s },
		"no keys":     func(_ *privacy.StatePlace, s []byte) []byte { s[4] = 0; return s },
		"truncated":   func(_ *privacy.StatePlace, s []byte) []byte { return s[:40] },
		"clear":       func(*privacy.StatePlace, []byte) []byte { return []byte(`{"Name":"Ada"}`) },
	} {
		at := statePlace
		changed := change(&at, slices.Clone(sealed))
		if got, erased, err := ring().OpenState(at, changed); got != nil || erased || !errors.Is(err, privacy.ErrIntegrity) {
			t.Errorf("another %s: %q, erased %t, %v; want ErrIntegrity", name, got, erased, err)
		}
	}
	if err := keys.Forget(t.Context(), tx{}, "bob"); err != nil {
		t.Fatal(err)
	}
	if got, erased, err := ring().OpenState(statePlace, sealed); got != nil || !erased || err != nil {
		t.Errorf("after one subject was forgotten: %q, erased %t, %v", got, erased, err)
	}
	_, used, err = ring().SealState(statePlace, []uuid.UUID{ada, bob}, []byte("state"))
	if err != nil || !slices.Equal(used, []uuid.UUID{ada}) {
		t.Errorf("a state with an erased key uses %v, %v", used, err)
	}
	if _, _, err := ring().SealState(statePlace, []uuid.UUID{bob}, nil); err == nil {
		t.Error("a state was sealed with no key")
	}
}
