// Package schemalock remembers what stored events look like, and says which changes of a domain would break them.
//
// A [Lock] is the part of a model that is stored: for every version of every event its Go type and the JSON shape of its
// payload. It is committed as a file; [Encode] and [Decode] are its two directions. [Compare] judges a domain by it, by
// the rules of [Rules]; [Judge] does so with what lies on disk or in git. The package writes no files.
package schemalock

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/eventmap/eventmap/internal/model"
)

// A Lock is what events look like as they are stored.
type Lock struct {
	Streams []Stream // by Aggregate; only those whose IDs write themselves
	Folds   []Fold   // by Aggregate; only those with snapshots
	Events  []Event  // by Aggregate, Name, Version
}

// A Stream says what the streams of an aggregate are called.
type Stream struct {
	Aggregate string
	ID        string         // the type whose String calls them, such as github.com/google/uuid.UUID
	Pos       model.Position // of the aggregate's state; not in a lock that was read
}

// A Fold is the code by which the events of an aggregate with snapshots become its state.
type Fold struct {
	Aggregate   string
	Fingerprint string
	Pos         model.Position // of the aggregate's state; not in a lock that was read
}

// An Event is one version of one event.
type Event struct {
	Aggregate string
	Name      string
	Version   int
	Type      string         // its Go type, such as example.com/shop/order.Placed
	Upcast    int            // the version that an upcaster turns it into; 0: none does
	Forget    *model.Forget  // whom it says to forget, or nil
	Payload   *model.Shape   // of which a lock keeps what is stored: no Go names of types, no docs, no positions
	Pos       model.Position // of the type, or of the event's block in a lock that was read
}

// Of returns the lock of a domain.
func Of(d *model.Domain) *Lock {
	var lock Lock
	for _, a := range d.Aggregates {
		if a.ID.Stringer != "" {
			stream := Stream{Aggregate: a.Name, ID: a.ID.Stringer, Pos: a.Pos}
			if a.State != nil {
				stream.Pos = a.State.Pos
			}
			lock.Streams = append(lock.Streams, stream)
		}
		if a.State != nil && a.State.Snapshots != nil {
			lock.Folds = append(lock.Folds, Fold{Aggregate: a.Name, Fingerprint: a.State.Snapshots.Fingerprint, Pos: a.State.Pos})
		}
		for _, e := range a.Events {
			locked := Event{
				Aggregate: a.Name,
				Name:      e.Name,
				Version:   e.Version,
				Type:      e.Type.Package.Path + "." + e.Type.Name,
				Forget:    e.Forget,
				Payload:   e.Payload,
				Pos:       e.Pos,
			}
			if e.Upcast != nil {
				locked.Upcast = e.Upcast.To
			}
			lock.Events = append(lock.Events, locked)
		}
	}
	lock.sort()
	return &lock
}

func (l *Lock) sort() {
	slices.SortStableFunc(l.Streams, func(a, b Stream) int { return cmp.Compare(a.Aggregate, b.Aggregate) })
	slices.SortStableFunc(l.Folds, func(a, b Fold) int { return cmp.Compare(a.Aggregate, b.Aggregate) })
	slices.SortStableFunc(l.Events, compareEvents)
}

func compareEvents(a, b Event) int {
	return cmp.Or(cmp.Compare(a.Aggregate, b.Aggregate), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
}

// A key is what an event is stored under.
type key struct {
	aggregate, name string
	version         int
}

func (e *Event) key() key { return key{e.Aggregate, e.Name, e.Version} }

// byKey returns the events by what they are stored under.
func (l *Lock) byKey() map[key]*Event {
	events := make(map[key]*Event, len(l.Events))
	for i := range l.Events {
		events[l.Events[i].key()] = &l.Events[i]
	}
	return events
}

// String returns what names the event in messages and flags, such as Order.Placed.v1; or the aggregate, where there is no
// more than that.
func (e *Event) String() string {
	if e.Name == "" {
		return e.Aggregate
	}
	return fmt.Sprintf("%s.%s.v%d", e.Aggregate, e.Name, e.Version)
}
