package postgres

import (
	"math"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime/internal/appending"
)

// A part is the requests of a flight for one stream, in the order in which they came, and what is known of the stream.
type part struct {
	stream   appending.StreamName
	requests []*request
	version  int64 // of the stream, if known
	known    bool

	// What the next statement has, as chain sets it.
	joined  []*request // appended, one behind the other
	passed  []*request // not at their expected version when it is their turn, provided that joined are appended
	rest    []*request // for the statement after
	lowest  int64      // the versions at which the stream has to be for joined
	highest int64
	events  int // how many joined have
}

// chain decides which requests the next statement appends: those that succeed one after the other. Where the version of the
// stream is not known, the first request says what it has to be. If that is any, the chain ends where one expects an exact
// version: were it appended too, and the stream not where it expects it, all of the chain would fail. IDs are those of the
// events in the statement, and of those that were passed; a request that has one of them waits for the statement after.
func (p *part) chain(ids map[uuid.UUID]*request) {
	p.joined, p.passed, p.rest, p.events = nil, nil, nil, 0
	version, known := p.version, p.known
	first := p.requests[0].expected
	if !known && !first.IsAny() && !first.IsStreamExists() {
		version, known = first.Value(), true
	}
	p.lowest, p.highest = version, version
	if !known {
		p.lowest, p.highest = bounds(first)
	}
	for i, r := range p.requests {
		open := r.expected.IsAny() || r.expected.IsStreamExists()
		if !known && !open || !claim(ids, r) {
			p.rest = p.requests[i:]
			return
		}
		if known && !r.expected.Matches(version) {
			r.actual = version
			p.passed = append(p.passed, r)
			continue
		}
		p.joined = append(p.joined, r)
		p.events += len(r.events)
		version += int64(len(r.events))
	}
}

// claim notes the IDs of a request's events, or returns false if one of them is taken.
func claim(ids map[uuid.UUID]*request, r *request) bool {
	for i := range r.events {
		if _, taken := ids[r.events[i].EventID]; taken {
			return false
		}
	}
	for i := range r.events {
		ids[r.events[i].EventID] = r
	}
	return true
}

// stored returns how many events of joined were stored.
func (p *part) stored() int {
	n := 0
	for _, r := range p.joined {
		n += len(r.positions)
	}
	return n
}

// leave has only the given requests sent again, with nothing known of the stream, nor of their events: those of another may
// be stored before it is their turn.
func (p *part) leave(requests []*request) {
	p.requests, p.known = requests, false
	for _, r := range requests {
		r.positions, r.first, r.absent = nil, math.MaxInt64, false
	}
}
