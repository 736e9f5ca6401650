package console_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eventmap/eventmap/runtime/console"
	"github.com/eventmap/eventmap/runtime/inspect"
)

// failing returns a system in which "sick" has parked the events 2 and 3, and "halting" is stopped at 2.
func failing(t *testing.T, s *system) *browser {
	t.Helper()
	s.append(t, order("1", "Placed", `{}`), order("1", "Paid", `{"fail":true}`), order("1", "Shipped", `{}`))
	s.run(t)
	if got := positionsOf(t, s); !cmp.Equal(got, []int64{2, 3}) {
		t.Fatalf("parked: %v", got)
	}
	return browse(t, s)
}

func TestAction_retry(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *system) {
		b := failing(t, s)
		retry := []string{"kind", "retry", "consumer", "sick", "type", "Order", "id", "1"}
		says(t, b.act("failure?consumer=sick&position=2", retry...), "That did not work.", "it failed for &lt;b&gt;this&lt;/b&gt; reason")
		says(t, b.get("failure?consumer=sick&position=2"), "It failed 2 times")
		s.mended.Store(true)
		says(t, b.act("failure?consumer=sick&position=2", retry...), "Handled 2 parked events", "Nothing is parked")
		if got := positionsOf(t, s); got != nil {
			t.Errorf("parked after the retry: %v", got)
		}
		for _, want := range []string{"action failed", "action done", "user=ada", "action=retry", "consumer=sick", "aggregate_id=1"} {
			if !strings.Contains(b.log.String(), want) {
				t.Errorf("the log does not say %q:\n%s", want, b.log)
			}
		}
	})
}

func TestAction_dropNeedsAReason(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *system) {
		b := failing(t, s)
		form := url.Values{"token": {b.token("failure?consumer=sick&position=2")}, "kind": {"drop"}, "consumer": {"sick"}, "position": {"2"}, "reason": {" "}}
		if answer, body := b.do(http.MethodPost, "action", form); answer.StatusCode != http.StatusBadRequest || !strings.Contains(body, "say why") {
			t.Errorf("without a reason: %s", answer.Status)
		}
		says(t, b.act("failure?consumer=sick&position=2", "kind", "drop", "consumer", "sick", "position", "2", "reason", "test order"),
			"Dropped event 2", "3 Shipped")
		if got := positionsOf(t, s); !cmp.Equal(got, []int64{3}) {
			t.Errorf("parked after the drop: %v", got)
		}
		if log := b.log.String(); !strings.Contains(log, `reason="test order"`) || !strings.Contains(log, "position=2") {
			t.Errorf("the log does not say why:\n%s", log)
		}
	})
}

func TestAction_resumePauseResizeReset(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *system) {
		b := failing(t, s)
		s.mended.Store(true)
		says(t, b.act("consumer?name=halting", "kind", "resume", "consumer", "halting"), "halting goes on.")
		s.run(t)
		says(t, b.get("consumer?name=halting"), "halting up to date")

		says(t, b.act("consumer?name=halting", "kind", "pause", "consumer", "halting", "reason", "moving house"),
			"halting is paused.", "paused", "Stopped by an operator", "paused: moving house (by ada)")
		says(t, b.get(""), "halting is paused", "moving house")
		s.append(t, order("9", "Placed", "{}"))
		s.run(t)
		if got := checkpointsOf(t, s, "halting")[0].Position; got != 3 {
			t.Errorf("a paused consumer is at %d, want 3", got)
		}
		b.act("consumer?name=halting", "kind", "resume", "consumer", "halting")
		s.run(t)
		if got := checkpointsOf(t, s, "halting")[0].Position; got != 4 {
			t.Errorf("a resumed consumer is at %d, want 4", got)
		}

		says(t, b.act("consumer?name=good", "kind", "resize", "consumer", "good", "segments", "3"), "good has 3 segments.", "3 segments")
		if got := len(checkpointsOf(t, s, "good")); got != 3 {
			t.Errorf("%d segments, want 3", got)
		}
		form := url.Values{"token": {b.token("consumer?name=good")}, "kind": {"reset"}, "consumer": {"good"}, "confirm": {"goood"}}
		if answer, _ := b.do(http.MethodPost, "action", form); answer.StatusCode != http.StatusBadRequest || s.cleared.Load() != 0 {
			t.Errorf("a reset that is not confirmed: %s, cleared %d times", answer.Status, s.cleared.Load())
		}
		says(t, b.act("consumer?name=good", "kind", "reset", "consumer", "good", "confirm", "good"), "good begins again with the first event.")
		if got := checkpointsOf(t, s, "good")[0].Position; got != 0 || s.cleared.Load() != 1 {
			t.Errorf("after the reset: position %d, cleared %d times", got, s.cleared.Load())
		}
		says(t, b.act("consumer?name=sick", "kind", "reset", "consumer", "sick", "confirm", "sick"), "That did not work.", "has not said how to clear")
	})
}

func checkpointsOf(t *testing.T, s *system, name string) []inspect.Checkpoint {
	t.Helper()
	checkpoints, err := s.inspector.Checkpoints(context.Background(), inspect.CheckpointQuery{Consumer: name, Limit: 10})
	if err != nil || len(checkpoints) == 0 {
		t.Fatalf("checkpoints of %s: %v, %v", name, checkpoints, err)
	}
	return checkpoints
}

// Whatever is wrong with who asks, from where and how, nothing is changed.
func TestAction_refuses(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *system) {
		b := failing(t, s)
		token := b.token("failure?consumer=sick&position=2")
		form := func(pairs ...string) url.Values {
			f := url.Values{"token": {token}, "kind": {"drop"}, "consumer": {"sick"}, "position": {"2"}, "reason": {"attack"}}
			for i := 0; i < len(pairs); i += 2 {
				f.Set(pairs[i], pairs[i+1])
			}
			return f
		}
		for name, attack := range map[string]struct {
			by     *browser
			method string
			form   url.Values
			want   int
		}{
			"nobody":            {b.by("eve"), http.MethodPost, form(), http.StatusForbidden},
			"a reader":          {b.by("bob"), http.MethodPost, form(), http.StatusForbidden},
			"a reader with GET": {b.by("bob"), http.MethodGet, form(), http.StatusNotFound},
			"GET":               {b, http.MethodGet, form(), http.StatusNotFound},
			"no token":          {b, http.MethodPost, form("token", ""), http.StatusForbidden},
			"another token":     {b, http.MethodPost, form("token", anotherToken(t, token)), http.StatusForbidden},
			"another site":      {b.with("Sec-Fetch-Site", "cross-site"), http.MethodPost, form(), http.StatusForbidden},
			"another origin":    {b.with("Origin", "https://evil.example"), http.MethodPost, form(), http.StatusForbidden},
			"no such action":    {b, http.MethodPost, form("kind", "truncate"), http.StatusBadRequest},
			"no such consumer":  {b, http.MethodPost, form("consumer", "nobody"), http.StatusNotFound},
			"no position":       {b, http.MethodPost, form("position", "x"), http.StatusBadRequest},
			"a long reason":     {b, http.MethodPost, form("reason", strings.Repeat("x", 2000)), http.StatusBadRequest},
			"a huge form":       {b, http.MethodPost, form("reason", strings.Repeat("x", 1<<20)), http.StatusBadRequest},
			"reset unconfirmed": {b, http.MethodPost, form("kind", "reset", "consumer", "good"), http.StatusBadRequest},
			"resize to nothing": {b, http.MethodPost, form("kind", "resize", "segments", ""), http.StatusBadRequest},
			"retry of nothing":  {b, http.MethodPost, form("kind", "retry"), http.StatusBadRequest},
			"pause for nothing": {b, http.MethodPost, form("kind", "pause", "reason", ""), http.StatusBadRequest},
		} {
			if answer, body := attack.by.do(attack.method, "action?"+attack.form.Encode()[:min(2000, len(attack.form.Encode()))], attack.form); answer.StatusCode != attack.want {
				t.Errorf("%s: %s, want %d\n%s", name, answer.Status, attack.want, words(body))
			}
		}
		// The parameters of an address are no form.
		if answer, _ := b.do(http.MethodPost, "action?"+form().Encode(), nothing); answer.StatusCode != http.StatusForbidden {
			t.Errorf("an action in the address: %s", answer.Status)
		}
		if got := positionsOf(t, s); !cmp.Equal(got, []int64{2, 3}) {
			t.Errorf("parked after the attacks: %v", got)
		}
		if strings.Contains(b.log.String(), "action done") {
			t.Errorf("something was done:\n%s", b.log)
		}
	})
}

// anotherToken returns a token that differs in one bit of its signature. Letters are not replaced: they may be what they were, and
// some bits of the last one count for nothing.
func anotherToken(t *testing.T, token string) string {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	return base64.RawURLEncoding.EncodeToString(b)
}

// The token of one operator is of no use to another, and an operator without a name is none.
func TestAction_tokenIsOfOneUser(t *testing.T) {
	t.Parallel()
	s, _ := onSQLite(t)
	failing(t, s)
	b := browse(t, s, func(c *console.Config) {
		c.Authorize = func(r *http.Request) console.Access {
			return console.Access{Role: console.Operating, User: strings.TrimPrefix(r.Header.Get("User"), "-")}
		}
	})
	form := url.Values{"token": {b.by("ada").token("consumer?name=good")}, "kind": {"resume"}, "consumer": {"good"}}
	if answer, _ := b.by("eve").do(http.MethodPost, "action", form); answer.StatusCode != http.StatusForbidden {
		t.Errorf("with the token of somebody else: %s", answer.Status)
	}
	if answer, _ := b.by("ada").do(http.MethodPost, "action", form); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("with the own token: %s", answer.Status)
	}
	if answer, _ := b.by("-").do(http.MethodPost, "action", form); answer.StatusCode != http.StatusForbidden {
		t.Errorf("without a name: %s", answer.Status)
	}
}

func TestReader_seesEverythingAndChangesNothing(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *system) {
		b := failing(t, s).by("bob")
		for _, page := range []string{"", "consumers", "consumer?name=sick", "parked", "failure?consumer=sick&position=2", "streams", "events", "event?position=1"} {
			body := b.get(page)
			if strings.Contains(body, `method="post"`) || strings.Contains(body, "token") {
				t.Errorf("%s has a form of an action for a reader", page)
			}
		}
	})
}

func TestNobody_seesNothing(t *testing.T) {
	t.Parallel()
	s, _ := onSQLite(t)
	b := failing(t, s).by("eve")
	for _, page := range []string{"", "consumers", "events", "event?position=1", "console.css", "console.js", "nothing"} {
		answer, body := b.do(http.MethodGet, page, nil)
		if answer.StatusCode != http.StatusForbidden || strings.Contains(body, "Order") || strings.Contains(body, "sick") {
			t.Errorf("GET %s: %s\n%s", page, answer.Status, words(body))
		}
	}
}

// A notice that this console did not make is not shown.
func TestNotice_cannotBeForged(t *testing.T) {
	t.Parallel()
	s, _ := onSQLite(t)
	page := browse(t, s).get("?notice=" + url.QueryEscape("VGhlIGNvbnNvbGUgc2F5cyBzbyBidXQgaXQgZGlkIG5vdCBzYXkgdGhhdCBhdCBhbGwuLi4u"))
	if strings.Contains(page, "notice") {
		t.Errorf("a forged notice is shown:\n%s", words(page))
	}
}
