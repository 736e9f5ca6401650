package docs_test

import (
	"regexp"
	"testing"
)

// flagOfManual matches the beginning of what a manual says about a flag.
var flagOfManual = regexp.MustCompile(`(?m)^\t(?:-\w, )?(--[a-z-]+)`)

// TestPages_flags holds the page of each command to its manual: it names every flag.
func TestPages_flags(t *testing.T) {
	t.Parallel()
	for command, page := range map[string]string{"catalog-gen": "catalog.md", "eventmap-gen": "eventmap-gen.md", "migrate-gen": "migrations.md"} {
		flags := flagOfManual.FindAllStringSubmatch(read(t, "../cmd/"+command+"/doc.go"), -1)
		if len(flags) < 10 {
			t.Errorf("the manual of %s has %d flags", command, len(flags))
		}
		text := read(t, page)
		for _, m := range flags {
			if !regexp.MustCompile("`" + m[1] + `[^a-z-]`).MatchString(text) {
				t.Errorf("%s does not name %s, a flag of %s", page, m[1], command)
			}
		}
	}
}
