package fingerprint_test

import (
	"strings"
	"testing"
)

// TestOf_variablesThatChange has a fold that reads table, list, cfg, count and rule, and other code that does something with one of
// them.
func TestOf_variablesThatChange(t *testing.T) {
	t.Parallel()
	const domain = `package domain

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
)

type State struct {
	N    int
	Tags []string
}

type Config struct {
	Rate  int
	Rates map[string]int
}

type Rule interface{ Apply(n int) int }

type Fixed struct{ n int }

func (f Fixed) Apply(n int) int { return f.n + n }

type Counting struct{ n int }

func (c *Counting) Apply(n int) int { return c.n + n }

func (c *Counting) A(n int) {
	if n > 0 {
		c.B(n - 1)
	}
	c.n++
}

func (c *Counting) B(n int) {
	if n > 0 {
		c.A(n - 1)
	}
}

func (c *Counting) Get() int { return c.get(3) }

func (c *Counting) get(n int) int {
	if n == 0 {
		return c.n
	}
	return c.Get()
}

var (
	table   = map[string]int{"a": 1}
	list    = []string{"a"}
	rules   = []*Config{{Rate: 1}}
	cfg     = &Config{Rate: 1}
	value   = Config{Rate: 1}
	count   Counting
	fixed   Rule = Fixed{1}
	count2  Rule = &Counting{}
	hundred = big.NewInt(100)
	shared  sync.Map
	atom    atomic.Int64
	missing = errors.New("missing")
	steps   = map[string]func(int) int{"a": func(n int) int { return n }}
	array   [3]int
)

func (s *State) Fold(n int) {
	_, _, _, _, _, _, _ = table, list, rules, cfg, value, count, fixed
	_, _, _, _, _, _ = count2, hundred, &shared, &atom, missing, steps
	_ = array
}

func fill(m map[string]int) { fillAgain(m) }

func fillAgain(m map[string]int) {
	if len(m) < 3 {
		fill(m)
	}
	m["x"] = 1
}

func sum(m map[string]int) int {
	if len(m) == 0 {
		return sum(m)
	}
	return m["x"]
}

func same[T any](v T) T { return v }

func rates() map[string]int { return table }

func named() (m map[string]int) {
	m = table
	return
}

func pair() (map[string]int, error) { return table, nil }

type holder struct{ m map[string]int }

func (h holder) rates() map[string]int { return h.m }

type rater interface{ rates() map[string]int }

func set(p *int) { *p = 1 }

func get(p *int) int { return *p }

var _ = fmt.Sprint
var _ = slices.Sort[[]int]
var _ = strings.Join
var _ = sort.Strings

func other() { BODY }
`
	for _, tt := range []struct{ body, changed string }{
		// A map.
		{`m := table; m["x"] = 1`, "table"},
		{`var m = table; n := m; delete(n, "x")`, "table"},
		{`var m map[string]int; m = table; m["x"]++`, "table"},
		{`m, n := table, 1; m["x"] = n`, "table"},
		{`fill(table)`, "table"},
		{`clear(table)`, "table"},
		{`func() { table["x"] = 1 }()`, "table"},
		{`f := func(m map[string]int) { m["x"] = 1 }; f(table)`, "table"},
		{`same(table)["x"] = 1`, "table"},
		{`rates()["x"] = 1`, "table"},
		{`m := named(); m["x"] = 1`, "table"},
		{`m, err := pair(); m["x"] = 1; _ = err`, "table"},
		{`h := holder{m: table}; h.m["x"] = 1`, "table"},
		{`h := holder{table}; h.rates()["x"] = 1`, "table"},
		{`var r rater = holder{table}; r.rates()["x"] = 1`, "table"},
		{`for _, m := range []map[string]int{table} { m["x"] = 1 }`, "table"},
		{`c := make(chan map[string]int, 1); c <- table`, "table"},
		{`switch m := any(table).(type) { case map[string]int: m["x"] = 1 }`, "table"},
		{`any(table).(map[string]int)["x"] = 1`, "table"},
		{`c := Config{}; c.Rates = table; c.Rates["x"] = 1`, "table"},
		{`p := &table; (*p)["x"] = 1`, "table"},
		{`_ = table["x"]; _ = len(table); if v, ok := table["x"]; ok { _ = v }`, ""},
		{`m := table; _ = m["x"]`, ""},
		{`sum(table); _ = rates()["x"]; _ = same(table)["x"]`, ""},
		{`fmt.Println(table)`, ""},
		{`for k, v := range table { _, _ = k, v }`, ""},
		{`h := holder{table}; _ = h.rates()["x"]`, ""},
		{`_ = steps["a"](1)`, ""},
		{`steps["b"] = nil`, "steps"},
		// A slice.
		{`s := list; s[0] = "b"`, "list"},
		{`s := list[:1]; s[0] = "b"`, "list"},
		{`_ = append(list[:0], "b")`, "list"},
		{`copy(list, []string{"b"})`, "list"},
		{`sort.Strings(list)`, "list"},
		{`slices.Sort(list)`, "list"},
		{`sort.Slice(list, func(i, j int) bool { return i < j })`, "list"},
		{`p := &list[0]; *p = "b"`, "list"},
		{`var s State; s.Tags = list`, "list"},
		{`s := slices.Clone(list); s[0] = "b"`, ""},
		{`s := append([]string(nil), list...); s[0] = "b"`, ""},
		{`s := make([]string, 1); copy(s, list); s[0] = "b"`, ""},
		{`s := list[0]; s = "b"; _ = s`, ""},
		{`_ = slices.Contains(list, "a"); _ = strings.Join(list, ",")`, ""},
		// Pointers, also within other values.
		{`p := cfg; p.Rate = 3`, "cfg"},
		{`cfg.Rates["x"] = 1`, "cfg"},
		{`*cfg = Config{}`, "cfg"},
		{`c := *cfg; c.Rates["x"] = 1`, "cfg"},
		{`c := *cfg; c.Rate = 2`, ""},
		{`set(&cfg.Rate)`, "cfg"},
		{`_ = get(&cfg.Rate)`, ""},
		{`for _, r := range rules { r.Rate = 2 }`, "rules"},
		{`for _, r := range slices.All(rules) { r.Rate = 2 }`, "rules"},
		{`slices.IndexFunc(rules, func(r *Config) bool { r.Rate = 2; return true })`, "rules"},
		{`_ = slices.IndexFunc(rules, func(r *Config) bool { return r.Rate == 2 })`, ""},
		{`for _, r := range rules { _ = r.Rate }`, ""},
		{`r := append([]*Config(nil), rules...); r[0].Rate = 1`, "rules"},
		{`set(&value.Rate)`, "value"},
		{`v := value; v.Rate = 2`, ""},
		{`v := value; v.Rates["x"] = 2`, "value"},
		{`array[0] = 1`, "array"},
		{`s := array[:]; s[0] = 1`, "array"},
		{`a := array; a[0] = 1`, ""},
		// Methods.
		{`count.B(1)`, "count"},
		{`count.A(1)`, "count"},
		{`f := count.B; f(1)`, "count"},
		{`(*Counting).B(&count, 1)`, "count"},
		{`p := &count; p.B(1)`, "count"},
		{`_ = count.Get()`, ""},
		{`_ = fixed.Apply(1)`, ""},
		{`r := fixed; _ = r.Apply(2)`, ""},
		{`count2.(*Counting).A(1)`, "count2"},
		{`_ = count2.Apply(1)`, ""},
		{`hundred.Add(hundred, hundred)`, "hundred"},
		{`_ = hundred.Cmp(hundred)`, ""},
		{`shared.Store(1, 1)`, "shared"},
		{`atom.Add(1)`, "atom"},
		{`_ = errors.Is(missing, missing); _ = fmt.Errorf("%w", missing); panic(missing)`, ""},
	} {
		t.Run(tt.body, func(t *testing.T) {
			t.Parallel()
			source := strings.Replace(domain, "BODY", tt.body, 1)
			var changed []string
			for _, r := range fold(t, module{"domain": source}, nil).Refusals {
				changed = append(changed, r.Message[:strings.Index(r.Message, " ")])
			}
			if got := strings.Join(changed, " "); got != tt.changed {
				t.Errorf("want %q changed, got %q", tt.changed, got)
			}
		})
	}
}
