package postgres_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// FuzzAppend_keepsOrRefuses: any event is refused before it is sent, or read back as it was appended.
func FuzzAppend_keepsOrRefuses(f *testing.F) {
	f.Add("Order", "42", "Placed", []byte(`{"a":1}`), []byte(`{}`), "c", true, 1)
	f.Add("été", "{\"a\",'b'}", "\\N", []byte{0, 255}, []byte(nil), "", true, 1<<31-1)
	f.Add("a\x00", "\xff", "", []byte(nil), []byte("{"), "\x00", false, 0)
	f.Add("$1", "--", "/*", []byte("\\x00"), []byte(` "\u0000" `), "NULL", true, 2)
	pool := connect(f, database(f))
	store := newPoolStore(f)
	f.Fuzz(func(t *testing.T, aggregateType, id, eventType string, payload, metadata []byte, correlation string, correlated bool, version int) {
		events := make([]runtime.Event, 2)
		for i := range events {
			events[i] = runtime.Event{
				AggregateType: aggregateType, AggregateID: id, EventType: eventType, EventVersion: version, EventID: uuid.New(),
				Payload: payload, Metadata: metadata, CorrelationID: runtime.NullString{String: correlation, Valid: correlated},
			}
		}
		for _, n := range []int{1, 2} {
			for i := range n {
				events[i].EventID = uuid.New()
			}
			r, err := store.Append(t.Context(), pool, runtime.Any(), events[:n])
			if err != nil {
				if invalid := (*runtime.InvalidEventError)(nil); !errors.As(err, &invalid) {
					t.Fatalf("append: %v", err)
				}
				return
			}
			from := r.FromVersion() + 1
			read, err := store.ReadAggregateStream(t.Context(), pool, aggregateType, id, &from, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(r.Events, read.Events); diff != "" {
				t.Errorf("read differs (-appended +read):\n%s", diff)
			}
			for i := range n {
				if got := read.Events[i]; string(got.Payload) != string(payload) || string(got.Metadata) != string(metadata) ||
					got.AggregateType != aggregateType || got.AggregateID != id || got.EventType != eventType {
					t.Errorf("read %+v, appended %+v", got, events[i])
				}
			}
		}
	})
}

// FuzzNew_namesAreQuotedOrRefused: a name is refused, or means the one table it names and nothing else.
func FuzzNew_namesAreQuotedOrRefused(f *testing.F) {
	for _, name := range []string{"events", "Events", "a-b", "select", "é", "a.b", `a"b`, "a;drop table x", "a\x00", "$1", "a$1", "_", ""} {
		f.Add(name)
	}
	pool := connect(f, database(f))
	f.Fuzz(func(t *testing.T, name string) {
		store, err := postgres.New(postgres.WithEventsTable(name))
		if err != nil || name == "" || strings.Contains(name, ".") { // a schema would have to be made first
			return
		}
		if !utf8.ValidString(name) {
			t.Fatalf("%q is accepted", name)
		}
		tables, err := migration.Schema(design.Options{EventsTable: name})
		if err != nil {
			t.Skip("the generator needs further tables, which this name collides with")
		}
		tx := begin(t, pool)
		defer func() { _ = tx.Rollback(t.Context()) }()
		for _, standard := range []string{"events", "aggregate_heads", "consumer_checkpoints", "parked_events"} {
			execute(t, tx, "drop table if exists "+standard+" cascade") // the transaction is rolled back
		}
		if _, err := tx.Exec(t.Context(), tables); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		mustAppend(t, store, tx, placed("1", 2))
		var n int
		err = tx.QueryRow(t.Context(), `select count(*) from pg_class
			where relname = $1 and relnamespace = 'public'::regnamespace and relkind = 'r'`, name).Scan(&n)
		if err != nil || n != 1 {
			t.Errorf("%d tables of the name %q: %v", n, name, err)
		}
	})
}
