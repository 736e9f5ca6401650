package postgres_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// odd are rows that a store did not write, among them what its own validation would refuse.
const odd = `insert into events (aggregate_type, aggregate_id, aggregate_version, event_id, event_type, event_version, payload,
		trace_id, correlation_id, causation_id, metadata, created_at)
	select 'Order', '', n, ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, '', n, '', '', null, 'c' || n % 2, 'null',
		timestamptz '0044-03-15 12:00:00 BC' + n * interval '1 year 1 microsecond'
	from generate_series(1, 100) n`

// However pgx runs a statement, and in whatever form the values come, the events are the same.
func TestRead_everyModeGivesTheSame(t *testing.T) {
	t.Parallel()
	for _, payload := range []postgres.PayloadType{postgres.Bytea, postgres.JSONB} {
		t.Run(string(payload), func(t *testing.T) {
			t.Parallel()
			address := pgtest.New(t, schema(t, design.Options{Payload: string(payload)}))
			rows := odd
			if payload == postgres.JSONB {
				rows = strings.Replace(odd, "n, '', '', null", "n, null, '', null", 1)
			}
			pool := connect(t, address)
			execute(t, pool, rows)
			if _, err := newPoolStore(t, postgres.WithPayload(payload)).Append(t.Context(), pool, runtime.Any(), documents(newStream())); err != nil {
				t.Fatal(err)
			}
			var want []runtime.PersistedEvent
			for _, m := range modes {
				pool := connect(t, address, mode(m))
				got, err := newPoolStore(t, postgres.WithPayload(payload)).ReadEvents(t.Context(), pool, 0, 1000)
				if err != nil {
					t.Fatalf("%s: %v", m, err)
				}
				if want == nil {
					want = got
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s reads other events than %s (-%s +%s):\n%s", m, modes[0], modes[0], m, diff)
				}
			}
			if len(want) != 102 {
				t.Errorf("%d events were read, want 102", len(want))
			}
		})
	}
}

// documents returns two events with all that can be absent, and one without, whose payloads are JSON.
func documents(stream string) []runtime.Event {
	events := placed(stream, 2)
	events[0].Metadata = []byte(`{"a": 1}`)
	events[0].CausationID = runtime.SomeString("cause")
	events[0].CorrelationID = runtime.SomeString("conversation")
	events[0].TraceID = runtime.SomeString("trace")
	return events
}

// A time without end has no place in Go. It is an error, not a time that is off by a few hundred thousand years.
func TestRead_infiniteTimeIsAnError(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"infinity", "-infinity"} {
		address := database(t)
		execute(t, connect(t, address), strings.Replace(odd, "timestamptz '0044-03-15 12:00:00 BC'", "timestamptz '"+value+"'", 1))
		for _, m := range modes {
			pool := connect(t, address, mode(m), func(c *pgxpool.Config) { c.MaxConns = 1 })
			events, err := newPoolStore(t).ReadEvents(t.Context(), pool, 0, 10)
			if err == nil {
				t.Errorf("%s, %s: read as %v", value, m, events[0].CreatedAt)
			}
			var one int
			if err := pool.QueryRow(t.Context(), "select 1", pgx.QueryExecModeSimpleProtocol).Scan(&one); err != nil {
				t.Errorf("%s, %s: connection is of no use after the error: %v", value, m, err)
			}
		}
	}
}
