package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// TestPages_lines holds the prose of the pages below 120 columns, so that a diff of one shows what changed. Rows of tables,
// code and its output, and lines without a blank to break at are as long as they are.
func TestPages_lines(t *testing.T) {
	t.Parallel()
	for _, page := range pages(t, "*.md", "adr/*.md", "migrations/*.md", "../README.md", "../findings/README.md") {
		code := false
		for i, line := range strings.Split(read(t, page), "\n") {
			if strings.HasPrefix(line, "```") {
				code = !code
			}
			if !code && !strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "    ") && utf8.RuneCountInString(line) > 120 {
				t.Errorf("%s:%d: the line has more than 120 columns; break it", page, i+1)
			}
		}
	}
}

// pages returns the pages that the patterns name; each names some.
func pages(t *testing.T, patterns ...string) []string {
	t.Helper()
	var all []string
	for _, pattern := range patterns {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d pages, %v", pattern, len(found), err)
		}
		all = append(all, found...)
	}
	return all
}

// TestADR_headings holds every decision to the three parts that a reader looks for, in their order.
func TestADR_headings(t *testing.T) {
	t.Parallel()
	part := regexp.MustCompile(`(?m)^## .*$`)
	want := []string{"## Context", "## Decision", "## Consequences"}
	for _, page := range pages(t, "adr/*.md") {
		if d := cmp.Diff(want, part.FindAllString(read(t, page), -1)); d != "" {
			t.Errorf("%s (-want +got):\n%s", page, d)
		}
	}
}

// TestIndex_hasEveryPage holds the index of the documentation to the pages that there are.
func TestIndex_hasEveryPage(t *testing.T) {
	t.Parallel()
	index := read(t, "README.md")
	for _, page := range pages(t, "*.md") {
		if page != "README.md" && !strings.Contains(index, "]("+page) {
			t.Errorf("README.md does not lead to %s", page)
		}
	}
}

// TestPages_exampleThenGuarantees holds guides and reference to what a reader looks for: an example before anything else, and what
// can be relied on.
func TestPages_exampleThenGuarantees(t *testing.T) {
	t.Parallel()
	_, index, _ := strings.Cut(read(t, "README.md"), "## How to")
	index, _, _ = strings.Cut(index, "## Explanation")
	linked := regexp.MustCompile(`\]\(([a-z-]+\.md)\)`).FindAllStringSubmatch(index, -1)
	if len(linked) < 15 {
		t.Fatalf("the index has %d guides and references", len(linked))
	}
	for _, m := range linked {
		page := read(t, m[1])
		before, _, _ := strings.Cut(page, "\n## ")
		if !strings.Contains(before, "\n```") {
			t.Errorf("%s has no example above its first heading", m[1])
		}
		if !strings.Contains(page, "\n## Guarantees") {
			t.Errorf("%s does not say what it guarantees", m[1])
		}
	}
}

var inBackticks = regexp.MustCompile("`((?:cmd|docs|internal|runtime|templates)/[a-zA-Z0-9_./-]+)`")

// TestContributing_paths holds what the page sends people to to what there is.
func TestContributing_paths(t *testing.T) {
	t.Parallel()
	found := inBackticks.FindAllStringSubmatch(read(t, "contributing.md"), -1)
	if len(found) < 10 {
		t.Fatalf("the page names %d paths", len(found))
	}
	for _, m := range found {
		if _, err := os.Stat(filepath.Join("..", m[1])); err != nil {
			t.Error(err)
		}
	}
}
