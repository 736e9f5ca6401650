package schemalock_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/astscan"
	"github.com/eventmap/eventmap/internal/schemalock"
)

// scanLock returns the lock of the test's events, which have every kind of field.
func scanLock(t *testing.T) *schemalock.Lock {
	t.Helper()
	domain, err := astscan.Scan(t.Context(), astscan.Options{Patterns: []string{"./testdata/change"}, Output: "testdata/gen"})
	if err != nil {
		t.Fatal(err)
	}
	return schemalock.Of(domain)
}

func TestDecode_isTheInverseOfEncode(t *testing.T) {
	t.Parallel()
	text := schemalock.Encode(scanLock(t))
	lock, err := schemalock.Decode(text, "lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(text), string(schemalock.Encode(lock))); d != "" {
		t.Errorf("encoded again (-want +got):\n%s", d)
	}
	if findings, _ := schemalock.Compare(lock, scanLock(t), nil); len(findings.Breaking()) > 0 {
		t.Errorf("nothing changed, but: %v", findings)
	}
	lines := strings.Split(string(text), "\n")
	for _, e := range lock.Events {
		if got := lines[e.Pos.Line-1]; got != "    {" || !strings.Contains(lines[e.Pos.Line+1], fmt.Sprintf("%q", e.Name)) {
			t.Errorf("%v is at %v, which is %q", &e, e.Pos, got)
		}
	}
	crlf := strings.ReplaceAll("\ufeff"+string(text), "\n", "\r\n")
	if again, err := schemalock.Decode([]byte(crlf), "lock.json"); err != nil || cmp.Diff(lock, again) != "" {
		t.Errorf("with the line ends of Windows: %v", err)
	}
}

func TestDecode_refusesWhatIsBroken(t *testing.T) {
	t.Parallel()
	text := string(schemalock.Encode(scanLock(t)))
	first := text[strings.Index(text, "    {\n"):strings.Index(text, "    },\n")] + "    },\n"
	for _, tt := range []struct{ name, text, want string }{
		{"conflict", strings.Replace(text, "    {\n", "<<<<<<< HEAD\n    {\n", 1), "lock.json:5:1: a merge left a conflict here; take either side"},
		{"conflict, after one mark was removed", strings.Replace(text, "    {\n", "=======\n    {\n", 1), "lock.json:5:1: a merge left a conflict here"},
		{"empty", "", "the lock cannot be read: EOF"},
		{"cut short", text[:len(text)/2], "the lock cannot be read: unexpected EOF"},
		{"a comma too many", strings.Replace(text, "\n  ]\n}", ",\n  ]\n}", 1), "invalid character ']'"},
		{"unknown member", strings.Replace(text, `"version": 1`, `"versions": 1`, 1), `lock.json:5:5: this event cannot be read: json: unknown field "versions"`},
		{"unknown kind", strings.Replace(text, `"kind": "string"`, `"kind": "text?"`, 1), `there is no kind "text?"`},
		{"reference to nothing", strings.Replace(text, `"kind": "ref", "type": "`, `"kind": "ref", "type": "x`, 1), "which is not there"},
		{"no lock", `{"name": "package.json"}`, `unknown field "name"`},
		{"no events", `{"format": 1}`, "lock.json: this is no schema lock"},
		{"later format", strings.Replace(text, `"format": 1`, `"format": 2`, 1), "the lock has format 2, and this eventmap-gen knows 1"},
		{"twice", strings.Replace(text, first, first+first, 1), "is locked twice, first in line 5; remove the block that is out of date"},
		{"more", text + "{}", "there is more after the end"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := schemalock.Decode([]byte(tt.text), "lock.json"); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// Whatever stands in a lock, it is refused or can be compared with.
func FuzzDecode(f *testing.F) {
	text := string(schemalock.Encode(&schemalock.Lock{Streams: []schemalock.Stream{{Aggregate: "Order", ID: "id.ID"}}}))
	f.Add(text)
	for _, payload := range []string{
		`{"kind": "object", "type": "x.T", "fields": [{"name": "a", "kind": "slice", "elem": {"kind": "ref", "type": "x.T"}}]}`,
		`{"kind": "map", "key": {"kind": "int", "bits": 64, "constants": {"A": 0, "B": 1}}, "elem": {"kind": "float", "bits": 32}}`,
		`{"kind": "array", "len": -1, "elem": {"kind": "opaque"}}`,
		`{"kind": "ref", "type": "x.T"}`,
	} {
		event := `"events": [{"aggregate": "A", "event": "B", "version": 1, "type": "x.B", "payload": ` + payload + `}`
		f.Add(strings.Replace(text, `"events": [`, event, 1))
	}
	f.Fuzz(func(t *testing.T, text string) {
		lock, err := schemalock.Decode([]byte(text), "lock.json")
		if err != nil {
			return
		}
		again, err := schemalock.Decode(schemalock.Encode(lock), "lock.json")
		if err != nil {
			t.Fatalf("what was read is not read again: %v", err)
		}
		for _, locks := range [][2]*schemalock.Lock{{lock, again}, {again, lock}, {lock, {}}, {{}, lock}} {
			schemalock.Compare(locks[0], locks[1], nil)
		}
	})
}

// What Encode writes is what the JSON Schema of the file allows.
func TestEncode_fitsTheSchema(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/eventmap.lock.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var root, lock map[string]any
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(schemalock.Encode(scanLock(t)), &lock); err != nil {
		t.Fatal(err)
	}
	schema := jsonSchema{root: root}
	if err := schema.check(root, lock); err != nil {
		t.Error(err)
	}
	lock["events"].([]any)[0].(map[string]any)["payload"].(map[string]any)["kind"] = "thing"
	if err := schema.check(root, lock); err == nil {
		t.Error("a kind that there is not passes the schema")
	}
}

// A jsonSchema checks values by the few words of JSON Schema that ours uses.
type jsonSchema struct{ root map[string]any }

func (s jsonSchema) check(schema map[string]any, value any) error {
	for word, arg := range schema {
		if err := s.word(schema, word, arg, value); err != nil {
			return err
		}
	}
	return nil
}

func (s jsonSchema) word(schema map[string]any, word string, arg, value any) error {
	object, _ := value.(map[string]any)
	switch word {
	case "$schema", "$id", "$defs", "title", "description":
		return nil
	case "additionalProperties":
		members, ok := arg.(map[string]any)
		for name, member := range object {
			if err := s.check(members, member); ok && err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	case "$ref":
		name := strings.TrimPrefix(arg.(string), "#/$defs/")
		return s.check(s.root["$defs"].(map[string]any)[name].(map[string]any), value)
	case "type":
		n, isNumber := value.(float64)
		_, isString := value.(string)
		_, isBool := value.(bool)
		_, isArray := value.([]any)
		fits := map[string]bool{"object": object != nil, "array": isArray, "string": isString, "boolean": isBool, "integer": isNumber && n == float64(int(n))}
		if !fits[arg.(string)] {
			return fmt.Errorf("%v is no %v", value, arg)
		}
	case "const":
		if value != arg {
			return fmt.Errorf("%v, want %v", value, arg)
		}
	case "enum":
		if !slices.Contains(arg.([]any), value) {
			return fmt.Errorf("%v is none of %v", value, arg)
		}
	case "minimum":
		if value.(float64) < arg.(float64) {
			return fmt.Errorf("%v is less than %v", value, arg)
		}
	case "required":
		for _, name := range arg.([]any) {
			if object[name.(string)] == nil {
				return fmt.Errorf("%v lacks %v", value, name)
			}
		}
	case "items":
		for _, element := range value.([]any) {
			if err := s.check(arg.(map[string]any), element); err != nil {
				return err
			}
		}
	case "properties":
		for name, member := range object {
			property, ok := arg.(map[string]any)[name].(map[string]any)
			if !ok {
				return fmt.Errorf("%v has %s, which the schema does not know", value, name)
			}
			if err := s.check(property, member); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	default:
		return fmt.Errorf("the test does not know the word %q", word)
	}
	return nil
}
