package personal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/console"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/mapping"
	"github.com/eventmap/eventmap/runtime/postgres"
	"github.com/eventmap/eventmap/runtime/postgres/internal/personal/domain/transfer"
	store "github.com/eventmap/eventmap/runtime/postgres/internal/personal/personalstore"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// written is what loggers wrote.
type written struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (w *written) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all.Write(p)
}

// Stores, snapshots and consumers say much when all goes wrong, and nothing of what is personal: not in logs of every level, nor in
// errors, nor in what is stored of failures. What a handler says is its own, and kept as it is.
func TestPersonal_logsAndErrors(t *testing.T) {
	t.Parallel()
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		d := onPostgres(t, nil)
		logsAndErrors(t, d, func(l runtime.Logger) {
			log, err := postgres.New(postgres.WithLogger(l))
			check(t, err)
			d.log = log
		})
	})
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		d := onSQLite(t)
		logsAndErrors(t, d, func(l runtime.Logger) {
			log, err := sqlite.New(sqlite.WithLogger(l))
			check(t, err)
			d.log = log
		})
	})
}

func logsAndErrors[Tx any](t *testing.T, d *database[Tx], logTo func(runtime.Logger)) {
	var logs written
	logger := runtime.SlogLogger(slog.New(slog.NewJSONHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug})))
	logTo(logger)
	p := d.process(runtime.WithLogger(logger))
	p.give(t, "t", made("ada", 7), transfer.Checked{})
	// A value that was sealed as another type, and a snapshot that was changed.
	misfit := []runtime.Event{{
		AggregateType: store.TransferType, AggregateID: "misfit", EventType: "Made", EventVersion: 2, EventID: uuid.New(),
		Payload: []byte(`{"from":"ada","to":7,"name":{"name-SECRET":["name-SECRET"]},"answers":{"answer-SECRET":"answer-SECRET"}}`),
	}}
	other := mapping.PersonalEvents{{AggregateType: store.TransferType, EventType: "Made", Version: 2}: {
		Members: []string{"from", "to", "name", "answers"},
		Fields:  []mapping.PersonalField{{Member: "name", Field: "Name", Subject: "from"}, {Member: "answers", Field: "Answers", Subject: "to"}},
	}}
	p.in(t, func(tx Tx) {
		check(t, mapping.NewPersonal(p.keys, other).Seal(t.Context(), tx, misfit))
		_, err := d.log.Append(t.Context(), tx, runtime.NoStream(), misfit)
		check(t, err)
		_, err = p.transfers.Execute(t.Context(), tx, "t", func(transfer.Transfer) ([]store.TransferEvent, error) {
			return []store.TransferEvent{made("ada", 8)}, nil
		})
		check(t, err)
	})
	d.exec(t, "update aggregate_snapshots set state = "+fmt.Sprintf(d.bytes, "name-CHANGED"))
	p.load(t, "t")
	p.forget(t, "8")

	var said []string
	call := func(err error) {
		t.Helper()
		if err == nil {
			t.Error("no error")
			return
		}
		said = append(said, err.Error())
	}
	try := func(work func(ctx context.Context, tx Tx) error) {
		tx, _, rollback := d.begin(t)
		defer rollback()
		call(work(t.Context(), tx))
	}
	try(func(ctx context.Context, tx Tx) error { _, err := p.transfers.Read(ctx, tx, "misfit"); return err })
	try(func(ctx context.Context, tx Tx) error {
		_, _, err := p.transfers.Load(ctx, tx, "misfit")
		return err
	})
	for _, events := range [][]store.TransferEvent{{made("ada", 8)}, {made("", 7)}, {made("a\x00b", 7)}, {made(strings.Repeat("x", 2000), 7)}} {
		try(func(ctx context.Context, tx Tx) error {
			_, err := p.transfers.Append(ctx, tx, "t", runtime.Any(), events)
			return err
		})
	}
	try(func(ctx context.Context, tx Tx) error { // a conflict
		_, err := p.transfers.Append(ctx, tx, "t", runtime.Exact(1), []store.TransferEvent{made("ada", 7)})
		return err
	})
	try(func(ctx context.Context, tx Tx) error { // an ID that is there
		_, err := p.transfers.Append(ctx, tx, "new", runtime.NoStream(), []store.TransferEvent{made("ada", 7)}, runtime.WithEventID(func() uuid.UUID { return misfit[0].EventID }))
		return err
	})
	runner, err := consumer.New(d.consumers, consumer.Config{Logger: logger}, consumer.Registration[Tx]{
		Consumer: store.NewTransferConsumer[Tx]("reading", p.keys, store.TransferHandlerFuncs[Tx]{
			Checked: func(context.Context, Tx, transfer.Checked, runtime.Meta) error {
				return errors.New("what I say is mine")
			},
		}),
		Attempts: 2, Backoff: consumer.Backoff{First: time.Millisecond, Most: time.Millisecond}, Policy: consumer.Park,
	})
	check(t, err)
	check(t, runner.RunUntilCaughtUp(t.Context(), nil))
	parked, err := runner.Parked(t.Context(), "reading", 0, 100)
	check(t, err)
	for _, e := range parked {
		said = append(said, e.Error)
	}
	if !slices.Contains(said, "what I say is mine") || len(parked) < 2 {
		t.Errorf("parked: %+v", parked)
	}
	for what, text := range map[string]string{"logs": logs.all.String(), "errors": strings.Join(said, "\n"), "database": d.dump(t)} {
		if at := strings.Index(text, secret); at >= 0 {
			t.Errorf("the %s hold something personal: %.300s", what, text[max(0, at-200):])
		}
	}
	for _, there := range []string{"a snapshot cannot be opened", "event failed", "appended"} {
		if !strings.Contains(logs.all.String(), there) {
			t.Errorf("the logs do not say %q:\n%.2000s", there, logs.all.String())
		}
	}
}

// No page of the console shows a personal value: neither what is sealed, nor what is in clear because it was stored before its mark.
func TestPersonal_console(t *testing.T) {
	t.Parallel()
	t.Run("postgres", func(t *testing.T) { t.Parallel(); consolePages(t, onPostgres(t, nil)) })
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); consolePages(t, onSQLite(t)) })
}

func consolePages[Tx any](t *testing.T, d *database[Tx]) {
	p := d.process()
	labelled := made("ada", 7)
	labelled.Labels = map[string]string{"plain": "label-PLAIN"}
	p.give(t, "t", labelled, transfer.Checked{})
	p.in(t, func(tx Tx) {
		old := runtime.Event{AggregateType: store.CustomerType, AggregateID: "ada", EventType: "Renamed", EventVersion: 1, EventID: uuid.New(), Payload: []byte(`{"name":"name-SECRET"}`)}
		_, err := d.log.Append(t.Context(), tx, runtime.NoStream(), []runtime.Event{old})
		check(t, err)
	})
	check(t, d.consume(t, store.NewTransferConsumer[Tx]("failing", p.keys, store.TransferHandlerFuncs[Tx]{
		Made: func(context.Context, Tx, transfer.Made, runtime.Meta) error { return errors.New("what I say is mine") },
	})))
	handler, err := console.New(console.Config{
		Inspector: d.inspector, Domain: store.Describe(), Logger: slog.New(slog.DiscardHandler),
		Authorize: func(*http.Request) console.Access { return console.Access{Role: console.Reader} },
	})
	check(t, err)
	var all strings.Builder
	seen := map[string]bool{}
	for left := []string{"/"}; len(left) > 0; left = left[1:] {
		path := left[0]
		if seen[path] || len(seen) > 200 {
			continue
		}
		seen[path] = true
		response := httptest.NewRecorder()
		handler.ServeHTTP(response, httptest.NewRequest(http.MethodGet, path, nil))
		body := response.Body.String()
		all.WriteString(body)
		if strings.Contains(html.UnescapeString(body), secret) {
			t.Errorf("%s shows something personal", path)
		}
		for _, link := range links.FindAllStringSubmatch(body, -1) {
			if to, err := url.Parse(html.UnescapeString(link[1])); err == nil && to.Host == "" && to.Scheme == "" {
				left = append(left, (&url.URL{Path: "/"}).ResolveReference(to).String())
			}
		}
	}
	for _, there := range []string{"label-PLAIN", "what I say is mine", "Renamed", "parked?"} {
		if !strings.Contains(all.String(), there) {
			t.Errorf("the %d pages do not show %q, which is there", len(seen), there)
		}
	}
}

// links are the links of a page.
var links = regexp.MustCompile(`href="([^"#]+)"`)
