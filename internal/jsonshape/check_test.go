package jsonshape

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/eventmap/eventmap/internal/model"
)

// A shapeCheck compares a shape with what is written and read.
type shapeCheck struct {
	codec
	index  int
	root   *model.Shape
	zero   bool // the value is zero: what is optional must be missing
	path   []string
	probes []probe
}

// A probe is a place in a payload and something that can be read there, or not.
type probe struct {
	path    []string
	literal string
	fits    bool
}

func (c *shapeCheck) run() error {
	for _, verb := range []string{"zero", "full"} {
		text, err := c.ask(verb, c.index, "")
		if verb == "zero" && err != nil && strings.Contains(err.Error(), "no colour 0") {
			continue // a zero that the type itself refuses
		}
		if err != nil {
			return fmt.Errorf("%s: %w", verb, err)
		}
		c.zero, c.probes = verb == "zero", nil
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		if err := c.value(decoder, c.root, false); err != nil {
			return fmt.Errorf("%s value %s: %s: %w", verb, text, strings.Join(c.path, "."), err)
		}
		if c.zero {
			continue
		}
		if back, err := c.ask("read", c.index, text); err != nil || back != text {
			return fmt.Errorf("read %s\ngave %s, %w", text, back, err)
		}
		for _, p := range c.probes {
			changed := replaceAt(text, p.path, p.literal)
			_, err := c.ask("read", c.index, changed)
			if err != nil && strings.Contains(err.Error(), "no colour 0") {
				continue
			}
			if (err == nil) != p.fits {
				return fmt.Errorf("%s at %s: fits = %t, but reading it gives %s", p.literal, strings.Join(p.path, "."), p.fits, fmt.Sprint(err))
			}
		}
	}
	return nil
}

// value checks the next value that the decoder gives.
func (c *shapeCheck) value(d *json.Decoder, s *model.Shape, quoted bool) error {
	if s.Kind == model.RefShape {
		found := c.root.Find(s.Type)
		if found == nil {
			return fmt.Errorf("there is no %s", s.Type)
		}
		resolved := *found
		resolved.Nullable = s.Nullable
		s = &resolved
	}
	if s.Kind == model.OpaqueShape || s.Kind == model.RawShape {
		var any json.RawMessage
		return d.Decode(&any)
	}
	token, err := d.Token()
	if err != nil {
		return err
	}
	if token == nil {
		if !s.Nullable {
			return fmt.Errorf("null, and %s is not nullable", s.Go)
		}
		return nil
	}
	switch s.Kind {
	case model.ObjectShape:
		return c.object(d, token, s)
	case model.ArrayShape, model.SliceShape:
		return c.list(d, token, s)
	case model.MapShape:
		return c.table(d, token, s)
	}
	text, isString := token.(string)
	if quoted {
		if !isString {
			return fmt.Errorf("%v is not quoted", token)
		}
		inner := json.NewDecoder(strings.NewReader(text))
		inner.UseNumber()
		if token, err = inner.Token(); err != nil {
			return err
		}
	}
	if err := scalarFits(token, s); err != nil {
		return err
	}
	if !quoted {
		c.probe(s)
	}
	return nil
}

// probe notes what can be read here and what cannot.
func (c *shapeCheck) probe(s *model.Shape) {
	add := func(literal string, fits bool) {
		c.probes = append(c.probes, probe{slices.Clone(c.path), literal, fits})
	}
	one := big.NewInt(1)
	switch s.Kind {
	case model.BoolShape:
		add("false", true)
		add("1", false)
	case model.IntShape:
		limit := new(big.Int).Lsh(one, uint(s.Bits-1))
		add(new(big.Int).Sub(limit, one).String(), true)
		add(limit.String(), false)
		add("-"+limit.String(), true)
		add("1.5", false)
		add(`"1"`, false)
	case model.UintShape:
		limit := new(big.Int).Lsh(one, uint(s.Bits))
		add(new(big.Int).Sub(limit, one).String(), true)
		add(limit.String(), false)
		add("-1", false)
	case model.FloatShape:
		add("1e38", true)
		add("1e39", s.Bits == 64)
	case model.StringShape:
		add("1", false)
		add(`"x"`, !s.Guarded)
	case model.BytesShape:
		add(`"?"`, false)
		add(`"AAEC"`, true)
	case model.TimeShape:
		add(`"x"`, false)
		add(`"2026-01-02T03:04:05Z"`, true)
	}
}

func (c *shapeCheck) object(d *json.Decoder, open json.Token, s *model.Shape) error {
	if open != json.Delim('{') {
		return fmt.Errorf("%v, want an object", open)
	}
	var names []string
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		f := s.Field(name.(string))
		if f == nil {
			return fmt.Errorf("member %q, which the shape lacks", name)
		}
		if c.zero && f.Optional {
			return fmt.Errorf("member %q of a zero value, though it is optional", name)
		}
		names = append(names, f.Name)
		if err := c.within(f.Name, func() error { return c.value(d, f.Shape, f.Quoted) }); err != nil {
			return err
		}
	}
	var want []string
	for _, f := range s.Fields {
		if !f.Optional || slices.Contains(names, f.Name) {
			want = append(want, f.Name)
		} else if !c.zero && !canBeMissing(c.root, f.Shape) {
			return fmt.Errorf("member %q is missing, though everything is set", f.Name)
		}
	}
	if !slices.Equal(names, want) {
		return fmt.Errorf("members %v, want %v", names, want)
	}
	_, err := d.Token()
	return err
}

// canBeMissing reports whether a sample leaves out a field that is optional: it ends where types repeat, and what holds
// nothing is always zero.
func canBeMissing(root, s *model.Shape) bool {
	text, err := json.Marshal(root)
	return err != nil || bytes.Contains(text, []byte(`"ref"`)) || holdsNothing(s)
}

func holdsNothing(s *model.Shape) bool {
	switch {
	case s.Nullable:
		return false
	case s.Kind == model.ArrayShape:
		return s.Len == 0 || holdsNothing(s.Elem)
	case s.Kind == model.ObjectShape:
		return !slices.ContainsFunc(s.Fields, func(f model.Field) bool { return !holdsNothing(f.Shape) })
	}
	return false
}

func (c *shapeCheck) list(d *json.Decoder, open json.Token, s *model.Shape) error {
	if open != json.Delim('[') {
		return fmt.Errorf("%v, want a list", open)
	}
	n := 0
	for ; d.More(); n++ {
		if err := c.within(strconv.Itoa(n), func() error { return c.value(d, s.Elem, false) }); err != nil {
			return err
		}
	}
	if s.Kind == model.ArrayShape && n != s.Len {
		return fmt.Errorf("%d elements, want %d", n, s.Len)
	}
	_, err := d.Token()
	return err
}

func (c *shapeCheck) table(d *json.Decoder, open json.Token, s *model.Shape) error {
	if open != json.Delim('{') {
		return fmt.Errorf("%v, want an object", open)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		key := name
		if s.Key.Kind == model.IntShape || s.Key.Kind == model.UintShape {
			key = json.Number(name.(string))
		}
		if err := scalarFits(key, s.Key); err != nil {
			return fmt.Errorf("key: %w", err)
		}
		if err := c.within(name.(string), func() error { return c.value(d, s.Elem, false) }); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

func (c *shapeCheck) within(name string, check func() error) error {
	c.path = append(c.path, name)
	err := check()
	if err == nil {
		c.path = c.path[:len(c.path)-1]
	}
	return err
}

// scalarFits returns an error for a token that is not of the shape's kind.
func scalarFits(token json.Token, s *model.Shape) (err error) {
	text, isString := token.(string)
	number, isNumber := token.(json.Number)
	_, isBool := token.(bool)
	fits := false
	switch s.Kind {
	case model.BoolShape:
		fits = isBool
	case model.IntShape:
		_, err = strconv.ParseInt(number.String(), 10, s.Bits)
		fits = isNumber
	case model.UintShape:
		_, err = strconv.ParseUint(number.String(), 10, s.Bits)
		fits = isNumber
	case model.FloatShape, model.NumberShape:
		fits = isNumber
	case model.StringShape, model.TextShape:
		fits = isString
	case model.BytesShape:
		_, err = base64.StdEncoding.DecodeString(text)
		fits = isString
	case model.TimeShape:
		_, err = time.Parse(time.RFC3339Nano, text)
		fits = isString
	}
	if !fits {
		return fmt.Errorf("%v is no %s", token, s.Kind)
	}
	return err
}

// replaceAt returns the JSON text with the value at the path replaced.
func replaceAt(text string, path []string, literal string) string {
	if len(path) == 0 {
		return literal
	}
	var list []json.RawMessage
	if json.Unmarshal([]byte(text), &list) == nil {
		i, _ := strconv.Atoi(path[0])
		list[i] = json.RawMessage(replaceAt(string(list[i]), path[1:], literal))
		changed, _ := json.Marshal(list)
		return string(changed)
	}
	var object map[string]json.RawMessage
	_ = json.Unmarshal([]byte(text), &object)
	object[path[0]] = json.RawMessage(replaceAt(string(object[path[0]]), path[1:], literal))
	changed, _ := json.Marshal(object)
	return string(changed)
}
