package privacy_test

import (
	"errors"
	"testing"

	"github.com/eventmap/eventmap/runtime/privacy"
)

// A cipher gives what a ring gives, value after value, of several subjects, among them an erased one.
func TestCipher(t *testing.T) {
	t.Parallel()
	keys := newKeys(t)
	subjects := []string{"ada", "ada", "bob", "carl", "ada"}
	ring, err := keys.ForSubjects(t.Context(), tx{}, subjects...)
	if err != nil {
		t.Fatal(err)
	}
	cipher := ring.Cipher()
	var sealed [][]byte
	for i, subject := range subjects {
		at := place
		at.EventVersion = i
		value, err := cipher.AppendSealed([]byte("before "), &at, subject, []byte(subject+" is sealed"))
		if err != nil {
			t.Fatal(err)
		}
		sealed = append(sealed, value[len("before "):])
	}
	if _, err := cipher.AppendSealed(nil, &place, "nobody", nil); err == nil {
		t.Error("a value is sealed for a subject whose key was not asked for")
	}
	if err := keys.Forget(t.Context(), tx{}, "bob"); err != nil {
		t.Fatal(err)
	}
	ids := privacy.AppendKeyIDs(nil, []byte(string(sealed[0])+string(sealed[2])+string(sealed[3])))
	if ring, err = keys.ByID(t.Context(), tx{}, ids...); err != nil {
		t.Fatal(err)
	}
	cipher = ring.Cipher()
	for i, subject := range subjects {
		at := place
		at.EventVersion = i
		opened, erased, err := cipher.AppendOpened([]byte("before "), &at, sealed[i])
		want := "before " + subject + " is sealed"
		if subject == "bob" {
			want = "before "
		}
		if err != nil || string(opened) != want || erased != (subject == "bob") {
			t.Errorf("value %d of %s is %q, erased %t, %v", i, subject, opened, erased, err)
		}
		var one privacy.Sealed
		if err := one.UnmarshalJSON(sealed[i]); err != nil {
			t.Fatal(err)
		}
		if clear, erased, err := ring.Open(at, one); err != nil || "before "+string(clear) != want || erased != (subject == "bob") {
			t.Errorf("the ring opens value %d as %q, erased %t, %v", i, clear, erased, err)
		}
		at.EventVersion++
		var where *privacy.PlaceError
		if _, _, err := cipher.AppendOpened(nil, &at, sealed[i]); subject != "bob" && (!errors.Is(err, privacy.ErrIntegrity) || !errors.As(err, &where) || where.Place != at) {
			t.Errorf("value %d at another place: %v", i, err)
		}
	}
	if _, _, err := new(privacy.Ring).Cipher().AppendOpened(nil, &place, sealed[0]); err == nil {
		t.Error("a cipher without keys opens a value")
	}
	if _, _, err := cipher.AppendOpened(nil, &place, []byte(`"in clear"`)); !errors.Is(err, privacy.ErrIntegrity) {
		t.Errorf("a value in clear: %v", err)
	}
}
