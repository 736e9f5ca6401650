package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/examples/api/domain/order"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// A fixture is the service on a database of its own, and the runner of its process.
type fixture struct {
	*service
	t      *testing.T
	runner *consumer.Runner[pgx.Tx]
	url    string
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	pool, err := connect(t.Context(), pgtest.New(t), true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s, err := newService(pool)
	if err != nil {
		t.Fatal(err)
	}
	runner, err := s.runner()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.handler())
	t.Cleanup(server.Close)
	return &fixture{service: s, t: t, runner: runner, url: server.URL}
}

// An answer is what a test looks at.
type answer struct {
	Status             int
	Type, ETag, Detail string
	location           string
	body               map[string]any
}

// ask sends a request; header is a list of names and values.
func (f *fixture) ask(method, path, body string, header ...string) answer {
	f.t.Helper()
	request, err := http.NewRequestWithContext(f.t.Context(), method, f.url+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	h := response.Header
	a := answer{Status: response.StatusCode, Type: h.Get("Content-Type"), ETag: h.Get("ETag"), location: h.Get("Location")}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &a.body); err != nil {
			f.t.Fatalf("%s %s: %q: %v", method, path, text, err)
		}
	}
	a.Detail, _ = a.body["detail"].(string)
	return a
}

// want compares an answer, and what its body has of the given members.
func (f *fixture) want(got answer, status int, etag string, members map[string]any) {
	f.t.Helper()
	if got.Status != status || got.ETag != etag {
		f.t.Errorf("got %d with ETag %s, want %d with %s; body: %v", got.Status, got.ETag, status, etag, got.body)
	}
	for name, want := range members {
		if d := cmp.Diff(want, got.body[name]); d != "" {
			f.t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// react lets the process handle what has happened.
func (f *fixture) react() {
	f.t.Helper()
	if err := f.runner.RunUntilCaughtUp(f.t.Context(), nil); err != nil {
		f.t.Fatal(err)
	}
}

// log returns the whole log.
func (f *fixture) log() []runtime.PersistedEvent {
	f.t.Helper()
	store, err := postgres.New()
	if err != nil {
		f.t.Fatal(err)
	}
	var events []runtime.PersistedEvent
	err = f.in(f.t.Context(), func(tx pgx.Tx) (err error) {
		events, err = store.ReadEvents(f.t.Context(), tx, 0, 1000)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return events
}

const five = `{"quantity":5}`

// An order from the first request to the last.
func TestService(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.want(f.ask("PUT", "/stock/tea/deliveries/n-1", five), 200, `"1"`, map[string]any{"article": "tea", "free": 5.0})
	f.want(f.ask("PUT", "/stock/tea/deliveries/n-1", five), 200, `"1"`, map[string]any{"free": 5.0})

	placed := f.ask("POST", "/orders", `{"article":"tea","quantity":3}`, "Idempotency-Key", "k", "X-Request-Id", "r-1")
	f.want(placed, 201, `"1"`, map[string]any{"status": "placed", "quantity": 3.0})
	f.react()
	f.want(f.ask("GET", placed.location, ""), 200, `"2"`, map[string]any{"status": "confirmed"})
	f.want(f.ask("GET", placed.location, "", "If-None-Match", `"1", W/"2"`), 304, `"2"`, nil)
	f.want(f.ask("GET", "/stock/tea", ""), 200, `"2"`, map[string]any{"free": 2.0})

	cancellation := placed.location + "/cancellation"
	f.want(f.ask("POST", cancellation, `{}`), 428, "", nil)
	f.want(f.ask("POST", cancellation, `{}`, "If-Match", `"1"`), 412, "", map[string]any{"version": 2.0, "title": "Precondition Failed"})
	f.want(f.ask("POST", cancellation, `{"reason":"late"}`, "If-Match", `"2"`), 200, `"3"`, map[string]any{"status": "cancelled"})
	f.want(f.ask("POST", cancellation, `{}`, "If-Match", "*"), 200, `"3"`, map[string]any{"status": "cancelled"})
	f.react()
	f.want(f.ask("GET", "/stock/tea", ""), 200, `"3"`, map[string]any{"free": 5.0})
}

// One request, sent sixteen times at once and once more after the order has gone on, is one order with one answer.
func TestPlaceOrder_onceForEachKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	place := func(body string) answer { return f.ask("POST", "/orders", body, "Idempotency-Key", "k") }
	answers := make([]answer, 17)
	var group sync.WaitGroup
	for i := 1; i < len(answers); i++ {
		group.Go(func() { answers[i] = place(`{"article":"tea","quantity":3}`) })
	}
	group.Wait()
	f.react()
	answers[0] = place(`{"article":"tea","quantity":3}`)
	for _, a := range answers {
		f.want(a, 201, `"1"`, map[string]any{"status": "placed"})
		if a.location != answers[0].location {
			t.Errorf("location %s, and before %s", a.location, answers[0].location)
		}
	}
	if n := len(f.log()); n != 2 {
		t.Errorf("the log has %d events, want 2: placed and rejected", n)
	}
	f.want(place(`{"article":"tea","quantity":4}`), 422, "", map[string]any{"detail": errKeyUsed.Detail})
}

// What is refused is a problem with a status, and says why.
func TestService_problems(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	key := []string{"Idempotency-Key", "k"}
	rejected := f.ask("POST", "/orders", `{"article":"tea","quantity":3}`, key...)
	f.react()
	f.ask("PUT", "/stock/tea/deliveries/n-1", five)
	for _, tt := range []struct {
		name, method, path, body string
		header                   []string
		status                   int
		detail                   string
	}{
		{"no key", "POST", "/orders", `{}`, nil, 400, "the header Idempotency-Key is missing: any text that is new for each order"},
		{"no body", "POST", "/orders", ``, key, 400, "the body is empty"},
		{"no JSON", "POST", "/orders", `{`, key, 400, "the body: unexpected EOF"},
		{"two values", "POST", "/orders", `{}{}`, key, 400, "the body: there is something behind the JSON value"},
		{"unknown member", "POST", "/orders", `{"artikel":"tea"}`, key, 400, `the body: json: unknown field "artikel"`},
		{"too large", "POST", "/orders", `{"article":"` + strings.Repeat("a", 65<<10) + `"}`, key, 413, "the body has more than 64 KiB"},
		{"no quantity", "POST", "/orders", `{"article":"tea"}`, key, 422, order.ErrInvalid.Error()},
		{"no such order", "GET", "/orders/x", ``, nil, 404, order.ErrUnknown.Error()},
		{"no such order to cancel", "POST", "/orders/x/cancellation", `{}`, []string{"If-Match", "*"}, 404, order.ErrUnknown.Error()},
		{"rejected", "POST", rejected.location + "/cancellation", `{}`, []string{"If-Match", "*"}, 409, order.ErrRejected.Error()},
		{"weak tag", "POST", rejected.location + "/cancellation", `{}`, []string{"If-Match", `W/"2"`}, 400, `If-Match is no ETag of this service: W/"2"`},
		{"other quantity", "PUT", "/stock/tea/deliveries/n-1", `{"quantity":6}`, nil, 409, "the delivery note was for another quantity"},
		{"name that no store keeps", "PUT", "/stock/a%00b/deliveries/n-1", five, nil, 400, "event 0: AggregateID holds a NUL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := f.ask(tt.method, tt.path, tt.body, tt.header...)
			want := answer{Status: tt.status, Type: "application/problem+json", Detail: tt.detail}
			if got.Status != want.Status || got.Type != want.Type || got.Detail != want.Detail {
				t.Errorf("got %d %s %q, want %d %s %q", got.Status, got.Type, got.Detail, want.Status, want.Type, want.Detail)
			}
		})
	}
	f.pool.Close()
	f.want(f.ask("GET", "/orders/x", ""), 500, "", map[string]any{"title": "Internal Server Error", "detail": nil})
}

// What the process appends names its cause, and happens once even if the whole log is handled again, when there is enough of
// what was missing the first time.
func TestFulfilment(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ask("PUT", "/stock/tea/deliveries/n-1", five)
	for _, key := range []string{"first", "second"} {
		f.ask("POST", "/orders", `{"article":"tea","quantity":3}`, "Idempotency-Key", key, "X-Request-Id", key)
	}
	f.react()
	f.ask("PUT", "/stock/tea/deliveries/n-2", five)
	before := f.log()
	var got []string
	for _, e := range before {
		got = append(got, e.AggregateType+"."+e.EventType+" "+e.CorrelationID.String)
		if caused := e.EventType == "Reserved" || e.EventType == "Confirmed" || e.EventType == "Rejected"; caused != e.CausationID.Valid {
			t.Errorf("%s has the cause %v", e.EventType, e.CausationID)
		}
	}
	want := []string{
		"Stock.Delivered ", "Order.Placed first", "Order.Placed second",
		"Stock.Reserved first", "Order.Confirmed first", "Order.Rejected second", "Stock.Delivered ",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("log (-want +got):\n%s", d)
	}
	nothing := func(context.Context, pgx.Tx) error { return nil }
	if err := f.runner.Reset(t.Context(), "fulfilment", nothing); err != nil {
		t.Fatal(err)
	}
	f.react()
	if d := cmp.Diff(before, f.log()); d != "" {
		t.Errorf("log after it was handled again (-before +after):\n%s", d)
	}
}

// An order that is cancelled before the process comes to it reserves nothing.
func TestFulfilment_cancelledBefore(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ask("PUT", "/stock/tea/deliveries/n-1", five)
	placed := f.ask("POST", "/orders", `{"article":"tea","quantity":3}`, "Idempotency-Key", "k")
	f.ask("POST", placed.location+"/cancellation", `{"reason":"late"}`, "If-Match", placed.ETag)
	f.react()
	f.want(f.ask("GET", "/stock/tea", ""), 200, `"1"`, map[string]any{"free": 5.0})
}

// The service begins and ends as a process does.
func TestRun(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, pgtest.New(t), true, listener) }()
	// A connection waits in the listener until the service is there.
	f := &fixture{t: t, url: "http://" + listener.Addr().String()}
	f.want(f.ask("GET", "/orders/x", ""), 404, "", nil)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestRun_withoutDatabase(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), "", false, listener); err == nil {
		t.Error("a service without a database ran")
	}
	if _, err := listener.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener is open: %v", err)
	}
}
