package postgres_test

import (
	"context"
	"errors"
	"io"
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
)

// refuse makes the server refuse events of the type Refused.
func refuse(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	execute(t, pool, "alter table events add constraint refused check (event_type <> 'Refused')")
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
