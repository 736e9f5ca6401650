// Package kinds holds types of every kind that an event's field can have.
package kinds

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Defined types of every basic kind that JSON has a form for.
type (
	Text  string
	Count int
	Octet byte
	Ratio float64
	Truth bool
)

// Composed types.
type (
	Blob   []byte
	Octets []Octet
	Bits   [4]byte
	Texts  []Text
	Table  map[Text][]Count
	Nested map[string]map[int][]*Pair[Text, Count]
	Moment = time.Time
)

// Pair is generic.
type Pair[A, B any] struct {
	First  A
	Second B `json:"second,omitempty"`
}

// Tree contains itself in every way.
type Tree struct {
	Name     string
	Left     *Tree            `json:",omitempty"`
	Children []Tree           `json:"children"`
	Named    map[string]Tree  `json:",omitzero"`
	Linked   map[string]*Tree `json:"linked"`
}

// Base is embedded.
type Base struct {
	At      time.Time `json:"at"`
	By      string    `json:"by,omitempty"`
	private int       `json:"-"`
}

// Colour is an enumeration that writes its name.
type Colour int

// MarshalText refuses what is no colour.
func (c Colour) MarshalText() ([]byte, error) {
	if c < 1 || int(c) > len(colours) {
		return nil, fmt.Errorf("no colour %d", c)
	}
	return []byte(colours[c-1]), nil
}

// UnmarshalText takes the names of colours only.
func (c *Colour) UnmarshalText(text []byte) error {
	for i, name := range colours {
		if name == string(text) {
			*c = Colour(i + 1)
			return nil
		}
	}
	return fmt.Errorf("no colour %q", text)
}

var colours = []string{"red", "green", "blue"}

// Level is a text of which few are accepted, when it is read.
type Level string

// MarshalText writes it as it is.
func (l Level) MarshalText() ([]byte, error) { return []byte(l), nil }

// UnmarshalText takes numbers only.
func (l *Level) UnmarshalText(text []byte) error {
	if _, err := strconv.Atoi(string(text)); err != nil {
		return err
	}
	*l = Level(text)
	return nil
}

// Money holds nothing that JSON could see, and its methods are on the value and on the pointer, as is usual.
type Money struct{ cents int64 }

// MarshalJSON writes an amount as a text.
func (m Money) MarshalJSON() ([]byte, error) {
	return json.Marshal(fmt.Sprintf("%d.%02d", m.cents/100, m.cents%100))
}

// UnmarshalJSON reads what MarshalJSON writes, and whole numbers.
func (m *Money) UnmarshalJSON(text []byte) error {
	whole, cents, _ := strings.Cut(strings.Trim(string(text), `"`), ".")
	w, err := strconv.ParseInt(whole, 10, 32)
	if err != nil {
		return err
	}
	c, err := strconv.ParseInt("0"+cents, 10, 32)
	m.cents = w*100 + c
	return err
}

// Shy has both of its methods on the pointer.
type Shy struct{ name string }

// MarshalJSON needs an address.
func (s *Shy) MarshalJSON() ([]byte, error) { return json.Marshal(s.name) }

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Shy) UnmarshalJSON(text []byte) error { return json.Unmarshal(text, &s.name) }

// Ref is a key of maps that is a struct.
type Ref struct{ Kind, ID string }

// MarshalText joins the parts.
func (r Ref) MarshalText() ([]byte, error) { return []byte(r.Kind + ":" + r.ID), nil }

// UnmarshalText parts what was joined.
func (r *Ref) UnmarshalText(text []byte) error {
	kind, id, ok := strings.Cut(string(text), ":")
	if !ok {
		return errors.New("no colon")
	}
	*r = Ref{Kind: kind, ID: id}
	return nil
}

// Opt is generic and writes its value or null.
type Opt[T any] struct{ value *T }

// MarshalJSON writes null for what is not there.
func (o Opt[T]) MarshalJSON() ([]byte, error) { return json.Marshal(o.value) }

// UnmarshalJSON reads what MarshalJSON writes.
func (o *Opt[T]) UnmarshalJSON(text []byte) error { return json.Unmarshal(text, &o.value) }

// Half is written and never read.
type Half struct{ A int }

// MarshalJSON has no counterpart.
func (Half) MarshalJSON() ([]byte, error) { return []byte(`1`), nil }
