package postgres_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/mapping"
)

// troubles collects what a logger is told of snapshots.
type troubles struct {
	runtime.NoOpLogger
	told []string
}

func (l *troubles) Error(_ context.Context, message string, keyvals ...any) {
	l.told = append(l.told, fmt.Sprint(append([]any{message}, keyvals...)...))
}

// A measure is a state that JSON does not always take.
type measure struct{ Mean float64 }

// Whatever is wrong with a snapshot, the append is committed, the state is what the events come to, and the logger is told.
func TestSnapshots_troubleFailsNothing(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		options design.Options
		mean    float64
		spoil   string // after the first append
		told    string
	}{
		"a state that JSON does not take": {design.Options{Snapshots: true}, math.NaN(), "", "a snapshot cannot be saved"},
		"a snapshot that is no JSON": {
			design.Options{Snapshots: true}, 1, "update aggregate_snapshots set state = '\\x7b'", "a snapshot cannot be read",
		},
		"a snapshot with bytes that are no text": {
			design.Options{Snapshots: true}, 1, "update aggregate_snapshots set state = '\\xff00ff'", "a snapshot cannot be read",
		},
		"the table was dropped meanwhile": {design.Options{Snapshots: true}, 1, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool, store := connect(t, pgtest.New(t, schema(t, tt.options))), newStore(t)
			told, stream := new(troubles), newStream()
			fold := func(m *measure, events []runtime.PersistedEvent) error {
				m.Mean = tt.mean * float64(len(events))
				return nil
			}
			s := mapping.NewSnapshots[pgx.Tx, measure](store, mapping.NewSettings(runtime.SnapshotEvery(2), runtime.WithLogger(told)), "Order", "code", fold)
			tx := begin(t, pool)
			loaded, err := s.Load(t.Context(), tx, stream)
			if err != nil {
				t.Fatal(err)
			}
			if name == "the table was dropped meanwhile" {
				if _, err := tx.Exec(t.Context(), "drop table aggregate_snapshots"); err != nil {
					t.Fatal(err)
				}
				tt.told = "`migrate-gen --snapshots` writes"
			}
			result, err := store.Append(t.Context(), tx, runtime.NoStream(), placed(stream, 2))
			if err != nil {
				t.Fatal(err)
			}
			if err := fold(&loaded.State, result.Events); err != nil {
				t.Fatal(err)
			}
			loaded.Appended(result)
			s.Save(t.Context(), tx, stream, loaded)
			commit(t, tx)
			if tt.spoil != "" {
				execute(t, pool, tt.spoil)
				got, err := s.Load(t.Context(), begin(t, pool), stream)
				if err != nil || got.Version != 2 || got.Saved != 0 || got.State.Mean != 2 {
					t.Errorf("got %+v, %v; want what both events come to", got, err)
				}
			}
			if len(told.told) != 1 || !strings.Contains(told.told[0], tt.told) {
				t.Errorf("the logger was told %q, want one thing with %q", told.told, tt.told)
			}
			whole, err := store.ReadAggregateStream(t.Context(), begin(t, pool), "Order", stream, nil, nil)
			if err != nil || whole.Version() != 2 {
				t.Errorf("the stream is at version %d, %v; want 2", whole.Version(), err)
			}
		})
	}
}

// Without the table, a load says which command writes it.
func TestReadFromSnapshot_tableIsMissing(t *testing.T) {
	t.Parallel()
	pool, store := connect(t, pgtest.New(t, schema(t, design.Options{}))), newStore(t)
	_, _, err := store.ReadFromSnapshot(t.Context(), begin(t, pool), runtime.SnapshotKey{AggregateType: "Order", AggregateID: "1", Fingerprint: "f"})
	if err == nil || !strings.Contains(err.Error(), "`migrate-gen --snapshots` writes") {
		t.Errorf("error is %v", err)
	}
}
