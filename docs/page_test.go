package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// longLines are the pages whose lines may still be longer than [TestPages_lines] allows.
var longLines = map[string]bool{"adoption.md": true, "consumers.md": true, "eventmap-gen.md": true, "migrations.md": true, "privacy.md": true, "relay.md": true, "scale.md": true, "snapshots.md": true, "store.md": true}

// TestPages_lines holds the prose of the pages below 120 columns, so that a diff of one shows what changed. Rows of tables,
// code and its output, and lines without a blank to break at are as long as they are.
func TestPages_lines(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		if longLines[page] {
			continue
		}
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		code := false
		for i, line := range strings.Split(string(text), "\n") {
			if strings.HasPrefix(line, "```") {
				code = !code
			}
			if !code && !strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "    ") && utf8.RuneCountInString(line) > 120 {
				t.Errorf("%s:%d: the line has more than 120 columns; break it", page, i+1)
			}
		}
	}
}

var inBackticks = regexp.MustCompile("`((?:cmd|docs|internal|runtime|templates)/[a-zA-Z0-9_./-]+)`")

// TestContributing_paths holds what the page sends people to to what there is.
func TestContributing_paths(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("contributing.md")
	if err != nil {
		t.Fatal(err)
	}
	found := inBackticks.FindAllStringSubmatch(string(text), -1)
	if len(found) < 10 {
		t.Fatalf("the page names %d paths", len(found))
	}
	for _, m := range found {
		if _, err := os.Stat(filepath.Join("..", m[1])); err != nil {
			t.Error(err)
		}
	}
}
