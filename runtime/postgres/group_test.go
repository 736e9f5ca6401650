package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
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

// refuse makes the server refuse events of the type Refused.
func refuse(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	execute(t, pool, "alter table events add constraint refused check (event_type <> 'Refused')")
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

// The server refuses the statement because of some of its appends; the others are stored.
func TestGroup_refusedAppendStandsAlone(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	refuse(t, pool)
	group := newGroup(t, pool)
	stored := placed(newStream(), 1)
	if _, err := group.Append(t.Context(), group, runtime.Any(), stored); err != nil {
		t.Fatal(err)
	}
	var attempts []*attempt
	for i := range 20 {
		a := toNewStream(2)
		switch i {
		case 3, 17:
			a.events[1].EventType = "Refused"
		case 5:
			a.events[1].EventID = stored[0].EventID
		}
		attempts = append(attempts, a)
	}
	together(t, group, attempts)
	for i, a := range attempts {
		want := "from 0 to 2, already stored: false"
		switch i {
		case 3, 17:
			want = "refused"
		case 5:
			want = "duplicate"
		}
		if got := verdict(a.result, a.err); got != want {
			t.Errorf("append %d: %s (%v), want %s", i, got, a.err, want)
		}
		if i == 3 && !strings.Contains(a.err.Error(), "23514") {
			t.Errorf("the error is not the server's own: %v", a.err)
		}
	}
}

// A coordinator of Citus whose worker dies answers with an error that leaves the session open, and cannot say whether the
// worker had committed. A trigger stands in for it here.
func TestGroup_deadWorkerOfTheServer(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"08006", "08003", "40003", "58030", "XX000"} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			pool := connect(t, database(t))
			execute(t, pool, `create function refuse() returns trigger language plpgsql as $$
				begin raise exception 'connection to the remote node worker-1:5432 failed' using errcode = '`+state+`'; end $$`)
			execute(t, pool, `create trigger refuse before insert on events for each row execute function refuse()`)
			group := newGroup(t, pool)
			attempts := []*attempt{toNewStream(1), toNewStream(2), toNewStream(1)}
			together(t, group, attempts)
			for _, a := range attempts {
				if !errors.Is(a.err, postgres.ErrUnknownOutcome) {
					t.Errorf("error is %v, want %v", a.err, postgres.ErrUnknownOutcome)
				}
				wantState(t, "Append", a.err, state)
			}
			execute(t, pool, `drop trigger refuse on events`)
			together(t, group, attempts)
			for _, a := range attempts {
				if a.err != nil {
					t.Errorf("the same events again: %v", a.err)
				}
			}
		})
	}
}

func TestGroup_invalidAppendIsNotSent(t *testing.T) {
	t.Parallel()
	group := newGroup(t, connect(t, database(t)))
	_, err := group.Append(t.Context(), group, runtime.Any(), nil)
	if !errors.Is(err, runtime.ErrNoEvents) {
		t.Errorf("no events: %v", err)
	}
	events := placed(newStream(), 1)
	events[0].EventVersion = 0
	var invalid *runtime.InvalidEventError
	if _, err := group.Append(t.Context(), group, runtime.Any(), events); !errors.As(err, &invalid) {
		t.Errorf("invalid event: %v", err)
	}
	for _, other := range []*postgres.Group{nil, newGroup(t, connect(t, database(t)))} {
		if _, err := group.Append(t.Context(), other, runtime.Any(), placed(newStream(), 1)); !errors.As(err, &invalid) {
			t.Errorf("another group: %v", err)
		}
		if _, err := group.AppendStreams(t.Context(), other); !errors.As(err, &invalid) {
			t.Errorf("another group: %v", err)
		}
	}
}

// An append whose caller leaves before it is sent is not stored.
func TestGroup_contextEndsBeforeItIsSent(t *testing.T) {
	t.Parallel()
	group := newGroup(t, connect(t, database(t)))
	ended, end := context.WithCancel(t.Context())
	release := group.Hold()
	left, stays := placed(newStream(), 1), toNewStream(1)
	var wg sync.WaitGroup
	wg.Go(func() { stays.result, stays.err = group.Append(t.Context(), group, stays.expected, stays.events) })
	done := make(chan error, 1)
	go func() {
		_, err := group.Append(ended, group, runtime.Any(), left)
		done <- err
	}()
	eventually(t, "both are handed in", func() bool { return group.Waiting() == 2 })
	end()
	err := <-done
	if !errors.Is(err, context.Canceled) || errors.Is(err, postgres.ErrUnknownOutcome) {
		t.Errorf("got %v, want context.Canceled with a known outcome", err)
	}
	release()
	wg.Wait()
	if stays.err != nil {
		t.Error(stays.err)
	}
	read, err := group.ReadAggregateStream(t.Context(), group, "Order", left[0].AggregateID, nil, nil)
	if err != nil || read.Version() != 0 {
		t.Errorf("version %d, %v; want that it is not stored", read.Version(), err)
	}
	if _, err := group.Append(ended, group, runtime.Any(), left); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended before: %v", err)
	}
}

// A stream that another transaction holds delays nobody but those who append to it, and these leave when their contexts end.
func TestGroup_lockedStreamsDelayNobodyElse(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	store, group := newStore(t), newGroup(t, pool)
	other := begin(t, pool)
	var held []string
	for range 6 {
		held = append(held, newStream())
		mustAppend(t, store, other, placed(held[len(held)-1], 1)) // it does not exist for others yet
	}
	ctx, leave := context.WithCancel(t.Context())
	var waiting sync.WaitGroup
	var stored atomic.Int64
	for i, stream := range held {
		waiting.Go(func() {
			caller := ctx // leaves
			if i%2 == 0 {
				caller = t.Context() // waits
			}
			events := placed(stream, 1)
			_, err := group.Append(caller, group, runtime.Any(), events)
			switch {
			case err == nil:
				stored.Add(1)
			case caller != ctx || !errors.Is(err, context.Canceled) || !errors.Is(err, postgres.ErrUnknownOutcome):
				t.Errorf("%s: %v", stream, err)
			}
			events[0].Payload[0] = 'x' // the caller's again
		})
	}
	var others sync.WaitGroup
	for range 60 { // some come into groups with those that have to wait
		others.Go(func() {
			if _, err := group.Append(t.Context(), group, runtime.NoStream(), placed(newStream(), 1)); err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, "every append to a held stream waits on a connection of its own", func() bool {
		var n int
		err := pool.QueryRow(t.Context(), "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'").Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n == len(held)
	})
	others.Wait()
	leave()
	if n := stored.Load(); n != 0 {
		t.Errorf("%d appends to streams that another transaction holds were answered", n)
	}
	commit(t, other)
	waiting.Wait()
	if n := stored.Load(); n != 3 {
		t.Errorf("%d appends waited, want 3", n)
	}
}

// The connection breaks when the commit is done and its answer is on the way. Everybody in the group is told that the outcome
// is unknown, and appends the same events again.
func TestGroup_connectionBreaksDuringTheCommit(t *testing.T) {
	t.Parallel()
	address := database(t)
	for _, n := range []int{1, 10} {
		var cut cutter
		// Without statements to prepare, what is written first is the append.
		group := newGroup(t, connect(t, address, cut.install, mode(pgx.QueryExecModeExec), func(c *pgxpool.Config) { c.MaxConns = 1 }))
		pool := connect(t, address)
		if _, err := group.GetLatestGlobalPosition(t.Context(), group); err != nil {
			t.Fatal(err) // it is connected
		}
		var attempts []*attempt
		for i := range n {
			a := toNewStream(2)
			if i%2 == 0 {
				a.expected = runtime.NoStream()
			}
			attempts = append(attempts, a)
		}
		cut.armed.Store(true)
		go func() {
			for {
				var count int
				if err := pool.QueryRow(t.Context(), "select count(*) from events where event_id = $1", attempts[n-1].events[0].EventID).Scan(&count); err != nil || count == 1 {
					break
				}
			}
			close(cut.committed())
		}()
		together(t, group, attempts)
		for i, a := range attempts {
			if !errors.Is(a.err, postgres.ErrUnknownOutcome) {
				t.Errorf("append %d of %d: %v, want an unknown outcome", i, n, a.err)
			}
		}
		together(t, group, attempts)
		for i, a := range attempts {
			want := "duplicate"
			if i%2 == 0 {
				want = "from 0 to 2, already stored: true"
			}
			if got := verdict(a.result, a.err); got != want {
				t.Errorf("append %d of %d again: %s (%v), want %s", i, n, got, a.err, want)
			}
		}
	}
}

// A cutter breaks a connection, once, after the server has committed and before its answer is read.
type cutter struct {
	armed atomic.Bool
	once  sync.Once
	done  chan struct{}
}

func (c *cutter) committed() chan struct{} {
	c.once.Do(func() { c.done = make(chan struct{}) })
	return c.done
}

func (c *cutter) install(config *pgxpool.Config) {
	dial := config.ConnConfig.DialFunc
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &cutConn{Conn: conn, cutter: c}, nil
	}
}

type cutConn struct {
	net.Conn
	cutter *cutter
	cut    atomic.Bool
}

func (c *cutConn) Write(b []byte) (int, error) {
	cut := c.cutter.armed.CompareAndSwap(true, false)
	if cut {
		c.cut.Store(true) // before there can be an answer: pgx reads in the background while a write takes long
	}
	n, err := c.Conn.Write(b)
	if err == nil && cut {
		select {
		case <-c.cutter.committed():
		case <-time.After(patience):
		}
		_ = c.Close()
	}
	return n, err
}

func (c *cutConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.cut.Load() || errors.Is(err, net.ErrClosed) {
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
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

// A retry whose first try is in the same group finds what that has stored, though the server refuses another between the two and
// the group is divided.
func TestGroup_retryBesideOneThatIsRefused(t *testing.T) {
	t.Parallel()
	pool := connect(t, database(t))
	refuse(t, pool)
	stream := newStream()
	append := func(expected runtime.ExpectedVersion, events []runtime.Event) *attempt {
		return &attempt{expected: expected, events: events}
	}
	refused, tried := placed(stream, 1), placed(stream, 1)
	refused[0].EventType = "Refused"
	attempts := []*attempt{
		append(runtime.Exact(11), placed(stream, 1)), append(runtime.Any(), refused), append(runtime.NoStream(), tried),
		append(runtime.Exact(1), placed(stream, 1)), append(runtime.Exact(2), placed(stream, 1)), append(runtime.NoStream(), slices.Clone(tried)),
	}
	together(t, newGroup(t, pool), attempts)
	var got []string
	for _, a := range attempts {
		got = slices.Concat(got, []string{verdict(a.result, a.err)})
	}
	want := []string{
		"conflict, version 11 at 0", "refused", "from 0 to 1, already stored: false",
		"from 1 to 2, already stored: false", "from 2 to 3, already stored: false", "from 0 to 1, already stored: true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
