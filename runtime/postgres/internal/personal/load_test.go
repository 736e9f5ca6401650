package personal_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/eventmap/eventmap/runtime"
	"github.com/eventmap/eventmap/runtime/postgres/internal/personal/domain/transfer"
	store "github.com/eventmap/eventmap/runtime/postgres/internal/personal/personalstore"
	"github.com/eventmap/eventmap/runtime/privacy"
)

// Appends, loads, exports, the rotation of the wrapping key by several processes that are broken off, and people who leave and come
// back, all at once: nothing is lost, what is erased is of those who left only, and at the end no key needs the old wrapper.
func everythingAtOnce[Tx any](t *testing.T, d *database[Tx]) {
	const rounds, streams = 40, 4
	old, err := privacy.NewLocalWrapper([]byte(strings.Repeat("o", 32)))
	check(t, err)
	rows := d.keyStore.KeyStore // the counter is not safe for concurrent use
	newKeys := func() *privacy.Keys[Tx] {
		return privacy.NewKeys(rows, localWrapper(), privacy.WithWrapperName("new"), privacy.WithOldWrapper("old", old))
	}
	former := privacy.NewKeys(rows, old, privacy.WithWrapperName("old"), privacy.WithOldWrapper("new", localWrapper()))
	in := func(work func(ctx context.Context, tx Tx) error) {
		try := func() error { return d.try(t.Context(), func(tx Tx) error { return work(t.Context(), tx) }) }
		err := try()
		for runtime.Retryable(err) {
			err = try()
		}
		if err != nil && !errors.Is(err, privacy.ErrForgotten) && !errors.Is(err, errBrokenOff) {
			t.Error(err)
		}
	}
	var wrote [streams]int
	var working sync.WaitGroup
	for s := range streams {
		keys := newKeys()
		if s == 0 { // of a release that still wraps by the old key
			keys = former
		}
		transfers := store.NewTransferStore(d.log, keys, runtime.SnapshotEvery(5))
		working.Go(func() {
			id := transfer.ID(fmt.Sprint("t", s))
			for i := range rounds {
				stored := false
				in(func(ctx context.Context, tx Tx) error {
					event := made(fmt.Sprintf("stays-%d-%d", s, i), transfer.Recipient(i%3)) // 0 to 2 leave and come back
					_, err := transfers.Execute(ctx, tx, id, func(transfer.Transfer) ([]store.TransferEvent, error) {
						return []store.TransferEvent{event}, nil
					})
					stored = err == nil
					return err
				})
				if stored {
					wrote[s]++
				}
			}
		})
	}
	leaving := newKeys()
	working.Go(func() {
		for i := range rounds {
			subject := fmt.Sprint(i % 3)
			in(func(ctx context.Context, tx Tx) error { return leaving.Forget(ctx, tx, subject) })
			in(func(ctx context.Context, tx Tx) error { return leaving.Readmit(ctx, tx, subject) })
		}
	})
	rotating := newKeys()
	rotate := func(brokenOff error) (n int) {
		in(func(ctx context.Context, tx Tx) (err error) {
			n, err = rotating.Rewrap(ctx, tx, 10)
			return errors.Join(err, brokenOff)
		})
		return n
	}
	for range 2 {
		working.Go(func() {
			for i := range rounds {
				if i%2 == 0 {
					rotate(errBrokenOff)
				} else {
					rotate(nil)
				}
			}
		})
	}
	exporting := newKeys()
	working.Go(func() {
		for i := range rounds / 4 {
			in(func(ctx context.Context, tx Tx) error {
				for e, err := range exporting.Export(ctx, tx, d.log, fmt.Sprint("stays-1-", i), func(ctx context.Context, tx Tx, keys *privacy.Keys[Tx], e *runtime.PersistedEvent) (any, error) {
					return store.FromESEvent(ctx, tx, keys, *e)
				}) {
					if err != nil {
						return err
					}
					if got := e.Event.(transfer.Made); got.Name == "(removed)" || got.Note != "(removed)" {
						t.Errorf("exported %+v", got)
					}
				}
				return nil
			})
		}
	})
	working.Wait()
	for left := 1; left > 0; {
		left = rotate(nil)
	}
	in(func(ctx context.Context, tx Tx) error {
		left, err := rows.FindKeys(ctx, tx, privacy.KeyQuery{NotWrappedBy: "new", Limit: 10})
		if len(left) > 0 {
			t.Errorf("keys that need the old wrapper: %+v", left)
		}
		return err
	})
	last := privacy.NewKeys(rows, localWrapper(), privacy.WithWrapperName("new")) // knows nothing of the old wrapper
	transfers := store.NewTransferStore(d.log, last)
	for s := range streams {
		in(func(ctx context.Context, tx Tx) error {
			stream, err := transfers.Read(ctx, tx, transfer.ID(fmt.Sprint("t", s)))
			if err == nil && (len(stream.Events) != wrote[s] || wrote[s] == 0) {
				t.Errorf("stream %d has %d events, and %d were appended", s, len(stream.Events), wrote[s])
			}
			for _, e := range stream.Events {
				got := e.Event.(transfer.Made)
				if got.Name != made("", 0).Name || got.Note != made("", 0).Note && got.Note != "(removed)" {
					t.Errorf("stream %d, version %d: %+v", s, e.Meta.AggregateVersion, got)
				}
			}
			return err
		})
	}
}

// errBrokenOff ends a transaction as the death of its process does.
var errBrokenOff = errors.New("broken off")
