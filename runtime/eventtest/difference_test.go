package eventtest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

type node struct {
	Name    string
	hidden  int
	at      time.Time
	Next    *node
	Any     any
	List    []node
	Entries map[string]node
	Text    []byte
	ID      uuid.UUID
	F       func()
}

func TestDifferences(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	loop := &node{Name: "loop"}
	loop.Next = loop
	loop2 := &node{Name: "loop"}
	loop2.Next = loop2
	for _, tt := range []struct {
		name      string
		want, got any
		found     []string
	}{
		{name: "the same", want: node{Name: "a", hidden: 1}, got: node{Name: "a", hidden: 1}},
		{"a field", node{Name: "a"}, node{Name: "b"}, []string{`Name: want "a", got "b"`}},
		{"a field that is not exported", node{hidden: 1}, node{hidden: 2}, []string{"hidden: want 1, got 2"}},
		{name: "a time in another zone", want: node{at: noon}, got: node{at: noon.In(time.FixedZone("", 3600))}},
		{"another time", node{at: noon}, node{at: noon.Add(1)}, []string{"at: want 2026-03-01T12:00:00Z, got 2026-03-01T12:00:00.000000001Z"}},
		{"behind a pointer", node{Next: &node{Name: "a"}}, node{Next: &node{Name: "b"}}, []string{`Next.Name: want "a", got "b"`}},
		{"no pointer", node{Next: &node{Name: "a"}}, node{}, []string{`Next: want &eventtest.node{Name: "a"}, got nil`}},
		{"another type", node{Any: 1}, node{Any: "1"}, []string{`Any: want 1, got "1"`}},
		{"types that look the same", node{Any: 1}, node{Any: int8(1)}, []string{"Any: want 1 (int), got 1 (int8)"}},
		{"nothing", node{Any: 1}, node{}, []string{"Any: want 1, got nothing"}},
		{name: "empty and nil", want: node{List: []node{}, Entries: map[string]node{}, Text: []byte{}}, got: node{}},
		{
			"elements", node{List: []node{{Name: "a"}, {Name: "b"}}}, node{List: []node{{Name: "x"}}},
			[]string{`List[0].Name: want "a", got "x"`, `List[1]: want eventtest.node{Name: "b"}, got nothing`},
		},
		{
			"entries", node{Entries: map[string]node{"a": {hidden: 1}, "b": {}}}, node{Entries: map[string]node{"a": {}, "c": {}}},
			[]string{`Entries["a"].hidden: want 1, got 0`, `Entries["b"]: want eventtest.node{}, got nothing`, `Entries["c"]: want nothing, got eventtest.node{}`},
		},
		{"bytes", node{Text: []byte("a")}, node{Text: []byte("b")}, []string{`Text: want "a", got "b"`}},
		{"what says itself what it is", node{ID: uuid.UUID{1}}, node{}, []string{"ID[0]: want 1, got 0"}},
		{name: "loops", want: loop, got: loop2},
		{"functions", node{F: func() {}}, node{}, []string{"F: want a func(), got nil"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(tt.found, differences(tt.want, tt.got)); d != "" {
				t.Errorf("differences (-want +got):\n%s", d)
			}
		})
	}
}

func TestText_endsInLoops(t *testing.T) {
	t.Parallel()
	loop := &node{Name: "loop"}
	loop.Next = loop
	if got := differences(loop, &node{Name: "loop"}); len(got) != 1 || !strings.Contains(got[0], "...") {
		t.Errorf("got %q", got)
	}
}

type tooLittle struct{ Need, Have int }

func (e *tooLittle) Error() string { return "too little" }

func TestMatches(t *testing.T) {
	t.Parallel()
	sentinel := errors.New("closed")
	for _, tt := range []struct {
		err, want error
		matches   bool
	}{
		{sentinel, sentinel, true},
		{errors.Join(errors.New("x"), sentinel), sentinel, true},
		{errors.New("closed"), sentinel, false},
		{errors.Join(sentinel, &tooLittle{5, 3}), &tooLittle{5, 3}, true},
		{&tooLittle{5, 3}, &tooLittle{5, 4}, false},
		{sentinel, &tooLittle{5, 4}, false},
	} {
		if got := matches(tt.err, tt.want); got != tt.matches {
			t.Errorf("matches(%v, %v) is %v", tt.err, tt.want, got)
		}
	}
}
