package mapping

import (
	"context"
	goruntime "runtime"
	"sync"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// ReadStream is [ReadStream] with what is personal in the events in clear; see [Personal.Open] for that.
func (p Personal[Tx]) ReadStream(
	ctx context.Context, store runtime.AggregateStreamReader[Tx], tx Tx, aggregateType, aggregateID string, opts ...runtime.ReadOption,
) (runtime.Stream, error) {
	stream, _, err := p.readStream(ctx, store, tx, aggregateType, aggregateID, opts...)
	return stream, err
}

// readStream is ReadStream, and returns the IDs of the keys. Where the store shows what it has read, events whose keys are
// cached are opened while those after them are read.
func (p Personal[Tx]) readStream(
	ctx context.Context, store runtime.AggregateStreamReader[Tx], tx Tx, aggregateType, aggregateID string, opts ...runtime.ReadOption,
) (runtime.Stream, []uuid.UUID, error) {
	var ahead readAhead
	defer ahead.leave()
	stream, err := readWindow(opts, func(from, to *int64) (runtime.Stream, error) {
		parts, ok := runtime.PartsReader(store)
		if !ok || p.keys == nil || len(p.events) == 0 || goruntime.GOMAXPROCS(0) == 1 {
			return store.ReadAggregateStream(ctx, tx, aggregateType, aggregateID, from, to)
		}
		ahead.personal, ahead.cipher = p.events, p.cipher
		return parts.ReadStreamParts(ctx, tx, aggregateType, aggregateID, from, to, ahead.take)
	})
	if err != nil {
		return runtime.Stream{}, nil, err
	}
	ids, err := p.openRest(ctx, tx, stream.Events, ahead.finish())
	if err != nil {
		return runtime.Stream{}, nil, err
	}
	return stream, ids, nil
}

// A readAhead opens the events of a stream while it is read, by one goroutine beside the one that reads. It uses no
// transaction: an event whose key is not cached is left.
type readAhead struct {
	personal PersonalEvents
	cipher   func() *privacy.Cipher
	parts    []*opening // in the order of the stream
	waiting  chan *opening
	opener   sync.WaitGroup
}

// partsWaiting is how many parts may wait for the opener. Whoever reads opens the next one itself.
const partsWaiting = 64

// take takes the next events of the stream.
func (r *readAhead) take(events []runtime.PersistedEvent) {
	if r.waiting == nil {
		r.waiting = make(chan *opening, partsWaiting)
		r.opener.Go(r.open)
	}
	o := &opening{cipher: r.cipher(), events: events}
	r.parts = append(r.parts, o)
	select {
	case r.waiting <- o:
	default:
		o.run(r.personal)
	}
}

// open opens parts until there are none left and no more come.
func (r *readAhead) open() {
	for o := range r.waiting {
		o.run(r.personal)
	}
}

// finish helps to open the parts that wait, and returns all.
func (r *readAhead) finish() []*opening {
	if r.waiting != nil {
		close(r.waiting)
		r.open()
		r.opener.Wait()
		r.waiting = nil
	}
	return r.parts
}

// leave drops the parts that wait, unless the opener has finished, and waits for its end.
func (r *readAhead) leave() {
	if r.waiting != nil {
		close(r.waiting)
		for range r.waiting {
		}
		r.opener.Wait()
	}
}
