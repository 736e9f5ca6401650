package gocode

import "strings"

// IsOrphan reports whether a file of the output folder that no longer comes out of a run is to go: everything of ours
// is one run's.
func IsOrphan(name string, content []byte) bool {
	return strings.HasSuffix(name, ".go") && IsOurs(content)
}
