package postgres

import (
	"context"
	"math"
	"slices"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/internal/appending"
)

// A request is one append to a group. The lock of the group guards what can change after it was handed in, except what
// the sender of its flight alone uses.
type request struct {
	stream   appending.StreamName
	expected runtime.ExpectedVersion
	events   []runtime.PersistedEvent // as they will be stored; of the request's own memory
	bytes    int
	answered chan answer // has room for the only one
	flight   *flight     // that carries it, or nil
	over     bool        // it is answered, or its caller has left

	// What its flight finds out.
	answer    answer
	positions []int64
	first     int64 // version of the first event
	actual    int64 // version of the stream at its turn, where that is not the expected one
	absent    bool  // its events were looked for, and are not stored
}

// An answer is what a caller is told.
type answer struct {
	result runtime.AppendResult
	err    error
}

func newRequest(expected runtime.ExpectedVersion, events []runtime.PersistedEvent) *request {
	r := &request{
		stream:   appending.StreamName{AggregateType: events[0].AggregateType, AggregateID: events[0].AggregateID},
		expected: expected,
		events:   events,
		answered: make(chan answer, 1),
		first:    math.MaxInt64,
	}
	for i := range events {
		r.bytes += len(events[i].Payload) + len(events[i].Metadata)
	}
	return r
}

// plain returns the events without their place in the log.
func (r *request) plain() []runtime.Event {
	events := make([]runtime.Event, len(r.events))
	for i := range r.events {
		events[i] = r.events[i].Event
	}
	return events
}

// result returns the result of a request that was appended.
func (r *request) result() runtime.AppendResult {
	slices.Sort(r.positions) // SQL promises no order for RETURNING; positions rise with versions, so this is theirs
	return appending.Result(r.events, r.positions, r.first)
}

// conflict returns what it means that the stream was at another version than expected.
func (r *request) conflict() *runtime.ConflictError {
	return &runtime.ConflictError{
		AggregateType: r.stream.AggregateType, AggregateID: r.stream.AggregateID, Expected: r.expected, Actual: r.actual,
	}
}

// among returns those of the found events that are the request's own, in its order.
func (r *request) among(found map[uuid.UUID]runtime.PersistedEvent) []runtime.PersistedEvent {
	var own []runtime.PersistedEvent
	for i := range r.events {
		if e, is := found[r.events[i].EventID]; is {
			own = append(own, e)
		}
	}
	return own
}

// leave notes that nobody waits for the answer any more. A flight that nobody waits for is cut short. The caller holds
// the lock of the group.
func (r *request) leave() {
	if r.over {
		return
	}
	r.over = true
	if r.flight != nil {
		r.flight.callers--
		if r.flight.callers == 0 {
			r.flight.cancel()
		}
	}
}

// A lane holds the requests for one stream, in the order in which they came. While some are on their way, the others wait:
// they would only wait for the lock of the stream.
type lane struct {
	waiting []*request
	flying  bool
	listed  bool // in the queue's list of those that can be sent
}

// A queue is what waits to be sent. The lock of the group guards it.
type queue struct {
	limits GroupLimits
	lanes  map[appending.StreamName]*lane // that have something waiting or flying
	ready  []*lane                        // that can be sent, in order
}

func newQueue(limits GroupLimits) queue {
	return queue{limits: limits, lanes: make(map[appending.StreamName]*lane)}
}

func (q *queue) isEmpty() bool { return len(q.lanes) == 0 }
func (q *queue) isReady() bool { return len(q.ready) > 0 }

// add puts a request at the end of its lane.
func (q *queue) add(r *request) {
	l := q.lanes[r.stream]
	if l == nil {
		l = new(lane)
		q.lanes[r.stream] = l
	}
	l.waiting = append(l.waiting, r)
	q.list(l)
}

// list puts a lane at the end of those that can be sent, if it can be.
func (q *queue) list(l *lane) {
	if !l.flying && !l.listed && len(l.waiting) > 0 {
		l.listed = true
		q.ready = append(q.ready, l)
	}
}

// remove takes a request out again. It returns false if it is not waiting any more.
func (q *queue) remove(r *request) bool {
	l := q.lanes[r.stream]
	if l == nil {
		return false
	}
	i := slices.Index(l.waiting, r)
	if i < 0 {
		return false
	}
	l.waiting = slices.Delete(l.waiting, i, i+1)
	if len(l.waiting) == 0 && !l.flying {
		q.ready = slices.DeleteFunc(q.ready, func(other *lane) bool { return other == l })
		delete(q.lanes, r.stream)
	}
	return true
}

// take returns a flight with what is ready, up to the limits, or nil if nothing is.
func (q *queue) take() *flight {
	f := new(flight)
	events, bytes := 0, 0
	for len(q.ready) > 0 && len(f.parts) < q.limits.Streams {
		l := q.ready[0]
		n := 0
		for _, r := range l.waiting {
			more := events + len(r.events)
			if events > 0 && (more > q.limits.Events || bytes+r.bytes > q.limits.Bytes) {
				break
			}
			events, bytes = more, bytes+r.bytes
			r.flight = f
			n++
		}
		if n == 0 {
			break
		}
		q.ready[0] = nil
		q.ready = q.ready[1:]
		l.listed, l.flying = false, true
		f.parts = append(f.parts, &part{stream: l.waiting[0].stream, requests: l.waiting[:n:n]})
		l.waiting = l.waiting[n:]
		f.callers += n
	}
	if f.callers == 0 {
		return nil
	}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return f
}

// land lets the lanes of parts go on.
func (q *queue) land(parts []*part) {
	for _, p := range parts {
		l := q.lanes[p.stream]
		l.flying = false
		q.list(l)
		if len(l.waiting) == 0 {
			delete(q.lanes, p.stream)
		}
	}
}
