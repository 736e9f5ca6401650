package console_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/console"
	"github.com/eventmap/eventmap/runtime/inspect"
)

// script is what must never be markup.
const script = `</script></pre><script>alert(1)</script><img src=x onerror=alert(1)>'"` + "`javascript:alert(1)" // none of it may run

// What is stored is text on every page, whatever it is, and pages stay small.
func TestPages_hostileEvents(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *system) {
		deep := strings.Repeat(`{"a":[`, 20_000) + "1" + strings.Repeat(`]}`, 20_000)
		payloads := map[string]string{
			"script":          script,
			"script in JSON":  string(mustJSON(map[string]any{script: script, "list": []any{script, nil, true, 1.5}})),
			"huge":            `{"text":"` + strings.Repeat("x", 5<<20) + `"}`,
			"huge list":       "[" + strings.Repeat("1,", 1<<20) + "1]",
			"binary":          "\x00\x01\xff\xfe" + strings.Repeat("\x80", 1<<20),
			"invalid UTF-8":   "{\"a\":\"\xff\xfe\"}",
			"deep":            deep,
			"half JSON":       `{"a":`,
			"turned":          "{\"a\":\"\u202egnp.exe\u2066\u0007\u200b\u2028\"}",
			"empty":           "",
			"a number":        "1e400",
			"duplicate names": `{"a":1,"a":2}`,
		}
		names := make([]string, 0, len(payloads))
		for name, payload := range payloads {
			e := order("hostile", "Event", payload)
			e.Metadata = mustJSON(map[string]any{script: script, "deep": json.RawMessage(`[[[[[[1]]]]]]`)})
			e.CorrelationID, e.CausationID, e.TraceID = runtime.SomeString(script), runtime.SomeString(strings.Repeat("c", 1<<20)), runtime.SomeString("\u202e"+script)
			s.append(t, e)
			names = append(names, name)
		}
		odd := order(script+"\n\t\u202e", script, `{"fail":true}`)
		odd.AggregateType = script
		s.append(t, odd)
		s.run(t)

		b := browse(t, s)
		for _, page := range []string{
			"", "consumers", "consumer?name=sick", "parked", "failure?consumer=sick&position=13", "streams", "events",
			"stream?type=Order&id=hostile", "stream?type=Order&id=hostile&order=newest",
			"events?event=" + queryEscape(script), "streams?prefix=" + queryEscape(script), "stream?type=" + queryEscape(script) + "&id=" + queryEscape(script+"\n\t\u202e"),
			"events?correlation=" + queryEscape(script), "find?q=" + queryEscape(script),
		} {
			checkTame(t, b, page)
		}
		for i, name := range names {
			body := checkTame(t, b, "event?position="+itoa(i+1))
			if t.Failed() {
				t.Fatalf("the payload is %q", name)
			}
			for _, hidden := range []string{"\u202e", "\u2066", "\u200b", "\x07"} {
				if strings.Contains(body, hidden) {
					t.Errorf("%s: %q is written as it is", name, hidden)
				}
			}
		}
		says(t, b.get("event?position="+itoa(index(names, "huge")+1)), "the first 128.0 KiB of 5.0 MiB")
		says(t, b.get("event?position="+itoa(index(names, "binary")+1)), "not JSON; the first 128.0 KiB of 1.0 MiB", "00 01 ff fe")
		says(t, b.get("event?position="+itoa(index(names, "deep")+1)), "too deep to show")
		says(t, b.get("event?position="+itoa(index(names, "turned")+1)), `\u202egnp.exe\u2066`)
		says(t, b.get("event?position="+itoa(index(names, "empty")+1)), "empty")
	})
}

// checkTame checks that a page holds nothing that runs, and is no longer than a page should be.
func checkTame(t *testing.T, b *browser, page string) string {
	t.Helper()
	answer, body := b.do(http.MethodGet, page, nil)
	if answer.StatusCode >= 500 {
		t.Errorf("GET %.80s: %s\n%s", page, answer.Status, words(body))
	}
	for _, markup := range []string{"<script>", "<img", "onerror=alert(1)>", `href="javascript`} {
		if strings.Contains(body, markup) {
			t.Errorf("GET %.80s: the page holds %s", page, markup)
		}
	}
	if len(body) > 1<<20 {
		t.Errorf("GET %.80s: %d bytes", page, len(body))
	}
	if answer.StatusCode == http.StatusOK {
		checkHeaders(t, answer.Header)
	}
	return body
}

func checkHeaders(t *testing.T, h http.Header) {
	t.Helper()
	policy := h.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %q", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("the policy %q is not strict", policy)
	}
	if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("headers: %v", h)
	}
}

// Sealed values and members that the domain calls personal are on no page in clear, sealed or not, whole or cut.
func TestPages_personalFields(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *system) {
		const secret = "Ada Lovelace"
		for _, payload := range []string{
			`{"name":"` + secret + `","cents":5}`,
			`{"name":{"$sealed":"` + secret + `"},"cents":5}`,
			`{"NAME":"` + secret + `","cents":5}`,
			`{"name":["` + secret + `",{"a":"` + secret + `"}],"cents":5}`,
			`{"name":{"first":"` + secret + `","$sealed":"` + secret + `"},"cents":5}`,
			`{"name":{},"cents":5}`,
			`{"cents":5,"nested":{"$sealed":"` + secret + `"}}`,
			`{"cents":5,"list":[{"$sealed":"` + secret + `","more":"` + secret + `"}]}`,
			`{"cents":5,"filler":"` + strings.Repeat("x", 200_000) + `","name":"` + secret + `"}`,
			`{"cents":5,"name":"` + secret + strings.Repeat("x", 200_000) + `"}`,
			`name=` + secret, // of another codec
		} {
			s.append(t, order("1", "Registered", payload))
		}
		domain := &inspect.Domain{
			Events: []inspect.EventType{
				{AggregateType: "Order", EventType: "Registered", Version: 1, Doc: "Registered says that somebody came.", Fields: []inspect.Field{
					{Name: "name", Type: "string", Personal: true},
				}},
				{AggregateType: "Order", EventType: "Registered", Version: 2, Current: true, Fields: []inspect.Field{
					{Name: "name", Type: "string", Personal: true}, {Name: "cents", Type: "int64", Doc: "what it costs"},
				}},
			},
			Decode: func(e *runtime.PersistedEvent) (any, error) {
				if !json.Valid(e.Payload) {
					return nil, &json.UnsupportedValueError{Str: string(e.Payload)}
				}
				return json.RawMessage(e.Payload), nil
			},
		}
		b := browse(t, s, func(c *console.Config) { c.Domain = domain })
		for _, page := range []string{"", "events", "stream?type=Order&id=1", "stream?type=Order&id=1&order=newest"} {
			if strings.Contains(b.get(page), secret) {
				t.Errorf("%s shows the secret", page)
			}
		}
		for position := 1; position <= 11; position++ {
			body := b.get("event?position=" + itoa(position))
			if strings.Contains(body, secret) {
				t.Errorf("event %d shows the secret:\n%s", position, words(body))
			}
			if position != 11 {
				says(t, body, "&#34;cents&#34; : 5")
			}
		}
		says(t, b.get("event?position=1"), "personal, hidden", "Registered says that somebody came.", "As read today v2")
		says(t, b.get("event?position=2"), `&#34;name&#34; : sealed`)
		says(t, b.get("event?position=7"), `&#34;nested&#34; : sealed`)
		says(t, b.get("event?position=11"), "hidden: it has personal members")
		says(t, b.get("stream?type=Order&id=1"), "As stored, v1", "As read today")
	})
}

// A user's own code that panics or fails takes no page down.
func TestPages_upcastingFails(t *testing.T) {
	t.Parallel()
	s, _ := onSQLite(t)
	s.append(t, order("1", "Registered", `{}`), order("2", "Registered", `{"panic":1}`), order("3", "Odd", `{}`))
	domain := &inspect.Domain{
		Events: []inspect.EventType{{AggregateType: "Order", EventType: "Registered", Version: 1}},
		Decode: func(e *runtime.PersistedEvent) (any, error) {
			if bytes.Contains(e.Payload, []byte("panic")) {
				panic("<b>upcast</b>")
			}
			return make(chan int), nil
		},
	}
	b := browse(t, s, func(c *console.Config) { c.Domain = domain })
	says(t, b.get("event?position=1"), "a chan int cannot be shown as JSON")
	says(t, b.get("event?position=2"), "upcasting it panics: &lt;b&gt;upcast")
	says(t, b.get("event?position=3"), "unknown to this program")
}
