package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
	"github.com/eventmap/eventmap/runtime/storetest"
)

// newGroup returns a group that is closed with the test.
func newGroup(t testing.TB, pool *pgxpool.Pool, opts ...postgres.Option) *postgres.Group {
	t.Helper()
	group, err := postgres.NewGroup(pool, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := group.Close(ctx); err != nil {
			t.Error(err)
		}
		if !group.IsIdle() {
			t.Error("the closed group still has something to do")
		}
	})
	return group
}

func TestGroup_keepsTheContract(t *testing.T) {
	t.Parallel()
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			pool := connect(t, database(t), mode(m))
			group := newGroup(t, pool)
			storetest.Run(t, storetest.Harness[*postgres.Group]{
				Store:   group,
				Begin:   useGroup(group),
				Remove:  remover(pool),
				Without: []storetest.Ability{storetest.Transactions},
			})
		})
	}
}

func useGroup(group *postgres.Group) func(context.Context) (storetest.Transaction[*postgres.Group], error) {
	nothing := func(context.Context) error { return nil }
	return func(context.Context) (storetest.Transaction[*postgres.Group], error) {
		return storetest.Transaction[*postgres.Group]{Tx: group, Commit: nothing, Rollback: nothing}, nil
	}
}

// An attempt is an append that a test hands to a group, and its answer.
type attempt struct {
	expected runtime.ExpectedVersion
	events   []runtime.Event
	result   runtime.AppendResult
	err      error
}

// together hands all appends to the group, in their order, before it sends any of them, and waits for all the answers.
func together(t *testing.T, group *postgres.Group, attempts []*attempt) {
	t.Helper()
	release := group.Hold()
	var wg sync.WaitGroup
	for i, a := range attempts {
		wg.Go(func() { a.result, a.err = group.Append(context.Background(), group, a.expected, a.events) })
		eventually(t, "the append is handed in", func() bool { return group.Waiting() == i+1 })
	}
	release()
	wg.Wait()
}

// any appends n events to a stream of its own.
func toNewStream(n int) *attempt {
	return &attempt{expected: runtime.Any(), events: placed(newStream(), n)}
}

// A tracer counts the statements that write events.
type tracer struct{ appends, groups atomic.Int64 }

func (c *tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	switch {
	case strings.Contains(q.SQL, "append for a group"):
		c.groups.Add(1)
	case strings.Contains(q.SQL, "eventmap: append"):
		c.appends.Add(1)
	}
	return ctx
}

func (c *tracer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func traced(c *tracer) func(*pgxpool.Config) {
	return func(config *pgxpool.Config) { config.ConnConfig.Tracer = c }
}

func TestGroup_appendsShareAStatement(t *testing.T) {
	t.Parallel()
	var count tracer
	pool := connect(t, database(t), traced(&count))
	group := newGroup(t, pool)
	var attempts []*attempt
	for i := range 50 {
		attempts = append(attempts, toNewStream(1+i%3))
	}
	together(t, group, attempts)
	for _, a := range attempts {
		if a.err != nil {
			t.Fatal(a.err)
		}
		read, err := group.ReadAggregateStream(t.Context(), group, "Order", a.events[0].AggregateID, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(read.Events, a.result.Events); diff != "" {
			t.Errorf("the result is not what is read (-read +result):\n%s", diff)
		}
	}
	if groups, alone := count.groups.Load(), count.appends.Load(); groups != 1 || alone != 0 {
		t.Errorf("%d statements for a group and %d for one append, want 1 and 0", groups, alone)
	}
}

func TestGroup_loneAppendIsThatOfAPool(t *testing.T) {
	t.Parallel()
	var count tracer
	group := newGroup(t, connect(t, database(t), traced(&count)))
	for range 3 {
		if _, err := group.Append(t.Context(), group, runtime.Any(), placed(newStream(), 1)); err != nil {
			t.Fatal(err)
		}
	}
	if groups, alone := count.groups.Load(), count.appends.Load(); groups != 0 || alone != 3 {
		t.Errorf("%d statements for a group and %d for one append, want 0 and 3", groups, alone)
	}
}

// What a group does with random appends to few streams, some of them invalid, repeated, or refused by the server, is what a
// store does that gets them one after the other.
func TestGroup_doesWhatOneAfterTheOtherDoes(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	refuse(t, pool)
	group, alone := newGroup(t, pool), newPoolStore(t)
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	for round := range 40 {
		streams := make([]string, 1+random.IntN(4))
		for i := range streams {
			streams[i] = newStream()
		}
		var attempts []*attempt
		for range 1 + random.IntN(20) {
			a := &attempt{events: placed(streams[random.IntN(len(streams))], 1+random.IntN(3))}
			switch random.IntN(5) {
			case 0:
				a.expected = runtime.Any()
			case 1:
				a.expected = runtime.StreamExists()
			default:
				a.expected = runtime.Exact(int64(random.IntN(12)))
			}
			switch n := len(attempts); {
			case random.IntN(12) == 0:
				a.events[0].EventType = "Refused"
			case n > 0 && random.IntN(5) == 0: // a retry
				earlier := attempts[random.IntN(n)]
				a.events = slices.Clone(earlier.events)
				if random.IntN(2) == 0 {
					a.expected = earlier.expected
				}
			}
			attempts = append(attempts, a)
		}
		together(t, group, attempts)
		// The same for streams and events of other names.
		twins := make(map[string]string)
		ids := make(map[string]runtime.Event)
		for i, a := range attempts {
			events := slices.Clone(a.events)
			for j := range events {
				twin, known := twins[events[j].AggregateID]
				if !known {
					twin = newStream()
					twins[events[j].AggregateID] = twin
				}
				id := events[j].EventID.String()
				fresh, known := ids[id]
				if !known {
					fresh = placed(twin, 1)[0]
					ids[id] = fresh
				}
				events[j].AggregateID, events[j].EventID = twin, fresh.EventID
			}
			result, err := alone.Append(t.Context(), pool, a.expected, events)
			if got, want := verdict(a.result, a.err), verdict(result, err); got != want {
				t.Errorf("seed %d, round %d, append %d: in a group: %s; one after the other: %s", seed, round, i, got, want)
			}
		}
		if t.Failed() {
			for i, a := range attempts {
				t.Logf("%d: %v of %d to %s", i, a.expected, len(a.events), a.events[0].AggregateID)
			}
			return
		}
	}
}

// verdict says how an append ended.
func verdict(r runtime.AppendResult, err error) string {
	var conflict *runtime.ConflictError
	switch {
	case errors.As(err, &conflict):
		return fmt.Sprintf("conflict, %v at %d", conflict.Expected, conflict.Actual)
	case errors.Is(err, runtime.ErrDuplicateEvent):
		return "duplicate"
	case err != nil:
		return "refused"
	}
	return fmt.Sprintf("from %d to %d, already stored: %t", r.FromVersion(), r.ToVersion(), r.AlreadyStored)
}

func TestGroup_chainOfOneStream(t *testing.T) {
	t.Parallel()
	var count tracer
	group := newGroup(t, connect(t, database(t), traced(&count)))
	stream := newStream()
	append := func(expected runtime.ExpectedVersion) *attempt {
		return &attempt{expected: expected, events: placed(stream, 1)}
	}
	attempts := []*attempt{
		append(runtime.NoStream()), append(runtime.Exact(1)), append(runtime.Any()), append(runtime.StreamExists()),
		append(runtime.Exact(4)), append(runtime.Exact(4)), append(runtime.NoStream()), append(runtime.Any()),
	}
	together(t, group, attempts)
	var got []string
	for _, a := range attempts {
		got = slices.Concat(got, []string{verdict(a.result, a.err)})
	}
	want := []string{
		"from 0 to 1, already stored: false", "from 1 to 2, already stored: false", "from 2 to 3, already stored: false",
		"from 3 to 4, already stored: false", "from 4 to 5, already stored: false",
		"conflict, version 4 at 5", "conflict, no stream at 5", "from 5 to 6, already stored: false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if n := count.groups.Load(); n != 1 {
		t.Errorf("%d statements, want 1", n)
	}
}

// Close stores what was handed in, and only that.
func TestGroup_close(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	group, err := postgres.NewGroup(pool)
	if err != nil {
		t.Fatal(err)
	}
	release := group.Hold()
	var attempts []*attempt
	var wg sync.WaitGroup
	for i := range 10 {
		a := toNewStream(1)
		attempts = append(attempts, a)
		wg.Go(func() { a.result, a.err = group.Append(context.Background(), group, a.expected, a.events) })
		eventually(t, "it is handed in", func() bool { return group.Waiting() == i+1 })
	}
	short, cancel := context.WithCancel(t.Context())
	cancel()
	if err := group.Close(short); !errors.Is(err, context.Canceled) {
		t.Errorf("Close with a context that has ended: %v", err)
	}
	if _, err := group.Append(t.Context(), group, runtime.Any(), placed(newStream(), 1)); !errors.Is(err, postgres.ErrClosed) {
		t.Errorf("Append after Close: %v", err)
	}
	if _, err := group.AppendStreams(t.Context(), group, runtime.StreamAppend{Expected: runtime.Any(), Events: placed(newStream(), 1)}); !errors.Is(err, postgres.ErrClosed) {
		t.Errorf("AppendStreams after Close: %v", err)
	}
	release()
	for range 2 {
		if err := group.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if !group.IsIdle() {
		t.Error("the closed group still has something to do")
	}
	wg.Wait()
	for _, a := range attempts {
		if a.err != nil {
			t.Error(a.err)
		}
	}
	if events, err := group.ReadEvents(t.Context(), group, 0, 100); err != nil || len(events) != 10 {
		t.Errorf("%d events, %v; want 10, read from the closed group", len(events), err)
	}
}

func TestGroup_limits(t *testing.T) {
	t.Parallel()
	address := database(t)
	for name, row := range map[string]struct {
		limits postgres.GroupLimits
		want   int64
	}{
		"events":   {postgres.GroupLimits{Connections: 1, Events: 10}, 4},
		"bytes":    {postgres.GroupLimits{Connections: 1, Bytes: 70}, 4},
		"streams":  {postgres.GroupLimits{Connections: 1, Streams: 5}, 4},
		"defaults": {postgres.GroupLimits{Connections: 1}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var count tracer
			group := newGroup(t, connect(t, address, traced(&count)), postgres.WithGroupLimits(row.limits))
			var attempts []*attempt
			for range 20 {
				attempts = append(attempts, toNewStream(2)) // of 7 bytes each
			}
			together(t, group, attempts)
			for _, a := range attempts {
				if a.err != nil {
					t.Error(a.err)
				}
			}
			if got := count.groups.Load(); got != row.want {
				t.Errorf("%d statements, want %d", got, row.want)
			}
		})
	}
	t.Run("an append beyond them is sent alone", func(t *testing.T) {
		t.Parallel()
		group := newGroup(t, connect(t, address), postgres.WithGroupLimits(postgres.GroupLimits{Events: 3, Bytes: 10, Streams: 1}))
		attempts := []*attempt{toNewStream(1), toNewStream(50), toNewStream(1)}
		together(t, group, attempts)
		for _, a := range attempts {
			if a.err != nil {
				t.Error(a.err)
			}
		}
	})
	if _, err := postgres.NewGroup(connect(t, address), postgres.WithGroupLimits(postgres.GroupLimits{Events: -1})); err == nil {
		t.Error("a negative limit was accepted")
	}
}

// Many goroutines, few connections: all appends are stored, each in the order of its stream.
func TestGroup_manyGoroutines(t *testing.T) {
	t.Parallel()
	var count tracer
	pool := connect(t, database(t), func(c *pgxpool.Config) { c.MaxConns = 2 }, traced(&count))
	group := newGroup(t, pool, postgres.WithNotifyChannel("events"))
	hot := newStream()
	var wg sync.WaitGroup
	const goroutines, appends = 100, 10
	for range goroutines {
		wg.Go(func() {
			own, version := newStream(), int64(0)
			for range appends {
				if _, err := group.Append(t.Context(), group, runtime.Any(), placed(hot, 1)); err != nil {
					t.Error(err)
				}
				r, err := group.Append(t.Context(), group, runtime.Exact(version), placed(own, 2))
				if err != nil {
					t.Error(err)
				}
				version = r.ToVersion()
			}
		})
	}
	wg.Wait()
	read, err := group.ReadAggregateStream(t.Context(), group, "Order", hot, nil, nil)
	if err != nil || read.Version() != goroutines*appends || read.Len() != goroutines*appends {
		t.Errorf("version %d, %d events, %v; want %d", read.Version(), read.Len(), err, goroutines*appends)
	}
	if n := count.groups.Load() + count.appends.Load(); n >= goroutines*appends {
		t.Errorf("%d statements for %d appends: they were not grouped", n, 2*goroutines*appends)
	}
}
