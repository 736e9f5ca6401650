package console_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/console"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// A system is a log with consumers on a real database, without its kind.
type system struct {
	inspector console.Inspector
	operator  console.Operator
	append    func(t testing.TB, events ...runtime.Event)
	run       func(t testing.TB) // until every consumer has handled or parked everything
	close     func()
	cleared   *atomic.Int64 // how often the read model of "good" was cleared
	mended    *atomic.Bool  // "sick" and "halting" do not fail any more
}

// The consumers of a system: "good" handles everything; "sick" parks events whose payload says fail, and "halting" stops at
// them, until they are mended.
func registrations[Tx any](s *system) []consumer.Registration[Tx] {
	fails := func(_ context.Context, _ Tx, e runtime.PersistedEvent) error {
		if !s.mended.Load() && strings.Contains(string(e.Payload), "fail") {
			return errors.New("it failed for <b>this</b> reason\nand that is where")
		}
		return nil
	}
	handles := func(context.Context, Tx, runtime.PersistedEvent) error { return nil }
	return []consumer.Registration[Tx]{
		{Consumer: everything[Tx]{"good", handles}, Segments: 2},
		{Consumer: everything[Tx]{"sick", fails}, Attempts: 1, Policy: consumer.Park},
		{Consumer: everything[Tx]{"halting", fails}, Attempts: 1},
	}
}

type everything[Tx any] struct {
	name   string
	handle func(context.Context, Tx, runtime.PersistedEvent) error
}

func (c everything[Tx]) Name() string { return c.name }

func (c everything[Tx]) Handle(ctx context.Context, tx Tx, e runtime.PersistedEvent) error {
	return c.handle(ctx, tx, e)
}

// drive adds what a runner does to a system.
func drive[Tx any](t testing.TB, s *system, db consumer.Database[Tx]) {
	t.Helper()
	runner, err := consumer.New(db, consumer.Config{}, registrations[Tx](s)...)
	if err != nil {
		t.Fatal(err)
	}
	s.operator = console.Operate(runner, map[string]func(context.Context, Tx) error{
		"good": func(context.Context, Tx) error { s.cleared.Add(1); return nil },
	})
	s.run = func(t testing.TB) {
		t.Helper()
		for range 2 { // the first time "halting" stops, and ends it
			if err := runner.RunUntilCaughtUp(context.Background(), nil); err != nil && !errors.Is(err, consumer.ErrStopped) {
				t.Fatal(err)
			}
		}
		// What stops ends the run of the others: let each catch up by itself.
		for _, r := range registrations[Tx](s) {
			one, err := consumer.New(db, consumer.Config{}, r)
			if err != nil {
				t.Fatal(err)
			}
			if err := one.RunUntilCaughtUp(context.Background(), nil); err != nil && !errors.Is(err, consumer.ErrStopped) {
				t.Fatal(err)
			}
		}
	}
}

func newSystem() *system { return &system{cleared: new(atomic.Int64), mended: new(atomic.Bool)} }

// onPostgres returns a system on PostgreSQL, and its pool.
func onPostgres(t testing.TB) (*system, *pgxpool.Pool) {
	t.Helper()
	tables, err := migration.Schema(design.Options{})
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.New(context.Background(), pgtest.New(t, tables))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s := newSystem()
	store, err := postgres.NewPool()
	if err != nil {
		t.Fatal(err)
	}
	inspector, err := postgres.NewInspector(pool)
	if err != nil {
		t.Fatal(err)
	}
	consumers, err := postgres.NewConsumers(pool)
	if err != nil {
		t.Fatal(err)
	}
	s.inspector, s.close = inspector, pool.Close
	s.append = func(t testing.TB, events ...runtime.Event) {
		t.Helper()
		for _, e := range events {
			if _, err := store.Append(context.Background(), pool, runtime.Any(), []runtime.Event{e}); err != nil {
				t.Fatal(err)
			}
		}
	}
	drive[pgx.Tx](t, s, consumers)
	return s, pool
}

// onSQLite returns a system on SQLite, and its database.
func onSQLite(t testing.TB) (*system, *sql.DB) {
	t.Helper()
	db, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "log.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := sqlite.Migrate(context.Background(), db); err != nil {
		t.Fatal(err)
	}
	s := newSystem()
	store, err := sqlite.New()
	if err != nil {
		t.Fatal(err)
	}
	inspector, err := sqlite.NewInspector(db)
	if err != nil {
		t.Fatal(err)
	}
	consumers, err := sqlite.NewConsumers(db)
	if err != nil {
		t.Fatal(err)
	}
	s.inspector, s.close = inspector, func() { _ = db.Close() }
	s.append = func(t testing.TB, events ...runtime.Event) {
		t.Helper()
		tx, err := db.BeginTx(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tx.Rollback() }()
		for _, e := range events {
			if _, err := store.Append(context.Background(), tx, runtime.Any(), []runtime.Event{e}); err != nil {
				t.Fatal(err)
			}
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	drive[*sql.Tx](t, s, consumers)
	return s, db
}

// onBoth runs a test on a system of each kind.
func onBoth(t *testing.T, test func(t *testing.T, s *system)) {
	t.Helper()
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		s, _ := onPostgres(t)
		test(t, s)
	})
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		s, _ := onSQLite(t)
		test(t, s)
	})
}

// order returns an event of an order.
func order(id, eventType, payload string) runtime.Event {
	return runtime.Event{
		AggregateType: "Order",
		AggregateID:   id,
		EventType:     eventType,
		EventVersion:  1,
		EventID:       uuid.New(),
		Payload:       []byte(payload),
	}
}

// A browser is somebody who looks at a console, which is mounted below a prefix.
type browser struct {
	t      testing.TB
	client *http.Client
	base   string
	as     string
	header http.Header // of each request
	log    *records
}

// browse mounts a console for a system. The name of whoever sends a request stands in a header: ada is an operator, bob a
// reader, others are nobody.
func browse(t testing.TB, s *system, changes ...func(*console.Config)) *browser {
	t.Helper()
	log := new(records)
	config := console.Config{
		Inspector: s.inspector,
		Operators: []console.Operator{s.operator},
		Authorize: func(r *http.Request) console.Access {
			switch user := r.Header.Get("User"); user {
			case "ada":
				return console.Access{Role: console.Operating, User: user}
			case "bob":
				return console.Access{Role: console.Reader, User: user}
			}
			return console.Access{}
		},
		Logger:  slog.New(slog.NewTextHandler(log, nil)),
		Timeout: 5 * time.Minute, ActionTimeout: 5 * time.Minute, // of a slow machine
	}
	for _, change := range changes {
		change(&config)
	}
	handler, err := console.New(config)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/deep/down/", http.StripPrefix("/deep/down", handler))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{t: t, client: client, base: server.URL + "/deep/down/", as: "ada", header: make(http.Header), log: log}
}

// by returns the same browser with somebody else before it.
func (b browser) by(user string) *browser {
	b.as = user
	return &b
}

// with returns the same browser with a header.
func (b browser) with(name, value string) *browser {
	b.header = b.header.Clone()
	b.header.Set(name, value)
	return &b
}

// do sends a request and returns the answer and what it holds.
func (b *browser) do(method, page string, form url.Values) (*http.Response, string) {
	b.t.Helper()
	r, err := http.NewRequest(method, b.base+page, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header = b.header.Clone()
	r.Header.Set("User", b.as)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer, string(body)
}

// get returns a page, which has to be there.
func (b *browser) get(page string) string {
	b.t.Helper()
	answer, body := b.do(http.MethodGet, page, nil)
	if answer.StatusCode != http.StatusOK {
		b.t.Fatalf("GET %s: %s\n%s", page, answer.Status, body)
	}
	return body
}

// follow returns the page that a page leads to.
func (b *browser) follow(page string) string {
	b.t.Helper()
	answer, body := b.do(http.MethodGet, page, nil)
	if answer.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("GET %s: %s\n%s", page, answer.Status, body)
	}
	return b.get(answer.Header.Get("Location"))
}

var (
	tokens  = regexp.MustCompile(`name="token" value="([^"]+)"`)
	tags    = regexp.MustCompile(`(?s)<[^>]*>|\s+`)
	nothing = url.Values{}
)

// token returns the token of the first form of a page.
func (b *browser) token(page string) string {
	b.t.Helper()
	found := tokens.FindStringSubmatch(b.get(page))
	if found == nil {
		b.t.Fatalf("%s has no form", page)
	}
	return found[1]
}

// act sends the form of an action, from a page that has one, and returns the page after it.
func (b *browser) act(from string, pairs ...string) string {
	b.t.Helper()
	form := url.Values{"token": {b.token(from)}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	answer, body := b.do(http.MethodPost, "action", form)
	if answer.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("POST action %v: %s\n%s", pairs, answer.Status, body)
	}
	return b.get(answer.Header.Get("Location"))
}

// words returns what a page says, without its markup.
func words(page string) string {
	_, page, _ = strings.Cut(page, "<main")
	page, _, _ = strings.Cut(page, "</main>")
	return strings.TrimSpace(tags.ReplaceAllString("<"+page, " "))
}

// says checks that a page says something, word by word.
func says(t testing.TB, page string, wants ...string) {
	t.Helper()
	said := strings.Join(strings.Fields(words(page)), " ")
	for _, want := range wants {
		if !strings.Contains(said, want) {
			t.Errorf("the page does not say %q:\n%s", want, said)
		}
	}
}

// records is a log that a test reads.
type records struct {
	mu sync.Mutex
	b  strings.Builder
}

func (r *records) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(p)
}

func (r *records) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.String()
}

func positionsOf(t testing.TB, s *system) []int64 {
	t.Helper()
	parked, err := s.inspector.Parked(context.Background(), inspectAll)
	if err != nil {
		t.Fatal(err)
	}
	var positions []int64
	for _, p := range parked {
		positions = append(positions, p.GlobalPosition)
	}
	return positions
}
