package console_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime/console"
	"github.com/eventmap/eventmap/runtime/inspect"
)

var inspectAll = inspect.ParkedQuery{Limit: 100}

func TestNew_refusesWhatItNeeds(t *testing.T) {
	t.Parallel()
	_, err := console.New(console.Config{Key: []byte("short"), Timeout: -1, Operators: []console.Operator{nil}})
	if err == nil {
		t.Fatal("a console of nothing was made")
	}
	for _, want := range []string{"inspector", "Authorize", "32", "negative", "operator is nil"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
}

// A person finds why an event is parked in two clicks from the overview, which says it already.
func TestOverview_leadsToTheReason(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *system) {
		s.append(t, order("1", "Placed", `{"n":1}`), order("1", "Paid", `{"fail":true}`), order("1", "Shipped", `{}`), order("2", "Placed", `{}`))
		s.run(t)
		b := browse(t, s)
		overview := b.get("")
		says(t, overview,
			"sick has parked 2 events", "it failed for &lt;b&gt;this&lt;/b&gt; reason",
			"halting is stopped at event 2", "After 1 attempts",
			"Log end 4", "Frontier 4", "good up to date", "Latest events", "Shipped v1")
		if strings.Contains(overview, "<b>this</b>") {
			t.Error("the error of a handler is markup")
		}
		if !strings.Contains(overview, `href="parked?consumer=sick"`) {
			t.Fatal("the overview does not lead to the parked events")
		}
		list := b.get("parked?consumer=sick")
		says(t, list, "2 Paid Order 1", "it failed for", "3 Shipped Order 1", "waits behind an earlier event of its stream")
		if !strings.Contains(list, `href="failure?consumer=sick&amp;position=2"`) {
			t.Fatal("the list does not lead to the event")
		}
		says(t, b.get("failure?consumer=sick&position=2"), "It failed 1 time", "and that is where", "&#34;fail&#34;", "Retry", "Drop")
		says(t, b.get("failure?consumer=sick&position=3"), "It waits behind an earlier event")
		says(t, b.get("consumer?name=halting"), "halting stopped", "Event 2 fails in segment 0, 1 attempts", "and that is where", "Resume")
		says(t, b.get("consumer?name=good"), "good up to date", "2 segments", "Reset")
	})
}

func TestPages_showTheLog(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *system) {
		first := order("2024-1", "Placed", `{"customer":"Ada"}`)
		first.CorrelationID.String, first.CorrelationID.Valid = "checkout-7", true
		first.Metadata = []byte(`{"channel":"web"}`)
		second := order("2024-1", "Paid", `{}`)
		second.CausationID.String, second.CausationID.Valid = first.EventID.String(), true
		user := order("u/1", "Registered", `{}`)
		user.AggregateType = "User"
		s.append(t, first, second, order("2025-1", "Placed", `{}`), user)
		b := browse(t, s)

		says(t, b.get("streams"), "Order 2024-1 2", "Order 2025-1 1", "User u/1 1")
		only := words(b.get("streams?type=Order&prefix=2025"))
		if strings.Contains(only, "2024-1") || !strings.Contains(only, "2025-1") {
			t.Errorf("streams of Order that begin with 2025: %s", only)
		}
		says(t, b.get("streams?prefix=nothing"), "No stream whose ID begins with nothing")
		says(t, b.get("stream?type=Order&id=2024-1"), "Version 2", "1 Placed v1", "Ada", "2 Paid v1")
		says(t, b.get("event?position=1"), "Placed v1", "checkout-7", "channel", "Ada", "Next in the stream")
		says(t, b.get("event?id="+second.EventID.String()), "Paid v1", first.EventID.String(), "Previous in the stream")
		says(t, b.get("event?type=Order&stream=2024-1&version=2"), "Paid v1")
		says(t, b.get("events?type=User"), "4 Registered v1 User u/1")
		says(t, b.get("events?event=Paid"), "2 Paid v1")
		says(t, b.get("events?correlation=checkout-7&after=0"), "1 Placed v1")
		says(t, b.get("events?causation="+first.EventID.String()+"&after=1"), "2 Paid v1")
		says(t, b.get("events?at=2020-01-01T00:00"), "No events")
		says(t, b.get("events?at="+time.Now().UTC().Add(time.Hour).Format("2006-01-02T15:04")), "4 Registered", "1 Placed")

		for _, found := range []struct{ q, want string }{
			{"3", "Placed v1"},
			{second.EventID.String(), "Paid v1"},
			{"2024-1", "Version 2"},
			{"order/2025", "2025-1"},
			{"u/1", "Registered"},
			{"20", "Order 2024-1"},
			{"", "Streams"},
		} {
			says(t, b.follow("find?q="+found.q), found.want)
		}
	})
}

func TestPages_walkWithoutGaps(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *system) {
		const n = 130
		for i := range n {
			s.append(t, order("long", fmt.Sprintf("E%d", i+1), "{}"), order(fmt.Sprintf("s%03d", i), "Placed", "{}"))
		}
		b := browse(t, s)
		for _, walk := range []struct {
			first, next, pattern string
			want                 int
		}{
			{"events", "next", `event?position=`, 2 * n},
			{"streams", "next", `stream?id=`, n + 1},
			{"stream?type=Order&id=long", "next", `event?position=`, n},
			{"stream?type=Order&id=long&order=newest", "next", `event?position=`, n},
			{"events?event=Placed", "next", `event?position=`, n},
		} {
			seen := map[string]bool{}
			for page, pages := walk.first, 0; page != ""; pages++ {
				if pages > 20 {
					t.Fatalf("%s does not end", walk.first)
				}
				body := b.get(page)
				for _, link := range links(body) {
					if strings.HasPrefix(link, walk.pattern) {
						seen[link] = true
					}
				}
				page = pageLink(body, walk.next)
			}
			if len(seen) != walk.want {
				t.Errorf("%s: %d links to %s, want %d", walk.first, len(seen), walk.pattern, walk.want)
			}
		}
		older := b.get(pageLink(b.get("events"), "next"))
		if newest := b.get(pageLink(older, "prev")); !strings.Contains(newest, ">260<") {
			t.Error("the page before the second one does not hold the newest event")
		}
	})
}

func TestFrontier_saysWhoHoldsIt(t *testing.T) {
	t.Parallel()
	s, pool := onPostgres(t)
	s.append(t, order("1", "Placed", "{}"))
	holder := holdFrontier(t, pool)
	s.append(t, order("3", "Placed", "{}"))
	b := browse(t, s)
	page := b.get("")
	says(t, page, "Who holds the frontier", "the-culprit", "idle in transaction", "beyond the frontier", "2 positions before the end")
	holder()
	if page := words(b.get("")); strings.Contains(page, "Who holds") {
		t.Errorf("the frontier is free, and the page says:\n%s", page)
	}
}

// holdFrontier appends in a transaction and leaves it open until the returned function is called.
func holdFrontier(t *testing.T, pool *pgxpool.Pool) func() {
	t.Helper()
	conn, err := pool.Acquire(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	tx, err := conn.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(context.Background(), "set local application_name = 'the-culprit'"); err != nil {
		t.Fatal(err)
	}
	appendIn(t, tx, order("2", "Placed", "{}"))
	return func() {
		if err := tx.Rollback(context.Background()); err != nil {
			t.Error(err)
		}
		conn.Release()
	}
}

func TestHandler_answersHEADAndKnowsNoOtherPage(t *testing.T) {
	t.Parallel()
	s, _ := onSQLite(t)
	b := browse(t, s)
	answer, body := b.do(http.MethodHead, "", nil)
	if answer.StatusCode != http.StatusOK || body != "" || answer.ContentLength <= 0 {
		t.Errorf("HEAD: %s, %d bytes, Content-Length %d", answer.Status, len(body), answer.ContentLength)
	}
	for page, want := range map[string]int{
		"nothing":               http.StatusNotFound,
		"event?position=9":      http.StatusNotFound,
		"event?position=x":      http.StatusBadRequest,
		"event?position=-1":     http.StatusBadRequest,
		"event?id=x":            http.StatusBadRequest,
		"events?at=yesterday":   http.StatusBadRequest,
		"stream?type=A&id=B":    http.StatusNotFound,
		"consumer?name=nobody":  http.StatusNotFound,
		"consumer":              http.StatusNotFound,
		"failure?consumer=sick": http.StatusNotFound,
	} {
		if answer, body := b.do(http.MethodGet, page, nil); answer.StatusCode != want {
			t.Errorf("GET %s: %s, want %d\n%s", page, answer.Status, want, words(body))
		}
	}
	if answer, _ := b.do(http.MethodDelete, "events", nil); answer.StatusCode < 400 {
		t.Errorf("DELETE: %s", answer.Status)
	}
	answer, _ = b.do(http.MethodGet, "console.css", nil)
	if got := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || got != "text/css; charset=utf-8" {
		t.Errorf("the style sheet: %s, %s", answer.Status, got)
	}
}

// An address without its last slash leads to the one with it, whoever strips the prefix.
func TestHandler_isInAFolder(t *testing.T) {
	t.Parallel()
	s, _ := onSQLite(t)
	handler, err := console.New(console.Config{
		Inspector: s.inspector,
		Authorize: func(*http.Request) console.Access { return console.Access{Role: console.Reader} },
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/a/console", http.StripPrefix("/a/console", handler))
	r := httptest.NewRequest(http.MethodGet, "/a/console?q=1", nil)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	if got := w.Header().Get("Location"); w.Code != http.StatusPermanentRedirect || got != "./console/?q=1" {
		t.Errorf("%d, to %q", w.Code, got)
	}
}

func TestHandler_overHTTP2(t *testing.T) {
	t.Parallel()
	s, _ := onSQLite(t)
	handler, err := console.New(console.Config{
		Inspector: s.inspector,
		Authorize: func(*http.Request) console.Access { return console.Access{Role: console.Reader, User: "bob"} },
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	answer, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.ProtoMajor != 2 || answer.StatusCode != http.StatusOK {
		t.Errorf("%s, %s", answer.Proto, answer.Status)
	}
}

// A database that is away is said, and the console is there again when it is.
func TestHandler_saysThatTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *system) {
		b := browse(t, s)
		b.get("")
		s.close()
		for _, page := range []string{"", "consumers", "events", "streams", "parked", "consumer?name=good", "find?q=1"} {
			answer, body := b.do(http.MethodGet, page, nil)
			if answer.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("GET %s: %s", page, answer.Status)
			}
			says(t, body, "The database could not be read", "closed")
		}
	})
}

// A request that nobody waits for any more leaves nothing behind.
func TestHandler_cancelledRequest(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *system) {
		handler, err := console.New(console.Config{
			Inspector: s.inspector,
			Authorize: func(*http.Request) console.Access { return console.Access{Role: console.Reader} },
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for range 20 {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil).WithContext(ctx))
			if w.Body.Len() != 0 {
				t.Fatalf("an answer that nobody reads: %s", w.Body)
			}
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		if w.Code != http.StatusOK {
			t.Errorf("after cancelled requests: %d\n%s", w.Code, w.Body)
		}
	})
}
