package sqlite_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
)

// Figures are ratios inside one run: the sides take turns, each is the median of its rounds, and both are reported.
const rounds = 5

func compare(b *testing.B, unit string, our, their func() float64) {
	b.Helper()
	median := func(figures []float64) float64 {
		slices.Sort(figures)
		return figures[len(figures)/2]
	}
	for b.Loop() {
		var ours, theirs []float64
		for range rounds {
			ours = append(ours, our())
			theirs = append(theirs, their())
		}
		b.ReportMetric(median(ours), unit)
		b.ReportMetric(median(theirs), "bare-"+unit)
		b.ReportMetric(median(ours)/median(theirs), "ratio")
	}
	b.ReportMetric(0, "ns/op") // of no meaning here
}

// An append against the least there is: the same rows by one prepared insert in a transaction, with no checks.
func BenchmarkAppend_bareInsert(b *testing.B) {
	const appends = 300
	for _, n := range []int{1, 10, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			db, store := migrated(b, ":memory:"), newStore(b)
			values := strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?, ?, ?, ?, ?),", n), ",")
			bare, err := db.PrepareContext(b.Context(), `insert into events
				(aggregate_type, aggregate_id, aggregate_version, event_id, event_type, event_version, payload, created_at) values `+values)
			if err != nil {
				b.Fatal(err)
			}
			rate := func(call func(tx *sql.Tx) error) func() float64 {
				return func() float64 {
					began := time.Now()
					for range appends {
						tx := begin(b, db, nil)
						if err := call(tx); err != nil {
							b.Fatal(err)
						}
						commit(b, tx)
					}
					return appends / time.Since(began).Seconds()
				}
			}
			compare(b, "appends/s",
				rate(func(tx *sql.Tx) error {
					_, err := store.Append(b.Context(), tx, runtime.NoStream(), placed(newStream(), n))
					return err
				}),
				rate(func(tx *sql.Tx) error {
					stream := newStream()
					args := make([]any, 0, 8*n)
					for i := range n {
						args = append(args, "Order", stream, i+1, uuid.NewString(), "Placed", 1, fmt.Appendf(nil, `{"n":%d}`, i), "2024-02-29T12:30:15.123456Z")
					}
					_, err := tx.StmtContext(b.Context(), bare).ExecContext(b.Context(), args...)
					return err
				}))
		})
	}
}

// A stream of 1,000 events against bare rows scanned into the same struct.
func BenchmarkRead_bareRows(b *testing.B) {
	db, store := migrated(b, ":memory:"), newStore(b)
	stream := newStream()
	appendTo(b, db, store, placed(stream, 1000))
	bare, err := db.PrepareContext(b.Context(), `select global_position, aggregate_type, aggregate_id, aggregate_version, event_id, event_type,
		event_version, payload, trace_id, correlation_id, causation_id, metadata, created_at
		from events where aggregate_type = ? and aggregate_id = ? order by aggregate_version`)
	if err != nil {
		b.Fatal(err)
	}
	rate := func(read func(tx *sql.Tx) int) func() float64 {
		return func() float64 {
			began := time.Now()
			total := 0
			for range 20 {
				tx := begin(b, db, nil)
				total += read(tx)
				commit(b, tx)
			}
			return float64(total) / time.Since(began).Seconds()
		}
	}
	compare(b, "events/s",
		rate(func(tx *sql.Tx) int {
			s, err := store.ReadAggregateStream(b.Context(), tx, "Order", stream, nil, nil)
			if err != nil {
				b.Fatal(err)
			}
			return s.Len()
		}),
		rate(func(tx *sql.Tx) int {
			rows, err := tx.StmtContext(b.Context(), bare).QueryContext(b.Context(), "Order", stream)
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = rows.Close() }()
			var events []runtime.PersistedEvent
			for rows.Next() {
				var e runtime.PersistedEvent
				var created string
				if err := rows.Scan(&e.GlobalPosition, &e.AggregateType, &e.AggregateID, &e.AggregateVersion, &e.EventID, &e.EventType,
					&e.EventVersion, &e.Payload, &e.TraceID, &e.CorrelationID, &e.CausationID, &e.Metadata, &created); err != nil {
					b.Fatal(err)
				}
				if e.CreatedAt, err = time.Parse(time.RFC3339Nano, created); err != nil {
					b.Fatal(err)
				}
				events = append(events, e)
			}
			return len(events)
		}))
}
