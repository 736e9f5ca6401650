package privacy_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/eventmap/eventmap/runtime/privacy"
)

// Whatever is printed, logged or encoded by mistake shows no key and nothing in clear.
func TestPrint_showsNoSecret(t *testing.T) {
	t.Parallel()
	const person = "Ada Lovelace"
	const clear = `"` + person + `"`
	wrapper, err := privacy.NewLocalWrapper(bytes.Repeat([]byte{'k'}, 32))
	if err != nil {
		t.Fatal(err)
	}
	keys := privacy.NewKeys[tx](privacy.NewMemoryKeys[tx](), wrapper)
	value := seal(t, keys, "ada", clear)
	if got, _ := open(t, keys, value); got != clear {
		t.Fatal(got)
	}
	ring, err := keys.ForSubjects(t.Context(), tx{}, "ada")
	if err != nil {
		t.Fatal(err)
	}
	cipher := ring.Cipher()
	text, err := cipher.AppendSealed(nil, &place, "ada", []byte(clear))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := cipher.AppendOpened(nil, &place, text); err != nil {
		t.Fatal(err)
	}
	// Bytes of the value and of the wrapper's secret, and two words of that in an expanded key.
	secrets := slices.Concat(printedForms(person), printedForms(clear), printedForms(strings.Repeat("k", 12)),
		[]string{"1802201963 1802201963", "6b6b6b6b 6b6b6b6b", "0x6b6b6b6b, 0x6b6b6b6b"})
	for name, printed := range map[string]any{
		"keys": keys, "keys' value": *keys, "ring": ring, "ring's value": *ring, "cipher": cipher, "cipher's value": *cipher,
		"wrapper": wrapper, "wrapper's value": *wrapper, "value": value,
	} {
		var all bytes.Buffer
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
			fmt.Fprintf(&all, format+"\n", printed)
		}
		encoded, _ := json.Marshal(printed) // an error is fine
		all.Write(encoded)
		slog.New(slog.NewTextHandler(&all, nil)).Info("text", "value", printed)
		slog.New(slog.NewJSONHandler(&all, nil)).Info("json", "value", printed)
		for _, secret := range secrets {
			if at := strings.Index(all.String(), secret); at >= 0 {
				t.Errorf("the %s is printed with %q: %s", name, secret, all.String()[max(0, at-80):min(all.Len(), at+80)])
			}
		}
	}
}

// printedForms returns how bytes look in what is printed. Twelve bytes and more are in no sealed value by chance, which is
// printed in the same forms.
func printedForms(secret string) []string {
	b := []byte(secret)
	inGo := strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", b), "[]byte{"), "}")
	return []string{
		secret, fmt.Sprintf("%x", b), strings.Trim(fmt.Sprintf("%d", b), "[]"), inGo, base64.StdEncoding.EncodeToString(b),
	}
}
