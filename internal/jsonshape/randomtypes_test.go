package jsonshape

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"
)

// randomTypes is a package of types that embed, shadow and contain each other.
type randomTypes struct {
	source string
	count  int
}

// drawTypes draws a package at random.
func drawTypes(t *rapid.T) randomTypes {
	count := rapid.IntRange(60, 80).Draw(t, "types")
	var b strings.Builder
	b.WriteString(shapeHead)
	for i := range count {
		fmt.Fprintf(&b, "\ntype T%d struct {\n%s}\n", i, drawFields(t, i, count))
	}
	return randomTypes{b.String(), count}
}

const shapeHead = `package types

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"example.com/m/kinds"
)

var _ json.RawMessage
var _ time.Time
var _ kinds.Money

type inner struct {
	A      int
	Note   string ` + "`json:\"note\"`" + `
	hidden int    ` + "`json:\"-\"`" + `
}

// shy is not exported and writes itself.
type shy struct{ Name string }

func (s shy) MarshalJSON() ([]byte, error) { return json.Marshal(s.Name) }

func (s *shy) UnmarshalJSON(text []byte) error { return json.Unmarshal(text, &s.Name) }

// Nought says itself when it is zero.
type Nought struct{ N int }

func (n Nought) IsZero() bool { return n.N == 0 }

type nought struct{ Nought }

// Appends has the method that encoding/json of Go 1.27 calls.
type Appends struct{ Text string }

func (a Appends) AppendText(b []byte) ([]byte, error) { return append(b, a.Text...), nil }

func (a *Appends) UnmarshalText(text []byte) error { a.Text = string(text); return nil }

// Both has both forms, as the types of the standard library have.
type Both struct{ Text string }

func (b Both) AppendText(to []byte) ([]byte, error) { return append(to, b.Text...), nil }

func (b Both) MarshalText() ([]byte, error) { return b.AppendText(nil) }

func (b *Both) UnmarshalText(text []byte) error { b.Text = string(text); return nil }

// Host has one of its text methods from what it embeds.
type Host struct {
	netip.Addr
	Port uint16
}

func (h Host) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%s!%d", h.Addr, h.Port), nil }

func (h *Host) UnmarshalText(text []byte) error {
	addr, port, _ := strings.Cut(string(text), "!")
	_, _ = fmt.Sscan(port, &h.Port)
	return h.Addr.UnmarshalText([]byte(addr))
}

type outer struct {
	inner
	B kinds.Text
	C *int
}

type (
	number int
	alias  = inner
)
`

// drawFields draws the fields of T<i>. Those before it may be embedded and be held by value, all others by pointer, in
// slices and in maps.
func drawFields(t *rapid.T, i, count int) string {
	var b strings.Builder
	taken := map[string]bool{}
	for range rapid.IntRange(0, 6).Draw(t, "fields") {
		name := rapid.SampledFrom(shapeNames).Draw(t, "name")
		typ := drawType(t, i, count, 3)
		if i > 0 && rapid.IntRange(0, 2).Draw(t, "embed") == 0 {
			name = fmt.Sprintf("T%d", rapid.IntRange(0, i-1).Draw(t, "embedded"))
			typ = ""
		}
		if rapid.IntRange(0, 7).Draw(t, "embed other") == 0 {
			name, typ = rapid.SampledFrom(shapeEmbedded).Draw(t, "other"), ""
		}
		goName := name[strings.LastIndexAny(strings.SplitN(name, "[", 2)[0], "*.")+1:]
		goName, _, _ = strings.Cut(goName, "[")
		if taken[goName] {
			continue
		}
		taken[goName] = true
		if typ == "" && name == goName && strings.HasPrefix(name, "T") && rapid.Bool().Draw(t, "by pointer") {
			name = "*" + name
		}
		tag := rapid.SampledFrom(shapeTags).Draw(t, "tag")
		if rapid.IntRange(0, 15).Draw(t, "odd") == 0 {
			tag = rapid.SampledFrom(shapeOddTags).Draw(t, "odd tag")
		}
		fmt.Fprintf(&b, "\t%s %s `json:\"%s\"`\n", name, typ, tag)
	}
	return b.String()
}

func drawType(t *rapid.T, i, count, depth int) string {
	form := rapid.IntRange(0, 9).Draw(t, "form")
	if depth == 0 {
		form = 9
	}
	switch form {
	case 0:
		return "*" + drawType(t, i, count, depth-1)
	case 1:
		return "[]" + drawType(t, i, count, depth-1)
	case 2:
		return fmt.Sprintf("[%d]%s", rapid.IntRange(0, 2).Draw(t, "length"), drawType(t, i, count, depth-1))
	case 3:
		return "map[" + rapid.SampledFrom(shapeKeys).Draw(t, "key") + "]" + drawType(t, i, count, depth-1)
	case 4:
		indirect := rapid.SampledFrom([]string{"*", "[]", "map[string]", "[]*"}).Draw(t, "indirect")
		return fmt.Sprintf("%sT%d", indirect, rapid.IntRange(0, count-1).Draw(t, "type"))
	case 5:
		if i > 0 {
			return fmt.Sprintf("T%d", rapid.IntRange(0, i-1).Draw(t, "type"))
		}
	}
	return rapid.SampledFrom(shapeScalars).Draw(t, "scalar")
}
