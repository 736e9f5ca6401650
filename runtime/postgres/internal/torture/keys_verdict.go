package torture

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// judge reads all logs and snapshots with an empty cache.
func (t *keyTorture) judge(ctx context.Context) error {
	keys, err := t.keys()
	if err != nil {
		return err
	}
	for _, store := range t.stores {
		if err := t.judgeLog(ctx, keys, store); err != nil {
			return err
		}
	}
	return pgx.BeginFunc(ctx, t.pool, func(tx pgx.Tx) error { return t.judgeSnapshots(ctx, keys, tx) })
}

// judgeSnapshots opens every snapshot that is left.
func (t *keyTorture) judgeSnapshots(ctx context.Context, keys *privacy.Keys[pgx.Tx], tx pgx.Tx) error {
	type saved struct {
		Stream string
		State  []byte
	}
	rows, err := tx.Query(ctx, "select aggregate_id, state from aggregate_snapshots order by aggregate_id")
	if err != nil {
		return err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[saved])
	if err != nil {
		return err
	}
	for _, s := range all {
		ids, err := privacy.StateKeyIDs(s.State)
		if err != nil {
			return err
		}
		ring, err := keys.ByID(ctx, tx, ids...)
		if err != nil {
			return err
		}
		state, erased, err := ring.OpenState(statePlaceOf(s.Stream), s.State)
		gone := slices.ContainsFunc(ids, func(id uuid.UUID) bool { return !t.erased[id].at.IsZero() })
		switch {
		case err != nil, !erased && string(state) != s.Stream:
			t.report.Unreadable++
		case gone && !erased:
			t.report.Undead++
		default:
			t.report.Snapshots++
		}
	}
	return nil
}

// judgeLog reads a log.
func (t *keyTorture) judgeLog(ctx context.Context, keys *privacy.Keys[pgx.Tx], store *postgres.Store[pgx.Tx]) error {
	const page = 1000
	from := int64(0)
	for {
		var events []runtime.PersistedEvent
		err := pgx.BeginFunc(ctx, t.pool, func(tx pgx.Tx) (err error) {
			if events, err = store.ReadEvents(ctx, tx, from, page); err != nil {
				return err
			}
			var ids []uuid.UUID
			for i := range events {
				ids = privacy.AppendKeyIDs(ids, events[i].Payload)
			}
			ring, err := keys.ByID(ctx, tx, ids...)
			if err != nil {
				return err
			}
			for i := range events {
				t.judgeEvent(ring, &events[i])
			}
			return nil
		})
		if err != nil {
			return err
		}
		if len(events) == 0 {
			return nil
		}
		from = events[len(events)-1].GlobalPosition
	}
}

func (t *keyTorture) judgeEvent(ring *privacy.Ring, e *runtime.PersistedEvent) {
	t.report.Stored++
	var value privacy.Sealed
	err := value.UnmarshalJSON(e.Payload)
	if err == nil {
		subject, _, known := ring.Subject(value.KeyID())
		if !known {
			t.report.Keyless++
			return
		}
		if fmt.Sprintf("%q", subject) != string(e.Metadata) {
			err = errors.New("it is sealed under the key of another subject")
		}
	}
	var plaintext []byte
	var erased bool
	if err == nil {
		plaintext, erased, err = ring.Open(placeOf(e.AggregateID, e.EventID), value)
	}
	gone, forgotten := t.erased[value.KeyID()]
	switch {
	case err != nil, erased && !forgotten, !erased && fmt.Sprintf("%q", plaintext) != string(e.Metadata):
		t.report.Unreadable++
	case erased:
		t.report.Erased++
	case !gone.at.IsZero():
		t.report.Undead++
	}
}
