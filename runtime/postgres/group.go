package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/internal/appending"
)

// A Group is a store whose concurrent appends share statements and commits. While one group of appends is on its way to
// the disk, the next one forms; no timer delays an append, and one that is alone is sent at once. Each append succeeds or
// fails by itself, as with [NewPool], and is committed when Append returns.
//
// A Group is its own Tx: pass it to its own methods, and to those of a generated store. It reads on connections of its
// pool, and implements every interface of package runtime. It is safe for concurrent use.
//
// Appends are sent by goroutines that start when there is something to send and end when there is nothing left.
type Group struct {
	*groupStore
	pool   *pgxpool.Pool
	limits GroupLimits
	hook   func(appends, events int) // or nil
	most   int                       // goroutines that there may be

	mu         sync.Mutex
	queue      queue
	senders    int           // goroutines that count against limits.Connections
	goroutines int           // all of them
	calls      int           // of AppendStreams
	closed     bool          // nothing more is taken
	finished   chan struct{} // closed when nothing more is taken or running
}

// groupStore is embedded in a Group for its reading methods.
type groupStore = Store[*Group]

// GroupLimits bound what a [Group] sends at once. Zero fields have the default.
type GroupLimits struct {
	// Connections is how many groups are on their way at the same time, each on a connection of its own. An append that
	// waits longer than others for a lock, or for the network, does not count, and has one more while the pool has one. The
	// default is 2: one group is being executed while the other waits for the disk.
	Connections int
	// Events and Bytes are how many events, and bytes of payload and metadata, are sent in one statement. An append that
	// has more is sent in one of its own. The defaults are 1,000 events and 4 MiB.
	Events int
	Bytes  int
	// Streams is to how many streams one statement appends. The default is 500.
	Streams int
}

// withDefaults returns the limits with the default for each that is not set.
func (l GroupLimits) withDefaults() (GroupLimits, error) {
	for _, limit := range []struct {
		name  string
		value *int
		unset int
	}{
		{"Connections", &l.Connections, 2},
		{"Events", &l.Events, 1000},
		{"Bytes", &l.Bytes, 4 << 20},
		{"Streams", &l.Streams, 500},
	} {
		if *limit.value < 0 {
			return l, fmt.Errorf("group limits: %s is %d", limit.name, *limit.value)
		}
		if *limit.value == 0 {
			*limit.value = limit.unset
		}
	}
	return l, nil
}

// patience is how long a group waits for a lock that somebody else holds before it goes on without the append that needs it,
// and how long a sender counts against the number of connections.
const patience = 25 * time.Millisecond

// NewGroup returns a store that appends on connections of the pool; see [Group]. The error says which part of the
// configuration is invalid. Close the group before the pool.
func NewGroup(pool *pgxpool.Pool, opts ...Option) (*Group, error) {
	s, err := newStore(func(g *Group) querier {
		if g == nil {
			return nil
		}
		return pgxQuerier{g.pool}
	}, opts)
	if err != nil {
		return nil, err
	}
	if s.tables.citus {
		return nil, errors.New("group: not on Citus, where an append is one call of a function for its log; use NewPool")
	}
	s.alone = true
	var c Config
	for _, o := range opts {
		o.apply(&c)
	}
	limits, err := c.GroupLimits.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Group{
		groupStore: s,
		pool:       pool,
		limits:     limits,
		hook:       c.GroupHook,
		most:       max(int(pool.Config().MaxConns), limits.Connections),
		queue:      newQueue(limits),
		finished:   make(chan struct{}),
	}, nil
}

// Append adds events to their stream, in a statement and a transaction that it may share with other appends, and returns
// when they are committed; see [runtime.EventStore]. tx is the group itself. Result and errors are those of an append by
// itself. Appends to one stream that meet in a group are made in the order in which they came.
//
// When ctx ends first, its error is returned at once. An append that had not been sent is not stored; one that had been may or
// may not be, and the error is [ErrUnknownOutcome] too. So is that of an append whose connection broke. Append the same
// events again: with [runtime.NoStream] and [runtime.Exact] an append that was stored is recognised, and with
// [runtime.Any] and [runtime.StreamExists] it is [runtime.ErrDuplicateEvent].
//
// After Close the error is [ErrClosed].
func (g *Group) Append(ctx context.Context, tx *Group, expected runtime.ExpectedVersion, events []runtime.Event) (runtime.AppendResult, error) {
	if err := g.validateGroup(tx, expected, events); err != nil {
		return runtime.AppendResult{}, fmt.Errorf("append: %w", err)
	}
	r := newRequest(expected, appending.Events(events, g.clock))
	result, err := g.wait(ctx, r)
	if err != nil {
		g.debug(ctx, "append refused", "aggregate_type", r.stream.AggregateType, "aggregate_id", r.stream.AggregateID, "error", err)
		return runtime.AppendResult{}, fmt.Errorf("append to %s %q: %w", r.stream.AggregateType, r.stream.AggregateID, g.tables.classify(err, true))
	}
	if g.logger != nil {
		g.logger.Debug(ctx, "appended", "aggregate_type", r.stream.AggregateType, "aggregate_id", r.stream.AggregateID,
			"events", len(events), "version", result.ToVersion(), "already_stored", result.AlreadyStored)
	}
	return result, nil
}

// AppendStreams appends to several streams, all or nothing, in a statement and a transaction of its own; see
// [Store.AppendStreams]. After Close the error is [ErrClosed].
func (g *Group) AppendStreams(ctx context.Context, tx *Group, appends ...runtime.StreamAppend) ([]runtime.AppendResult, error) {
	if tx != g {
		return nil, fmt.Errorf("append to %d streams: %w", len(appends), otherGroup())
	}
	g.mu.Lock()
	closed := g.closed
	if !closed {
		g.calls++
	}
	g.mu.Unlock()
	if closed {
		return nil, fmt.Errorf("append to %d streams: %w", len(appends), ErrClosed)
	}
	defer func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.calls--
		g.finishIfDone()
	}()
	return g.groupStore.AppendStreams(ctx, tx, appends...)
}

// Close takes no more appends, waits until those that were taken are stored, and returns. When ctx ends first, its error is
// returned, and they go on. Reading goes on too. Close may be called more than once; each call waits. The pool stays open.
func (g *Group) Close(ctx context.Context) error {
	g.mu.Lock()
	if !g.closed {
		g.closed = true
		g.finishIfDone()
	}
	g.mu.Unlock()
	select {
	case <-g.finished:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close the group: %w", ctx.Err())
	}
}

func (g *Group) validateGroup(tx *Group, expected runtime.ExpectedVersion, events []runtime.Event) error {
	if tx != g {
		return otherGroup()
	}
	return g.validate(expected, events)
}

func otherGroup() error {
	return &runtime.InvalidEventError{Index: -1, Field: "tx", Reason: "is another group than the store"}
}

// wait hands a request in and returns its answer, or the error of ctx.
func (g *Group) wait(ctx context.Context, r *request) (runtime.AppendResult, error) {
	if err := ctx.Err(); err != nil {
		return runtime.AppendResult{}, err
	}
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return runtime.AppendResult{}, ErrClosed
	}
	g.queue.add(r)
	g.sendReady()
	g.mu.Unlock()
	select {
	case a := <-r.answered:
		return a.result, a.err
	case <-ctx.Done():
	}
	g.mu.Lock()
	waiting := g.queue.remove(r)
	r.leave()
	g.finishIfDone()
	g.mu.Unlock()
	select {
	case a := <-r.answered: // it came meanwhile
		return a.result, a.err
	default:
	}
	if waiting {
		return runtime.AppendResult{}, ctx.Err()
	}
	return runtime.AppendResult{}, fmt.Errorf("%w: %w", ErrUnknownOutcome, ctx.Err())
}

// sendReady starts a sender if there is something to send and may be one more. The caller holds the lock.
func (g *Group) sendReady() {
	if g.senders < g.limits.Connections && g.goroutines < g.most && g.queue.isReady() {
		g.senders++
		g.goroutines++
		go g.send()
	}
}

// ended counts a goroutine as ended. The caller holds the lock.
func (g *Group) ended() {
	g.goroutines--
	g.sendReady()
	g.finishIfDone()
}

// finishIfDone ends the wait of Close when nothing is left. The caller holds the lock.
func (g *Group) finishIfDone() {
	if !g.closed || g.senders > 0 || g.goroutines > 0 || g.calls > 0 || !g.queue.isEmpty() {
		return
	}
	select {
	case <-g.finished:
	default:
		close(g.finished)
	}
}
