package fingerprint_test

import "testing"

// TestOf_everyWayToCode holds that an edit of code which the fold runs changes the fingerprint, by whatever way of the language the
// fold gets there, or that snapshots are refused.
func TestOf_everyWayToCode(t *testing.T) {
	t.Parallel()
	const helper = "package helper\n\nfunc Of(n int) int { return n + 1 }\n\ntype T[E any] struct{ Step func(int) int }\n\n" +
		"func (t T[E]) Apply(n int) int { return n + 2 }\n\nfunc All(n int) func(func(int) bool) { return func(yield func(int) bool) { yield(n + 3) } }\n"
	for _, tt := range []struct{ name, body, rest, text, by string }{
		{"a generic method", "s.N = helper.T[int]{}.Apply(n)", "", "n + 2", "n - 2"},
		{"a generic function", "s.N = twice(n)", "func twice[E int | uint](n E) E { return E(helper.Of(int(n))) }", "n + 1", "n - 1"},
		{"a method value", "f := helper.T[int]{}.Apply; s.N = f(n)", "", "n + 2", "n - 2"},
		{"a method expression", "s.N = helper.T[int].Apply(helper.T[int]{}, n)", "", "n + 2", "n - 2"},
		{"a function in a field", "s.N = helper.T[int]{Step: helper.Of}.Step(n)", "", "n + 1", "n - 1"},
		{"a function in a table", "s.N = steps[0](n)", "var steps = []func(int) int{helper.Of}", "n + 1", "n - 1"},
		{"an iterator", "for m := range helper.All(n) { s.N = m }", "", "n + 3", "n - 3"},
		{"a builtin", "s.N = max(n, min(helper.Of(n), 3))", "", "n + 1", "n - 1"},
		{"a deferred call", "defer func() { s.N = helper.Of(n) }()", "", "n + 1", "n - 1"},
		{"a promoted method", "s.N = embedding{}.Apply(n)", "type embedding struct{ helper.T[int] }", "n + 2", "n - 2"},
		{"a constraint's method", "s.N = apply(helper.T[int]{}, n)", "func apply[A interface{ Apply(int) int }](a A, n int) int { return a.Apply(n) }", "n + 2", "n - 2"},
		{"an alias", "s.N = alias{}.Apply(n)", "type alias = helper.T[int]", "n + 2", "n - 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := module{
				"domain": "package domain\n\nimport \"helper\"\n\nvar _ = helper.Of\n\ntype State struct{ N int }\n\nfunc (s *State) Fold(n int) { " + tt.body + " }\n\n" + tt.rest + "\n",
				"helper": helper,
			}
			before, after := fold(t, m, nil), fold(t, m.with(t, "helper", tt.text, tt.by), nil)
			if before.Sum == after.Sum {
				t.Error("the fingerprint is the same")
			}
			clock := m.with(t, "helper", tt.text, tt.text+" + time.Now().Year()")
			clock = clock.with(t, "helper", "package helper\n", "package helper\n\nimport \"time\"\n")
			if got := fold(t, clock, nil); len(got.Refusals) == 0 {
				t.Error("the clock is not refused")
			}
		})
	}
}

func TestOf_initAndClear(t *testing.T) {
	t.Parallel()
	for _, rest := range []string{
		"var table = map[int]int{1: 1}\n\nfunc init() { clear(table) }",
		"var table map[int]int\n\nfunc init() { table = map[int]int{1: 2} }",
		"var table = map[int]int{1: 1}\n\nvar _ = func() int { table[1] = 2; return 0 }()",
		"var table = map[int]int{1: 1}\n\nfunc set(k, v int) { table[k] = v }\n\nvar Set = set",
	} {
		result := fold(t, module{"domain": "package domain\n\ntype State struct{ N int }\n\nfunc (s *State) Fold(n int) { s.N = table[n] }\n\n" + rest + "\n"}, nil)
		if len(result.Refusals) == 0 {
			t.Errorf("not refused: %s", rest)
		}
	}
}

func TestOf_linkname(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, rest string
		refused    bool
	}{
		{"a variable", "//go:linkname table runtime.ncpu\nvar table int", true},
		{"a variable, elsewhere in the file", "var table int\n\n//go:linkname table", true},
		{"a function with a body, which others link", "//go:linkname other\nfunc other() int { return 1 }\n\nvar table = 1", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			source := "package domain\n\nimport _ \"unsafe\"\n\ntype State struct{ N int }\n\nfunc (s *State) Fold(n int) { s.N = table }\n\n" + tt.rest + "\n"
			if got := fold(t, module{"domain": source}, nil); (len(got.Refusals) > 0) != tt.refused {
				t.Errorf("want refused %t, got %v", tt.refused, got.Refusals)
			}
		})
	}
}
