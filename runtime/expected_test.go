package runtime_test

import (
	"fmt"
	"testing"

	"github.com/eventmap/eventmap/runtime"
)

func TestExpectedVersion_kinds(t *testing.T) {
	t.Parallel()
	type kinds struct{ any, none, exists, exact bool }
	for _, row := range []struct {
		version runtime.ExpectedVersion
		kinds   kinds
		value   int64
		text    string
		matches string // for streams at 0, 1, 2 and 3
	}{
		{runtime.Any(), kinds{any: true}, 0, "any version", "yyyy"},
		{runtime.NoStream(), kinds{none: true}, 0, "no stream", "ynnn"},
		{runtime.StreamExists(), kinds{exists: true}, 0, "an existing stream", "nyyy"},
		{runtime.Exact(2), kinds{exact: true}, 2, "version 2", "nnyn"},
		{runtime.Exact(-1), kinds{exact: true}, -1, "version -1", "nnnn"},
		{runtime.Exact(0), kinds{none: true}, 0, "no stream", "ynnn"},
		{runtime.ExpectedVersion{}, kinds{none: true}, 0, "no stream", "ynnn"},
	} {
		t.Run(row.text, func(t *testing.T) {
			t.Parallel()
			v := row.version
			if got := (kinds{v.IsAny(), v.IsNoStream(), v.IsStreamExists(), v.IsExact()}); got != row.kinds {
				t.Errorf("kinds are %+v, want %+v", got, row.kinds)
			}
			if v.Value() != row.value || v.String() != row.text {
				t.Errorf("value is %d and text %q, want %d and %q", v.Value(), v, row.value, row.text)
			}
			matches := ""
			for actual := range int64(4) {
				matches += map[bool]string{true: "y", false: "n"}[v.Matches(actual)]
			}
			if matches != row.matches {
				t.Errorf("matches %s, want %s", matches, row.matches)
			}
		})
	}
	if runtime.Exact(0) != runtime.NoStream() || runtime.Exact(1) == runtime.Exact(2) || runtime.Any() == runtime.StreamExists() {
		t.Error("versions do not compare by what they expect")
	}
	if got := fmt.Sprint(runtime.Exact(7)); got != "version 7" {
		t.Errorf("printed as %q", got)
	}
}
