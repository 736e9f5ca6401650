package privacy

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
)

// An Exported is an event that holds data of a subject, for a copy of that data that the subject may ask for. Its JSON has
// members that are called like the columns of a log.
type Exported struct {
	GlobalPosition   int64     `json:"global_position"`
	CreatedAt        time.Time `json:"created_at"`
	AggregateType    string    `json:"aggregate_type"`
	AggregateID      string    `json:"aggregate_id"`
	AggregateVersion int64     `json:"aggregate_version"`
	EventID          uuid.UUID `json:"event_id"`
	EventType        string    `json:"event_type"`
	Event            any       `json:"event"` // what decode returned
}

// Export yields, in the order of the log, every event in which something is sealed for the subject, as decode returns it. It
// passes decode keys that open what is sealed for this subject only: what the same event holds about others reads as erased.
// It reads the whole log, in pages, with one query for the keys of each; run it where a long read does no harm. An error ends
// it.
//
// What is stored in clear, events that name the subject and seal nothing for it, and what other systems hold are not in it.
func (k *Keys[Tx]) Export(
	ctx context.Context, tx Tx, log runtime.EventReader[Tx], subject string,
	decode func(ctx context.Context, tx Tx, keys *Keys[Tx], e *runtime.PersistedEvent) (any, error),
) iter.Seq2[Exported, error] {
	const page = 1000
	return func(yield func(Exported, error) bool) {
		if err := CheckSubject(subject); err != nil {
			yield(Exported{}, fmt.Errorf("export: %w", err))
			return
		}
		fail := func(err error) { yield(Exported{}, fmt.Errorf("export the data of subject %q: %w", subject, err)) }
		ids, err := k.KeyIDs(ctx, tx, subject)
		if err != nil {
			fail(err)
			return
		}
		own := *k
		own.only = &subject
		from := int64(0)
		for len(ids) > 0 {
			events, err := log.ReadEvents(ctx, tx, from, page)
			if err != nil {
				fail(err)
				return
			}
			var its []*runtime.PersistedEvent // of the subject
			var used []uuid.UUID
			for i := range events {
				before := len(used)
				used = AppendKeyIDs(used, events[i].Payload)
				if slices.ContainsFunc(used[before:], func(id uuid.UUID) bool { return slices.Contains(ids, id) }) {
					its = append(its, &events[i])
				} else {
					used = used[:before]
				}
				from = events[i].GlobalPosition
			}
			if own.held, err = k.ByID(ctx, tx, used...); err != nil {
				fail(err)
				return
			}
			for _, e := range its {
				exported := Exported{
					GlobalPosition: e.GlobalPosition, CreatedAt: e.CreatedAt, AggregateType: e.AggregateType, AggregateID: e.AggregateID,
					AggregateVersion: e.AggregateVersion, EventID: e.EventID, EventType: e.EventType,
				}
				if exported.Event, err = decode(ctx, tx, &own, e); err != nil {
					fail(err)
					return
				}
				if !yield(exported, nil) {
					return
				}
			}
			if len(events) == 0 {
				return
			}
		}
	}
}

// conceal takes the keys of all other subjects for erased.
func (r *Ring) conceal(except string) {
	for id, k := range r.byID {
		if k != nil && k.subject != except {
			r.byID[id] = &key{id: id, subject: k.subject}
		}
	}
}
