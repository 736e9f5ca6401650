package schemalock_test

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/internal/astscan"
	"github.com/eventmap/eventmap/internal/schemalock"
	"github.com/eventmap/eventmap/internal/schemalock/testdata/change"
)

// A changeCase is a change of an event's type, the rule it falls under, and values of the old type as they are stored.
type changeCase struct {
	rule     string // "" for one that needs no rule to be taken
	old, now string // the types
	// reads stores a value as the old type and reads it as the new. It returns what is stored and what the new type makes
	// of it, and whether a value of the old type comes back.
	reads []func() (stored, rewritten string, same bool, err error)
}

func changed[Old, Now any](rule string, values ...Old) changeCase {
	c := changeCase{rule: rule, old: reflect.TypeFor[Old]().Name(), now: reflect.TypeFor[Now]().Name()}
	for _, value := range values {
		c.reads = append(c.reads, func() (string, string, bool, error) {
			stored, err := json.Marshal(&value)
			if err != nil {
				panic(err)
			}
			var now Now
			if err := json.Unmarshal(stored, &now); err != nil {
				return string(stored), "", false, err
			}
			rewritten, err := json.Marshal(&now)
			if err != nil {
				return string(stored), "", false, err
			}
			var back Old
			err = json.Unmarshal(rewritten, &back)
			return string(stored), string(rewritten), err == nil && reflect.DeepEqual(back, value), nil
		})
	}
	return c
}

func ptr[T any](v T) *T { return &v }

var changes = []changeCase{
	changed[change.Base, change.Base]("", change.Base{A: "a"}, change.Base{}),
	changed[change.Base, change.AddedOptional]("field-added", change.Base{A: "a"}, change.Base{}),
	changed[change.Base, change.GoNameOnly]("source-only", change.Base{A: "a"}),
	changed[change.Base, change.Optional]("field-optional", change.Base{A: "a"}, change.Base{}),
	changed[change.Optional, change.Base]("field-optional", change.Optional{A: "a"}, change.Optional{}),
	changed[change.Base, change.PointerA]("made-nullable", change.Base{A: "a"}, change.Base{}),
	changed[change.Small, change.Number]("number-widened", change.Small{A: -1 << 31}, change.Small{A: 1<<31 - 1}),
	changed[change.Small, change.Float]("number-widened", change.Small{A: -1 << 31}, change.Small{A: 1<<31 - 1}),
	changed[change.Unsigned, change.Number]("number-widened", change.Unsigned{A: 1<<32 - 1}),
	changed[change.Number, change.Digits]("number-widened", change.Number{A: 1<<63 - 1}, change.Number{A: -1 << 63}),
	changed[change.Two, change.Many]("array-to-slice", change.Two{A: [2]int{1, 2}}, change.Two{}),
	changed[change.Nested, change.NestedMore]("number-widened", change.Nested{A: []map[int32]change.Inner{{1: {N: 1<<31 - 1}}}}),
	changed[change.Stated, change.Number]("source-only", change.Stated{A: change.Paid}),
	changed[change.Number, change.Stated]("source-only", change.Number{A: 1<<63 - 1}),
	changed[change.Tree, change.RenamedTree]("source-only", change.Tree{Root: change.Node{Name: "a", Next: []change.Node{{Name: "b"}}}}),

	changed[change.Moment, change.Base]("text-to-string", change.Moment{A: time.Unix(0, 1).UTC()}, change.Moment{}),
	changed[change.Shouted, change.Base]("text-to-string", change.Shouted{A: "x"}),
	changed[change.Quoted, change.Base]("text-to-string", change.Quoted{A: -1 << 63}, change.Quoted{}),
	changed[change.Keys, change.StringKeys]("text-to-string", change.Keys{A: map[int64]int{-1 << 63: 1, 0: 0}}, change.Keys{}),
	changed[change.Nested, change.Left]("left-as-json", change.Nested{A: []map[int32]change.Inner{{1: {N: 1<<31 - 1}}}}),
	changed[change.Quoted, change.Left]("left-as-json", change.Quoted{A: -1 << 63}),
	changed[change.Base, change.Embedding]("source-only", change.Base{A: "a"}),
	changed[change.Embedding, change.PointerEmbedding]("made-nullable", change.Embedding{Base: change.Base{A: "a"}}, change.Embedding{}),

	changed[change.Base, change.Empty]("field-removed", change.Base{A: "a"}),
	changed[change.Base, change.RenamedField]("field-renamed", change.Base{A: "a"}),
	changed[change.Base, change.RenamedTag]("field-renamed", change.Base{A: "a"}),
	changed[change.Base, change.LowerCase]("field-recased", change.Base{A: "a"}),
	changed[change.Base, change.AddedRequired]("field-required", change.Base{A: "a"}),
	changed[change.Base, change.AddedStruct]("field-required", change.Base{A: "a"}),
	changed[change.Base, change.Number]("kind-changed", change.Base{A: "a"}),
	changed[change.Number, change.Base]("kind-changed", change.Number{A: 1}),
	changed[change.Number, change.Quoted]("kind-changed", change.Number{A: 1}),
	changed[change.Quoted, change.Number]("kind-changed", change.Quoted{A: 1}),
	changed[change.Base, change.Moment]("kind-changed", change.Base{A: "a"}),
	changed[change.Number, change.Small]("number-narrowed", change.Number{A: 1 << 40}),
	changed[change.Number, change.Unsigned]("number-narrowed", change.Number{A: -1}),
	changed[change.Small, change.Unsigned]("number-narrowed", change.Small{A: -1}),
	changed[change.Unsigned, change.Small]("number-narrowed", change.Unsigned{A: 1<<32 - 1}),
	changed[change.Number, change.Float]("number-narrowed", change.Number{A: 1<<53 + 1}),
	changed[change.Float, change.Number]("number-narrowed", change.Float{A: 1.5}),
	changed[change.Digits, change.Number]("number-narrowed", change.Digits{A: "1.5"}),
	changed[change.PointerA, change.Base]("no-longer-nullable", change.PointerA{}),
	changed[change.PointerEmbedding, change.Embedding]("no-longer-nullable", change.PointerEmbedding{}),
	changed[change.PointerEmbedding, change.Base]("no-longer-nullable", change.PointerEmbedding{}),
	changed[change.StringKeys, change.Keys]("kind-changed", change.StringKeys{A: map[string]int{"x": 1}}),
	changed[change.Base, change.Quoted]("kind-changed", change.Base{A: "a"}),
	changed[change.Left, change.Base]("kind-changed", change.Left{A: json.RawMessage("1")}),
	changed[change.Two, change.Three]("array-length", change.Two{A: [2]int{1, 2}}),
	changed[change.Three, change.Two]("array-length", change.Three{A: [3]int{1, 2, 3}}),
	changed[change.Many, change.Two]("array-length", change.Many{A: []int{1, 2, 3}}),
	changed[change.Many, change.Narrow]("number-narrowed", change.Many{A: []int{1000}}),
	changed[change.Base, change.Graded]("marshaler-swapped", change.Base{A: "a"}),
	changed[change.Shouted, change.Graded]("marshaler-swapped", change.Shouted{A: "x"}),
	changed[change.Base, change.Guarded]("marshaler-swapped", change.Base{A: "a long one"}),
	changed[change.Nested, change.NestedLess]("field-removed", change.Nested{A: []map[int32]change.Inner{{1: {N: 1}}}}),
	changed[change.NestedMore, change.Nested]("number-narrowed", change.NestedMore{A: []map[int64]change.InnerMore{{1: {N: 1 << 40, M: ptr("m")}}}}),
	changed[change.Tree, change.LesserTree]("field-removed", change.Tree{Root: change.Node{Name: "a", Next: []change.Node{{Name: "b"}}}}),
}

// Every change is judged as the table says; and what is taken reads every stored event whole, what is breaking does not.
func TestCompare_verdictIsWhatHappensToStoredEvents(t *testing.T) {
	t.Parallel()
	domain, err := astscan.Scan(t.Context(), astscan.Options{Patterns: []string{"./testdata/change"}, Output: "testdata/gen"})
	if err != nil {
		t.Fatal(err)
	}
	lockOf := func(name string) *schemalock.Lock {
		for _, e := range schemalock.Of(domain).Events {
			if e.Name == name {
				e.Name = "Event"
				return &schemalock.Lock{Events: []schemalock.Event{e}}
			}
		}
		t.Fatalf("no event %s", name)
		return nil
	}
	for _, c := range changes {
		t.Run(c.old+" to "+c.now, func(t *testing.T) {
			t.Parallel()
			old, err := schemalock.Decode(schemalock.Encode(lockOf(c.old)), "lock") // as it comes from the file
			if err != nil {
				t.Fatal(err)
			}
			findings, _ := schemalock.Compare(old, lockOf(c.now), nil)
			verdict := schemalock.Taken
			for _, rule := range schemalock.Rules {
				if rule.Name == c.rule {
					verdict = rule.Verdict
				}
			}
			named := slices.ContainsFunc(findings, func(f schemalock.Finding) bool { return f.Rule.Name == c.rule })
			if taken := len(findings) == 0; taken != (verdict == schemalock.Taken) || !taken && !named {
				t.Errorf("findings %v, want %s by %q", findings, verdict, c.rule)
			}
			for _, f := range findings {
				if !f.Pos.IsValid() || f.Remedy == "" {
					t.Errorf("%v has no position or no remedy", f)
				}
			}
			for _, read := range c.reads {
				stored, rewritten, same, err := read()
				whole := err == nil && same
				if verdict == schemalock.Breaking {
					whole = whole && withoutEmpty(t, stored) == withoutEmpty(t, rewritten)
				}
				if whole != (verdict == schemalock.Taken) {
					t.Errorf("stored %s, rewritten %s, the same %t, error %v; the verdict is %s", stored, rewritten, same, err, verdict)
				}
			}
		})
	}
}

// withoutEmpty returns JSON without the members that are null, or lists or objects without anything in them.
func withoutEmpty(t *testing.T, text string) string {
	t.Helper()
	var members map[string]any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&members); err != nil {
		t.Fatal(err)
	}
	for name, value := range members {
		list, _ := value.([]any)
		object, _ := value.(map[string]any)
		if value == nil || list != nil && len(list) == 0 || object != nil && len(object) == 0 {
			delete(members, name)
		}
	}
	out, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// The guide lists every rule, word for word.
func TestRules_areDocumented(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../docs/evolution.md")
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, rule := range schemalock.Rules {
		want = append(want, strings.Join([]string{"| `" + rule.Name + "`", rule.Change, rule.Why, string(rule.Verdict) + " |"}, " | "))
	}
	for line := range strings.Lines(string(guide)) {
		if strings.HasPrefix(line, "| `") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("rules in docs/evolution.md (-want +got):\n%s", d)
	}
}
