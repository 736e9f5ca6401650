package eventtest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/eventtest"
	"github.com/eventmap/eventmap/runtime/mapping"
)

type placed struct {
	Customer string           `json:"customer"`
	Cents    int32            `json:"cents,omitempty"`
	Items    []item           `json:"items"`
	Notes    map[string]*item `json:"notes"`
	Colour   paint            `json:"colour"`
}

type item struct {
	SKU    string `json:"sku"`
	Colour paint  `json:"colour"`
}

// paint refuses its zero.
type paint string

func (c paint) MarshalText() ([]byte, error) {
	if c != "red" && c != "1" {
		return nil, fmt.Errorf("no colour %q", string(c))
	}
	return []byte(c), nil
}

func (c *paint) UnmarshalText(text []byte) error {
	*c = paint(text)
	_, err := c.MarshalText()
	return err
}

func toPlaced(aggregateType, aggregateID string, e placed, opts ...runtime.Option) (runtime.Event, error) {
	return mapping.Encode(mapping.NewEncoder(mapping.NewSettings(opts...), aggregateType, aggregateID), "Order", "Placed", 1, &e)
}

func fromPlaced(e runtime.PersistedEvent, opts ...runtime.Option) (placed, error) {
	return mapping.DecodeAs[placed](mapping.CodecOf(opts...), &e, "Order", "Placed", 1)
}

// failure records why a test failed.
type failure struct {
	testing.TB
	said strings.Builder
}

func (f *failure) Helper()                           {}
func (f *failure) Errorf(format string, args ...any) { fmt.Fprintf(&f.said, format, args...) }
func (f *failure) Fatal(args ...any)                 { f.Fatalf("%s", fmt.Sprint(args...)) }
func (f *failure) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	goruntime.Goexit()
}

// payload runs [eventtest.Payload] and returns what it says: nothing if it passes.
func payload(t *testing.T, file string) string {
	t.Helper()
	f := failure{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		eventtest.Payload(&f, file, "Order", toPlaced, fromPlaced)
	}()
	<-done
	return f.said.String()
}

func TestPayload(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, payload, want string }{
		{"read whole", `{"customer":"c","cents":5,"items":[{"sku":"a","colour":"red"}]}`, ""},
		{"what it leaves out is taken from a sample", `{"customer":"c","items":[{"sku":"a"}]}`, ""},
		{"numbers by value", `{"customer":"c","cents":5}`, ""},
		{"empty members may be left out", `{"cents":0,"items":null,"old":null,"gone":[],"none":{"x":false}}`, ""},
		{"member that is gone", `{"customer":"c","email":"e"}`, `email was "e", and is gone`},
		{"member of an element", `{"items":[{"sku":"a","price":5}]}`, "items[0].price was 5, and is gone"},
		{"member of a map's element", `{"notes":{"k":{"price":5,"colour":"red"}}}`, "notes.k.price was 5, and is gone"},
		{"another type", `{"customer":5}`, "cannot unmarshal number into Go struct field placed.customer of type string"},
		{"too large", `{"cents":9999999999}`, "cannot unmarshal number 9999999999 into Go struct field placed.cents of type int32"},
		{"refused", `{"colour":"mauve"}`, `no colour "mauve"`},
		{"no JSON", `{"customer":`, "cannot be read any more"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "Placed.v1.json")
			if err := os.WriteFile(file, []byte(tt.payload), 0o600); err != nil {
				t.Fatal(err)
			}
			got := payload(t, file)
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if tt.want != "" && (!strings.Contains(got, file) || !strings.Contains(got, "upcaster")) {
				t.Errorf("got %q, want it to name the file and what to do", got)
			}
		})
	}
}

func TestPayload_missingFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "Placed.v1.json")
	if got := payload(t, file); !strings.Contains(got, file) || !strings.Contains(got, "Run eventmap-gen") {
		t.Errorf("got %q, want it to name the file and what to do", got)
	}
}

// A codec may bring values into another form when it reads them.
func TestPayload_saysWhatBecameOfAValue(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "Placed.v1.json")
	if err := os.WriteFile(file, []byte(`{"customer":"c"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	f := failure{TB: t}
	eventtest.Payload(&f, file, "Order", toPlaced, func(e runtime.PersistedEvent, opts ...runtime.Option) (placed, error) {
		p, err := fromPlaced(e, opts...)
		p.Customer = strings.ToUpper(p.Customer)
		return p, errors.Join(err, json.Unmarshal(e.Payload, new(any)))
	})
	if got := f.said.String(); !strings.Contains(got, `customer was "c", and is now "C"`) {
		t.Errorf("got %q", got)
	}
}
