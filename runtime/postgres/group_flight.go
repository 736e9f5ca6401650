package postgres

import (
	"context"
	"errors"
	goruntime "runtime"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/internal/appending"
)

// A flight is requests on their way to the database.
type flight struct {
	parts   []*part
	callers int // who wait for an answer; the lock of the group guards it
	ctx     context.Context
	cancel  context.CancelFunc
	conn    *pgxpool.Conn
	decided []*request // which have their answer but were not given it
	patient bool       // waits for locks as long as it takes, which delays those for its one stream only
}

// maxRounds is how many statements a flight makes before it appends what is left one by one. More than two are needed only
// where others append to the same streams.
const maxRounds = 4

// send sends one flight after the other until nothing is left, or until one took so long that another sender has its place.
func (g *Group) send() {
	slow := time.AfterFunc(patience, g.replaceSender)
	for counts := slow.Stop(); counts; counts = slow.Stop() {
		// Those that were just answered, and others that are about to append, do so first, if they can at once.
		goruntime.Gosched()
		g.mu.Lock()
		f := g.queue.take()
		if f == nil {
			g.senders--
			g.ended()
			g.mu.Unlock()
			return
		}
		g.mu.Unlock()
		slow.Reset(patience)
		g.fly(f)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended()
}

// replaceSender lets another sender start in place of a slow one.
func (g *Group) replaceSender() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.senders--
	g.sendReady()
	g.finishIfDone() // the sender may have ended before
}

// fly sends the requests of a flight and answers all of them.
func (g *Group) fly(f *flight) {
	parts := f.parts
	appends, events := size(parts) // before what nobody waits for any more is left out
	if len(parts) == 1 && len(parts[0].requests) == 1 {
		g.appendAlone(f, parts[0].requests[0])
	} else {
		g.appendParts(f, parts)
	}
	g.deliver(f)
	if f.conn != nil {
		f.conn.Release()
	}
	f.cancel()
	if g.hook != nil && !f.patient { // what is patient was in another flight before
		g.hook(appends, events)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.queue.land(f.parts)
	g.sendReady()
}

// size returns how many appends and events parts have.
func size(parts []*part) (appends, events int) {
	for _, p := range parts {
		appends += len(p.requests)
		for _, r := range p.requests {
			events += len(r.events)
		}
	}
	return appends, events
}

// handOver gives a part that has to wait for a lock, or whose requests have to be sent apart, a flight and a goroutine of its
// own, so that the others of its flight need not wait.
func (g *Group) handOver(f *flight, p *part) {
	own := &flight{parts: []*part{p}, patient: true}
	own.ctx, own.cancel = context.WithCancel(context.Background())
	g.mu.Lock()
	defer g.mu.Unlock()
	f.parts = slices.DeleteFunc(slices.Clone(f.parts), func(other *part) bool { return other == p })
	for _, r := range p.requests {
		if !r.over {
			r.flight = own
			own.callers++
			f.callers--
		}
	}
	g.goroutines++
	go func() {
		g.fly(own)
		g.mu.Lock()
		defer g.mu.Unlock()
		g.ended()
	}()
}

// querier returns the flight's connection, and another one if that is broken.
func (g *Group) querier(f *flight) (querier, error) {
	if f.conn != nil && f.conn.Conn().IsClosed() {
		f.conn.Release()
		f.conn = nil
	}
	if f.conn == nil {
		conn, err := g.pool.Acquire(f.ctx)
		if err != nil {
			return nil, err
		}
		f.conn = conn
	}
	q := pgxQuerier{f.conn}
	return q, g.verify(f.ctx, q)
}

// decide sets the answer of requests.
func (f *flight) decide(a answer, requests ...*request) {
	for _, r := range requests {
		r.answer = a
	}
	f.decided = append(f.decided, requests...)
}

// deliver gives the callers their answers.
func (g *Group) deliver(f *flight) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range f.decided {
		r.answered <- r.answer
		r.leave()
	}
	f.decided = f.decided[:0]
}

// appendAlone makes the append of one request as a store does that has no group.
func (g *Group) appendAlone(f *flight, r *request) {
	q, err := g.querier(f)
	if err != nil {
		f.decide(answer{err: err}, r)
		return
	}
	result, err := g.appendStored(f.ctx, q, r.expected, r.plain(), r.events)
	var sent *statementError
	if errors.As(err, &sent) {
		err = outcome(err)
	}
	f.decide(answer{result, err}, r)
}

// appendParts makes the appends of all requests of the parts, in as few statements as it can.
func (g *Group) appendParts(f *flight, parts []*part) {
	for round := 1; ; round++ {
		g.deliver(f)
		parts = g.present(parts)
		switch {
		case len(parts) == 0:
			return
		case round > maxRounds, f.patient && len(parts[0].requests) == 1:
			for _, p := range parts {
				for _, r := range p.requests {
					g.appendAlone(f, r)
				}
				p.requests = nil
			}
			continue
		}
		err := g.appendTogether(f, parts)
		if err == nil {
			g.settle(f, parts)
			continue
		}
		if _, refused := serverError(err); refused {
			g.divide(f, parts, err)
			return
		}
		for _, p := range parts {
			f.decide(answer{err: err}, p.joined...)
			p.leave(append(p.passed, p.rest...))
		}
	}
}

// divide makes the appends of parts that the server has refused together for the sake of one of them.
func (g *Group) divide(f *flight, parts []*part, err error) {
	for _, p := range parts {
		p.leave(p.requests)
	}
	if half := len(parts) / 2; half > 0 {
		g.appendParts(f, parts[:half])
		g.appendParts(f, parts[half:])
		return
	}
	p := parts[0]
	server, _ := serverError(err)
	switch half := len(p.requests) / 2; {
	case half == 0 && server.Code != stateLockNotAvailable:
		f.decide(answer{err: err}, p.requests...)
	case !f.patient:
		g.handOver(f, p)
	default:
		first, second := *p, *p
		first.requests, second.requests = p.requests[:half], p.requests[half:]
		g.appendParts(f, []*part{&first})
		g.appendParts(f, []*part{&second})
	}
}

// present returns the parts without the requests that nobody waits for any more, and only those that have others.
func (g *Group) present(parts []*part) []*part {
	g.mu.Lock()
	defer g.mu.Unlock()
	var present []*part
	for _, p := range parts {
		p.requests = slices.DeleteFunc(slices.Clone(p.requests), func(r *request) bool { return r.over })
		if len(p.requests) > 0 {
			present = append(present, p)
		}
	}
	return present
}

// settle decides what the statement has brought, and finds out why it has not appended the others. What has to be sent again
// is left in the parts.
func (g *Group) settle(f *flight, parts []*part) {
	var ask []*request // whose events may be stored already
	var moved []*part  // whose stream was not where it had to be
	for _, p := range parts {
		switch stored := p.stored(); stored {
		case p.events:
			for _, r := range p.joined {
				f.decide(answer{result: r.result()}, r)
				p.version, p.known = r.first+int64(len(r.events))-1, true
			}
			for _, r := range p.passed {
				if !r.absent {
					ask = append(ask, r)
					continue
				}
				f.decide(answer{err: r.conflict()}, r)
			}
			p.requests = p.rest
			for _, r := range p.rest {
				r.absent = false // they may be what was just stored
			}
		case 0:
			moved = append(moved, p)
			ask = append(ask, p.requests...)
		default:
			f.decide(answer{err: storedFewer(stored, p.events)}, p.joined...)
			p.leave(append(p.passed, p.rest...))
		}
	}
	if len(ask) == 0 {
		return
	}
	g.deliver(f)
	if err := g.ask(f, ask, moved); err != nil {
		f.decide(answer{err: err}, ask...)
		for _, p := range moved {
			p.leave(nil)
		}
	}
}

// ask decides those of the requests whose events are stored already, and those whose stream was elsewhere at their turn. What
// is left in the moved parts has to be sent again, now that the version of the stream is known.
func (g *Group) ask(f *flight, requests []*request, moved []*part) error {
	q, err := g.querier(f)
	if err != nil {
		return err
	}
	found, versions, err := g.found(f.ctx, q, requests, moved)
	if err != nil {
		return err
	}
	left := make(map[*request]bool)
	for i, p := range moved {
		p.version, p.known = versions[i], true
		for _, r := range p.requests {
			left[r] = true
			r.actual = p.version
		}
	}
	for _, r := range requests {
		result, err := appending.Again(r.conflict(), r.plain(), r.among(found))
		r.absent = errors.As(err, new(*runtime.ConflictError))
		if r.absent && left[r] {
			continue
		}
		delete(left, r)
		f.decide(answer{result, err}, r)
	}
	for _, p := range moved {
		p.requests = slices.DeleteFunc(slices.Clone(p.requests), func(r *request) bool { return !left[r] })
	}
	return nil
}
