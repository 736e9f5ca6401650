package eventtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/eventmap/eventmap/runtime"
)

// Payload fails the test unless the payload that the file holds, which is one as it was stored some day, can still be
// read by from, and whatever it says comes out again by to: every member with an equal value, but for those that are
// null, or empty, or zero, and may be left out. The file is relative to the test's package.
//
// What the payload does not say is taken from a [Sample] of E, made with the values, where it comes out again. The test is
// skipped as [RoundTrip] is.
func Payload[E any](
	t testing.TB,
	file, aggregateType string,
	to func(aggregateType, aggregateID string, e E, opts ...runtime.Option) (runtime.Event, error),
	from func(e runtime.PersistedEvent, opts ...runtime.Option) (E, error),
	values ...any,
) {
	t.Helper()
	const remedy = `
Events like this one may be stored, and stay as they are. Give the new form of the event a version of its own and turn the
old one into it with an upcaster. If none was ever stored, delete the file and run eventmap-gen again.`

	payload, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v\nRun eventmap-gen to write a payload for an event that is new; bring back one that was deleted.", err)
	}
	stored := store(t, aggregateType, sampleFor[E](t, values), to)
	sample := stored.Payload
	stored.Payload = payload
	if _, err := from(stored); err != nil {
		t.Fatalf("%s cannot be read any more: %v%s", file, err, remedy)
	}
	said, err := parse(payload)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	around, err := parse(sample)
	if err != nil {
		t.Fatalf("a sample of %T is no JSON: %v", *new(E), err)
	}
	if stored.Payload, err = json.Marshal(overlay(around, said)); err != nil {
		t.Fatal(err)
	}
	e, err := from(stored)
	if err != nil {
		t.Fatalf("%s cannot be read any more: %v%s", file, err, remedy)
	}
	out, err := parse(store(t, aggregateType, e, to).Payload)
	if err != nil {
		t.Fatal(err)
	}
	if losses := compare("", said, out); len(losses) > 0 {
		t.Errorf("%s is read, but not all of it:\n\t%s%s", file, strings.Join(losses, "\n\t"), remedy)
	}
}

// parse returns JSON as maps, slices, strings, bools, json.Numbers and nil.
func parse(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	return value, err
}

// overlay returns what is said, and of what is around it the members and elements it says nothing about.
func overlay(around, said any) any {
	switch said := said.(type) {
	case map[string]any:
		around, ok := around.(map[string]any)
		if !ok {
			return said
		}
		for name, value := range said {
			around[name] = overlay(around[name], value)
		}
		return around
	case []any:
		around, ok := around.([]any)
		if !ok {
			return said
		}
		laid := slices.Clone(said)
		for i := range min(len(laid), len(around)) {
			laid[i] = overlay(around[i], laid[i])
		}
		return laid
	}
	return said
}

// compare says what of the value that went in at a path did not come out.
func compare(path string, in, out any) []string {
	lost := func() []string {
		return []string{fmt.Sprintf("%s was %s, and is now %s", at(path), compact(in), compact(out))}
	}
	switch in := in.(type) {
	case map[string]any:
		out, ok := out.(map[string]any)
		if !ok {
			return lost()
		}
		var losses []string
		for _, name := range slices.Sorted(maps.Keys(in)) {
			switch value, ok := out[name]; {
			case ok:
				losses = append(losses, compare(path+"."+name, in[name], value)...)
			case !isEmpty(in[name]):
				losses = append(losses, fmt.Sprintf("%s was %s, and is gone", at(path+"."+name), compact(in[name])))
			}
		}
		return losses
	case []any:
		out, ok := out.([]any)
		if !ok || len(out) < len(in) {
			return lost()
		}
		var losses []string
		for i := range in {
			losses = append(losses, compare(fmt.Sprintf("%s[%d]", path, i), in[i], out[i])...)
		}
		return losses
	case json.Number:
		if out, ok := out.(json.Number); !ok || !sameNumber(in, out) {
			return lost()
		}
	case nil:
	default:
		if in != out {
			return lost()
		}
	}
	return nil
}

// at returns the path of a value for a reader.
func at(path string) string {
	if path == "" {
		return "the payload"
	}
	return strings.TrimPrefix(path, ".")
}

// sameNumber compares numbers by value where they are not the same text, as 1e3 and 1000 are not.
func sameNumber(a, b json.Number) bool {
	if a == b {
		return true
	}
	if isInteger(a) && isInteger(b) {
		return false
	}
	x, errX := strconv.ParseFloat(a.String(), 64)
	y, errY := strconv.ParseFloat(b.String(), 64)
	return errX == nil && errY == nil && x == y
}

func isInteger(n json.Number) bool { return !strings.ContainsAny(n.String(), ".eE") }

// isEmpty reports whether a value may be left out without a loss.
func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case json.Number:
		return sameNumber(v, "0.0")
	case []any:
		return len(v) == 0
	case map[string]any:
		for _, value := range v {
			if !isEmpty(value) {
				return false
			}
		}
		return true
	}
	return false
}

// compact returns a value as JSON.
func compact(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
