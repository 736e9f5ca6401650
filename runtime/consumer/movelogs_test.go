package consumer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/internal/gen/sqlcode/design"
	"github.com/eventmap/eventmap/internal/gen/sqlcode/migration"
	"github.com/eventmap/eventmap/internal/pgtest"
	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
	"github.com/eventmap/eventmap/runtime/postgres"
)

// moveOf returns the SQL that makes the tables of one log, and that which moves it into many and back.
func moveOf(t *testing.T, to design.Options, logOf string) (first, up, down string) {
	t.Helper()
	write := func(o design.Options, options migration.Options, folder migration.Folder) map[string]string {
		options.Format = "golang-migrate"
		d, err := o.Design()
		if err != nil {
			t.Fatal(err)
		}
		writer, err := migration.NewWriter(options)
		if err != nil {
			t.Fatal(err)
		}
		files, err := writer.Next(d, folder)
		if err != nil {
			t.Fatal(err)
		}
		added := make(map[string]string)
		for _, f := range files {
			folder[f.Path] = f.Content
			added[f.Path] = string(f.Content)
		}
		return added
	}
	folder := migration.Folder{}
	first = write(design.Options{Snapshots: to.Snapshots}, migration.Options{}, folder)["000001_eventmap.up.sql"]
	moved := write(to, migration.Options{From: "one-log", LogOf: logOf}, folder)
	for path, content := range moved {
		switch {
		case strings.HasSuffix(path, ".up.sql"):
			up = content
		case strings.HasSuffix(path, ".down.sql"):
			down = content
		}
	}
	return first, up, down
}

// oneModel is the read model of a consumer before and after the move: the ID of an event tells whether it was handled twice.
const oneModel = `create table handled (seq bigint generated always as identity, consumer text, event_id uuid, aggregate_id text, version bigint, primary key (consumer, event_id))`

func handlesOnce(name string, check func(e runtime.PersistedEvent) error) handler[pgx.Tx] {
	return handler[pgx.Tx]{name, func(ctx context.Context, tx pgx.Tx, e runtime.PersistedEvent) error {
		if check != nil {
			if err := check(e); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `insert into handled (consumer, event_id, aggregate_id, version) values ($1, $2, $3, $4)`, name, e.EventID, e.AggregateID, e.AggregateVersion)
		return err
	}}
}

// A log that is moved keeps its events, versions, IDs and their order, and consumers go on where they were, whatever their
// segments: each event is handled once.
func TestMove_oneLogIntoMany(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		to    design.Options
		logOf string
		many  postgres.Layout
	}{
		"tenant": {design.Options{Logs: "tenant", Snapshots: true, AppendOnly: true, TenantRLS: true}, "split_part(aggregate_id, '/', 1)", postgres.ManyLogs},
		"hash":   {design.Options{Logs: "hash", HashedLogs: 4, Snapshots: true}, "", postgres.HashedLogs(4)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, up, down := moveOf(t, tt.to, tt.logOf)
			e := connect(t, pgtest.New(t, first, oneModel))
			for i := range 120 {
				e.append("Order", fmt.Sprintf("tenant-%d/order-%d", i%5, i%30), 1+i%2)
			}
			half := errors.New("half")
			// One consumer has handled all but what came last, one a part of each segment, and one has parked.
			run := func(db consumer.Database[pgx.Tx], segments int, stopAt int64) *consumer.Runner[pgx.Tx] {
				return runnerOf(e, db,
					consumer.Registration[pgx.Tx]{Consumer: handlesOnce("all", nil)},
					consumer.Registration[pgx.Tx]{Consumer: handlesOnce("segments", func(ev runtime.PersistedEvent) error {
						if stopAt > 0 && ev.GlobalPosition > stopAt && consumer.Segment(ev.AggregateID, 3) != 1 {
							return half
						}
						return nil
					}), Segments: segments, Attempts: 1},
					consumer.Registration[pgx.Tx]{Consumer: handlesOnce("parks", func(ev runtime.PersistedEvent) error {
						if stopAt > 0 && ev.AggregateID == "tenant-2/order-2" {
							return half
						}
						return nil
					}), Attempts: 1, Policy: consumer.Park})
			}
			r := run(e.db, 3, 70)
			stop := background(e, r)
			position := one[int64](e, `select max(global_position) from events`)
			for _, c := range []string{"all", "parks"} {
				if err := r.WaitFor(e.ctx(), c, position); err != nil {
					t.Fatal(err)
				}
			}
			wantError(t, r.WaitFor(e.ctx(), "segments", position), consumer.ErrStopped)
			e.eventually("the segment that does not fail is at the end", func() bool {
				return one[int64](e, `select max(position) from consumer_checkpoints where consumer = 'segments'`) == position
			})
			stop()
			e.append("Order", "tenant-1/new", 3)
			want := one[[]string](e, `select array_agg(aggregate_id || ' ' || aggregate_version || ' ' || event_id order by global_position) from events`)

			e.exec(up)
			var got []string
			rows, err := e.pool.Query(t.Context(), `select log, aggregate_id || ' ' || aggregate_version || ' ' || event_id from events order by log, global_position`)
			if err != nil {
				t.Fatal(err)
			}
			byLog := make(map[string][]string)
			var log, event string
			if _, err := pgx.ForEachRow(rows, []any{&log, &event}, func() error {
				got, byLog[log] = append(got, event), append(byLog[log], event)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			for log, events := range byLog {
				order := slices.DeleteFunc(slices.Clone(want), func(e string) bool { return !slices.Contains(events, e) })
				if diff := cmp.Diff(order, events); diff != "" {
					t.Errorf("order of log %q (-before +after):\n%s", log, diff)
				}
			}
			slices.Sort(got)
			sorted := slices.Sorted(slices.Values(want))
			if diff := cmp.Diff(sorted, got); diff != "" {
				t.Errorf("events (-before +after):\n%s", diff)
			}
			if err := postgres.Check(t.Context(), e.pool, tt.many); err != nil {
				t.Error(err)
			}
			// A release that knows one log is refused, and does no harm.
			if _, err := e.store.Append(t.Context(), e.pool, runtime.Any(), events("Order", "tenant-1/new", 1)); err == nil {
				t.Error("an append of the release before was taken")
			}
			db, err := postgres.NewConsumers(e.pool, tt.many)
			if err != nil {
				t.Fatal(err)
			}
			r = run(db, 0, 0)
			if err := r.RunUntilCaughtUp(e.ctx(), nil); err != nil {
				t.Fatal(err)
			}
			parked, err := r.Parked(e.ctx(), "parks", 0, 100)
			if err != nil || len(parked) == 0 {
				t.Fatalf("parked: %d, %v", len(parked), err)
			}
			stream := parked[0].Stream
			if n, err := r.RetryParked(e.ctx(), "parks", stream); err != nil || n != len(parked) {
				t.Errorf("retried %d of %d, %v", n, len(parked), err)
			}
			for _, c := range []string{"all", "segments", "parks"} {
				if n := one[int](e, `select count(*) from handled where consumer = $1`, c); n != len(want) {
					t.Errorf("%s has handled %d events, want %d", c, n, len(want))
				}
			}
			if tt.to.AppendOnly {
				return
			}
			e.exec(down)
			if err := postgres.Check(t.Context(), e.pool); err != nil {
				t.Error(err)
			}
			if n := one[int](e, `select count(*) from events`); n != len(want) {
				t.Errorf("%d events after the way back, want %d", n, len(want))
			}
		})
	}
}

// What cannot be moved is refused, and nothing is changed.
func TestMove_refuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ logOf, breaks, want string }{
		"no log":      {"nullif(split_part(aggregate_id, '/', 2), '')", "", "has no log"},
		"two logs":    {"'log-' || aggregate_version", "", "would be in two logs"},
		"a head":      {"'all'", `update aggregate_heads set aggregate_version = 9`, "its head is at 9"},
		"is resizing": {"'all'", `insert into consumer_checkpoints (consumer, segment, segments, handled) values ('c', 0, 1, '{1,2}')`, "number of segments of consumer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, up, _ := moveOf(t, design.Options{Logs: "tenant"}, tt.logOf)
			e := connect(t, pgtest.New(t, first))
			e.append("Order", "order", 2)
			if tt.breaks != "" {
				e.exec(tt.breaks)
			}
			if _, err := e.pool.Exec(t.Context(), up); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			e.append("Order", "other", 1)
		})
	}
}

// A log is moved while consumers run and a writer appends: both are refused from then on, and the next release goes on where they were. They
// lock tables in other orders than the migration, which gives back what it has before that is a deadlock. On a busy machine it may not get
// its locks in time; then nothing has changed, and it is run again.
func TestMove_whileConsumersAndAppendsRun(t *testing.T) {
	t.Parallel()
	first, up, _ := moveOf(t, design.Options{Logs: "hash", HashedLogs: 4}, "")
	e := connect(t, pgtest.New(t, first, oneModel))
	old := runnerOf(e, e.db, consumer.Registration[pgx.Tx]{Consumer: handlesOnce("c", nil), Segments: 3, BatchSize: 5})
	ctx, cancel := context.WithCancel(t.Context())
	running, appending := make(chan error, 1), make(chan error, 1)
	go func() { running <- old.Run(ctx) }()
	appended := 0
	go func() {
		for {
			_, err := e.store.Append(t.Context(), e.pool, runtime.Any(), events("Order", fmt.Sprint("order-", appended%20), 1))
			switch {
			case err == nil:
				appended++
			case !runtime.Retryable(err):
				appending <- err
				return
			}
		}
	}()
	e.eventually("some events are handled", func() bool { return one[int](e, `select count(*) from handled`) > 100 })
	e.eventually("the log is moved", func() bool {
		_, err := e.pool.Exec(t.Context(), up)
		if err != nil && !strings.Contains(err.Error(), "55P03") {
			t.Fatal(err)
		}
		return err == nil
	})
	if err := <-appending; err == nil || !strings.Contains(err.Error(), "if the log was moved into many, give the store") {
		t.Errorf("an append of the release before: got %v, want it to be refused", err)
	}
	stored := one[int](e, `select count(*) from events`)
	if stored != appended {
		t.Errorf("%d events are stored, want the %d that were appended", stored, appended)
	}
	many := postgres.HashedLogs(4)
	db, err := postgres.NewConsumers(e.pool, many)
	if err != nil {
		t.Fatal(err)
	}
	spread, err := postgres.NewPool(many)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 { // while the runner of the release before still runs
		if _, err := spread.Append(t.Context(), e.pool, runtime.Any(), events("Order", fmt.Sprint("order-", i%20), 1)); err != nil {
			t.Fatal(err)
		}
	}
	if err := runnerOf(e, db, consumer.Registration[pgx.Tx]{Consumer: handlesOnce("c", nil), BatchSize: 5}).RunUntilCaughtUp(e.ctx(), nil); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-running; err != nil {
		t.Logf("the runner of one log, whose tables are gone: %v", err)
	}
	if n := one[int](e, `select count(*) from handled`); n != stored+50 {
		t.Errorf("%d events were handled, want each of %d once", n, stored+50)
	}
	if disorder := one[int](e, `select count(*) from (select version, lag(version, 1, 0::bigint) over (partition by aggregate_id order by seq) as before from handled) as h where version <> before + 1`); disorder > 0 {
		t.Errorf("%d events were handled out of the order of their stream", disorder)
	}
}
