package fingerprint_test

import (
	"strings"
	"testing"
)

func TestOf_otherBuilds(t *testing.T) {
	t.Parallel()
	const domain = `package domain

import (
	"errors"

	"rates"
)

type State struct {
	N    int
	Rule Rule
}

type Rule interface{ Apply(n int) int }

var rate = 1

var missing = errors.New("missing")

func (s *State) Fold(n int) { s.N = rate + s.Rule.Apply(rates.Base) + len(missing.Error()) }

func (s *State) Decide() int { return onlyHere() }

func onlyHere() int { return 1 }
`
	for _, tt := range []struct{ name, file, content, refusal string }{
		{"reached by a tag", "domain/a.go", "//go:build plus\n\npackage domain\n\nfunc (r Flat) Apply(n int) int { return n }\n\ntype Flat int\n", "Apply is in a file that is not part of every build (//go:build plus)"},
		{"reached by a name", "domain/a_linux.go", "package domain\n\nfunc (r Flat) Apply(n int) int { return n }\n\ntype Flat int\n", "Apply is in a file that is not part of every build (its name ends"},
		{"reached by an architecture", "rates/a_linux_amd64.go", "package rates\n\nfunc (r Flat) Apply(n int) int { return n }\n\ntype Flat int\n", "Apply is in a file that is not"},
		{"releases of Go", "domain/a.go", "//go:build go1.18\n\npackage domain\n\nfunc (r Flat) Apply(n int) int { return n }\n\ntype Flat int\n", ""},
		{"not reached", "domain/a_linux.go", "package domain\n\nfunc notHere() int { return 1 }\n", ""},
		{"a name that is no system", "domain/a_plus.go", "package domain\n\nfunc (r Flat) Apply(n int) int { return n }\n\ntype Flat int\n", ""},
		{"a comment further below", "domain/a.go", "package domain\n\n//go:build plus\n\nfunc (r Flat) Apply(n int) int { return n }\n\ntype Flat int\n", ""},
		{"an init that is left out", "-domain/a.go", "//go:build plus\n\npackage domain\n\nfunc init() { rate = 2 }\n", "rate is here in a file that this build leaves out"},
		{"an init of another package", "-rates/a.go", "package rates\n\nfunc init() { Base = 2 }\n", "Base is here"},
		{"an importer that is left out", "-domain/a.go", "package domain\n\nimport r \"rates\"\n\nfunc init() { r.Base = 2 }\n", "Base is here"},
		{"an importer with a dot", "-domain/a.go", "package domain\n\nimport . \"rates\"\n\nfunc init() { Base = 2 }\n", "Base is here"},
		{"a method of a reached type", "-domain/a.go", "package domain\n\nfunc (s *State) MarshalJSON() ([]byte, error) { return nil, nil }\n", "MarshalJSON is here"},
		{"another implementation", "-rates/a.go", "package rates\n\ntype Flat int\n\nfunc (r Flat) Apply(n int) int { return n }\n", "Apply is here"},
		{"a twin", "-domain/a.go", "package domain\n\nvar rate = 3\n", "rate is here"},
		{"what the fold does not run", "-domain/a.go", "package domain\n\nfunc onlyHere() int { return 2 }\n\ntype plus struct{}\n\nfunc (plus) Do() error { return missing }\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := module{"domain": domain, "rates": "package rates\n\nvar Base = 1\n", tt.file: tt.content}
			var got []string
			for _, r := range fold(t, m, nil).Refusals {
				got = append(got, r.Pos.Filename+": "+r.Message)
			}
			if tt.refusal == "" && len(got) > 0 {
				t.Errorf("refused: %v", got)
			}
			if want := strings.TrimPrefix(tt.file, "-") + ": " + tt.refusal; tt.refusal != "" && (len(got) == 0 || !strings.HasPrefix(got[0], want)) {
				t.Errorf("want %q, got %q", want, got)
			}
		})
	}
}
