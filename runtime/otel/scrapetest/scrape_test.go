package scrapetest_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/util/teststorage"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"gopkg.in/yaml.v3"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/inspect"
	"github.com/eventmap/eventmap/runtime/otel"
	"github.com/eventmap/eventmap/runtime/sqlite"
)

// A plant is a log with consumers, measured through the real exporter.
type plant struct {
	t       *testing.T
	db      *sql.DB
	store   runtime.Store[*sql.Tx]
	opts    []otel.Option
	metrics *httptest.Server
}

// changed is an inspector whose answers are changed.
type changed struct {
	otel.Summarizer
	change func(*inspect.Summary)
}

func (c changed) Summary(ctx context.Context) (inspect.Summary, error) {
	s, err := c.Summarizer.Summary(ctx)
	c.change(&s)
	return s, err
}

func newPlant(t *testing.T, change func(*inspect.Summary)) *plant {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "log.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := sqlite.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	inner, err := sqlite.New()
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	reader, err := exporter.New(exporter.WithRegisterer(registry))
	if err != nil {
		t.Fatal(err)
	}
	p := &plant{t: t, db: db, opts: []otel.Option{otel.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))}}
	p.store = otel.Store(inner, p.opts...)
	inspector, err := sqlite.NewInspector(db)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := otel.Watch(changed{inspector, change}, p.opts...); err != nil {
		t.Fatal(err)
	}
	p.metrics = httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.HTTPErrorOnError}))
	t.Cleanup(p.metrics.Close)
	return p
}

// work appends, conflicts, repeats, reads, saves snapshots and handles; "sick" fails at every event.
func (p *plant) work(id string) {
	p.t.Helper()
	ctx := context.Background()
	first := event(id)
	for _, attempt := range []struct {
		expected runtime.ExpectedVersion
		event    runtime.Event
	}{{runtime.NoStream(), first}, {runtime.NoStream(), first}, {runtime.NoStream(), event(id)}, {runtime.Any(), event(id)}} {
		tx, err := p.db.BeginTx(ctx, nil)
		if err != nil {
			p.t.Fatal(err)
		}
		_, _ = otel.Execute(ctx, "Order", func(ctx context.Context) (runtime.AppendResult, error) {
			return p.store.Append(ctx, tx, attempt.expected, []runtime.Event{attempt.event})
		}, p.opts...)
		if _, err := p.store.ReadAggregateStream(ctx, tx, "Order", id, nil, nil); err != nil {
			p.t.Fatal(err)
		}
		kept := p.store.(runtime.SnapshotStore[*sql.Tx])
		key := runtime.SnapshotKey{AggregateType: "Order", AggregateID: id, Fingerprint: "f"}
		_, stream, err := kept.ReadFromSnapshot(ctx, tx, key)
		if err != nil {
			p.t.Fatal(err)
		}
		if err := kept.SaveSnapshot(ctx, tx, key, runtime.Snapshot{Version: stream.Version(), State: []byte("{}")}); err != nil {
			p.t.Fatal(err)
		}
		if err := tx.Commit(); err != nil {
			p.t.Fatal(err)
		}
	}
	otel.GroupHook(p.opts...)(3, 5)
	db, err := sqlite.NewConsumers(p.db)
	if err != nil {
		p.t.Fatal(err)
	}
	handle := func(name string, err func(runtime.PersistedEvent) error) consumer.Registration[*sql.Tx] {
		return consumer.Registration[*sql.Tx]{Attempts: 2, Policy: consumer.Park, Backoff: consumer.Backoff{First: time.Millisecond}, Consumer: otel.Consumer(
			consumer.Scoped(name, []string{"Order"}, func(_ context.Context, _ *sql.Tx, e runtime.PersistedEvent) error { return err(e) }), p.opts...)}
	}
	runner, err := consumer.New(db, consumer.Config{Hooks: otel.Hooks(p.opts...)},
		handle("customers", func(runtime.PersistedEvent) error { return nil }),
		handle("sick", func(e runtime.PersistedEvent) error {
			return &runtime.DecodeError{GlobalPosition: e.GlobalPosition, Err: errors.New("no")}
		}))
	if err != nil {
		p.t.Fatal(err)
	}
	if err := runner.RunUntilCaughtUp(ctx, nil); err != nil {
		p.t.Fatal(err)
	}
}

func event(id string) runtime.Event {
	return runtime.Event{AggregateType: "Order", AggregateID: id, EventType: "Placed", EventVersion: 1, EventID: uuid.New(), Payload: []byte("{}")}
}

// scrape returns what a Prometheus server gets.
func (p *plant) scrape() string {
	p.t.Helper()
	answer, err := http.Get(p.metrics.URL)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		p.t.Fatalf("%s: %v\n%s", answer.Status, err, body)
	}
	return string(body)
}

// A database is what a Prometheus server has kept of some scrapes.
type database struct {
	t       *testing.T
	storage *teststorage.TestStorage
	engine  *promql.Engine
	now     time.Time
}

// keep returns a database of scrapes that were a minute apart.
func keep(t *testing.T, scrapes ...string) *database {
	t.Helper()
	d := &database{t: t, storage: teststorage.New(t), now: time.Unix(1_800_000_000, 0)}
	t.Cleanup(func() { _ = d.storage.Close() })
	d.engine = promql.NewEngine(promql.EngineOpts{MaxSamples: 1_000_000, Timeout: time.Minute, EnableAtModifier: true})
	t.Cleanup(func() { _ = d.engine.Close() })
	for i, text := range scrapes {
		if i > 0 {
			d.now = d.now.Add(time.Minute)
		}
		d.add(text)
	}
	return d
}

func (d *database) add(text string) {
	d.t.Helper()
	appender := d.storage.Appender(context.Background())
	parser := textparse.NewPromParser([]byte(text), labels.NewSymbolTable(), false)
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			d.t.Fatalf("the scrape cannot be parsed: %v\n%s", err, text)
		}
		if entry != textparse.EntrySeries {
			continue
		}
		var series labels.Labels
		_, _, value := parser.Series()
		parser.Labels(&series)
		if _, err := appender.Append(0, series, d.now.UnixMilli(), value); err != nil {
			d.t.Fatal(err)
		}
	}
	if err := appender.Commit(); err != nil {
		d.t.Fatal(err)
	}
}

// ask returns what a query finds.
func (d *database) ask(query string) promql.Vector {
	d.t.Helper()
	q, err := d.engine.NewInstantQuery(context.Background(), d.storage, nil, query, d.now)
	if err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
	defer q.Close()
	result := q.Exec(context.Background())
	found, err := result.Vector()
	if err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
	return found
}

// Every query of the dashboard finds something, and no number that is none, in two scrapes of a log at work.
func TestDashboard_queriesFindSomething(t *testing.T) {
	t.Parallel()
	p := newPlant(t, func(*inspect.Summary) {})
	p.work("1")
	first := p.scrape()
	p.work("2")
	d := keep(t, first, p.scrape())
	b, err := os.ReadFile("../grafana/eventmap.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(b, &dashboard); err != nil {
		t.Fatal(err)
	}
	queries := 0
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			queries++
			found := d.ask(strings.ReplaceAll(target.Expr, "$__rate_interval", "5m"))
			if len(found) == 0 {
				t.Errorf("panel %q: %s finds nothing", panel.Title, target.Expr)
			}
			for _, sample := range found {
				if sample.F != sample.F {
					t.Errorf("panel %q: %s: %v is no number", panel.Title, target.Expr, sample.Metric)
				}
			}
		}
	}
	if queries < 15 {
		t.Errorf("%d queries; where are the others", queries)
	}
}

// Labels are few, whatever streams and payloads there are.
func TestScrape_labelsAreFew(t *testing.T) {
	t.Parallel()
	p := newPlant(t, func(*inspect.Summary) {})
	for _, id := range []string{"stream-1", "stream-2", "stream-3"} {
		p.work(id)
	}
	text := p.scrape()
	for _, id := range []string{"stream-1", "stream-2", "Placed", "payload"} {
		if strings.Contains(text, id) {
			t.Errorf("%q is in the scrape", id)
		}
	}
	if n := strings.Count(text, "\neventmap_"); n > 400 {
		t.Errorf("%d series", n)
	}
}

// The alerts are quiet on a healthy log, and each fires for what it is about and names whom it is about.
func TestAlerts_fire(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../prometheus/eventmap.rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var rules struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	if err := yaml.Unmarshal(b, &rules); err != nil {
		t.Fatal(err)
	}
	firing := func(change func(*inspect.Summary)) string {
		p := newPlant(t, change)
		p.work("1")
		d := keep(t, p.scrape())
		var names []string
		for _, rule := range rules.Groups[0].Rules {
			for _, sample := range d.ask(rule.Expr) {
				names = append(names, strings.TrimPrefix(rule.Alert, "Eventmap")+" "+sample.Metric.Get("eventmap_consumer"))
			}
		}
		return strings.TrimSpace(strings.Join(names, ","))
	}
	consumers := func(change func(*inspect.ConsumerSummary)) func(*inspect.Summary) {
		return func(s *inspect.Summary) {
			for i := range s.Consumers {
				s.Consumers[i].Parked = 0
				if s.Consumers[i].Consumer == "sick" {
					change(&s.Consumers[i])
				}
			}
		}
	}
	healthy := consumers(func(*inspect.ConsumerSummary) {})
	for want, change := range map[string]func(*inspect.Summary){
		"":                     healthy,
		"EventsParked sick":    func(*inspect.Summary) {},
		"ConsumerStopped sick": consumers(func(c *inspect.ConsumerSummary) { c.Stopped = 1 }),
		"ConsumerLate sick":    consumers(func(c *inspect.ConsumerSummary) { c.Behind, c.Oldest = 5, time.Now().Add(-time.Hour) }),
		"FrontierStalled":      func(s *inspect.Summary) { healthy(s); s.Drawn, s.HeldSince = s.Drawn+1, s.Now.Add(-time.Hour) },
	} {
		if got := firing(change); got != want {
			t.Errorf("firing %q, want %q", got, want)
		}
	}
	if found := keep(t, "up 1\n").ask("absent(eventmap_log_end)"); len(found) != 1 {
		t.Errorf("a log that is not measured: %v", found)
	}
}
