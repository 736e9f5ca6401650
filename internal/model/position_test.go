package model

import (
	"slices"
	"testing"
)

func TestPosition_String_leavesOutWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]Position{
		"-": {}, "a.go": {File: "a.go"}, "a.go:3": {File: "a.go", Line: 3}, "a.go:3:7": {File: "a.go", Line: 3, Col: 7},
	} {
		if got := p.String(); got != want {
			t.Errorf("%#v prints %q, want %q", p, got, want)
		}
	}
}

func TestPosition_Compare_byFileLineAndColumn(t *testing.T) {
	t.Parallel()
	want := []Position{{}, {File: "a.go"}, {File: "a.go", Line: 2, Col: 9}, {File: "a.go", Line: 10, Col: 1}, {File: "a.go", Line: 10, Col: 2}, {File: "b.go", Line: 1}}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, Position.Compare)
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
