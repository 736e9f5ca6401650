package astscan

import "testing"

func TestMayImport_followsInternalFolders(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		from, path string
		want       bool
	}{
		{"m/gen", "m/order", true},
		{"m/gen", "m/internal/order", true},
		{"m", "m/internal/order", true},
		{"m/gen", "m/domain/internal/order", false},
		{"m/domain/gen", "m/domain/internal", true},
		{"m/domains/gen", "m/domain/internal", false},
		{"m/gen", "m/internal/a/internal/b", false},
		{"m/internal/a/gen", "m/internal/a/internal/b", true},
		{"m/gen", "internal/abi", false},
		{"m/gen", "m/internals/order", true},
	} {
		if got := mayImport(test.from, test.path); got != test.want {
			t.Errorf("mayImport(%q, %q) = %v", test.from, test.path, got)
		}
	}
}
