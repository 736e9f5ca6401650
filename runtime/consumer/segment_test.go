package consumer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

func TestSegment_neverChanges(t *testing.T) {
	t.Parallel()
	got := map[string][]int{}
	for _, id := range []string{"", "order-1", "order-2", "é", "c56a4180-65aa-42ec-a945-5fd21dec0538"} {
		got[id] = []int{consumer.Segment(id, 1), consumer.Segment(id, 2), consumer.Segment(id, 4), consumer.Segment(id, 7), consumer.Segment(id, 1024)}
	}
	want := map[string][]int{
		"":                                     {0, 0, 2, 1, 66},
		"order-1":                              {0, 1, 1, 3, 545},
		"order-2":                              {0, 0, 2, 3, 262},
		"é":                                    {0, 0, 2, 6, 382},
		"c56a4180-65aa-42ec-a945-5fd21dec0538": {0, 1, 3, 6, 75},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("segments (-want +got):\n%s", diff)
	}
}

// The database selects what Go says is in a segment, whatever the ID.
func TestSegment_sameInSQL(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	ids := rapid.Custom(func(t *rapid.T) string {
		return rapid.StringOfN(rapid.Rune().Filter(func(r rune) bool { return r != 0 }), 1, 40, 500).Draw(t, "id")
	})
	var appends []runtime.StreamAppend
	seen := map[string]bool{}
	for i := range 300 {
		id := ids.Example(i)
		if !seen[id] {
			seen[id] = true
			appends = append(appends, runtime.StreamAppend{Expected: runtime.NoStream(), Events: events("Order", id, 1)})
		}
	}
	if _, err := e.store.AppendStreams(t.Context(), e.pool, appends...); err != nil {
		t.Fatal(err)
	}
	tx, err := e.db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.db.Rollback(context.Background(), tx) }()
	const through = 200
	handled := []int64{50, 120, 0}
	all := consumer.Selection{Consumer: "c", Through: 1 << 40, Limit: 1000, Segments: 1}
	log, err := e.db.Read(t.Context(), tx, all, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, segments := range []int{1, 2, 3, 5, 64, 1024} {
		for _, handled := range [][]int64{nil, handled} {
			total := 0
			for segment := range min(segments, 8) {
				s := consumer.Selection{
					Consumer: "c", After: 10, Through: through, Limit: 1000, Segment: segment, Segments: segments, Handled: handled,
				}
				page, err := e.db.Read(t.Context(), tx, s, nil)
				if err != nil {
					t.Fatal(err)
				}
				var want []runtime.PersistedEvent
				for _, p := range log.Events {
					if s.Selects(p.AggregateID, p.GlobalPosition) {
						want = append(want, p)
					}
				}
				if diff := cmp.Diff(want, page.Events); diff != "" {
					t.Fatalf("segment %d of %d, handled %v (-Go +SQL):\n%s", segment, segments, handled, diff)
				}
				total += len(want)
			}
			if segments <= 8 && handled == nil && total != through-10 {
				t.Errorf("%d segments hold %d events, want %d", segments, total, through-10)
			}
		}
	}
}

// Many workers in several runners share a consumer; then one of them has it alone.
func TestSegments_areSharedByRunners(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	registration := consumer.Registration[pgx.Tx]{Consumer: writes("c", nil), Segments: 8, Workers: 3, BatchSize: 10}
	stops := []func(){background(e, e.runner(registration)), background(e, connectAgain(e).runner(registration))}
	e.appendMany(400, 40)
	stops[0]()
	e.appendMany(400, 40)
	e.eventually("all is handled", func() bool { return len(e.model("c")) == 800 })
	stops[1]()
	e.wantModel("c", e.logPositions())
}

// connectAgain returns the database with a pool of its own.
func connectAgain(e *env) *env { return connect(e.TB, e.address) }

// A worker whose connection is gone holds nothing, at once.
func TestSegments_areFreeWhenTheirWorkerDies(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.appendMany(8, 4)
	reached := make(chan uint32, 1)
	hung := handler[pgx.Tx]{"c", func(ctx context.Context, tx pgx.Tx, p runtime.PersistedEvent) error {
		if err := write(ctx, tx, "c", p); err != nil {
			return err
		}
		if p.GlobalPosition == 5 {
			reached <- tx.Conn().PgConn().PID()
			<-ctx.Done()
		}
		return ctx.Err()
	}}
	stop := background(e, e.runner(consumer.Registration[pgx.Tx]{Consumer: hung}))
	pid := <-reached
	e.exec("select pg_terminate_backend($1)", pid)
	other := connectAgain(e)
	other.catchUp(other.runner(consumer.Registration[pgx.Tx]{Consumer: writes("c", nil)}))
	stop()
	e.wantModel("c", e.logPositions())
}

// A sick segment holds up its own streams only.
func TestSegments_failApart(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.appendMany(100, 20)
	broken := new(atomic.Bool)
	broken.Store(true)
	sick := int64(50)
	r := e.runner(consumer.Registration[pgx.Tx]{Consumer: writes("c", failing(broken, sick)), Segments: 4, Attempts: 1})
	background(e, r)
	segment := consumer.Segment(one[string](e, "select aggregate_id from events where global_position = 50"), 4)
	var want []int64
	rows, err := e.pool.Query(e.ctx(), "select global_position, aggregate_id from events order by global_position")
	if err != nil {
		t.Fatal(err)
	}
	var position int64
	var id string
	if _, err := pgx.ForEachRow(rows, []any{&position, &id}, func() error {
		if position < sick || consumer.Segment(id, 4) != segment {
			want = append(want, position)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	e.eventually("the others go on", func() bool {
		s := status(e, r, "c")
		return s.Stopped() && !slices.ContainsFunc(s.Segments, func(g consumer.SegmentStatus) bool {
			return g.Segment != segment && g.Position < s.Frontier
		})
	})
	e.wantModel("c", want)
}

func TestResize_whileRunning(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	r := e.runner(consumer.Registration[pgx.Tx]{Consumer: writes("c", nil), Segments: 3, Workers: 2, BatchSize: 5})
	other := connectAgain(e).runner(consumer.Registration[pgx.Tx]{Consumer: writes("c", nil), Segments: 3, Workers: 2, BatchSize: 5})
	background(e, r)
	background(e, other)
	e.eventually("there are segments", func() bool { return len(status(e, r, "c").Segments) == 3 })
	for _, n := range []int{7, 1, 4, 2, 16} {
		e.appendMany(120, 15)
		e.eventually("the segments change", func() bool {
			err := r.Resize(e.ctx(), "c", n)
			if err != nil && !errors.Is(err, consumer.ErrResizing) {
				t.Fatal(err)
			}
			return err == nil
		})
		if got := len(status(e, r, "c").Segments); got != n {
			t.Errorf("%d segments, want %d", got, n)
		}
	}
	e.eventually("all is handled", func() bool { return len(e.model("c")) == 600 })
	e.wantModel("c", e.logPositions())
}

func TestResize_refusals(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.appendMany(40, 20)
	broken := new(atomic.Bool)
	broken.Store(true)
	r := e.runner(consumer.Registration[pgx.Tx]{Consumer: writes("c", failing(broken, 20)), Segments: 2, Attempts: 1})
	wantError(t, r.Resize(e.ctx(), "c", 3), consumer.ErrUnknownConsumer, "it has no checkpoints")
	wantError(t, r.Resize(e.ctx(), "d", 3), consumer.ErrUnknownConsumer, `"d" is not registered`)
	wantError(t, r.Resize(e.ctx(), "c", 0), nil, "0 segments; give 1 to 1024")
	wantError(t, r.RunUntilCaughtUp(e.ctx(), nil), consumer.ErrStopped)
	stop := background(e, r)
	e.eventually("the healthy segment goes on", func() bool { return status(e, r, "c").Lag().Events <= 20 && len(e.model("c")) > 19 })
	stop()
	if err := r.Resize(e.ctx(), "c", 5); err != nil {
		t.Fatal(err)
	}
	if s := status(e, r, "c"); s.Segments[0].Handled != nil {
		wantError(t, r.Resize(e.ctx(), "c", 3), consumer.ErrResizing)
	}
	broken.Store(false)
	e.catchUp(r)
	e.wantModel("c", e.logPositions())
	if err := r.Resize(e.ctx(), "c", 3); err != nil {
		t.Errorf("Resize after all have caught up: %v", err)
	}
}

// Two processes that start a consumer for the first time, at once and with different ideas, agree.
func TestSegments_areCreatedOnce(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.appendMany(20, 10)
	done := make(chan error, 4)
	for i := range 4 {
		r := e.runner(consumer.Registration[pgx.Tx]{Consumer: writes("c", nil), Segments: i + 2})
		go func() { done <- r.RunUntilCaughtUp(e.ctx(), nil) }()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	e.wantModel("c", e.logPositions())
	if sound := one[bool](e, "select bool_and(segments = n) and count(*) = max(n) from (select segments, count(*) over () as n from consumer_checkpoints) as c"); !sound {
		t.Error("the checkpoints disagree about how many segments there are")
	}
}

// Random histories of appends, batches, crashes and resizes: at the end every event was handled once, those of a stream in
// order. The database's transactions decide what survives a crash, so it is the real one.
func TestResize_randomHistories(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		name := fmt.Sprintf("c%d", run)
		e.exec("truncate read_model, events, aggregate_heads, consumer_checkpoints")
		registration := consumer.Registration[pgx.Tx]{
			Segments:  rapid.IntRange(1, 4).Draw(t, "segments"),
			BatchSize: rapid.IntRange(1, 6).Draw(t, "batch size"),
			Consumer:  writes(name, nil),
		}
		r, err := consumer.New(e.db, consumer.Config{}, registration)
		if err != nil {
			t.Fatal(err)
		}
		step := consumer.Stepper(r, name)
		if _, err := step(e.ctx(), false); err != nil {
			t.Fatal(err)
		}
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				e.append("Order", fmt.Sprintf("o%d", rapid.IntRange(0, 9).Draw(t, "stream")), rapid.IntRange(1, 4).Draw(t, "events"))
			},
			"batch": func(t *rapid.T) {
				if _, err := step(e.ctx(), false); err != nil {
					t.Fatal(err)
				}
			},
			"crash": func(t *rapid.T) {
				if _, err := step(e.ctx(), true); err != nil && !errors.Is(err, consumer.ErrCrash) {
					t.Fatal(err)
				}
			},
			"resize": func(t *rapid.T) {
				err := r.Resize(e.ctx(), name, rapid.IntRange(1, 5).Draw(t, "segments"))
				if err != nil && !errors.Is(err, consumer.ErrResizing) {
					t.Fatal(err)
				}
			},
		})
		for worked := true; worked; {
			if worked, err = step(e.ctx(), false); err != nil {
				t.Fatal(err)
			}
		}
		e.wantModel(name, e.logPositions())
		if e.Failed() {
			t.FailNow()
		}
	})
}
