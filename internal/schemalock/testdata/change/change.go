// Package change holds events before and after a change.
package change

import (
	"encoding/json"
	"errors"
	"strings"
	"time"
)

type (
	//eventmap:event
	Base struct{ A string }

	//eventmap:event
	AddedOptional struct {
		A string
		B int `json:",omitempty"`
		C *int
		D []int
		E map[string]int
		F time.Time `json:",omitzero"`
	}
	//eventmap:event
	AddedRequired struct{ A, B string }
	//eventmap:event
	AddedStruct struct {
		A string
		B Base `json:",omitempty"` // which has no effect on a struct
	}
	//eventmap:event
	Empty struct{}
	//eventmap:event
	RenamedField struct{ B string }
	//eventmap:event
	RenamedTag struct {
		A string `json:"a_name"`
	}
	//eventmap:event
	GoNameOnly struct {
		B string `json:"A"`
	}
	//eventmap:event
	Optional struct {
		A string `json:",omitempty"`
	}
	//eventmap:event
	PointerA struct{ A *string }
	//eventmap:event
	Number struct{ A int64 }
	//eventmap:event
	Small struct{ A int32 }
	//eventmap:event
	Unsigned struct{ A uint32 }
	//eventmap:event
	Float struct{ A float64 }
	//eventmap:event
	Digits struct{ A json.Number }
	//eventmap:event
	Quoted struct {
		A int64 `json:",string"`
	}
	//eventmap:event
	LowerCase struct {
		A string `json:"a"`
	}
	//eventmap:event
	Left struct{ A json.RawMessage }
	//eventmap:event
	Keys struct{ A map[int64]int }
	//eventmap:event
	StringKeys struct{ A map[string]int }
	//eventmap:event
	Embedding struct{ Base }
	//eventmap:event
	PointerEmbedding struct{ *Base }
	//eventmap:event
	Stated struct{ A State }
	//eventmap:event
	Two struct{ A [2]int }
	//eventmap:event
	Three struct{ A [3]int }
	//eventmap:event
	Many struct{ A []int }
	//eventmap:event
	Narrow struct{ A []int8 }
	//eventmap:event
	Graded struct{ A Grade }
	//eventmap:event
	Shouted struct{ A Shout }
	//eventmap:event
	Guarded struct{ A Checked }
	//eventmap:event
	Nested struct{ A []map[int32]Inner }
	//eventmap:event
	NestedMore struct{ A []map[int64]InnerMore }
	//eventmap:event
	NestedLess struct{ A []map[int32]InnerLess }
	//eventmap:event
	Tree struct{ Root Node }
	//eventmap:event
	RenamedTree struct{ Root Knot }
	//eventmap:event
	LesserTree struct{ Root Twig }
	//eventmap:event
	Moment struct{ A time.Time }
)

type (
	Inner     struct{ N int32 }
	InnerMore struct {
		N int64
		M *string
	}
	InnerLess struct{}

	Node struct {
		Name string
		Next []Node
	}
	Knot struct {
		Name string
		Next []Knot
	}
	Twig struct{ Next []Twig }
)

// State is an enumeration.
type State int

// The states.
const (
	New State = iota
	Open
	Paid
	First = New
)

// Grade takes A and B only.
type Grade string

func (g Grade) MarshalText() ([]byte, error) { return []byte(g), nil }

func (g *Grade) UnmarshalText(text []byte) error {
	if *g = Grade(text); *g != "A" && *g != "B" {
		return errors.New("no grade")
	}
	return nil
}

// Shout writes capitals.
type Shout string

func (s Shout) MarshalText() ([]byte, error) { return []byte(strings.ToUpper(string(s))), nil }

func (s *Shout) UnmarshalText(text []byte) error {
	*s = Shout(strings.ToLower(string(text)))
	return nil
}

// Checked reads what it writes, if it is short.
type Checked string

func (c *Checked) UnmarshalText(text []byte) error {
	if *c = Checked(text); len(text) > 3 {
		return errors.New("too long")
	}
	return nil
}
