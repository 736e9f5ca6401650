package postgres

import (
	"strings"
	"testing"
)

func TestFitsNumeric(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		text string
		fits bool
	}{
		{`0`, true},
		{`-1.5e-3`, true},
		{`{"a":[1E+10,2e0],"b":true,"c":null}`, true},
		{`1e8000`, true},
		{`[1, 1e131072]`, false},
		{`1e-16384`, false},
		{`1e99999999999999999999`, false},
		{`{"a": -1E+200000}`, false},
		{`"1e200000"`, true},
		{`{"1e200000": "\"1e200000\\"}`, true},
		{`["\\", 1e200000]`, false},
		{`{"a":"` + strings.Repeat("9", 9000) + `"}`, true},
		{strings.Repeat("9", 9000), false},
		{`0.` + strings.Repeat("0", 16384) + `1`, false},
	} {
		if got := fitsNumeric([]byte(row.text)); got != row.fits {
			t.Errorf("%.40s: fits is %v, want %v", row.text, got, row.fits)
		}
	}
}
