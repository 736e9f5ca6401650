package console_test

import (
	"context"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

var (
	hrefs = regexp.MustCompile(`href="([^"]*)"`)
	rels  = regexp.MustCompile(`rel="(\w+)" href="([^"]*)"`)
)

// links returns the links of a page.
func links(page string) []string {
	var all []string
	for _, found := range hrefs.FindAllStringSubmatch(page, -1) {
		all = append(all, html.UnescapeString(found[1]))
	}
	return all
}

// pageLink returns the link to the next page, or to the one before, or nothing.
func pageLink(page, rel string) string {
	for _, found := range rels.FindAllStringSubmatch(page, -1) {
		if found[1] == rel {
			return html.UnescapeString(found[2])
		}
	}
	return ""
}

// appendIn appends in a transaction.
func appendIn(t *testing.T, tx pgx.Tx, e runtime.Event) {
	t.Helper()
	store, err := postgres.New()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Append(context.Background(), tx, runtime.Any(), []runtime.Event{e}); err != nil {
		t.Fatal(err)
	}
}

// Every link of every page is relative, leads within the console, and is there.
func TestLinks_areRelativeAndLeadSomewhere(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *system) {
		s.append(t, order("0", "Placed", `{}`), order("a/b c?&=#%", "Paid", `{"fail":1}`), order("..", "Paid", "{}"), order("ä\n\"<", "Paid", "{}"))
		s.run(t)
		b := browse(t, s)
		seen := map[string]bool{}
		todo := []string{""}
		for len(todo) > 0 {
			page := todo[0]
			todo = todo[1:]
			if seen[page] || len(seen) > 120 {
				continue
			}
			seen[page] = true
			answer, body := b.do("GET", page, nil)
			gap := strings.HasPrefix(page, "event?stream=") // the version after the last one
			if answer.StatusCode != http.StatusOK && !gap {
				t.Errorf("GET %s: %s\n%s", page, answer.Status, words(body))
			}
			for _, link := range links(body) {
				link, _, _ = strings.Cut(link, "#")
				if strings.HasPrefix(link, "/") || strings.Contains(link, ":/") {
					t.Errorf("%s links to %s, which is not relative", page, link)
				}
				if link != "./" && link != "" {
					todo = append(todo, link)
				}
			}
		}
		for _, page := range []string{"stream?id=0&type=Order", "stream?id=..&type=Order", "failure?consumer=sick&position=2"} {
			if !seen[page] {
				t.Errorf("no link leads to %s", page)
			}
		}
	})
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func queryEscape(s string) string { return url.QueryEscape(s) }

func itoa(n int) string { return strconv.Itoa(n) }

func index(names []string, name string) int { return slices.Index(names, name) }

// Without JavaScript a page reloads itself, but for one with forms that somebody may be filling in.
func TestPages_reloadWithoutJavaScript(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *system) {
		b := failing(t, s)
		const reload = `http-equiv="refresh"`
		for _, page := range []string{"", "consumers", "parked", "events"} {
			if !strings.Contains(b.get(page), reload) {
				t.Errorf("%q does not reload", page)
			}
		}
		for _, page := range []string{"consumer?name=sick", "failure?consumer=sick&position=2"} {
			if strings.Contains(b.get(page), reload) {
				t.Errorf("%q reloads under whoever fills in a form", page)
			}
			if !strings.Contains(b.by("bob").get(page), reload) {
				t.Errorf("%q does not reload for a reader, who has no forms", page)
			}
		}
	})
}
