package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime/console"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// pageLimit is how long a page of the console may take, in milliseconds.
const pageLimit = 50

// consolePages are pages of the console by name, on the log of fillConsole. Filters are on columns that have no index.
var consolePages = []struct{ name, address string }{
	{"overview", "/"},
	{"consumers", "/consumers"},
	{"a consumer of 64 segments", "/consumer?name=wide"},
	{"parked events", "/parked?consumer=sick"},
	{"a parked event", "/failure?consumer=sick&position=100000"},
	{"streams", "/streams?after_type=Order&after_id=5"},
	{"streams by their ID", "/streams?prefix=1234"},
	{"a stream", "/stream?type=Order&id=1234"},
	{"the end of the log", "/events"},
	{"its middle", "/events?before=5000000"},
	{"events before a time", "/events?at=2025-03-01T00:00"},
	{"events of a type, none", "/events?event=Nothing"},
	{"events of a type, few", "/events?event=Rare&before=150000"},
	{"events of a conversation", "/events?correlation=nothing&after=100000"},
	{"an event by its ID", "/event?id=00000000-0000-0000-0000-0000000186a0"},
	{"a search", "/find?q=1234"},
}

// consoleOn measures the pages of the console on a log of so many events. Each figure is the median of ten requests, as the
// handler takes them, without the network.
func consoleOn(p plan) comparison {
	const limit, slowest = "the limit", "the slowest page"
	var worst float64
	sides := []side{{limit, func(context.Context, *pgxpool.Pool) (float64, string, error) {
		worst = 0
		return pageLimit, "", nil
	}}}
	for _, page := range consolePages {
		sides = append(sides, side{page.name, func(ctx context.Context, pool *pgxpool.Pool) (float64, string, error) {
			took, bytes, err := visit(ctx, pool, page.address)
			worst = max(worst, took)
			return took, fmt.Sprintf("%d KiB", bytes>>10), err
		}})
	}
	sides = append(sides, side{slowest, func(context.Context, *pgxpool.Pool) (float64, string, error) { return worst, "", nil }})
	return comparison{
		name:    fmt.Sprintf("console, %d events", p.console),
		unit:    "ms",
		prepare: func(ctx context.Context, pool *pgxpool.Pool) error { return fillConsole(ctx, pool, p.console) },
		sides:   sides,
		goals:   []goal{{against: limit, ratio: 1, atMost: true}},
	}
}

// visit returns how long a page takes, in milliseconds, and how long it is.
func visit(ctx context.Context, pool *pgxpool.Pool, address string) (took float64, bytes int, err error) {
	inspector, err := postgres.NewInspector(pool)
	if err != nil {
		return 0, 0, err
	}
	handler, err := console.New(console.Config{
		Inspector: inspector,
		Authorize: func(*http.Request) console.Access { return console.Access{Role: console.Reader, User: "bench"} },
	})
	if err != nil {
		return 0, 0, err
	}
	var all []float64
	for range 10 {
		w := httptest.NewRecorder()
		began := time.Now()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, address, nil))
		all = append(all, float64(time.Since(began).Microseconds())/1000)
		if w.Code >= http.StatusBadRequest {
			return 0, 0, fmt.Errorf("%s: %d %s", address, w.Code, w.Body)
		}
		bytes = w.Body.Len()
	}
	slices.Sort(all)
	return median(all), bytes, nil
}

// fillConsole fills the standard tables with a log of n events, ten to a stream, without its indexes at first, and with
// consumers that are behind it.
func fillConsole(ctx context.Context, pool *pgxpool.Pool, n int) error {
	for _, statement := range []string{
		`alter table events drop constraint events_pkey, drop constraint events_stream_version_key, drop constraint events_event_id_key`,
		fmt.Sprintf(`insert into events (global_position, created_at, event_id, aggregate_version, event_version, aggregate_type, aggregate_id, event_type, payload)
			overriding system value
			select i, timestamptz '2025-01-01' + i * interval '1 second', lpad(to_hex(i), 32, '0')::uuid, (i - 1) %% 10 + 1, 1,
				(array['Order', 'Customer', 'Invoice', 'Shipment'])[(i - 1) / 10 %% 4 + 1], ((i - 1) / 40)::text,
				case when i %% 100000 = 0 then 'Rare' else (array['Placed', 'Paid', 'Changed'])[i %% 3 + 1] end,
				'{"customer":"c-17","cents":1290,"currency":"EUR"}'
			from generate_series(1, %d) as i`, n),
		`alter table events add constraint events_pkey primary key (global_position),
			add constraint events_stream_version_key unique (aggregate_type, aggregate_id, aggregate_version),
			add constraint events_event_id_key unique (event_id)`,
		fmt.Sprintf(`insert into aggregate_heads (aggregate_type, aggregate_id, aggregate_version)
			select (array['Order', 'Customer', 'Invoice', 'Shipment'])[t], i::text, 10 from generate_series(0, %d / 40 - 1) as i cross join generate_series(1, 4) as t`, n),
		fmt.Sprintf(`select setval(pg_get_serial_sequence('events', 'global_position'), %d)`, n),
		fmt.Sprintf(`insert into consumer_checkpoints (consumer, segment, segments, position)
			select 'good', 0, 1, %d union all select 'late', 0, 1, 1000 union all select 'sick', 0, 1, %d
			union all select 'wide', i, 64, %d - 1000 * i from generate_series(0, 63) as i`, n, n, n),
		fmt.Sprintf(`insert into parked_events (consumer, global_position, aggregate_type, aggregate_id, attempts, error)
			select 'sick', i * 1000, 'Order', i::text, 8, 'it failed' from generate_series(1, %d / 1000) as i`, n),
		`vacuum analyze`,
	} {
		if _, err := pool.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
