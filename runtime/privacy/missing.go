package privacy

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/google/uuid"

	"github.com/eventmap/eventmap/runtime"
)

// A MissingKey is a key that something in a log is sealed with, and that the table of keys does not have: its row was deleted, or
// the table was restored to an earlier time than the log.
type MissingKey struct {
	KeyID uuid.UUID

	// The first event that needs it.
	GlobalPosition int64
	AggregateType  string
	AggregateID    string
	EventType      string
}

// Lost returns the entry of a list of forgotten keys that gives the key up: with it, [Keys.ForgetAgain] has what is sealed with the
// key read as erased. Whose it was is not known, and that subject is not forgotten.
func (m MissingKey) Lost() ForgottenSubject {
	return ForgottenSubject{Subject: "lost key " + m.KeyID.String(), KeyID: m.KeyID, Generation: 1}
}

// MissingKeys yields the keys that the log needs and that are missing, each once, by the first event that needs it. It reads the
// whole log, in pages, with one query for the keys of each, and decrypts nothing. An error ends it.
//
// An event in clear, with a text that looks like a sealed value, may be listed too.
func (k *Keys[Tx]) MissingKeys(ctx context.Context, tx Tx, log runtime.EventReader[Tx]) iter.Seq2[MissingKey, error] {
	const page = 1000
	return func(yield func(MissingKey, error) bool) {
		fail := func(err error) { yield(MissingKey{}, fmt.Errorf("missing keys: %w", err)) }
		told := make(map[uuid.UUID]bool)
		for from := int64(0); ; {
			events, err := log.ReadEvents(ctx, tx, from, page)
			if err != nil {
				fail(err)
				return
			}
			if len(events) == 0 {
				return
			}
			needs := make([][]uuid.UUID, len(events))
			var all []uuid.UUID
			for i := range events {
				before := len(all)
				all = AppendKeyIDs(all, events[i].Payload)
				needs[i] = all[before:]
				from = events[i].GlobalPosition
			}
			found, err := k.idsOf(ctx, tx, all)
			if err != nil {
				fail(err)
				return
			}
			for i := range events {
				e := &events[i]
				for _, id := range needs[i] {
					if found[id] || told[id] {
						continue
					}
					told[id] = true
					if !yield(MissingKey{id, e.GlobalPosition, e.AggregateType, e.AggregateID, e.EventType}, nil) {
						return
					}
				}
			}
		}
	}
}

// idsOf returns which of the keys the table has, whatever is cached.
func (k *Keys[Tx]) idsOf(ctx context.Context, tx Tx, ids []uuid.UUID) (map[uuid.UUID]bool, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := k.store.FindKeys(ctx, tx, KeyQuery{IDs: slices.Compact(slices.SortedFunc(slices.Values(ids), compareIDs))})
	found := make(map[uuid.UUID]bool, len(rows))
	for i := range rows {
		found[rows[i].KeyID] = true
	}
	return found, err
}
