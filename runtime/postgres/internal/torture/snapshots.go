package torture

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/mapping"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// A SnapshotPlan says how hard snapshots are tortured.
type SnapshotPlan struct {
	Duration         time.Duration // at least, and until there were appends, conflicts and hits
	Writers, Loaders int
	Streams          int
}

// A SnapshotReport is what was counted.
type SnapshotReport struct {
	Appended, Conflicts int64 // transactions of writers
	Loads, Hits         int64 // of loaders, and those that began with a snapshot
	Stored              int64 // events that the streams hold in the end
}

// String returns the counts in a line.
func (r SnapshotReport) String() string {
	return fmt.Sprintf("%d events appended, %d stored; %d conflicts; %d loads, %d of them from a snapshot", r.Appended, r.Stored, r.Conflicts, r.Loads, r.Hits)
}

// RunSnapshots tortures snapshots on a private server of its own: writers that save a snapshot with every append, and loaders, all
// on the same streams. A state that lacks an event or has one twice is an error.
func RunSnapshots(ctx context.Context, p SnapshotPlan) (SnapshotReport, error) {
	server, err := pgtest.Launch()
	if err != nil {
		return SnapshotReport{}, err
	}
	defer func() { _ = server.Close() }()
	tables, err := migration.Schema(design.Options{Snapshots: true})
	if err != nil {
		return SnapshotReport{}, err
	}
	if err := execute(ctx, server.URL("postgres"), tables); err != nil {
		return SnapshotReport{}, err
	}
	pool, err := connect(ctx, server.URL("postgres"), int32(p.Writers+p.Loaders))
	if err != nil {
		return SnapshotReport{}, err
	}
	defer pool.Close()
	store, err := postgres.New()
	if err != nil {
		return SnapshotReport{}, err
	}
	t := &snapshotTorture{plan: p, pool: pool, store: store, end: time.Now().Add(p.Duration)}
	t.snapshots = mapping.NewSnapshots(store, mapping.NewSettings(runtime.SnapshotEvery(1)), "Order", "code", (*sum).apply)
	working, ctx := errgroup.WithContext(ctx)
	for n := range p.Writers {
		working.Go(func() error { return t.write(ctx, n) })
	}
	for n := range p.Loaders {
		working.Go(func() error { return t.read(ctx, n) })
	}
	if err := working.Wait(); err != nil {
		return SnapshotReport{}, err
	}
	return t.report(context.WithoutCancel(ctx))
}

// A sum is a state that any event missed, repeated or out of order would change.
type sum struct{ Versions, Last int64 }

func (s *sum) apply(events []runtime.PersistedEvent) error {
	for i := range events {
		if events[i].AggregateVersion != s.Last+1 {
			return fmt.Errorf("version %d follows %d", events[i].AggregateVersion, s.Last)
		}
		s.Last = events[i].AggregateVersion
		s.Versions += s.Last
	}
	return nil
}

type snapshotTorture struct {
	plan      SnapshotPlan
	pool      *pgxpool.Pool
	store     *postgres.Store[pgx.Tx]
	snapshots mapping.Snapshots[pgx.Tx, sum]
	end       time.Time

	appended, conflicts, loads, hits atomic.Int64
}

// isDone reports whether the time is over and the workload was hard enough to show anything, which takes longer on a slow machine.
func (t *snapshotTorture) isDone() bool {
	return time.Now().After(t.end) && t.appended.Load() > 0 && t.conflicts.Load() > 0 && t.hits.Load() > 0
}

func (t *snapshotTorture) stream(n int64) string {
	return fmt.Sprint("order-", n%int64(t.plan.Streams))
}

// load loads a stream, and compares its state with its version.
func (t *snapshotTorture) load(ctx context.Context, tx pgx.Tx, stream string) (mapping.Loaded[sum], error) {
	loaded, err := t.snapshots.Load(ctx, tx, stream)
	if v := loaded.Version; err == nil && (loaded.State.Last != v || loaded.State.Versions != v*(v+1)/2) {
		err = fmt.Errorf("at version %d the state of %s is %+v, from a snapshot of %d", v, stream, loaded.State, loaded.Saved)
	}
	return loaded, err
}

func (t *snapshotTorture) write(ctx context.Context, n int) error {
	for i := int64(n); !t.isDone(); i++ {
		err := pgx.BeginFunc(ctx, t.pool, func(tx pgx.Tx) error { return t.add(ctx, tx, t.stream(i)) })
		switch {
		case err == nil:
			t.appended.Add(1)
		case errors.Is(err, runtime.ErrOptimisticConcurrency):
			t.conflicts.Add(1)
		default:
			return err
		}
	}
	return nil
}

// add does what a generated Execute does, once.
func (t *snapshotTorture) add(ctx context.Context, tx pgx.Tx, stream string) error {
	loaded, err := t.load(ctx, tx, stream)
	if err != nil {
		return err
	}
	result, err := t.store.Append(ctx, tx, runtime.Exact(loaded.Version), []runtime.Event{{
		AggregateType: "Order", AggregateID: stream, EventType: "Placed", EventVersion: 1, EventID: uuid.New(), Payload: []byte("{}"),
	}})
	if err != nil {
		return err
	}
	loaded.Appended(result)
	if err := loaded.State.apply(result.Events); err != nil {
		return err
	}
	t.snapshots.Save(ctx, tx, stream, loaded)
	return nil
}

func (t *snapshotTorture) read(ctx context.Context, n int) error {
	for i := int64(n); !t.isDone(); i++ {
		err := pgx.BeginFunc(ctx, t.pool, func(tx pgx.Tx) error {
			loaded, err := t.load(ctx, tx, t.stream(i))
			t.loads.Add(1)
			if loaded.Saved > 0 {
				t.hits.Add(1)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// report counts what the streams hold in the end.
func (t *snapshotTorture) report(ctx context.Context) (SnapshotReport, error) {
	r := SnapshotReport{Appended: t.appended.Load(), Conflicts: t.conflicts.Load(), Loads: t.loads.Load(), Hits: t.hits.Load()}
	err := pgx.BeginFunc(ctx, t.pool, func(tx pgx.Tx) error {
		for n := range t.plan.Streams {
			loaded, err := t.load(ctx, tx, t.stream(int64(n)))
			if err != nil {
				return err
			}
			r.Stored += loaded.Version
		}
		return nil
	})
	return r, err
}
