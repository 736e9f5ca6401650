package browsertest_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/console"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// Whatever is stored, nothing of it runs, no page asks another host for anything, and no page is wider than the phone.
func TestConsole_hostileEvents(t *testing.T) {
	t.Parallel()
	const script = `</script></pre><script>alert(1)</script><img src="https://evil.example/x" onerror=alert(1)><style>*{display:none}</style>`
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "log.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := sqlite.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.New()
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, payload := range []string{script, `{"a":"` + strings.Repeat("x", 300_000) + `"}`, `{"` + strings.Repeat("y", 3000) + `":1}`, "\x00\xff\xfe"} {
		_, err := store.Append(t.Context(), tx, runtime.Any(), []runtime.Event{{
			AggregateType: script, AggregateID: script, EventType: script + strings.Repeat("z", 500), EventVersion: 1, EventID: uuid.New(),
			Payload: []byte(payload), Metadata: []byte(`{"m":"<script>alert(1)</script>"}`),
			CorrelationID: runtime.SomeString(script), CausationID: runtime.SomeString("javascript:alert(1)"), TraceID: runtime.SomeString(script),
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	inspector, err := sqlite.NewInspector(db)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := console.New(console.Config{
		Inspector: inspector,
		Authorize: func(*http.Request) console.Access { return console.Access{Role: console.Operating, User: script} },
		Title:     script,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	b := open(t, server.URL+"/")
	b.screen(390, 844, "dark")
	stream := url.Values{"type": {script}, "id": {script}}.Encode()
	for _, page := range []string{"", "consumers", "streams", "stream?" + stream, "events", "event?position=1", "event?position=2", "event?position=3", "event?position=4", "find?q=" + url.QueryEscape(script)} {
		b.visit(page)
		if n := b.wider(); n > 0 {
			t.Errorf("%s is %d pixels wider than the window", page, n)
		}
		b.check()
	}
}
