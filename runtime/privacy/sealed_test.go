package privacy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime/privacy"
)

// Whatever is done to a stored value, or with it, is an error that names the place and quotes nothing.
func TestOpen_attacks(t *testing.T) {
	t.Parallel()
	keys := newKeys(t)
	const secret = `"Ada Lovelace"`
	s, other := seal(t, keys, "ada", secret), seal(t, keys, "bob", `"x"`)
	ring, err := keys.ByID(t.Context(), tx{}, s.KeyID(), other.KeyID())
	if err != nil {
		t.Fatal(err)
	}
	changed := func(change func(data []byte) []byte) []byte {
		data, err := s.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var b privacy.Sealed
		if err := b.UnmarshalBinary(change(bytes.Clone(data))); err != nil {
			return nil // refused as it was read
		}
		text, err := b.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for name, value := range map[string][]byte{
		"tag":       changed(func(d []byte) []byte { d[len(d)-1] ^= 1; return d }),
		"text":      changed(func(d []byte) []byte { d[32] ^= 1; return d }),
		"nonce":     changed(func(d []byte) []byte { d[17] ^= 1; return d }),
		"truncated": changed(func(d []byte) []byte { return d[:len(d)-1] }),
		"longer":    changed(func(d []byte) []byte { return append(d, 0) }),
		"key":       changed(func(d []byte) []byte { id := other.KeyID(); copy(d[1:], id[:]); return d }),
	} {
		var sealed privacy.Sealed
		if err := sealed.UnmarshalJSON(value); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		refused(t, name, ring, place, sealed, secret)
	}
	for name, move := range map[string]func(*privacy.Place){
		"stream":    func(p *privacy.Place) { p.AggregateID = "8" },
		"aggregate": func(p *privacy.Place) { p.AggregateType = "Order" },
		"event":     func(p *privacy.Place) { p.EventID = uuid.New() },
		"type":      func(p *privacy.Place) { p.EventType = "Closed" },
		"version":   func(p *privacy.Place) { p.EventVersion = 2 },
		"field":     func(p *privacy.Place) { p.Field = "note" },
		// What one part loses, the next one gains.
		"boundary": func(p *privacy.Place) { p.AggregateType, p.AggregateID = "Account7", "" },
	} {
		at := place
		move(&at)
		refused(t, "moved to another "+name, ring, at, s, secret)
	}
	if _, err := ring.Seal(place, "carl", nil); err == nil {
		t.Error("a value was sealed for a subject whose key was not asked for")
	}
	for _, short := range [][]byte{nil, {1}, make([]byte, 44), append([]byte{2}, make([]byte, 60)...)} {
		if err := new(privacy.Sealed).UnmarshalBinary(short); !errors.Is(err, privacy.ErrIntegrity) {
			t.Errorf("%d bytes: %v", len(short), err)
		}
	}
}

func refused(t *testing.T, name string, ring *privacy.Ring, at privacy.Place, s privacy.Sealed, secret string) {
	t.Helper()
	plaintext, erased, err := ring.Open(at, s)
	if text, err := s.MarshalJSON(); err == nil {
		opened, erased, err := ring.Cipher().AppendOpened([]byte("before"), &at, text)
		if opened != nil || erased || !errors.Is(err, privacy.ErrIntegrity) {
			t.Errorf("%s: a cipher opens it as %q, erased %t, %v", name, opened, erased, err)
		}
	}
	var where *privacy.PlaceError
	if plaintext != nil || erased || !errors.Is(err, privacy.ErrIntegrity) || !errors.As(err, &where) || where.Place != at {
		t.Errorf("%s: %q, erased %t, %v; want ErrIntegrity that names the place", name, plaintext, erased, err)
	}
	if err != nil && strings.Contains(err.Error(), strings.Trim(secret, `"`)) {
		t.Errorf("%s: the error quotes the value: %v", name, err)
	}
}

// A value that is not sealed is never taken for one that is, nor quoted.
func TestSealed_clear(t *testing.T) {
	t.Parallel()
	for _, value := range []string{
		`"Ada Lovelace"`, `null`, `1`, `{}`, `[]`, ``, `{"$sealed":1}`, `{"$sealed":null}`, `{"$sealed":"AQ=="}`, `{"$sealed":"Ada Lovelace"}`,
		`{"$sealed":"` + strings.Repeat("A", 80) + `"}`, `{"$sealed":"AAAA","x":1}`, `{"x":1,"$sealed":"AAAA"}`, `{"$sealed":"AAAA"}{}`,
		`{"$Sealed":"AAAA"}`, `"{\"$sealed\":\"AAAA\"}"`, "{\"$sealed\":\"AA\nAA\"}", `{"$sealed":"AAAA`,
	} {
		err := new(privacy.Sealed).UnmarshalJSON([]byte(value))
		if !errors.Is(err, privacy.ErrIntegrity) || strings.Contains(err.Error(), "Ada") {
			t.Errorf("%s: %v, want ErrIntegrity that does not quote it", value, err)
		}
	}
	if _, err := json.Marshal(privacy.Sealed{}); err == nil {
		t.Error("the zero value can be stored")
	}
}

func TestAppendKeyIDs(t *testing.T) {
	t.Parallel()
	keys := newKeys(t)
	one, two := seal(t, keys, "ada", "1"), seal(t, keys, "bob", "2")
	payload, err := json.Marshal(map[string]any{"a": one, "b": two, "c": one, "d": `"$sealed":"AAAA`, "e": map[string]string{"$sealed": "x"}, "$sealed": 7})
	if err != nil {
		t.Fatal(err)
	}
	spaced := bytes.ReplaceAll(payload, []byte(":"), []byte(" :\n\t "))
	for _, text := range [][]byte{payload, spaced} {
		got := privacy.AppendKeyIDs(nil, text)
		if want := []uuid.UUID{one.KeyID(), two.KeyID(), one.KeyID()}; len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
			t.Errorf("keys of %s are %v, want %v", text, got, want)
		}
	}
}

// The parser takes any bytes: it ends, and what it takes is what is written again.
func FuzzSealed(f *testing.F) {
	keys := newKeys(f)
	good, err := seal(f, keys, "ada", `"Ada"`).MarshalJSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{ "$sealed" : "` + strings.Repeat("AQ", 40) + `" }`))
	f.Add([]byte(`{"a":{"$sealed":"AQ`))
	ring, err := keys.ForSubjects(f.Context(), tx{}, "ada")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		ids := privacy.AppendKeyIDs(nil, value)
		var s privacy.Sealed
		err := s.UnmarshalJSON(value)
		if err == nil && !privacy.IsSealed(value) {
			t.Fatal("a value is read that has not the form of a sealed one")
		}
		if err != nil {
			if !errors.Is(err, privacy.ErrIntegrity) {
				t.Fatal(err)
			}
			return
		}
		if !json.Valid(value) || len(ids) != 1 || ids[0] != s.KeyID() {
			t.Fatalf("read %q, whose keys are %v", value, ids)
		}
		again, err := s.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, value); err != nil || !bytes.Equal(compact.Bytes(), again) {
			t.Fatalf("read %q, wrote %q", value, again)
		}
		if plaintext, _, err := ring.Open(place, s); err == nil && !bytes.Equal(again, good) {
			t.Fatalf("another value than the one that was sealed opens as %q", plaintext)
		}
	})
}
