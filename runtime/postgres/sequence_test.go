package postgres_test

import (
	"errors"
	"iter"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// What a restore without the sequence leaves, or the promotion of a logical replica: events that were appended elsewhere, with
// holes where appends were rolled back or a partition was archived, and a sequence that stands below them.
func TestStore_sequenceBehindTheLog(t *testing.T) {
	t.Parallel()
	ranges := design.Options{Partition: "range", PartitionSize: 100, Partitions: 5}
	for name, row := range map[string]struct {
		layout design.Options
		damage string
	}{
		"no holes":          {damage: `select setval('events_global_position_seq', 20)`},
		"holes":             {damage: `delete from events where global_position between 50 and 249; select setval('events_global_position_seq', 60)`},
		"never used":        {damage: `delete from events where global_position < 200; alter sequence events_global_position_seq restart`},
		"in partitions":     {layout: ranges, damage: `select setval('events_global_position_seq', 20)`},
		"archived":          {layout: ranges, damage: `alter table events detach partition events_p0; select setval('events_global_position_seq', 20)`},
		"hash":              {layout: design.Options{Partition: "hash"}, damage: `delete from events where global_position < 200; select setval('events_global_position_seq', 20)`},
		"one step too low":  {damage: `select setval('events_global_position_seq', 299)`},
		"to be given again": {damage: `alter sequence events_global_position_seq restart with 300`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := connect(t, pgtest.New(t, schema(t, row.layout)))
			store := newPoolStore(t)
			if _, err := store.Append(t.Context(), pool, runtime.NoStream(), placed("before", 300)); err != nil {
				t.Fatal(err)
			}
			for statement := range strings.SplitSeq(row.damage, ";") {
				execute(t, pool, statement)
			}
			group := newGroup(t, pool)
			consumers, err := postgres.NewConsumers(pool)
			if err != nil {
				t.Fatal(err)
			}
			refused := map[string]error{
				"Append":                 second(store.Append(t.Context(), pool, runtime.NoStream(), placed(newStream(), 1))),
				"Append of several":      second(store.Append(t.Context(), pool, runtime.Any(), placed(newStream(), 3))),
				"Append to one":          second(store.Append(t.Context(), pool, runtime.Exact(300), placed("before", 1))),
				"AppendStreams":          second(store.AppendStreams(t.Context(), pool, runtime.StreamAppend{Events: placed(newStream(), 2)})),
				"Append of a group":      second(group.Append(t.Context(), group, runtime.NoStream(), placed(newStream(), 1))),
				"ReadEvents":             second(store.ReadEvents(t.Context(), pool, 0, 1000)),
				"SafeGlobalPosition":     second(store.SafeGlobalPosition(t.Context(), pool)),
				"LogEvents":              firstError(store.LogEvents(t.Context(), pool, runtime.LogQuery{})),
				"a consumer's next poll": second(consumers.Poll(t.Context(), []string{"reader"})),
			}
			for call, err := range refused {
				if !errors.Is(err, postgres.ErrSequenceBehind) {
					t.Errorf("%s: error is %v, want %v", call, err, postgres.ErrSequenceBehind)
				}
			}
			mends(t, pool, refused["ReadEvents"])
			r, err := store.Append(t.Context(), pool, runtime.Exact(300), placed("before", 1))
			if err != nil || r.GlobalPositions[0] != 301 {
				t.Fatalf("after the statement: positions %v, error %v; want 301", r.GlobalPositions, err)
			}
			if events, err := store.ReadEvents(t.Context(), pool, 300, 10); err != nil || len(events) != 1 {
				t.Errorf("after the statement: %d events after 300, error %v; want one", len(events), err)
			}
			if err := postgres.Check(t.Context(), pool); err != nil && strings.Contains(err.Error(), "sequence") {
				t.Errorf("after the statement Check says %v", err)
			}
		})
	}
}

// mends runs the statement that Check names, which err has to name too.
func mends(t *testing.T, pool *pgxpool.Pool, err error) {
	t.Helper()
	found := checkProblem(t, pool, "sequence events_global_position_seq")
	if err != nil && !strings.Contains(err.Error(), strings.TrimSuffix(found.Statement, ";")) {
		t.Errorf("error is %v, want it to name %s", err, found.Statement)
	}
	execute(t, pool, found.Statement)
}

// checkProblem returns the problem with the object that Check finds.
func checkProblem(t *testing.T, pool *pgxpool.Pool, object string) runtime.Problem {
	t.Helper()
	err := postgres.Check(t.Context(), pool)
	var found *runtime.CheckError
	if errors.As(err, &found) {
		for _, p := range found.Problems {
			if p.Object == object {
				return p
			}
		}
	}
	t.Fatalf("Check: %v; want a problem with %s", err, object)
	return runtime.Problem{}
}

// A sequence that stands exactly at the log's end, whichever way it was put there, is no reason to refuse anything.
func TestStore_sequenceAtTheEndOfTheLog(t *testing.T) {
	t.Parallel()
	for _, statement := range []string{
		`select setval('events_global_position_seq', 3)`,
		`select setval('events_global_position_seq', 4, false)`,
		`alter sequence events_global_position_seq restart with 4`,
		`alter sequence events_global_position_seq restart with 1000000`,
	} {
		t.Run(statement, func(t *testing.T) {
			t.Parallel()
			pool := connect(t, database(t))
			store := newPoolStore(t)
			for range 3 {
				mustAppendTo(t, store, pool, newStream())
			}
			execute(t, pool, statement)
			if events, err := store.ReadEvents(t.Context(), pool, 0, 10); err != nil || len(events) != 3 {
				t.Errorf("%d events, error %v; want 3", len(events), err)
			}
			for range 3 {
				mustAppendTo(t, store, pool, newStream())
			}
			if events, err := store.ReadEvents(t.Context(), pool, 0, 10); err != nil || len(events) != 6 {
				t.Errorf("%d events, error %v; want 6", len(events), err)
			}
		})
	}
}

func mustAppendTo(t *testing.T, store *postgres.Store[*pgxpool.Pool], pool *pgxpool.Pool, stream string) {
	t.Helper()
	if _, err := store.Append(t.Context(), pool, runtime.Any(), placed(stream, 1)); err != nil {
		t.Fatal(err)
	}
}

// All that is left of the log is its archive: no event is visible, but the partitions say where the log was.
func TestCheck_sequenceBelowTheArchive(t *testing.T) {
	t.Parallel()
	pool := connect(t, pgtest.New(t, schema(t, design.Options{Partition: "range", PartitionSize: 100, Partitions: 5})))
	store := newPoolStore(t)
	if _, err := store.Append(t.Context(), pool, runtime.NoStream(), placed("before", 150)); err != nil {
		t.Fatal(err)
	}
	for _, partition := range []string{"events_p0", "events_p100"} {
		execute(t, pool, `alter table events detach partition `+partition)
	}
	execute(t, pool, `select setval('events_global_position_seq', 20)`)
	mends(t, pool, nil)
	r, err := store.Append(t.Context(), pool, runtime.NoStream(), placed(newStream(), 1))
	if err != nil || r.GlobalPositions[0] <= 150 {
		t.Errorf("positions %v, error %v; want one above the archive", r.GlobalPositions, err)
	}
}

// firstError returns the error that a sequence ends in, or nil.
func firstError(events iter.Seq2[runtime.PersistedEvent, error]) error {
	for _, err := range events {
		if err != nil {
			return err
		}
	}
	return nil
}
