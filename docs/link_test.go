package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	inlineLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading    = regexp.MustCompile(`(?m)^#+ (.+)$`)
	codeFence  = regexp.MustCompile("(?ms)^```.*?^```$")
	notAnchor  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// TestPages_links holds every link between pages of the repository to a file that is there, and to a heading in it.
func TestPages_links(t *testing.T) {
	t.Parallel()
	for _, page := range pages(t, "../*.md", "*.md", "adr/*.md", "migrations/*.md", "testdata/upgrade/*.md", "../findings/*.md") {
		for _, m := range inlineLink.FindAllStringSubmatch(codeFence.ReplaceAllString(read(t, page), ""), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			path := page
			if target != "" {
				path = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s: link to %s: %v", page, m[1], err)
			} else if anchor != "" && !anchors(read(t, path))[anchor] {
				t.Errorf("%s: link to %s: %s has no such heading", page, m[1], target)
			}
		}
	}
}

// anchors returns what the headings of a page are called in links, as GitHub calls them.
func anchors(page string) map[string]bool {
	all := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(codeFence.ReplaceAllString(page, ""), -1) {
		name := notAnchor.ReplaceAllString(strings.ToLower(m[1]), "")
		all[strings.ReplaceAll(name, " ", "-")] = true
	}
	return all
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
