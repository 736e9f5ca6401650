package goload

import (
	"path/filepath"
	"testing"
)

func TestPatternFolder(t *testing.T) {
	t.Parallel()
	abs := filepath.FromSlash("/a/b")
	for _, test := range []struct {
		pattern, folder string
		local           bool
	}{
		{"./...", ".", true},
		{".", ".", true},
		{"..", "..", true},
		{"../...", "..", true},
		{"./domain/...", "./domain", true},
		{"./domain", "./domain", true},
		{"./dom.../x", ".", true},
		{abs + "/...", abs, true},
		{"example.com/m/...", "example.com/m", false},
		{"...", "", false},
		{"all", "all", false},
		{".../x", "", false},
	} {
		if folder, local := patternFolder(test.pattern); folder != test.folder || local != test.local {
			t.Errorf("patternFolder(%q) = %q, %v, want %q, %v", test.pattern, folder, local, test.folder, test.local)
		}
	}
}
