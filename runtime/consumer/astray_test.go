package consumer_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/consumer"
)

// restore takes the log back to what it was at a position, as a restore of the events alone does.
func (e *env) restore(position int64) {
	e.Helper()
	e.exec("delete from events where global_position > $1", position)
	e.exec("delete from aggregate_heads")
	e.exec(`insert into aggregate_heads (aggregate_type, aggregate_id, aggregate_version)
		select aggregate_type, aggregate_id, max(aggregate_version) from events group by 1, 2`)
	e.exec("select setval(pg_get_serial_sequence('events', 'global_position'), $1)", position)
}

// A log that was restored to an older state, and has grown past the checkpoint since, is found out at the start, whether the
// position has another event now or none, and stays so until somebody decides.
func TestCheckpointAhead_afterTheLogHasGrownAgain(t *testing.T) {
	t.Parallel()
	for name, segments := range map[string]int{"one segment": 1, "segments": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			e.append("Order", "o", 6)
			registration := consumer.Registration[pgx.Tx]{Consumer: writes("c", nil), Segments: segments}
			e.catchUp(e.runner(registration))
			e.restore(4)
			e.append("Order", "p", 5) // 5 to 9

			r := e.runner(registration)
			for range 2 {
				wantError(t, r.RunUntilCaughtUp(e.ctx(), nil), consumer.ErrCheckpointAhead, "consumer c", "another event at position 6")
			}
			wantError(t, status(e, r, "c").Trouble, consumer.ErrCheckpointAhead)
			wantError(t, r.Resume(e.ctx(), "c"), consumer.ErrCheckpointAhead)
			wantError(t, r.Resize(e.ctx(), "c", 5), consumer.ErrCheckpointAhead)
			wantError(t, r.Accept(e.ctx(), "c", 10), nil, "position 10 is not in the log")

			e.exec("delete from read_model where global_position > 4") // as the handlers' owner does
			if err := r.Accept(e.ctx(), "c", 4); err != nil {
				t.Fatal(err)
			}
			e.catchUp(r)
			e.wantModel("c", e.logPositions())
		})
	}
}

// A runner that goes on running while the log is restored behind its back refuses it too.
func TestCheckpointAhead_whileItRuns(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.append("Order", "o", 6)
	var told atomic.Int64
	r, err := consumer.New(e.db, consumer.Config{PollLeast: 5 * time.Millisecond, PollMost: 5 * time.Millisecond, Hooks: consumer.Hooks{
		Trouble: func(_ context.Context, _ string, err error) {
			if errors.Is(err, consumer.ErrCheckpointAhead) {
				told.Add(1)
			}
		},
	}}, consumer.Registration[pgx.Tx]{Consumer: writes("c", nil)})
	if err != nil {
		t.Fatal(err)
	}
	background(e, r)
	e.eventually("all is handled", func() bool { return len(e.model("c")) == 6 })
	tx, err := e.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	// Between two looks of the runner: setval is seen at once, so no segment may be claimed before the rest is there too.
	for _, statement := range []string{
		"lock table consumer_checkpoints in exclusive mode",
		"delete from events where global_position > 4",
		"update aggregate_heads set aggregate_version = 4",
		"insert into events overriding system value select (e).* from (select jsonb_populate_record(e, jsonb_build_object('global_position', p, 'aggregate_version', p, 'event_id', gen_random_uuid())) as e from events as e, generate_series(5, 9) as p where global_position = 1) as f",
		"select setval(pg_get_serial_sequence('events', 'global_position'), 9)",
	} {
		if _, err := tx.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.eventually("it refuses the log", func() bool { return told.Load() > 0 })
	wantError(t, status(e, r, "c").Trouble, consumer.ErrCheckpointAhead)
	if n := len(e.model("c")); n != 6 {
		t.Errorf("%d events handled, want none after the restore", n)
	}
	err = r.Reset(e.ctx(), "c", func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "delete from read_model")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	e.eventually("all is handled again", func() bool { return len(e.model("c")) == 9 })
	e.eventually("there is no trouble", func() bool { return status(e, r, "c").Trouble == nil })
}

// What is archived up to where a consumer is, is not missed, and positions that were rolled back are none to name.
func TestCheckpointAhead_notByArchivingOrGaps(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.append("Order", "o", 4)
	e.exec("select nextval(pg_get_serial_sequence('events', 'global_position')) from generate_series(1, 5)")
	r := e.runner(consumer.Registration[pgx.Tx]{Consumer: writes("c", nil), Segments: 2})
	e.catchUp(r)
	e.catchUp(e.runner(consumer.Registration[pgx.Tx]{Consumer: writes("c", nil)}))
	e.exec("delete from events")
	log := e.append("Order", "p", 3)
	e.catchUp(r)
	e.wantModel("c", append([]int64{1, 2, 3, 4}, log...))
}

// A process of the release before moves checkpoints without naming their event.
func TestCheckpointAhead_notByAnOlderRelease(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.append("Order", "o", 4)
	r := e.runner(consumer.Registration[pgx.Tx]{Consumer: writes("c", nil)})
	e.catchUp(r)
	log := e.append("Order", "o", 2)
	e.exec("update consumer_checkpoints set position = $1", log[0])
	e.catchUp(r)
	if diff := cmp.Diff([]int64{1, 2, 3, 4, log[1]}, e.model("c")); diff != "" {
		t.Errorf("handled (-want +got):\n%s", diff)
	}
}

func TestFrom_isWhereANewConsumerBegins(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.append("Order", "o", 3)
	e.exec("update events set created_at = now() - interval '1 hour'")
	e.append("Order", "o", 3)
	at := one[time.Time](e, "select min(created_at) from events where global_position > 3")
	for name, from := range map[string]struct {
		start consumer.Start
		want  []int64
	}{
		"beginning": {consumer.Beginning, []int64{1, 2, 3, 4, 5, 6}},
		"now":       {consumer.Now, nil},
		"position":  {consumer.FromPosition(5), []int64{6}},
		"time":      {consumer.FromTime(at), []int64{4, 5, 6}},
		"past":      {consumer.FromTime(at.AddDate(-1, 0, 0)), []int64{1, 2, 3, 4, 5, 6}},
		"future":    {consumer.FromTime(at.AddDate(1, 0, 0)), nil},
	} {
		for _, segments := range []int{1, 2} {
			t.Run(fmt.Sprint(name, segments), func(t *testing.T) {
				id := fmt.Sprint(name, segments)
				r := e.runner(consumer.Registration[pgx.Tx]{Consumer: writes(id, nil), From: from.start, Segments: segments})
				e.catchUp(r)
				if diff := cmp.Diff(append([]int64{}, from.want...), e.model(id)); diff != "" {
					t.Errorf("handled (-want +got):\n%s", diff)
				}
			})
		}
	}
	later := e.append("Order", "o", 2)
	r := e.runner(consumer.Registration[pgx.Tx]{Consumer: writes("now1", nil), From: consumer.Beginning})
	e.catchUp(r)
	e.wantModel("now1", later)
	if _, err := consumer.New(e.db, consumer.Config{}, consumer.Registration[pgx.Tx]{Consumer: writes("c", nil), From: consumer.FromPosition(-1)}); err == nil {
		t.Error("a consumer can begin at position -1")
	}
}

// Replay is what had happened when the consumer first ran, and again after a reset, whatever the batches and segments.
func TestReplaying_untilTheFrontierAtTheStart(t *testing.T) {
	t.Parallel()
	for _, segments := range []int{1, 2} {
		t.Run(fmt.Sprint(segments), func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			e.appendMany(10, 5)
			replayed, live := new(effects), new(effects)
			registration := consumer.Registration[pgx.Tx]{Segments: segments, Consumer: handler[pgx.Tx]{"c", func(ctx context.Context, _ pgx.Tx, p runtime.PersistedEvent) error {
				if consumer.Replaying(ctx) {
					replayed.happen(p.GlobalPosition)
				} else {
					live.happen(p.GlobalPosition)
				}
				return nil
			}}}
			r := e.runner(registration)
			e.catchUp(r)
			log := e.logPositions()
			replayed.wantOnce(t, log)
			later := e.append("Order", "order-1", 3)
			e.catchUp(e.runner(registration))
			replayed.wantOnce(t, log)
			live.wantOnce(t, later)
			if err := r.Reset(e.ctx(), "c", nil); err != nil {
				t.Fatal(err)
			}
			replayed.times, live.times = nil, nil
			last := e.append("Order", "order-1", 1)
			e.catchUp(r)
			replayed.wantOnce(t, append(log, later...))
			live.wantOnce(t, last)
		})
	}
}
